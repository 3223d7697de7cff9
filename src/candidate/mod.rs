//! The system under test: an example and a trial → the calls that make its answer. No I/O.

mod answer;
mod chat;
mod error;
mod program;
mod recorded;

use crate::call::{Replies, Step};
use crate::evalset::Example;

pub use answer::Answer;
pub use chat::ChatCandidate;
pub use error::CandidateError;
pub use program::ProgramCandidate;
pub use recorded::RecordedCandidate;

/// A system under test. There is one a run, so its size does not matter.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a run")]
pub enum Candidate {
    /// A program, a rule file, a recording, an application behind an address.
    Program(ProgramCandidate),
    /// A language model.
    Chat(ChatCandidate),
    /// Whoever it was: its answers are those of a record.
    Recorded(RecordedCandidate),
}

impl Candidate {
    /// The next step for an example and trial.
    ///
    /// # Errors
    /// An example that cannot be asked.
    pub fn step(&self, example: &Example, trial: u32, replies: &Replies<'_>) -> Result<Step<Answer>, CandidateError> {
        match self {
            Self::Program(candidate) => candidate.step(example, trial, replies),
            Self::Chat(candidate) => candidate.step(example, trial, replies),
            Self::Recorded(candidate) => Ok(candidate.step(example, trial, replies)),
        }
    }
}
