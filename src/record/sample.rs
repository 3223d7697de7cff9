//! One row an example and trial, with its scores.

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use crate::call::{Answered, Finish, Source, Usage};
use crate::evalset::{Example, Labels};
use crate::score::ScoreRow;

/// Characters of the input that a record keeps for showing it beside the answers.
const SHOWN_INPUT: usize = 600;

/// The answer to one example in one trial, with its scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The example.
    pub id: String,
    /// The trial, from 0.
    pub trial: u32,
    /// The answer; none where the candidate failed.
    pub answer: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The example's labels.
    pub labels: Labels,
    /// The example's group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The beginning of the input, for people. Volatile, like all that follows but the scores.
    #[serde(skip)]
    pub input: Option<String>,
    /// Wall-clock time of the candidate's calls in milliseconds.
    #[serde(skip)]
    pub latency_ms: Option<f64>,
    /// How often its calls were tried.
    #[serde(skip)]
    pub attempts: u32,
    /// Where its answer came from; baselines do not say.
    #[serde(skip)]
    pub source: Option<Source>,
    /// Tokens, where the provider says.
    #[serde(skip)]
    pub usage: Option<Usage>,
    /// Price in US dollars, where it is known.
    #[serde(skip)]
    pub cost_usd: Option<f64>,
    /// Why a model's answer ended.
    #[serde(skip)]
    pub finish: Option<Finish>,
    /// What judging it took, where judges were asked.
    #[serde(skip)]
    pub judging: Option<Box<Judging>>,
    /// The scores, by scorer and part.
    #[serde(skip)]
    pub scores: Vec<ScoreRow>,
}

/// What judging an answer took. Never part of what the candidate took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Judging {
    /// Calls of judges and other scorers.
    pub calls: u32,
    /// Wall-clock time of these calls in milliseconds.
    pub latency_ms: f64,
    /// Tokens, where the providers say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Price in US dollars, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl Judging {
    /// Adds a call.
    pub fn add(&mut self, answered: &Answered) {
        self.calls += 1;
        self.latency_ms += answered.latency_ms;
        if let Some(more) = answered.usage {
            self.usage = Some(self.usage.unwrap_or_default() + more);
        }
        if let Some(more) = answered.cost_usd {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + more);
        }
    }
}

/// The part of an example's input that a record keeps.
#[must_use]
pub fn shown_input(example: &Example) -> String {
    let text = example.input_text();
    if text.chars().count() > SHOWN_INPUT { text.chars().take(SHOWN_INPUT).chain(['…']).collect() } else { text }
}

/// A closed record.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// Its identity.
    pub manifest: Manifest,
    /// Its rows, by the bytes of the id, then trial.
    pub samples: Vec<Sample>,
}
