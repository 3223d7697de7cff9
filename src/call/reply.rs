//! What comes back from a call.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::CallFailure;

/// The answer to a call, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What a program answered: a text or any other JSON value.
    Output(Value),
    /// No answer.
    Failed(CallFailure),
}

/// Tokens of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// Where a reply came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Asked just now.
    Live,
    /// Read from a recording.
    Replay,
}

impl Source {
    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Replay => "replay",
        }
    }
}

/// A reply with what it took to get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// Where it came from.
    pub source: Source,
    /// Wall-clock time in milliseconds, of the original call where it is replayed.
    pub latency_ms: f64,
    /// How often it was tried.
    pub attempts: u32,
    /// Tokens, where the other side says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Price in US dollars, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}
