//! What is judged: an answer, what was asked, and what there is to compare it with.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::JudgeError;
use crate::evalset::LabelValue;
use crate::table::{TableError, for_each_line, json_reason};

/// Something to judge; a line of `items.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id, unique within a file.
    pub id: String,
    /// The example whose answer it is, where it is one of a run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// What was asked.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
    /// The answer.
    pub answer: Value,
    /// Of a comparison: the other answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Value>,
    /// What is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Value>,
    /// Slice keys and their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, LabelValue>,
}

impl Item {
    /// An answer to an input.
    pub fn new(id: impl Into<String>, input: Value, answer: Value) -> Self {
        Self { id: id.into(), example: None, input, answer, other: None, reference: None, labels: BTreeMap::new() }
    }

    /// The answer as the judge sees it.
    #[must_use]
    pub fn answer_text(&self) -> String {
        shown(&self.answer)
    }
}

/// A value as a judge sees it: a text as it is, anything else as indented JSON.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// Reads `items.jsonl`, in the order of its lines.
///
/// # Errors
/// A line that is no item, an id that stands twice, a file without items.
pub fn read_items(path: &Path) -> Result<Vec<Item>, JudgeError> {
    let mut items: Vec<Item> = Vec::new();
    let mut seen: HashMap<String, u64> = HashMap::new();
    for_each_line(path, |line, text| {
        let wrong = |reason: String| TableError::Line { path: path.to_owned(), line, reason };
        let item: Item =
            serde_json::from_str(text).map_err(|error| wrong(format!("no item: {}", json_reason(&error))))?;
        if item.id.trim().is_empty() {
            return Err(wrong("the `id` is empty".to_owned()));
        }
        if let Some(first) = seen.insert(item.id.clone(), line) {
            return Err(wrong(format!("the id `{}` stands on line {first} already", item.id)));
        }
        items.push(item);
        Ok(())
    })?;
    if items.is_empty() {
        return Err(JudgeError::settings(path, "no items"));
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_read_with_their_lines() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("items.jsonl");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_items(&path).map_err(|error| error.to_string())
        };
        let items = read("{\"id\": \"a\", \"answer\": {\"x\": 1}, \"labels\": {\"difficulty\": \"hard\"}}\n").unwrap();
        assert_eq!(items[0].answer_text(), "{\n  \"x\": 1\n}");
        for (text, part) in [
            ("{\"id\": \"a\", \"answer\": 1}\n{\"id\": \"a\", \"answer\": 2}\n", ":2: the id `a` stands on line 1"),
            ("{\"id\": \"a\"}\n", ":1: no item: missing field `answer`"),
            ("{\"id\": \"a\", \"answer\": 1, \"ansver\": 1}\n", "unknown field `ansver`"),
            ("\n", "no items"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(shown(&json!("x")), "x");
    }
}
