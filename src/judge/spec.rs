//! `judges/<name>/judge.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::JudgeError;
use super::grade::Grade;
use super::scale::GradeScale;

/// The dimension of a judge that has only one, and of a rubric as a whole.
pub const OVERALL: &str = "overall";

/// Names that the reply form needs for itself.
const TAKEN: [&str; 4] = [OVERALL, "reasoning", "grade", "winner"];

/// How a judge grades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JudgeKind {
    /// One grade.
    Grade,
    /// A grade a dimension, and one overall.
    Rubric,
    /// Which of two answers is better.
    Pairwise,
    /// Several judges, whose grades are combined.
    Panel,
}

impl JudgeKind {
    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grade => "grade",
            Self::Rubric => "rubric",
            Self::Pairwise => "pairwise",
            Self::Panel => "panel",
        }
    }
}

/// Where the overall grade of a rubric comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overall {
    /// The mean of the dimensions.
    #[default]
    Mean,
    /// The worst of the dimensions.
    Min,
    /// The model gives it itself.
    Asked,
}

/// How the grades of a panel become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// The median; of two middle grades the lower one, of two middle preferences a tie.
    #[default]
    Median,
    /// The grade that most members give; of several such the lowest, of preferences a tie.
    Majority,
}

/// The settings of a judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeSpec {
    /// How it grades.
    pub kind: JudgeKind,
    /// What it grades, in a sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Whether it gives its reasons before the grade.
    #[serde(default = "yes")]
    pub reasoning: bool,
    /// Whether the reply is asked for by a JSON schema, where the provider has that.
    #[serde(default = "yes")]
    pub schema: bool,
    /// Repeated judgements, combined by the median.
    #[serde(default = "one")]
    pub repeats: NonZeroU32,
    /// Of a rubric: where the overall grade comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<Overall>,
    /// Whether it sees what is expected.
    #[serde(default)]
    pub reference: bool,
    /// Of a panel: its members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Of a panel: how their grades become one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combine: Option<Combine>,
    /// `[model.KIND]`: who grades; read by whoever knows providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<toml::Table>,
    /// The grades there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleSpec>,
    /// Of a rubric: what is graded, each on the scale.
    #[serde(default, rename = "dimension", skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<DimensionSpec>,
    /// Of a single grade: what its levels mean.
    #[serde(default, rename = "level", skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelSpec>,
    /// Cases whose right grade is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanity: Vec<SanitySpec>,
}

const fn yes() -> bool {
    true
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// `[scale]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleSpec {
    /// Numbers ascending, or labels worst first.
    pub values: Vec<Grade>,
    /// The least grade that passes; the upper half where it is not said, of labels the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at: Option<Grade>,
}

/// `[[dimension]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimensionSpec {
    /// Its name, in the reply too.
    pub name: String,
    /// What it looks at.
    pub about: String,
    /// Its levels in words.
    #[serde(default, rename = "level", skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelSpec>,
}

/// `[[dimension.level]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelSpec {
    /// The grade.
    pub value: Grade,
    /// What it means.
    pub means: String,
    /// A short example of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// `[[sanity]]`: a case whose right grade is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SanitySpec {
    /// A name for people.
    pub name: String,
    /// The input.
    #[serde(default)]
    pub input: Value,
    /// The answer.
    pub answer: Value,
    /// Of a comparison: the other answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Value>,
    /// What is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Value>,
    /// The grades that are right, by dimension; `overall` where there is only one.
    pub expect: BTreeMap<String, Expected>,
}

/// Grades that are right: one, one of several, or a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a grade, a list of grades, or { at_least = .., at_most = .. }")]
pub enum Expected {
    /// This one.
    One(Grade),
    /// One of these.
    OneOf(Vec<Grade>),
    /// A number in a range.
    Range(Range),
}

/// A range of numbers, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

impl Expected {
    /// Whether a grade is right.
    #[must_use]
    pub fn meets(&self, grade: &Grade) -> bool {
        match self {
            Self::One(right) => right == grade,
            Self::OneOf(right) => right.contains(grade),
            Self::Range(range) => grade.number().is_some_and(|number| {
                range.at_least.is_none_or(|least| number >= least) && range.at_most.is_none_or(|most| number <= most)
            }),
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(grade) => write!(out, "{grade}"),
            Self::OneOf(grades) => {
                let grades: Vec<String> = grades.iter().map(Grade::to_string).collect();
                out.write_str(&grades.join(" or "))
            }
            Self::Range(Range { at_least: Some(least), at_most: Some(most) }) => write!(out, "{least} to {most}"),
            Self::Range(Range { at_least: Some(least), .. }) => write!(out, "at least {least}"),
            Self::Range(Range { at_most: Some(most), .. }) => write!(out, "at most {most}"),
            Self::Range(_) => out.write_str("any number"),
        }
    }
}

impl JudgeSpec {
    /// Reads a text; `path` stands in error messages.
    ///
    /// # Errors
    /// An unknown key with its line, a value of the wrong kind, settings that contradict each other.
    pub fn parse(path: &Path, text: &str) -> Result<Self, JudgeError> {
        let spec: Self = toml::from_str(text).map_err(|error| JudgeError::parse(path, text, &error))?;
        spec.check().map_err(|reason| JudgeError::settings(path, reason))?;
        Ok(spec)
    }

    /// The scale; of a panel there may be none, since it is that of its members.
    ///
    /// # Errors
    /// A sentence: no scale where one is needed, or values that make none.
    pub fn grade_scale(&self) -> Result<Option<GradeScale>, String> {
        match (self.kind, &self.scale) {
            (JudgeKind::Pairwise, None) => Ok(Some(GradeScale::of_preferences())),
            (JudgeKind::Pairwise, Some(_)) => Err("a pairwise judge has no `[scale]`: it says A, B or tie".to_owned()),
            (JudgeKind::Panel, None) => Ok(None),
            (JudgeKind::Panel, Some(_)) => Err("a panel has no `[scale]`: it is that of its members".to_owned()),
            (_, Some(scale)) => GradeScale::new(&scale.values).map(Some),
            (_, None) => {
                Err("there is no `[scale]`; give the grades there are, as in `values = [0, 1, 2, 3]`".to_owned())
            }
        }
    }

    /// What it grades: the dimensions of a rubric with `overall` last, else `overall` alone.
    #[must_use]
    pub fn graded(&self) -> Vec<String> {
        self.dimensions.iter().map(|dimension| dimension.name.clone()).chain([OVERALL.to_owned()]).collect()
    }

    fn check(&self) -> Result<(), String> {
        let scale = self.grade_scale()?;
        let is_rubric = self.kind == JudgeKind::Rubric;
        let is_panel = self.kind == JudgeKind::Panel;
        let of_no_use = [
            (self.overall.is_some() && !is_rubric, "overall", "a rubric"),
            (!self.dimensions.is_empty() && !is_rubric, "dimension", "a rubric"),
            (!self.levels.is_empty() && self.kind != JudgeKind::Grade, "level", "a single grade"),
            (!self.members.is_empty() && !is_panel, "members", "a panel"),
            (self.combine.is_some() && !is_panel, "combine", "a panel"),
        ];
        if let Some((_, key, whose)) = of_no_use.iter().find(|(wrong, ..)| *wrong) {
            return Err(format!("`{key}` belongs to {whose}, and this is a {}", self.kind.name()));
        }
        if is_panel {
            return self.check_panel();
        }
        if self.model.is_none() {
            return Err("there is no `[model.KIND]`: a judge names its model, there is no default one".to_owned());
        }
        if is_rubric && self.dimensions.is_empty() {
            return Err("a rubric needs `[[dimension]]`".to_owned());
        }
        let Some(scale) = scale else { return Ok(()) };
        if is_rubric && self.overall.unwrap_or_default() == Overall::Mean && matches!(scale, GradeScale::Labels(_)) {
            return Err("labels have no mean; give `overall = \"min\"` or `overall = \"asked\"`".to_owned());
        }
        if let Some(pass_at) = self.scale.as_ref().and_then(|scale| scale.pass_at.as_ref())
            && scale.place(pass_at).is_none()
        {
            return Err(format!("`pass_at` is {pass_at}, which is none of {}", scale.offered()));
        }
        self.check_dimensions(&scale)?;
        self.sanity.iter().try_for_each(|case| {
            self.check_sanity(case, &scale).map_err(|reason| format!("sanity case `{}`: {reason}", case.name))
        })
    }

    fn check_panel(&self) -> Result<(), String> {
        if self.members.len() < 2 {
            return Err("a panel needs two or more `members`".to_owned());
        }
        let mut known = BTreeSet::new();
        if let Some(twice) = self.members.iter().find(|member| !known.insert(*member)) {
            return Err(format!("the member `{twice}` stands there twice"));
        }
        if self.model.is_some() {
            return Err("a panel has no `[model]`: each member has its own".to_owned());
        }
        if self.repeats > NonZeroU32::MIN || self.reference {
            return Err("`repeats` and `reference` of a panel are those of its members".to_owned());
        }
        Ok(())
    }

    fn check_dimensions(&self, scale: &GradeScale) -> Result<(), String> {
        let mut known = BTreeSet::new();
        for dimension in &self.dimensions {
            let name = &dimension.name;
            let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
            if name.is_empty() || !is_word {
                return Err(format!("dimension `{name}`: expected letters, digits, `_` and `-`"));
            }
            if TAKEN.contains(&name.to_lowercase().as_str()) {
                return Err(format!("dimension `{name}`: the name is taken"));
            }
            if !known.insert(name.to_lowercase()) {
                return Err(format!("dimension `{name}` stands there twice"));
            }
            check_levels(&dimension.levels, scale).map_err(|reason| format!("dimension `{name}`: {reason}"))?;
        }
        check_levels(&self.levels, scale)
    }

    fn check_sanity(&self, case: &SanitySpec, scale: &GradeScale) -> Result<(), String> {
        match (self.kind, &case.other) {
            (JudgeKind::Pairwise, None) => return Err("`other` is missing: a comparison needs two answers".to_owned()),
            (JudgeKind::Grade | JudgeKind::Rubric, Some(_)) => {
                return Err("`other` belongs to a pairwise judge".to_owned());
            }
            _ => {}
        }
        if case.expect.is_empty() {
            return Err("`expect` is empty".to_owned());
        }
        if self.reference && case.reference.is_none() {
            return Err("`reference` is missing, which this judge sees".to_owned());
        }
        let graded = self.graded();
        for (dimension, expected) in &case.expect {
            if !graded.contains(dimension) {
                return Err(format!("there is no dimension `{dimension}`; there are {}", graded.join(", ")));
            }
            let grades: &[Grade] = match expected {
                Expected::One(grade) => std::slice::from_ref(grade),
                Expected::OneOf(grades) => grades,
                Expected::Range(_) => &[],
            };
            // A mean may lie between grades.
            let is_mean = dimension == OVERALL && self.overall.unwrap_or_default() == Overall::Mean;
            let is_mean = is_mean && self.kind == JudgeKind::Rubric;
            if let Some(off) = grades.iter().find(|grade| scale.place(grade).is_none() && !is_mean) {
                return Err(format!("`{dimension}`: {off} is none of {}", scale.offered()));
            }
        }
        Ok(())
    }
}

fn check_levels(levels: &[LevelSpec], scale: &GradeScale) -> Result<(), String> {
    let mut known: Vec<usize> = Vec::new();
    for level in levels {
        let Some(place) = scale.place(&level.value) else {
            return Err(format!("a level has the value {}, which is none of {}", level.value, scale.offered()));
        };
        if known.contains(&place) {
            return Err(format!("the level {} stands there twice", level.value));
        }
        known.push(place);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUBRIC: &str = r#"
kind = "rubric"
[model.openai]
model = "m-2026-01-01"
[scale]
values = [0, 1, 2]
[[dimension]]
name = "evidence"
about = "what it points to"
[[dimension.level]]
value = 0
means = "nothing"
"#;

    fn parse(text: &str) -> Result<JudgeSpec, String> {
        JudgeSpec::parse(Path::new("judge.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rubric_is_read_with_its_defaults() {
        let spec = parse(RUBRIC).unwrap();
        assert_eq!((spec.kind, spec.reasoning, spec.schema, spec.repeats.get()), (JudgeKind::Rubric, true, true, 1));
        assert_eq!(spec.graded(), ["evidence", "overall"]);
        assert_eq!(spec.dimensions[0].levels[0].value, Grade::Number(0.0));
    }

    #[test]
    fn an_unknown_key_has_its_line_and_the_nearest_one() {
        let error = parse(&RUBRIC.replace("about", "abuot")).unwrap_err();
        assert!(error.starts_with("judge.toml:9: unknown key `abuot`") && error.contains("`about`?"), "{error}");
    }

    #[test]
    fn settings_that_make_no_judge_are_refused() {
        let grade = "kind = \"grade\"\n[model.openai]\nmodel = \"m\"\n[scale]\nvalues = [1, 2]\n";
        assert!(parse(grade).is_ok());
        for (text, part) in [
            (grade.replace("values = [1, 2]", "values = [2, 1]"), "ascending"),
            (grade.replace("[model.openai]\nmodel = \"m\"\n", ""), "no `[model.KIND]`"),
            (grade.replace("kind = \"grade\"", "kind = \"rubric\""), "needs `[[dimension]]`"),
            (grade.replace("kind = \"grade\"", "kind = \"pairwise\""), "no `[scale]`"),
            (format!("{grade}pass_at = 3\n"), "`pass_at` is 3"),
            (grade.replace("kind = \"grade\"", "kind = \"grade\"\nrepeats = 0"), "nonzero"),
            ("kind = \"panel\"\nmembers = [\"a\"]\n".to_owned(), "two or more"),
            ("kind = \"panel\"\nmembers = [\"a\", \"a\"]\n".to_owned(), "twice"),
            (RUBRIC.replace("\"evidence\"", "\"overall\""), "taken"),
            (RUBRIC.replace("value = 0", "value = 7"), "none of 0, 1, 2"),
            (RUBRIC.replace("[0, 1, 2]", "[\"a\", \"b\"]"), "labels have no mean"),
            (format!("{RUBRIC}[[sanity]]\nname = \"s\"\nanswer = \"x\"\nexpect = {{ evidenc = 1 }}\n"), "no dimension"),
            (
                format!("{RUBRIC}[[sanity]]\nname = \"s\"\nanswer = \"x\"\nexpect = {{ evidence = 9 }}\n"),
                "9 is none of",
            ),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(part), "{error}\n{text}");
        }
    }

    #[test]
    fn what_is_expected_is_a_grade_some_or_a_range() {
        let text =
            "[[sanity]]\nname = \"s\"\nanswer = \"x\"\nexpect = { evidence = [1, 2], overall = { at_least = 1 } }\n";
        let spec = parse(&format!("{RUBRIC}{text}")).unwrap();
        let expect = &spec.sanity[0].expect;
        assert!(expect["evidence"].meets(&Grade::Number(2.0)) && !expect["evidence"].meets(&Grade::Number(0.0)));
        assert!(expect["overall"].meets(&Grade::Number(1.5)) && !expect["overall"].meets(&Grade::Number(0.5)));
        assert_eq!(expect["evidence"].to_string(), "1 or 2");
    }
}
