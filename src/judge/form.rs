//! The form of a judge's reply: as text for the prompt, as a schema for providers that have that.

use serde_json::{Map, Value, json};

use super::scale::GradeScale;
use super::spec::{JudgeKind, JudgeSpec, OVERALL, Overall};
use crate::call::AnswerSchema;

/// The key of the reasons in a reply.
pub(super) const REASONING: &str = "reasoning";

/// What a reply has to hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    /// The grades that are offered in a reply.
    pub(super) scale: GradeScale,
    /// Whether reasons come first.
    pub(super) reasoning: bool,
    /// What is graded: the key of the reply, and the dimension it stands for.
    pub(super) keys: Vec<(String, String)>,
}

impl Form {
    pub(super) fn new(spec: &JudgeSpec, scale: GradeScale) -> Self {
        let same = |name: &str| (name.to_owned(), name.to_owned());
        let keys = match spec.kind {
            JudgeKind::Rubric => {
                let asked = (spec.overall.unwrap_or_default() == Overall::Asked).then(|| same(OVERALL));
                spec.dimensions.iter().map(|dimension| same(&dimension.name)).chain(asked).collect()
            }
            JudgeKind::Pairwise => vec![("winner".to_owned(), OVERALL.to_owned())],
            JudgeKind::Grade | JudgeKind::Panel => vec![("grade".to_owned(), OVERALL.to_owned())],
        };
        Self { scale, reasoning: spec.reasoning, keys }
    }

    /// The grades in the order in which they are shown: of a comparison A first.
    fn shown(&self) -> Vec<Value> {
        let mut grades: Vec<Value> = self.scale.grades().map(|grade| plain(json!(grade))).collect();
        if self.scale == GradeScale::of_preferences() {
            // `tie` last: A and B are what it is about.
            grades = vec![json!("A"), json!("B"), json!("tie")];
        }
        grades
    }

    /// The form for the prompt.
    pub(super) fn text(&self) -> String {
        let offered: Vec<String> = self.shown().iter().map(Value::to_string).collect();
        let mut fields = Vec::new();
        if self.reasoning {
            fields.push(format!("\"{REASONING}\": \"why, in a few sentences, before the grade\""));
        }
        fields.extend(self.keys.iter().map(|(key, _)| format!("\"{key}\": one of {}", offered.join(", "))));
        format!("Reply with one JSON object and nothing else:\n{{{}}}", fields.join(", "))
    }

    /// The form as a schema; reasons first.
    pub(super) fn schema(&self) -> AnswerSchema {
        let offered = self.shown();
        let kind = match &self.scale {
            GradeScale::Labels(_) => "string",
            GradeScale::Numbers(numbers) if numbers.iter().all(|number| number.fract() == 0.0) => "integer",
            GradeScale::Numbers(_) => "number",
        };
        let mut properties = Map::new();
        if self.reasoning {
            properties.insert(REASONING.to_owned(), json!({"type": "string"}));
        }
        for (key, _) in &self.keys {
            properties.insert(key.clone(), json!({"type": kind, "enum": offered}));
        }
        let required: Vec<String> = properties.keys().cloned().collect();
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        AnswerSchema { name: "judgement".to_owned(), schema }
    }

    /// What the template sees as `dimensions`.
    pub(super) fn described(spec: &JudgeSpec) -> Value {
        let levels = |levels: &[super::spec::LevelSpec]| {
            let level = |level: &super::spec::LevelSpec| json!({"value": plain(json!(level.value)), "means": level.means, "example": level.example});
            levels.iter().map(level).collect::<Vec<_>>()
        };
        if spec.kind != JudgeKind::Rubric {
            return json!([{"name": OVERALL, "about": spec.about, "levels": levels(&spec.levels)}]);
        }
        let dimension = |dimension: &super::spec::DimensionSpec| json!({"name": dimension.name, "about": dimension.about, "levels": levels(&dimension.levels)});
        Value::Array(spec.dimensions.iter().map(dimension).collect())
    }
}

/// A whole number without a fraction: `2`, not `2.0`.
pub(super) fn plain(value: Value) -> Value {
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_form_names_reasons_first_and_only_the_offered_grades() {
        let spec = "kind = \"rubric\"\noverall = \"asked\"\n[model.openai]\nmodel = \"m\"\n[scale]\nvalues = [0, 1]\n\
                    [[dimension]]\nname = \"depth\"\nabout = \"how deep\"\n";
        let spec = JudgeSpec::parse(Path::new("j"), spec).unwrap();
        let form = Form::new(&spec, spec.grade_scale().unwrap().unwrap());
        assert!(form.text().ends_with(
            r#"{"reasoning": "why, in a few sentences, before the grade", "depth": one of 0, 1, "overall": one of 0, 1}"#
        ));
        let schema = form.schema().schema;
        assert_eq!(schema["required"], json!(["reasoning", "depth", "overall"]));
        assert_eq!(schema["properties"]["depth"], json!({"type": "integer", "enum": [0, 1]}));
    }
}
