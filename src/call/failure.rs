//! A call that brought no answer.

use serde::{Deserialize, Serialize};

/// What went wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It took longer than allowed.
    Timeout,
    /// The program ended with a code other than 0, or by a signal.
    Crash,
    /// What it printed does not follow the protocol.
    Garbage,
    /// It printed more than allowed.
    TooLarge,
    /// A recording holds no answer for this example and trial.
    NotRecorded,
}

/// A call that brought no answer, with a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallFailure {
    /// What went wrong.
    pub kind: FailureKind,
    /// The same in words, with what was seen.
    pub message: String,
}

impl CallFailure {
    /// A failure of a kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
