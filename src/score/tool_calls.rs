//! The calls that an answer makes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::items::Overlap;
use super::json_schema::Schema;
use super::judged::Judges;
use super::measure::{At, Found, Measure, Miss};
use super::scorer::Scorer;
use super::settings::{JsonSource, Settings, settings};
use super::spec::{SpecError, ValueKind};
use crate::call::Tool;

settings! {
    /// `[scorers.NAME.tool_calls]`
    expected share ToolCallsSpec {
        /// What is the value.
        pub measure: CallMeasure,
        /// What of the arguments is compared.
        pub arguments: Arguments,
        /// The calls must come in the expected order.
        pub ordered: bool,
        /// The calls of all turns count, not only those of the last.
        pub all_turns: bool,
        /// The tools there are, with the schemas of their arguments: a file, or the list itself. For `valid`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tools: Option<JsonSource>,
    }
}

/// What is measured of tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallMeasure {
    /// The harmonic mean of precision and recall.
    #[default]
    F1,
    /// The share of the calls made that are expected.
    Precision,
    /// The share of the calls expected that were made.
    Recall,
    /// What is in both over what is in either.
    Jaccard,
    /// 1 where no call is missing and none too much.
    Exact,
    /// The share of the calls made that name a tool there is, with arguments that follow its schema. Compares with nothing.
    Valid,
}

/// What of the arguments is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arguments {
    /// All of them: the same JSON. A call that is expected without arguments is expected by its name alone.
    #[default]
    Exact,
    /// Those that are expected; others may be there too.
    Subset,
    /// None: the names alone.
    Ignore,
}

/// The most calls of one answer that are compared.
const MOST: usize = 200;

/// A call.
#[derive(Debug, Clone, PartialEq)]
struct Made {
    name: String,
    arguments: Option<Json>,
}

enum What {
    Overlap(Overlap),
    /// By the name of a tool the schema of its arguments.
    Valid(BTreeMap<String, Schema>),
}

/// The calls that the answer makes, against those that are expected or against their schemas.
struct ToolCalls {
    what: What,
    arguments: Arguments,
    ordered: bool,
    all_turns: bool,
}

impl Debug for ToolCalls {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ToolCalls").field("arguments", &self.arguments).finish_non_exhaustive()
    }
}

impl Settings for ToolCallsSpec {
    fn kind(&self) -> &'static str {
        "tool_calls"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Number
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn files(&self) -> Vec<&Path> {
        self.tools.iter().filter_map(JsonSource::file).collect()
    }

    fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let what = match (self.measure, &self.tools) {
            (CallMeasure::Valid, None) => {
                return Err(SpecError::new("`valid` needs the `tools` with their schemas".to_owned()));
            }
            (CallMeasure::Valid, Some(tools)) => What::Valid(schemas(tools.json(around)?)?),
            (_, Some(_)) => return Err(SpecError::new("`tools` is for `measure = \"valid\"`".to_owned())),
            (CallMeasure::F1, None) => What::Overlap(Overlap::F1),
            (CallMeasure::Precision, None) => What::Overlap(Overlap::Precision),
            (CallMeasure::Recall, None) => What::Overlap(Overlap::Recall),
            (CallMeasure::Jaccard, None) => What::Overlap(Overlap::Jaccard),
            (CallMeasure::Exact, None) => What::Overlap(Overlap::Exact),
        };
        let (arguments, ordered, all_turns) = (self.arguments, self.ordered, self.all_turns);
        self.common().measured(self.values(), ToolCalls { what, arguments, ordered, all_turns })
    }
}

/// The schemas of tools, as candidates have them.
fn schemas(tools: &Json) -> Result<BTreeMap<String, Schema>, SpecError> {
    let tools: Vec<Tool> = serde_json::from_value(tools.clone())
        .map_err(|error| SpecError::new(format!("`tools`: expected a list of {{ name, parameters }}: {error}")))?;
    let schema = |tool: Tool| {
        let schema = Schema::new(&tool.parameters);
        Ok((tool.name.clone(), schema.map_err(|error| SpecError::new(format!("tool `{}`: {error}", tool.name)))?))
    };
    tools.into_iter().map(schema).collect()
}

/// Arguments that came as a text are the JSON inside it, where there is one.
fn arguments(value: &Json) -> Json {
    match value {
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        value => value.clone(),
    }
}

/// A call as people and vendors write it: a name, `{name, arguments}`, or the same below `function`.
fn call(value: &Json) -> Option<Made> {
    match value {
        Json::String(name) => Some(Made { name: name.clone(), arguments: None }),
        Json::Object(fields) => {
            let fields = fields.get("function").and_then(Json::as_object).unwrap_or(fields);
            let name = fields.get("name")?.as_str()?.to_owned();
            Some(Made { name, arguments: fields.get("arguments").map(arguments) })
        }
        _ => None,
    }
}

impl ToolCalls {
    /// The calls that were made: those of the model, or a list in the answer.
    fn made(&self, at: &At<'_>) -> Result<Vec<Made>, Miss> {
        let answer = at.case.answer;
        let own = |call: &crate::call::ToolCall| Made {
            name: call.name.clone(),
            arguments: Some(arguments(&call.arguments)),
        };
        if at.places.answer.is_whole() && !answer.trajectory.is_empty() {
            return Ok(if self.all_turns {
                answer.trajectory.iter().flat_map(|turn| &turn.tool_calls).map(own).collect()
            } else {
                answer.tool_calls.iter().map(own).collect()
            });
        }
        let given = at.answer()?;
        let list = match given {
            Json::Object(fields) if at.places.answer.is_whole() => fields.get("tool_calls").unwrap_or(given),
            given => given,
        };
        let Json::Array(calls) = list else { return Err(Miss::fault("the answer holds no list of calls")) };
        let made: Option<Vec<Made>> = calls.iter().map(call).collect();
        made.ok_or_else(|| Miss::fault("the answer has something among its calls that is no call"))
    }

    fn matches(&self, made: &Made, expected: &Made) -> bool {
        let none = Json::Object(Map::new());
        made.name == expected.name
            && match (&expected.arguments, self.arguments) {
                (None, _) | (_, Arguments::Ignore) => true,
                (Some(wanted), Arguments::Exact) => made.arguments.as_ref().unwrap_or(&none) == wanted,
                (Some(wanted), Arguments::Subset) => {
                    let given = made.arguments.as_ref().unwrap_or(&none);
                    match (wanted, given) {
                        (Json::Object(wanted), Json::Object(given)) => {
                            wanted.iter().all(|(key, value)| given.get(key) == Some(value))
                        }
                        (wanted, given) => wanted == given,
                    }
                }
            }
    }

    /// How many calls can be told off against each other.
    fn in_both(&self, made: &[Made], expected: &[Made]) -> usize {
        if self.ordered {
            // The longest common subsequence; the lists are short.
            let mut best = vec![0; expected.len() + 1];
            for call in made {
                let mut diagonal = 0;
                for (at, wanted) in expected.iter().enumerate() {
                    let above = best[at + 1];
                    best[at + 1] = if self.matches(call, wanted) { diagonal + 1 } else { above.max(best[at]) };
                    diagonal = above;
                }
            }
            return best[expected.len()];
        }
        let mut taken_by: Vec<Option<usize>> = vec![None; expected.len()];
        let place = |call: &usize| self.place(*call, made, expected, &mut taken_by, &mut vec![false; expected.len()]);
        (0..made.len()).filter(place).count()
    }

    /// Finds an expected call for one that was made, moving others where they have a choice: with `subset` one call may
    /// do for several, and as many as possible are told off.
    fn place(
        &self,
        call: usize,
        made: &[Made],
        expected: &[Made],
        taken_by: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        for (at, wanted) in expected.iter().enumerate() {
            if seen[at] || !self.matches(&made[call], wanted) {
                continue;
            }
            seen[at] = true;
            if taken_by[at].is_none_or(|other| self.place(other, made, expected, taken_by, seen)) {
                taken_by[at] = Some(call);
                return true;
            }
        }
        false
    }
}

impl Measure for ToolCalls {
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss> {
        let too_many = |calls: &[Made]| calls.len() > MOST;
        match &self.what {
            What::Valid(schemas) => {
                let made = self.made(at)?;
                if made.is_empty() {
                    return Err(Miss::fault("the answer makes no call"));
                }
                let faults: Vec<String> = made.iter().filter_map(|made| fault(schemas, made)).collect();
                let found = Found::share((made.len() - faults.len()) as f64 / made.len() as f64);
                Ok(if faults.is_empty() { found } else { found.because(faults.join("; ")) })
            }
            What::Overlap(overlap) => {
                let expected = at.expected()?;
                let wanted: Option<Vec<Made>> = match expected {
                    Json::Array(calls) => calls.iter().map(call).collect(),
                    _ => None,
                };
                let wanted = wanted
                    .filter(|wanted| !too_many(wanted))
                    .ok_or_else(|| Miss::unable(format!("expected {expected} is no list of at most {MOST} calls")))?;
                let made = self.made(at)?;
                if too_many(&made) {
                    return Err(Miss::fault(format!("the answer makes {} calls, more than {MOST}", made.len())));
                }
                let both = self.in_both(&made, &wanted);
                let found = Found::share(overlap.share(both, made.len(), wanted.len()));
                Ok(found.because(format!("{} calls made, {} expected, {both} of them alike", made.len(), wanted.len())))
            }
        }
    }
}

/// What is wrong with a call.
fn fault(schemas: &BTreeMap<String, Schema>, made: &Made) -> Option<String> {
    let Some(schema) = schemas.get(&made.name) else { return Some(format!("there is no tool `{}`", made.name)) };
    let none = Json::Object(Map::new());
    schema.fault(made.arguments.as_ref().unwrap_or(&none)).map(|why| format!("`{}`: {why}", made.name))
}
