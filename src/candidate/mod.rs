//! The system under test: an example and a trial → the calls that make its answer. No I/O.

mod answer;
mod program;

pub use answer::Answer;
pub use program::ProgramCandidate;
