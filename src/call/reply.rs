//! What comes back from a call.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::completion::Completion;
use super::failure::CallFailure;

/// The answer to a call, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What a program answered: a text or any other JSON value.
    Output(Value),
    /// What a language model answered.
    Completion(Completion),
    /// What a model that turns text into numbers answered.
    Vector(Vec<f32>),
    /// No answer.
    Failed(CallFailure),
}

/// Tokens of a call. The four counts do not overlap: what was read from the vendor's cache is not in `input_tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens read at the full price.
    pub input_tokens: u64,
    /// Tokens written, thinking included.
    pub output_tokens: u64,
    /// Tokens read from the vendor's prompt cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read_tokens: u64,
    /// Tokens written to the vendor's prompt cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde hands over")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Usage {
    /// All tokens of the call.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens
    }
}

impl std::ops::Add for Usage {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            input_tokens: self.input_tokens + more.input_tokens,
            output_tokens: self.output_tokens + more.output_tokens,
            cache_read_tokens: self.cache_read_tokens + more.cache_read_tokens,
            cache_write_tokens: self.cache_write_tokens + more.cache_write_tokens,
        }
    }
}

/// Where a reply came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Asked just now.
    Live,
    /// Asked before, and kept.
    Cache,
    /// Read from a recording.
    Replay,
}

impl Source {
    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Cache => "cache",
            Self::Replay => "replay",
        }
    }

    /// The source with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Live, Self::Cache, Self::Replay].into_iter().find(|source| source.name() == name)
    }
}

/// A reply with what it took to get it. Of a reply from the cache these are the figures of the original call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// Where it came from.
    pub source: Source,
    /// Wall-clock time in milliseconds.
    pub latency_ms: f64,
    /// Time to the first token in milliseconds, where the answer was streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// How often it was tried.
    pub attempts: u32,
    /// Tokens, where the other side says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Price in US dollars, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether it was asked in a batch, which is answered when the vendor has time: then the wall-clock time says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub batch: bool,
}

impl Answered {
    /// A reply to one live attempt.
    #[must_use]
    pub const fn live(reply: Reply, latency_ms: f64, usage: Option<Usage>) -> Self {
        let source = Source::Live;
        Self { reply, source, latency_ms, first_token_ms: None, attempts: 1, usage, cost_usd: None, batch: false }
    }
}
