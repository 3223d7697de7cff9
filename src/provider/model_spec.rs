//! Models behind a vendor's API, as they stand in the config.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{Headers, LimitSpec, Params, RetryPolicy, Seconds, Tool, ToolChoice};

/// Whose words are spoken on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    /// OpenAI's chat completions, and every server that speaks them (`vLLM`, Ollama, llama.cpp, `LiteLLM`, Azure).
    OpenAi,
    /// OpenAI's responses.
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's generateContent.
    Google,
}

impl Vendor {
    /// Where the vendor itself listens.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi | Self::OpenAiResponses => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com/v1",
            Self::Google => "https://generativelanguage.googleapis.com/v1beta",
        }
    }

    /// The environment variable in which people keep their key.
    #[must_use]
    pub const fn key_env(self) -> &'static str {
        match self {
            Self::OpenAi | Self::OpenAiResponses => "OPENAI_API_KEY",
            Self::Anthropic => "ANTHROPIC_API_KEY",
            Self::Google => "GEMINI_API_KEY",
        }
    }
}

/// `[candidates.NAME.openai]`, `.openai_responses`, `.anthropic`, `.google`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// The model, as the vendor calls it; a pinned version, where there is one.
    pub model: String,
    /// Where the API is; the vendor's own address by default. Of Azure: up to and with the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The environment variable that holds the key; the vendor's usual one by default. An address on this machine needs
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Azure: the `api-version`. With it the key goes into the header `api-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Further headers. Not for keys: they are part of what is asked, and are kept.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// A template of the user's turn; without one the example's input is the turn, or the whole conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PathBuf>,
    /// A template of the system's turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<PathBuf>,
    /// How it is to answer.
    #[serde(default)]
    pub params: Params,
    /// What it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it must call something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// A file with the JSON schema that the answer must follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<PathBuf>,
    /// Whether the answer is streamed; then times to the first token are kept.
    #[serde(default)]
    pub stream: bool,
    /// How long one attempt may take, in seconds.
    #[serde(default = "two_minutes")]
    pub timeout: Seconds,
    /// How many bytes an answer may have.
    #[serde(default = "sixteen_mebibytes")]
    pub max_output: u64,
    /// What is tried again, and when.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// How much at once.
    #[serde(default)]
    pub limits: LimitSpec,
}

const fn two_minutes() -> Seconds {
    Seconds(120.0)
}

const fn sixteen_mebibytes() -> u64 {
    16 << 20
}
