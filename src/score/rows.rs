//! Scores as rows: what a record keeps.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Part, Value};
use super::scorer::Scorer;

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
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn row(scorer: &str, part: &Part, status: Status) -> ScoreRow {
    ScoreRow {
        scorer: scorer.to_owned(),
        part: part.name.clone(),
        value: Some(part.value.clone()),
        passed: Some(part.passed),
        status,
        reason: part.reason.clone(),
    }
}

fn by_part(mut rows: Vec<ScoreRow>) -> Vec<ScoreRow> {
    rows.sort_by(|a, b| a.part.cmp(&b.part));
    rows
}

/// The rows of an outcome, parts ascending by name.
#[must_use]
pub fn of(name: &str, scorer: &dyn Scorer, outcome: &Outcome) -> Vec<ScoreRow> {
    by_part(match outcome {
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
    })
}

/// The rows of a candidate that failed to answer: the worst of every part, parts ascending by name.
#[must_use]
pub fn failed(name: &str, scorer: &dyn Scorer, why: &str) -> Vec<ScoreRow> {
    let worst = scorer.worst();
    by_part(
        worst
            .iter()
            .map(|part| ScoreRow { reason: Some(why.to_owned()), ..row(name, part, Status::CandidateError) })
            .collect(),
    )
}
