//! What a language model answered, in words that no vendor owns.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::ToolCall;

/// The answer to a [`super::Request`]. A refusal is an answer too.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Completion {
    /// The text; of a refusal, what it says.
    pub text: String,
    /// The calls that it makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// What the vendor wants back with the text, as it came: an encrypted thought that the next turn goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Why it ended.
    #[serde(default)]
    pub finish: Finish,
    /// Log probabilities as the vendor gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Value>,
    /// The model that answered, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The vendor's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done, or met a stop text.
    #[default]
    Stop,
    /// It reached the longest answer.
    Length,
    /// It calls tools.
    ToolCalls,
    /// The model, or the vendor's filter, would not answer.
    Refusal,
    /// Something else, or nothing said.
    Other,
}

impl Finish {
    /// The reason under a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Stop, Self::Length, Self::ToolCalls, Self::Refusal, Self::Other]
            .into_iter()
            .find(|finish| finish.name() == name)
    }

    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::Refusal => "refusal",
            Self::Other => "other",
        }
    }
}
