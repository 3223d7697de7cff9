//! What a candidate answered.

use serde_json::Value;

use crate::call::CallFailure;

/// The answer to one example in one trial, or the failure that stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer as a text: the text itself, else its JSON.
    pub text: String,
    /// The answer as a value: what a program gave, or the JSON inside the text where the whole text is JSON.
    pub value: Value,
    /// Why there is none. A system that crashes, times out or says nothing has failed the example.
    pub failure: Option<CallFailure>,
}

impl Answer {
    /// An answer from what a program gave.
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::String(text) => Self::from_text(text),
            value => Self { text: value.to_string(), value, failure: None },
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
        Self { text, value, failure: None }
    }

    /// No answer.
    #[must_use]
    pub const fn failed(failure: CallFailure) -> Self {
        Self { text: String::new(), value: Value::Null, failure: Some(failure) }
    }
}
