//! What a run says while it goes on: the only link from the runner to whoever shows progress.

use serde::Serialize;

use crate::call::{Answered, Call};

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
    /// A call begins: a store of answers is looked into, or the provider is asked.
    Asked {
        /// The example.
        id: &'a str,
        /// The trial.
        trial: u32,
        /// The call.
        key: &'a str,
        /// Who is asked.
        provider: &'a str,
        /// The model; absent of a program.
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
        /// What is asked; in no log.
        #[serde(skip)]
        call: &'a Call,
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
    /// A batch was handed over, or got on.
    Batch {
        /// The vendor's id of it.
        id: &'a str,
        /// `submitted`, or the vendor's word.
        state: &'a str,
        /// Calls that are done, as far as the vendor says.
        done: u64,
        /// Calls in it.
        calls: usize,
    },
    /// The results of a batch are fetched; its answers are in the cache.
    BatchFetched {
        /// The vendor's id of it.
        id: &'a str,
        /// How it ended.
        state: &'a str,
        /// Calls in it.
        calls: usize,
        /// Calls that it answered.
        answered: usize,
        /// What was said about one that it did not answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<&'a str>,
    },
    /// Calls that no batch answered; they are asked like any other, at the full price.
    Unbatched {
        /// How many.
        calls: usize,
    },
    /// The user asked to stop; what is in flight is waited for.
    Stopping {
        /// Calls in flight.
        in_flight: usize,
    },
    /// The run is over.
    Ended {
        /// Answers that are there.
        done: usize,
        /// Why not all are.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
    },
}
