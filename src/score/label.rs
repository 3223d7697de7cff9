//! One label out of a fixed set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::outcome::{Outcome, Part, Truth, Value, Why};
use super::places::{Places, scalar_text, texts};
use super::scorer::{Case, Scorer};
use super::settings::Settings;
use super::spec::{SpecError, ValueKind};
use crate::call::{Pointer, Replies, Step};
use crate::evalset::{Example, LabelValue};

/// `[scorers.NAME.label]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

impl Settings for LabelSpec {
    fn kind(&self) -> &'static str {
        "label"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Label
    }

    fn states_confidence(&self) -> bool {
        self.confidence.is_some()
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, _: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        if self.labels.is_empty() {
            return Err(SpecError::new("`labels` is empty; name the labels there are".to_owned()));
        }
        let places = Places {
            answer: self.answer.clone(),
            expected: self.expected.clone(),
            confidence: self.confidence.clone(),
            when: self.when.clone(),
            ..Places::default()
        };
        Ok(Box::new(Label { places, labels: self.labels.clone() }))
    }
}

/// The answer is one of the labels, and one of the right ones. The value kept is the label itself, for metrics over
/// labels; an answer that is no label is wrong.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) places: Places,
    /// The labels there are.
    pub(super) labels: Vec<String>,
}

impl Label {
    /// The label that a text names, without regard to case and surrounding space.
    fn named(&self, text: &str) -> Option<&String> {
        self.labels.iter().find(|label| label.trim().to_lowercase() == text.trim().to_lowercase())
    }

    /// The right labels of an example.
    fn right(&self, example: &Example) -> Result<Vec<String>, String> {
        let value = self.places.expected_of(example)?;
        let texts = texts(value).ok_or_else(|| format!("expected {value} is no label and no list of labels"))?;
        texts
            .iter()
            .map(|text| self.named(text).cloned().ok_or_else(|| format!("expected `{text}` is not one of the labels")))
            .collect()
    }
}

impl Scorer for Label {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let right = match self.right(case.example) {
            Ok(right) => right,
            Err(why) => return Step::Done(Outcome::Unscored { why: Why(why) }),
        };
        let given = self
            .places
            .in_answer(case)
            .and_then(|value| scalar_text(value).ok_or_else(|| "the answer is no single label".to_owned()));
        let part = match given {
            Err(why) => Part::whole(Value::Label(String::new()), false).because(why),
            Ok(text) => match self.named(&text) {
                Some(label) => Part::whole(Value::Label(label.clone()), right.contains(label)),
                None => {
                    Part::whole(Value::Label(text.clone()), false).because(format!("`{text}` is not one of the labels"))
                }
            },
        };
        Step::Done(Outcome::Scored(vec![part.stated(self.places.confidence(case))]))
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn truth(&self, example: &Example) -> Option<Truth> {
        self.right(example).ok()?.into_iter().next().map(Truth::Label)
    }

    fn worst(&self) -> Vec<Part> {
        vec![Part::whole(Value::Label(String::new()), false)]
    }
}
