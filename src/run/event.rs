//! What a run says while it goes on: the only link from the runner to whoever shows progress.

use serde::Serialize;

use crate::call::Answered;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent<'a> {
    /// The run begins.
    Started {
        /// Answers that are planned: examples times trials.
        planned: usize,
        /// Replies that were taken over from the journal.
        replayed: usize,
    },
    /// A call was answered (or failed).
    Answered {
        /// The example.
        id: &'a str,
        /// The trial.
        trial: u32,
        /// The call.
        key: &'a str,
        /// The reply.
        answered: &'a Answered,
    },
    /// An example and trial is answered and scored.
    Finished {
        /// The example.
        id: &'a str,
        /// The trial.
        trial: u32,
        /// Whether the candidate failed.
        failed: bool,
    },
    /// The user asked to stop; what is in flight is waited for.
    Stopping {
        /// Calls in flight.
        in_flight: usize,
    },
}
