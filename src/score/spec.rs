//! Scorers as they stand in the config: `[scorers.NAME.KIND]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contains::Contains;
use super::exact::Exact;
use super::judged::{JudgedSpec, Judges};
use super::label::Label;
use super::numeric::Numeric;
use super::places::Places;
use super::preference::Preference;
use super::program::ProgramScorer;
use super::program_spec::{Asking, CommandScorerSpec, HttpScorerSpec};
use super::ranked::Ranked;
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
    /// Ids in an order.
    Ranked(RankedSpec),
    /// How the answer fared against another.
    Preference(PreferenceSpec),
    /// What a judge says.
    Judge(JudgedSpec),
    /// What a program says.
    Command(CommandScorerSpec),
    /// What a service says.
    Http(HttpScorerSpec),
}

/// What the values of a scorer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Right or wrong.
    Right,
    /// A number.
    Number,
    /// A label.
    Label,
    /// Ranked ids.
    Ranked,
    /// A preference.
    Preference,
    /// What the judge's own file says: numbers, labels or preferences.
    Judged,
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
    /// Place in the answer where it says how sure it is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Pointer>,
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
    /// Place in the answer where it says how sure it is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Pointer>,
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
    /// Place in the answer where it says how sure it is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Pointer>,
}

/// `[scorers.NAME.ranked]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankedSpec {
    /// Place in the answer: a list of ids, the best first.
    pub answer: Pointer,
    /// Place in `expected`: a list of relevant ids, or an object of ids with their grades.
    pub expected: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
    /// It passes when a relevant id stands among this many; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<std::num::NonZeroUsize>,
}

/// `[scorers.NAME.preference]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PreferenceSpec {
    /// Place in the answer.
    pub answer: Pointer,
    /// Examples it applies to.
    pub when: BTreeMap<String, LabelValue>,
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

impl SpecError {
    pub(super) const fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl ScorerSpec {
    /// The kind, as it stands in the config.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Numeric(_) => "numeric",
            Self::Label(_) => "label",
            Self::Contains(_) => "contains",
            Self::Ranked(_) => "ranked",
            Self::Preference(_) => "preference",
            Self::Judge(_) => "judge",
            Self::Command(_) => "command",
            Self::Http(_) => "http",
        }
    }

    /// The kinds there are, each with what it does in a line.
    pub const KINDS: [(&'static str, &'static str); 9] = [
        ("exact", "the answer equals what is expected; right or wrong"),
        ("numeric", "the answer is a number within a tolerance of the expected one; right or wrong"),
        ("label", "the answer is one of a fixed set of labels, and a right one; keeps the label"),
        ("contains", "texts that must, may or must not occur; the share of conditions met"),
        ("ranked", "the answer is a list of ids, the best first; keeps the list and the grades of the relevant ids"),
        ("preference", "how the answer fared against another: 1, 0 or -1"),
        ("judge", "what a judge of `judges/` says of the answer: a grade, a label, a preference"),
        (
            "command",
            "a program of your own: JSON in, a score, a label, or right or wrong out; also as workers that stay",
        ),
        ("http", "a service behind an address, like a classifier: JSON in, a score, a label, or right or wrong out"),
    ];

    /// What its values are.
    #[must_use]
    pub const fn values(&self) -> ValueKind {
        match self {
            Self::Exact(_) | Self::Numeric(_) => ValueKind::Right,
            Self::Label(_) => ValueKind::Label,
            Self::Contains(_) => ValueKind::Number,
            Self::Ranked(_) => ValueKind::Ranked,
            Self::Preference(_) => ValueKind::Preference,
            Self::Judge(_) => ValueKind::Judged,
            Self::Command(CommandScorerSpec { labels, .. }) | Self::Http(HttpScorerSpec { labels, .. }) => {
                if labels.is_empty() { ValueKind::Number } else { ValueKind::Label }
            }
        }
    }

    /// Whether it looks for a confidence.
    #[must_use]
    pub const fn states_confidence(&self) -> bool {
        match self {
            Self::Exact(ExactSpec { confidence, .. })
            | Self::Numeric(NumericSpec { confidence, .. })
            | Self::Label(LabelSpec { confidence, .. }) => confidence.is_some(),
            Self::Contains(_) | Self::Ranked(_) | Self::Preference(_) | Self::Judge(_) => false,
            // It says so when it is asked.
            Self::Command(_) | Self::Http(_) => true,
        }
    }

    /// The version of the kind's code: raised whenever the same answer could get another score, so that old and new scores
    /// are not compared.
    #[must_use]
    pub const fn version(&self) -> u32 {
        match self {
            Self::Exact(_)
            | Self::Numeric(_)
            | Self::Label(_)
            | Self::Contains(_)
            | Self::Ranked(_)
            | Self::Preference(_)
            | Self::Judge(_)
            | Self::Command(_)
            | Self::Http(_) => 1,
        }
    }

    /// The judge that it names.
    #[must_use]
    pub const fn judge(&self) -> Option<&JudgedSpec> {
        match self {
            Self::Judge(spec) => Some(spec),
            _ => None,
        }
    }

    /// The program or service that it asks.
    #[must_use]
    pub const fn asking(&self) -> Option<Asking<'_>> {
        match self {
            Self::Command(spec) => Some(Asking::Command(spec)),
            Self::Http(spec) => Some(Asking::Http(spec)),
            _ => None,
        }
    }

    /// SHA-256 over kind, version and settings: what "the same scorer" means; with a judge or a program, its own digests belong to it.
    #[must_use]
    pub fn digest(&self) -> String {
        let settings = match self {
            Self::Command(spec) => serde_json::to_string(&Self::Command(spec.deciding())),
            Self::Http(spec) => serde_json::to_string(&Self::Http(spec.deciding())),
            _ => serde_json::to_string(self),
        };
        let settings = settings.unwrap_or_default();
        sha256_hex(format!("{} {} {settings}", self.kind(), self.version()))
    }

    /// Makes the scorer; `judges` are those that scorers may name.
    ///
    /// # Errors
    /// Settings that contradict themselves, or the judge.
    pub fn build(&self, judges: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        let places = |answer: &Pointer, expected: &Pointer, when: &BTreeMap<String, LabelValue>| Places {
            answer: answer.clone(),
            expected: expected.clone(),
            confidence: None,
            when: when.clone(),
        };
        let stating =
            |places: Places, confidence: &Option<Pointer>| Places { confidence: confidence.clone(), ..places };
        Ok(match self {
            Self::Exact(spec) => Box::new(Exact {
                places: stating(places(&spec.answer, &spec.expected, &spec.when), &spec.confidence),
                ignore_case: spec.ignore_case,
            }),
            Self::Numeric(spec) => {
                if !(spec.absolute >= 0.0 && spec.relative >= 0.0) {
                    return Err(SpecError("`absolute` and `relative` must not be negative".to_owned()));
                }
                Box::new(Numeric {
                    places: stating(places(&spec.answer, &spec.expected, &spec.when), &spec.confidence),
                    absolute: spec.absolute,
                    relative: spec.relative,
                })
            }
            Self::Label(spec) => {
                if spec.labels.is_empty() {
                    return Err(SpecError("`labels` is empty; name the labels there are".to_owned()));
                }
                Box::new(Label {
                    places: stating(places(&spec.answer, &spec.expected, &spec.when), &spec.confidence),
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
            Self::Ranked(spec) => Box::new(Ranked {
                places: places(&spec.answer, &spec.expected, &spec.when),
                within: spec.within.map(usize::from),
            }),
            Self::Preference(spec) => {
                Box::new(Preference { places: places(&spec.answer, &Pointer::default(), &spec.when) })
            }
            Self::Judge(spec) => Box::new(spec.build(judges)?),
            Self::Command(_) | Self::Http(_) => {
                let asked = self.asking().zip(judges.programs.get(&self.digest()));
                let (asking, asked) =
                    asked.ok_or_else(|| SpecError("it asks a program, which only a run can".to_owned()))?;
                Box::new(ProgramScorer::new(asking, asked)?)
            }
        })
    }
}
