//! What every scorer can do.

use super::outcome::{Outcome, Part, Truth};
use super::scale::Scale;
use crate::call::{Replies, Step};
use crate::candidate::Answer;
use crate::evalset::Example;

/// What there is to score.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The example, with what is expected.
    pub example: &'a Example,
    /// The candidate's answer.
    pub answer: &'a Answer,
    /// The answer to compare it with, where there is one; a failure where the other candidate failed.
    pub other: Option<&'a Answer>,
    /// What the answer took.
    pub took: Took,
}

/// What an answer took, over all calls of the candidate for the example.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Took {
    /// Wall-clock time in milliseconds; nothing where an answer came in a batch.
    pub latency_ms: Option<f64>,
    /// Price in US dollars, where it is known.
    pub cost_usd: Option<f64>,
}

/// One example and its answer → a value. Pure.
pub trait Scorer: Send + Sync {
    /// The next step: asks for the replies it still lacks, or is done. Called again after every reply.
    fn step(&self, case: &Case<'_>, replies: &Replies<'_>) -> Step<Outcome>;

    /// Whether it has anything to say about an example.
    fn applies(&self, example: &Example) -> bool;

    /// The range of its values.
    fn scale(&self) -> Scale {
        Scale::UNIT
    }

    /// What would have been right, where a metric needs it beside the value: it is kept with every score.
    fn truth(&self, _example: &Example) -> Option<Truth> {
        None
    }

    /// What a candidate gets that failed to answer: the worst of every part.
    fn worst(&self) -> Vec<Part>;

    /// What a candidate gets that failed to answer, beside what the one to compare it with did.
    fn failed(&self, _other: Option<&Answer>) -> Vec<Part> {
        self.worst()
    }
}
