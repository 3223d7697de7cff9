//! Scorers as they stand in the config: `[scorers.NAME.KIND]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contains::Contains;
use super::exact::Exact;
use super::label::Label;
use super::numeric::Numeric;
use super::places::Places;
use super::scorer::Scorer;
use crate::call::Pointer;
use crate::evalset::LabelValue;
use crate::table::sha256_hex;

/// A scorer's settings; the kind is the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScorerSpec {
    /// Equal or not.
    Exact(ExactSpec),
    /// The right number.
    Numeric(NumericSpec),
    /// One label out of a set.
    Label(LabelSpec),
    /// Texts that must, may or must not occur.
    Contains(ContainsSpec),
}

/// `[scorers.NAME.exact]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExactSpec {
    /// Place in the answer.
    pub answer: Pointer,
    /// Place in `expected`.
    pub expected: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// Upper and lower case are the same.
    pub ignore_case: bool,
}

/// `[scorers.NAME.numeric]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumericSpec {
    /// Place in the answer.
    pub answer: Pointer,
    /// Place in `expected`.
    pub expected: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// Largest absolute difference.
    pub absolute: f64,
    /// Largest difference as a share of the expected number.
    pub relative: f64,
}

/// `[scorers.NAME.label]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSpec {
    /// Place in the answer.
    #[serde(default)]
    pub answer: Pointer,
    /// Place in `expected`: one label, or a list of right ones.
    #[serde(default)]
    pub expected: Pointer,
    /// Examples it applies to.
    #[serde(default)]
    pub when: BTreeMap<String, LabelValue>,
    /// The labels there are.
    pub labels: Vec<String>,
}

/// `[scorers.NAME.contains]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainsSpec {
    /// Place in the answer.
    pub answer: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// All of these must occur.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Words>,
    /// One of these must occur.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Words>,
    /// None of these may occur.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<Words>,
    /// Upper and lower case are the same.
    pub ignore_case: bool,
}

/// Texts: a list, or a place in `expected` where the example has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a list of texts, or { expected = \"/pointer\" }")]
pub enum Words {
    /// Written down.
    These(Vec<String>),
    /// In the example.
    Expected {
        /// Place in `expected`.
        expected: Pointer,
    },
}

/// Settings that make no scorer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(String);

impl ScorerSpec {
    /// The kind, as it stands in the config.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Numeric(_) => "numeric",
            Self::Label(_) => "label",
            Self::Contains(_) => "contains",
        }
    }

    /// The version of the kind's code: raised whenever the same answer could get another score, so that old and new scores
    /// are not compared.
    #[must_use]
    pub const fn version(&self) -> u32 {
        match self {
            Self::Exact(_) | Self::Numeric(_) | Self::Label(_) | Self::Contains(_) => 1,
        }
    }

    /// SHA-256 over kind, version and settings: what "the same scorer" means.
    #[must_use]
    pub fn digest(&self) -> String {
        let settings = serde_json::to_string(self).unwrap_or_default();
        sha256_hex(format!("{} {} {settings}", self.kind(), self.version()))
    }

    /// Makes the scorer.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    pub fn build(&self) -> Result<Box<dyn Scorer>, SpecError> {
        let places = |answer: &Pointer, expected: &Pointer, when: &BTreeMap<String, LabelValue>| Places {
            answer: answer.clone(),
            expected: expected.clone(),
            when: when.clone(),
        };
        Ok(match self {
            Self::Exact(spec) => Box::new(Exact {
                places: places(&spec.answer, &spec.expected, &spec.when),
                ignore_case: spec.ignore_case,
            }),
            Self::Numeric(spec) => {
                if !(spec.absolute >= 0.0 && spec.relative >= 0.0) {
                    return Err(SpecError("`absolute` and `relative` must not be negative".to_owned()));
                }
                Box::new(Numeric {
                    places: places(&spec.answer, &spec.expected, &spec.when),
                    absolute: spec.absolute,
                    relative: spec.relative,
                })
            }
            Self::Label(spec) => {
                if spec.labels.is_empty() {
                    return Err(SpecError("`labels` is empty; name the labels there are".to_owned()));
                }
                Box::new(Label {
                    places: places(&spec.answer, &spec.expected, &spec.when),
                    labels: spec.labels.clone(),
                })
            }
            Self::Contains(spec) => {
                if spec.all.is_none() && spec.any.is_none() && spec.none.is_none() {
                    return Err(SpecError("say what to look for with `all`, `any` or `none`".to_owned()));
                }
                Box::new(Contains {
                    places: places(&spec.answer, &Pointer::default(), &spec.when),
                    all: spec.all.clone(),
                    any: spec.any.clone(),
                    none: spec.none.clone(),
                    ignore_case: spec.ignore_case,
                })
            }
        })
    }
}
