//! Scores as rows: what a record keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Part, Truth, Value};
use super::scorer::{Case, Scorer};
use crate::evalset::Example;

/// How a score came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Measured.
    Scored,
    /// The candidate failed to answer: the worst value.
    CandidateError,
    /// The instrument could not measure: no value.
    Unscored,
}

impl Status {
    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::CandidateError => "candidate_error",
            Self::Unscored => "unscored",
        }
    }

    /// The status under a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Scored, Self::CandidateError, Self::Unscored].into_iter().find(|status| status.name() == name)
    }
}

/// One part of one scorer's outcome for one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// The scorer.
    pub scorer: String,
    /// The part; empty where there is only one.
    pub part: String,
    /// The value; none where unscored.
    pub value: Option<Value>,
    /// Whether it passed; none where unscored.
    pub passed: Option<bool>,
    /// How it came about.
    pub status: Status,
    /// How sure the answer said it was, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The right label, where the answer gave another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The grade of each relevant id, of a ranking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevance: Option<BTreeMap<String, f64>>,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Marks for counting, like a flip of a judge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
}

fn row(scorer: &str, part: &Part, status: Status) -> ScoreRow {
    ScoreRow {
        scorer: scorer.to_owned(),
        part: part.name.clone(),
        value: Some(part.value.clone()),
        passed: Some(part.passed),
        status,
        confidence: part.confidence,
        expected: None,
        relevance: None,
        reason: part.reason.clone(),
        marks: part.marks.clone(),
    }
}

/// Parts ascending by name, each with what would have been right.
fn finished(mut rows: Vec<ScoreRow>, truth: Option<&Truth>) -> Vec<ScoreRow> {
    rows.sort_by(|a, b| a.part.cmp(&b.part));
    for row in rows.iter_mut().filter(|row| row.value.is_some()) {
        match truth {
            // A label that passed is the right one.
            Some(Truth::Label(label)) if row.passed == Some(false) => row.expected = Some(label.clone()),
            Some(Truth::Relevance(grades)) => row.relevance = Some(grades.clone()),
            Some(Truth::Label(_)) | None => {}
        }
    }
    rows
}

/// The rows of an outcome, parts ascending by name.
#[must_use]
pub fn of(name: &str, scorer: &dyn Scorer, example: &Example, outcome: &Outcome) -> Vec<ScoreRow> {
    let rows = match outcome {
        Outcome::Scored(parts) => parts.iter().map(|part| row(name, part, Status::Scored)).collect(),
        Outcome::Unscored { why } => scorer
            .worst()
            .iter()
            .map(|part| ScoreRow {
                value: None,
                passed: None,
                reason: Some(why.0.clone()),
                ..row(name, part, Status::Unscored)
            })
            .collect(),
    };
    finished(rows, scorer.truth(example).as_ref())
}

/// The rows of a candidate that failed to answer: the worst of every part, parts ascending by name.
#[must_use]
pub fn failed(name: &str, scorer: &dyn Scorer, case: &Case<'_>, why: &str) -> Vec<ScoreRow> {
    let failed = |part| ScoreRow { reason: Some(why.to_owned()), ..row(name, part, Status::CandidateError) };
    finished(scorer.failed(case.other).iter().map(failed).collect(), scorer.truth(case.example).as_ref())
}
