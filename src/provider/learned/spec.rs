//! Honest baselines as they stand in the config.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::Pointer;

/// What is learned: one place in `expected`, or for every place in the answer one in `expected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a place in `expected` like \"/answer/team\", or { \"/place/in/the/answer\" = \"/place/in/expected\" }"
)]
pub enum Places {
    /// One; the setting `answer` says where it goes.
    One(Pointer),
    /// Place in the answer → place in `expected`.
    Each(BTreeMap<Pointer, Pointer>),
}

/// Which columns of a table mean what. Each place that is learned is a column named like its last part, or `label`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The column of the id.
    pub id: String,
    /// The column of the input.
    pub input: String,
    /// The column of what is right, where one thing is learned and the column is not named like its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { id: "id".to_owned(), input: "input".to_owned(), label: None }
    }
}

impl Columns {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How `random` draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Draw {
    /// Every answer as often as it is right.
    #[default]
    Proportional,
    /// Every answer that occurs equally often.
    Uniform,
}

/// `[candidates.NAME.random]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomSpec {
    /// What is learned.
    pub learn: Places,
    /// Where in the answer it goes; the whole answer by default.
    #[serde(default, skip_serializing_if = "Pointer::is_whole")]
    pub answer: Pointer,
    /// Labelled examples to learn from; without them the eval set, the example asked about left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The columns of that file, where it is a table.
    #[serde(default, skip_serializing_if = "Columns::is_default")]
    pub columns: Columns,
    /// How it draws.
    #[serde(default)]
    pub draw: Draw,
    /// The seed of the draws.
    #[serde(default)]
    pub seed: u64,
}

/// `[candidates.NAME.majority]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MajoritySpec {
    /// What is learned.
    pub learn: Places,
    /// Where in the answer it goes; the whole answer by default.
    #[serde(default, skip_serializing_if = "Pointer::is_whole")]
    pub answer: Pointer,
    /// Labelled examples to learn from; without them the eval set, the example asked about left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The columns of that file, where it is a table.
    #[serde(default, skip_serializing_if = "Columns::is_default")]
    pub columns: Columns,
}

/// `[candidates.NAME.nearest]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NearestSpec {
    /// What is learned.
    pub learn: Places,
    /// Where in the answer it goes; the whole answer by default.
    #[serde(default, skip_serializing_if = "Pointer::is_whole")]
    pub answer: Pointer,
    /// Labelled examples to learn from; without them the eval set, the example asked about left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The columns of that file, where it is a table.
    #[serde(default, skip_serializing_if = "Columns::is_default")]
    pub columns: Columns,
    /// BM25: how soon a further occurrence of a word stops to matter.
    #[serde(default = "k1")]
    pub k1: f64,
    /// BM25: how much a long text has to have more of a word, 0 to 1.
    #[serde(default = "b")]
    pub b: f64,
}

const fn k1() -> f64 {
    NearestSpec::CONSTANTS.0
}

const fn b() -> f64 {
    NearestSpec::CONSTANTS.1
}

/// What the three have in common: what is learned, and from what.
#[derive(Debug, Clone)]
pub(super) struct Lesson<'s> {
    /// Where it goes in the answer, and where in `expected` it is learned from.
    pub(super) places: Vec<(Pointer, Pointer)>,
    /// The file, where it is not the eval set.
    pub(super) from: Option<&'s Path>,
    pub(super) columns: &'s Columns,
}

impl<'s> Lesson<'s> {
    /// The settings in one form.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    fn new(learn: &Places, answer: &Pointer, from: Option<&'s PathBuf>, columns: &'s Columns) -> Result<Self, String> {
        let places = match learn {
            Places::One(expected) => vec![(answer.clone(), expected.clone())],
            Places::Each(_) if !answer.is_whole() => {
                return Err("`learn` says for every place where it goes; leave `answer` out".to_owned());
            }
            Places::Each(places) => {
                places.iter().map(|(answer, expected)| (answer.clone(), expected.clone())).collect()
            }
        };
        if places.is_empty() {
            return Err("`learn` is empty; name what is to be learned".to_owned());
        }
        for (index, (inner, _)) in places.iter().enumerate() {
            let mut others = places.iter().enumerate().filter(|(other, _)| *other != index);
            if let Some((_, (outer, _))) = others.find(|(_, (outer, _))| outer.holds(inner)) {
                return Err(format!("`learn`: {inner} lies in {outer}; an answer cannot have both"));
            }
        }
        if columns.label.is_some() && places.len() > 1 {
            return Err(
                "`columns.label` is for one place; several are columns named like the last part of theirs".to_owned()
            );
        }
        if from.is_none() && !columns.is_default() {
            return Err("`columns` are those of a file; name it with `from`".to_owned());
        }
        Ok(Self { places, from: from.map(PathBuf::as_path), columns })
    }
}

impl RandomSpec {
    pub(super) fn lesson(&self) -> Result<Lesson<'_>, String> {
        Lesson::new(&self.learn, &self.answer, self.from.as_ref(), &self.columns)
    }
}

impl MajoritySpec {
    pub(super) fn lesson(&self) -> Result<Lesson<'_>, String> {
        Lesson::new(&self.learn, &self.answer, self.from.as_ref(), &self.columns)
    }
}

impl NearestSpec {
    /// The usual `k1` and `b`.
    pub const CONSTANTS: (f64, f64) = (1.5, 0.75);

    pub(super) fn lesson(&self) -> Result<Lesson<'_>, String> {
        if !(self.k1 >= 0.0 && self.k1.is_finite() && (0.0..=1.0).contains(&self.b)) {
            return Err("`k1` must not be negative, and `b` lies between 0 and 1".to_owned());
        }
        Lesson::new(&self.learn, &self.answer, self.from.as_ref(), &self.columns)
    }
}
