//! What a judge says of an answer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::outcome::{Outcome, Part, Value, Why};
use super::places::Places;
use super::program::Asked;
use super::scale::Scale;
use super::scorer::{Case, Scorer};
use super::settings::Settings;
use super::spec::{SpecError, ValueKind};
use crate::call::{Pointer, Replies, Step};
use crate::candidate::Answer;
use crate::evalset::{Example, LabelValue};
use crate::judge::{Grade, GradeScale, Item, Judge, Judgement, OVERALL};

/// Every dimension, each a part of its own.
const ALL: &str = "*";

/// `[scorers.NAME.judge]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JudgedSpec {
    /// The judge: a folder in `judges/`.
    pub judge: String,
    /// The dimension; without one, or with `*`, every dimension of a rubric is a part, and the whole is `overall`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<String>,
    /// The least grade that passes; the judge's own where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at: Option<Grade>,
    /// Place in the answer; the whole answer by default.
    #[serde(default)]
    pub answer: Pointer,
    /// Place in `expected` of what a judge with `reference = true` sees.
    #[serde(default)]
    pub reference: Pointer,
    /// Examples it applies to.
    #[serde(default)]
    pub when: BTreeMap<String, LabelValue>,
}

/// Whom and what scorers may name: judges, programs and services, files.
#[derive(Debug, Clone, Default)]
pub struct Judges {
    /// By name.
    pub by_name: BTreeMap<String, Arc<Judge>>,
    /// Programs and services, by the digest of the scorer's settings.
    pub programs: BTreeMap<String, Asked>,
    /// What the codes of their markers follow from.
    pub seed: u64,
    /// The JSON files that scorers name, read before they are made.
    pub files: BTreeMap<PathBuf, Json>,
}

/// Marks of a score for counting.
pub mod mark {
    /// The order of two answers decided.
    pub const FLIP: &str = "flip";
    /// The members of a panel did not agree.
    pub const SPLIT: &str = "split";
    /// The answer tries to steer the judge.
    pub const STEERS: &str = "steers";
}

/// Wraps a judge.
#[derive(Debug)]
pub(super) struct Judged {
    judge: Arc<Judge>,
    seed: u64,
    places: Places,
    /// What is scored: the part's name and the dimension.
    parts: Vec<(String, String)>,
    pass_at: Option<Grade>,
}

impl JudgedSpec {
    /// The dimension as an identity names it: one, or `*`.
    #[must_use]
    pub fn dimension(&self) -> &str {
        self.dimension.as_deref().unwrap_or(ALL)
    }

    fn judged(&self, judges: &Judges) -> Result<Judged, SpecError> {
        let judge = judges
            .by_name
            .get(&self.judge)
            .ok_or_else(|| SpecError::new(format!("the judge `{}` is not loaded", self.judge)))?;
        let graded = judge.graded();
        let parts = match self.dimension.as_deref() {
            None | Some(ALL) => graded
                .iter()
                .map(|dimension| {
                    // The whole has no name, as with every other scorer.
                    let part = if dimension == OVERALL { String::new() } else { dimension.clone() };
                    (part, dimension.clone())
                })
                .collect(),
            Some(one) if graded.iter().any(|dimension| dimension == one) => vec![(String::new(), one.to_owned())],
            Some(other) => {
                return Err(SpecError::new(format!(
                    "the judge `{}` has no dimension `{other}`; it has {}",
                    self.judge,
                    graded.join(", ")
                )));
            }
        };
        if let Some(pass_at) = &self.pass_at {
            if judge.is_pairwise() {
                return Err(SpecError::new("a comparison has no `pass_at`: it passes unless it is lost".to_owned()));
            }
            let is_mean = pass_at.number().is_some() && parts.iter().all(|(_, dimension)| judge.is_mean(dimension));
            if judge.scale.place(pass_at).is_none() && !is_mean {
                return Err(SpecError::new(format!(
                    "`pass_at` is {pass_at}, which is none of {}",
                    judge.scale.offered()
                )));
            }
        }
        Ok(Judged {
            judge: Arc::clone(judge),
            seed: judges.seed,
            places: Places {
                answer: self.answer.clone(),
                expected: self.reference.clone(),
                when: self.when.clone(),
                ..Places::default()
            },
            parts,
            pass_at: self.pass_at.clone().or_else(|| judge.pass_at()),
        })
    }
}

impl Settings for JudgedSpec {
    fn kind(&self) -> &'static str {
        "judge"
    }

    fn values(&self) -> ValueKind {
        ValueKind::Judged
    }

    fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        Ok(Box::new(self.judged(around)?))
    }
}

impl Judged {
    fn value(&self, grade: &Grade) -> Value {
        match (&self.judge.scale, grade) {
            (_, Grade::Number(number)) => Value::Number(*number),
            (GradeScale::Labels(labels), Grade::Label(label)) if labels.len() == 2 => Value::Bool(labels[1] == *label),
            (_, Grade::Label(label)) => Value::Label(label.clone()),
        }
    }

    fn passes(&self, grade: &Grade) -> bool {
        match (grade, &self.pass_at) {
            (Grade::Number(number), Some(Grade::Number(limit))) => number >= limit,
            (label, Some(limit)) => self.judge.scale.place(label) >= self.judge.scale.place(limit),
            (_, None) => false,
        }
    }

    fn scored(&self, judgement: &Judgement) -> Outcome {
        let reason = judgement.remarks();
        let mut marks = Vec::new();
        if judgement.orders.flips > 0 {
            marks.push(mark::FLIP.to_owned());
        }
        if !judgement.attempts.is_empty() {
            marks.push(mark::STEERS.to_owned());
        }
        let mut parts = Vec::with_capacity(self.parts.len());
        for (name, dimension) in &self.parts {
            let Some(grade) = judgement.grade(dimension) else {
                return Outcome::Unscored { why: Why(format!("the judge gave no grade for `{dimension}`")) };
            };
            let (value, passed) = match judgement.preference().filter(|_| self.judge.is_pairwise()) {
                Some(preference) => (Value::Preference(preference), preference >= 0),
                None => (self.value(grade), self.passes(grade)),
            };
            let mut marks = marks.clone();
            if judgement.split.iter().any(|split| split.starts_with(&format!("{dimension}:"))) {
                marks.push(mark::SPLIT.to_owned());
            }
            // The reasons are those of the judgement; a record keeps them once.
            let is_whole = name.is_empty();
            parts.push(Part {
                name: name.clone(),
                value,
                passed,
                confidence: None,
                reason: reason.clone().filter(|_| is_whole),
                marks,
            });
        }
        Outcome::Scored(parts)
    }

    fn lost(&self, why: &str) -> Step<Outcome> {
        let parts = self.worst().into_iter().map(|part| part.because(why));
        Step::Done(Outcome::Scored(parts.collect()))
    }

    /// A preference that needs no judge.
    fn decided(preference: i8, why: &str) -> Step<Outcome> {
        let part = Part::whole(Value::Preference(preference), preference >= 0).because(why);
        Step::Done(Outcome::Scored(vec![part]))
    }

    /// What stands at the place in an answer; nothing where that is blank.
    fn given<'a>(&self, answer: &'a Answer) -> Option<&'a Json> {
        let blank = |value: &Json| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        self.places.answer.find(&answer.value).filter(|value| !blank(value)).filter(|_| answer.failure.is_none())
    }
}

impl Scorer for Judged {
    fn step(&self, case: &Case<'_>, replies: &Replies<'_>) -> Step<Outcome> {
        let unscored = |why: String| Step::Done(Outcome::Unscored { why: Why(why) });
        let given = self.given(case.answer);
        let mut item = Item::new(case.example.id.clone(), case.example.input.clone(), Json::Null);
        if self.judge.is_pairwise() {
            let Some(other) = case.other else {
                return unscored("the record to compare with lacks this example".to_owned());
            };
            match (given, self.given(other)) {
                (Some(_), Some(other)) => item.other = Some(other.clone()),
                (Some(_), None) => return Self::decided(1, "the other answer has nothing here"),
                (None, Some(_)) => return Self::decided(-1, "the answer has nothing here"),
                (None, None) => return Self::decided(0, "neither answer has anything here"),
            }
        }
        let Some(given) = given else {
            return self.lost(&format!("the answer has nothing at {}", self.places.answer));
        };
        item.answer = given.clone();
        if self.judge.sees_reference() {
            match self.places.in_expected(case) {
                Ok(reference) => item.reference = Some(reference.clone()),
                Err(why) => return unscored(why),
            }
        }
        match self.judge.step(&item, self.seed, replies) {
            Step::Ask(calls) => Step::Ask(calls),
            Step::Done(Ok(judgement)) => Step::Done(self.scored(&judgement)),
            Step::Done(Err(why)) => unscored(why),
        }
    }

    fn applies(&self, example: &Example) -> bool {
        self.places.applies(example)
    }

    fn scale(&self) -> Scale {
        match &self.judge.scale {
            _ if self.judge.is_pairwise() => Scale { low: -1.0, high: 1.0, higher_is_better: true },
            GradeScale::Numbers(numbers) => Scale {
                low: numbers.first().copied().unwrap_or(0.0),
                high: numbers.last().copied().unwrap_or(1.0),
                higher_is_better: true,
            },
            GradeScale::Labels(_) => Scale::UNIT,
        }
    }

    fn worst(&self) -> Vec<Part> {
        let lowest = match (self.judge.is_pairwise(), self.judge.scale.at(0)) {
            (false, Some(grade)) => self.value(&grade),
            _ => Value::Preference(-1),
        };
        let part = |(name, _): &(String, String)| Part { name: name.clone(), ..Part::whole(lowest.clone(), false) };
        self.parts.iter().map(part).collect()
    }

    fn failed(&self, other: Option<&Answer>) -> Vec<Part> {
        // Two that both failed are equally bad.
        if self.judge.is_pairwise() && other.is_some_and(|other| self.given(other).is_none()) {
            return vec![Part::whole(Value::Preference(0), true)];
        }
        self.worst()
    }
}
