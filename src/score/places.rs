//! Where a scorer looks, and which examples it applies to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scorer::Case;
use crate::call::Pointer;
use crate::evalset::{Example, LabelValue};

/// The places that every scorer has: into the answer, into what is expected, and the labels that an example must have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    /// Into the answer; the whole answer where empty.
    pub answer: Pointer,
    /// Into `expected`; the whole of it where empty.
    pub expected: Pointer,
    /// What to compare with, in the place of what the example expects.
    pub literal: Option<Value>,
    /// Into the answer, where it says how sure it is.
    pub confidence: Option<Pointer>,
    /// An example must have one of the values of every key; all examples where empty.
    pub when: BTreeMap<String, LabelValue>,
}

impl Places {
    /// Whether an example is meant.
    #[must_use]
    pub fn applies(&self, example: &Example) -> bool {
        self.when.iter().all(|(key, wanted)| {
            example.labels.get(key).is_some_and(|have| have.iter().any(|value| wanted.iter().any(|want| want == value)))
        })
    }

    /// What the candidate gave at the place, or a sentence saying that it gave nothing there.
    ///
    /// # Errors
    /// The sentence: the candidate's fault, so a score.
    pub fn in_answer<'a>(&self, case: &Case<'a>) -> Result<&'a Value, String> {
        self.answer.find(&case.answer.value).ok_or_else(|| format!("the answer has nothing at {}", self.answer))
    }

    /// How sure the answer says it is: a number from 0 to 1, or a text that is one. Anything else is no confidence.
    #[must_use]
    pub fn confidence(&self, case: &Case<'_>) -> Option<f64> {
        let stated = self.confidence.as_ref()?.find(&case.answer.value)?;
        let number = stated.as_f64().or_else(|| stated.as_str()?.trim().parse().ok())?;
        (0.0..=1.0).contains(&number).then_some(number)
    }

    /// What is expected at the place, or a sentence saying that the example lacks it.
    ///
    /// # Errors
    /// The sentence: the eval set's fault, so unscored.
    pub fn in_expected<'a>(&'a self, case: &Case<'a>) -> Result<&'a Value, String> {
        self.expected_of(case.example)
    }

    /// As [`Self::in_expected`], of an example alone.
    ///
    /// # Errors
    /// As [`Self::in_expected`].
    pub fn expected_of<'a>(&'a self, example: &'a Example) -> Result<&'a Value, String> {
        if let Some(literal) = &self.literal {
            return Ok(literal);
        }
        let expected = example.expected.as_ref().ok_or("the example has nothing in `expected`")?;
        self.expected.find(expected).ok_or_else(|| format!("`expected` has nothing at {}", self.expected))
    }
}

/// A scalar as text: what a person would compare.
#[must_use]
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// One or several texts: a scalar, or a list of scalars.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar_text).collect(),
        scalar => scalar_text(scalar).map(|text| vec![text]),
    }
}
