//! One label out of a fixed set.

use super::outcome::{Outcome, Part, Truth, Value, Why};
use super::places::{Places, scalar_text, texts};
use super::scorer::{Case, Scorer};
use crate::call::{Replies, Step};
use crate::evalset::Example;

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
