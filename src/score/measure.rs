//! What most scorers are: a pure function of one answer and what is expected, between settings that all of them share.

use std::borrow::Cow;
use std::fmt::Debug;

use serde_json::Value as Json;

use super::outcome::{Outcome, Part, Value, Why};
use super::places::{Places, scalar_text, texts};
use super::scorer::{Case, Scorer};
use crate::call::{Replies, Step};
use crate::evalset::Example;

/// Why there is nothing to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// The candidate failed to give what is measured: the worst score, also when the score is turned around.
    Fault(String),
    /// The instrument, or the eval set, lacks what it takes: unscored.
    Unable(String),
}

impl Miss {
    pub(super) fn fault(why: impl Into<String>) -> Self {
        Self::Fault(why.into())
    }

    pub(super) fn unable(why: impl Into<String>) -> Self {
        Self::Unable(why.into())
    }
}

/// What was measured, before negation and `pass_at`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    value: f64,
    passed: bool,
    reason: Option<String>,
}

impl Found {
    /// Right or wrong.
    pub(super) fn right(right: bool) -> Self {
        Self { value: f64::from(u8::from(right)), passed: right, reason: None }
    }

    /// A share, which passes when it is whole.
    pub(super) fn share(share: f64) -> Self {
        Self { value: share, passed: share >= 1.0, reason: None }
    }

    /// A share, which passes when the kind says so.
    pub(super) const fn passing(share: f64, passed: bool) -> Self {
        Self { value: share, passed, reason: None }
    }

    /// The same with a sentence for people.
    pub(super) fn because(self, why: impl Into<String>) -> Self {
        Self { reason: Some(shortened(&why.into())), ..self }
    }

    /// Right, or wrong with a sentence that says why.
    pub(super) fn unless(fault: Option<String>) -> Self {
        match fault {
            None => Self::right(true),
            Some(why) => Self::right(false).because(why),
        }
    }
}

/// Reasons are read by people, and an answer of a megabyte may be quoted in one.
fn shortened(why: &str) -> String {
    const SHOWN: usize = 300;
    if why.chars().count() > SHOWN { why.chars().take(SHOWN).chain(['…']).collect() } else { why.to_owned() }
}

/// A pure function of one answer and what is expected.
pub(super) trait Measure: Send + Sync + Debug {
    /// What it finds. It looks at what is expected first: an example that lacks it says nothing of the candidate.
    fn measure(&self, at: &At<'_>) -> Result<Found, Miss>;

    /// Whether it has something to say about an example whose labels fit.
    fn applies(&self, _: &Example) -> bool {
        true
    }
}

/// One answer, and where to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) places: &'a Places,
    pub(super) case: &'a Case<'a>,
}

impl<'a> At<'a> {
    /// What the candidate gave at the place; `null` is nothing.
    pub(super) fn answer(&self) -> Result<&'a Json, Miss> {
        let found = self.places.in_answer(self.case).map_err(Miss::Fault)?;
        if found.is_null() {
            Err(Miss::Fault(format!("the answer has null at {}", self.places.answer)))
        } else {
            Ok(found)
        }
    }

    /// The same as a text: the whole answer as it came, a string without its quotes, anything else as JSON.
    pub(super) fn text(&self) -> Result<Cow<'a, str>, Miss> {
        if self.places.answer.is_whole() {
            return Ok(Cow::Borrowed(&self.case.answer.text));
        }
        Ok(match self.answer()? {
            Json::String(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.to_string()),
        })
    }

    /// What is expected at the place, or the literal in its stead.
    pub(super) fn expected(&self) -> Result<&'a Json, Miss> {
        self.places.expected_of(self.case.example).map_err(Miss::Unable)
    }

    /// One or several texts that are expected.
    pub(super) fn expected_texts(&self) -> Result<Vec<String>, Miss> {
        let expected = self.expected()?;
        texts(expected)
            .filter(|texts| !texts.is_empty())
            .ok_or_else(|| Miss::unable(format!("expected {expected} is no text and no list of texts")))
    }

    /// The list of items that is expected.
    pub(super) fn expected_items(&self) -> Result<Vec<String>, Miss> {
        let expected = self.expected()?;
        let Json::Array(items) = expected else {
            return Err(Miss::unable(format!("expected {expected} is no list")));
        };
        Ok(items.iter().map(item_text).collect())
    }

    /// What the candidate gave, read as JSON; with `fenced`, a code block around it is taken off.
    pub(super) fn json(&self, fenced: bool) -> Result<Cow<'a, Json>, String> {
        let text = match self.places.in_answer(self.case)? {
            Json::String(text) => text,
            value if !self.places.answer.is_whole() || !value.is_null() => return Ok(Cow::Borrowed(value)),
            _ => &self.case.answer.text,
        };
        serde_json::from_str(inside(text, fenced)).map(Cow::Owned).map_err(|error| format!("no JSON: {error}"))
    }
}

/// An item of a list as text: scalars without quotes, the rest as JSON.
pub(super) fn item_text(item: &Json) -> String {
    scalar_text(item).unwrap_or_else(|| item.to_string())
}

/// What stands in the only code block of a text, where that is wanted and there is one; else the text.
pub(super) fn inside(text: &str, fenced: bool) -> &str {
    let text = text.trim();
    let Some(block) = text.strip_prefix("```").filter(|_| fenced).and_then(|rest| rest.strip_suffix("```")) else {
        return text;
    };
    // The first line is the language.
    block.split_once('\n').map_or("", |(_, block)| block)
}

/// A [`Measure`] with the settings around it.
#[derive(Debug)]
pub(super) struct Measured<M> {
    pub(super) places: Places,
    pub(super) not: bool,
    pub(super) pass_at: Option<f64>,
    /// Whether the value is a share rather than right or wrong.
    pub(super) is_share: bool,
    pub(super) measure: M,
}

impl<M> Measured<M> {
    fn value(&self, value: f64) -> Value {
        if self.is_share { Value::Number(value) } else { Value::Bool(value >= 1.0) }
    }

    fn part(&self, found: Found) -> Part {
        let passed = self.pass_at.map_or(found.passed, |least| found.value >= least);
        let (value, passed) = if self.not { (1.0 - found.value, !passed) } else { (found.value, passed) };
        Part { reason: found.reason, ..Part::whole(self.value(value), passed) }
    }
}

impl<M: Measure> Scorer for Measured<M> {
    fn step(&self, case: &Case<'_>, _: &Replies<'_>) -> Step<Outcome> {
        let at = At { places: &self.places, case };
        let part = match self.measure.measure(&at) {
            Ok(found) => self.part(found),
            Err(Miss::Fault(why)) => Part::whole(self.value(0.0), false).because(shortened(&why)),
            Err(Miss::Unable(why)) => return Step::Done(Outcome::Unscored { why: Why(shortened(&why)) }),
        };
        Step::Done(Outcome::Scored(vec![part.stated(self.places.confidence(case))]))
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example) && self.measure.applies(example)
    }

    fn worst(&self) -> Vec<Part> {
        vec![Part::whole(self.value(0.0), false)]
    }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_code_block_is_taken_off_when_it_is_all_there_is() {
        for (text, fenced, expected) in [
            ("```json\n{}\n```", true, "{}\n"),
            ("```json\n{}\n```", false, "```json\n{}\n```"),
            (" {} ", true, "{}"),
            ("see: ```{}```", true, "see: ```{}```"),
            ("``````", true, ""),
        ] {
            assert_eq!(inside(text, fenced), expected, "{text}");
        }
    }
}
