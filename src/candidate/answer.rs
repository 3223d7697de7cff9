//! What a candidate answered.

use serde_json::Value;

use crate::call::{CallFailure, Finish, Message, ToolCall};

/// The answer to one example in one trial, or the failure that stands in its place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The answer as a text: the text itself, else its JSON.
    pub text: String,
    /// The answer as a value: what a program gave, or the JSON inside the text where the whole text is JSON.
    pub value: Value,
    /// Why there is none. A system that crashes, times out or says nothing has failed the example.
    pub failure: Option<CallFailure>,
    /// Why a model's answer ended.
    pub finish: Option<Finish>,
    /// The calls that a model's answer makes.
    pub tool_calls: Vec<ToolCall>,
    /// The whole conversation with a model, its answer last.
    pub trajectory: Vec<Message>,
}

impl Answer {
    /// An answer from what a program gave.
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::String(text) => Self::from_text(text),
            value => Self { text: value.to_string(), value, ..Self::default() },
        }
    }

    /// An answer from a text, which may be JSON.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        // Only objects and lists are looked into: the text `42` stays a text.
        let value = match serde_json::from_str(&text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
            _ => Value::String(text.clone()),
        };
        Self { text, value, ..Self::default() }
    }

    /// No answer.
    #[must_use]
    pub fn failed(failure: CallFailure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}
