//! One line of an eval set.

use serde::Serialize;
use serde_json::{Map, Value};

use super::label::Labels;

/// One example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Unique within the set.
    pub id: String,
    /// A text, a list of messages, or an object of template variables.
    pub input: Value,
    /// What is right; any JSON. `answer`, `must_contain` and `must_not_contain` are understood by scorers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Value>,
    /// Slice keys and their values.
    pub labels: Labels,
    /// The unit that is independent of the others: examples of one group stand or fall together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Every other field of the line, unchanged.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Example {
    /// The input as one text for people: the text itself, else its strings one after the other.
    #[must_use]
    pub fn input_text(&self) -> String {
        let mut texts = Vec::new();
        collect_strings(&self.input, &mut texts);
        texts.join("\n")
    }
}

/// Every string inside a value, in order.
fn collect_strings<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect_strings(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| collect_strings(field, into)),
        _ => {}
    }
}

/// Every string inside a value, joined by newlines.
#[must_use]
pub fn strings_of(value: &Value) -> String {
    let mut texts = Vec::new();
    collect_strings(value, &mut texts);
    texts.join("\n")
}
