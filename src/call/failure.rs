//! A call that brought no answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It took longer than allowed.
    Timeout,
    /// The program ended with a code other than 0, or by a signal.
    Crash,
    /// What came back does not follow the protocol.
    Garbage,
    /// It was longer than allowed.
    TooLarge,
    /// A recording holds no answer for this example and trial.
    NotRecorded,
    /// The connection was refused, reset, or closed before the answer was whole.
    Connection,
    /// No safe connection can be made: the other side's certificate is not good, or it speaks no TLS.
    Tls,
    /// Too many requests: 429.
    RateLimited,
    /// The server is at fault or overloaded: 408, 5xx, 529.
    Server,
    /// The key is missing or not good for this: 401, 403.
    Auth,
    /// The server does not take the request: any other 4xx.
    Rejected,
    /// The prompt is longer than the model can read.
    ContextLength,
    /// The vendor does not allow the content.
    ContentPolicy,
}

impl FailureKind {
    /// Whether the same request may well succeed a little later.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::RateLimited | Self::Server | Self::Garbage)
    }
}

/// A call that brought no answer, with a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallFailure {
    /// What went wrong.
    pub kind: FailureKind,
    /// The same in words, with what was seen; keys are blacked out.
    pub message: String,
    /// How long the other side wants to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
}

impl CallFailure {
    /// A failure of a kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }
}
