//! Lines of JSON → examples.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::EvalsetError;
use super::example::Example;
use super::label::{LabelValue, Labels, Sharing};
use super::scan::{Scanned, scan};
use crate::table::json_reason;

/// Which fields of a line mean what, for files whose fields have other names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// The field of the id.
    pub id: String,
    /// The field of the input.
    pub input: String,
    /// The field of what is right.
    pub expected: String,
    /// The field of the group.
    pub group: String,
    /// Further fields that are labels, beside those in `labels`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            id: "id".to_owned(),
            input: "input".to_owned(),
            expected: "expected".to_owned(),
            group: "group".to_owned(),
            labels: Vec::new(),
        }
    }
}

/// Reads and checks every line of a file.
///
/// # Errors
/// The first line that is not an example (file, line, field, what was expected), an id that stands twice, or a file
/// without examples.
pub fn parse_file(path: &Path, fields: &Fields) -> Result<Vec<Arc<Example>>, EvalsetError> {
    Ok(load_file(path, fields)?.0)
}

/// The same, with what the file is as a whole.
pub(super) fn load_file(path: &Path, fields: &Fields) -> Result<(Vec<Arc<Example>>, Scanned), EvalsetError> {
    let mut examples: Vec<Arc<Example>> = Vec::new();
    let mut sharing = Sharing::default();
    let scanned = scan(
        path,
        fields,
        |_, example| example,
        |mut example| {
            example.labels = sharing.share(example.labels);
            examples.push(Arc::new(example));
            Ok(())
        },
    )?;
    Ok((examples, scanned))
}

/// One line → one example; the error is the reason without file and line.
pub(super) fn parse_line(text: &str, fields: &Fields) -> Result<Example, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("not valid JSON: {}", json_reason(&error)))?;
    let Value::Object(mut line) = value else {
        return Err(format!("expected a JSON object, found {}", kind(&value)));
    };
    let id = match line.shift_remove(&fields.id) {
        Some(Value::String(id)) if !id.trim().is_empty() => id,
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => return Err(format!("field `{}`: expected a non-empty text, found {}", fields.id, kind(&other))),
        None => return Err(missing(&fields.id, &line)),
    };
    let input = match line.shift_remove(&fields.input) {
        Some(input @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => input,
        Some(other) => {
            return Err(format!(
                "field `{}`: expected a text, a list of messages or an object, found {}",
                fields.input,
                kind(&other)
            ));
        }
        None => return Err(missing(&fields.input, &line)),
    };
    let expected = line.shift_remove(&fields.expected).filter(|value| !value.is_null());
    let group = match line.shift_remove(&fields.group) {
        None | Some(Value::Null) => None,
        Some(Value::String(group)) => Some(group),
        Some(Value::Number(group)) => Some(group.to_string()),
        Some(other) => return Err(format!("field `{}`: expected a text, found {}", fields.group, kind(&other))),
    };
    let labels = Labels::from(labels(&mut line, fields)?);
    // Collected anew: what is left would keep the room of the whole line, for every example.
    let other = line.into_iter().collect();
    Ok(Example { id, input, expected, labels, group, other })
}

fn labels(line: &mut Map<String, Value>, fields: &Fields) -> Result<BTreeMap<String, LabelValue>, String> {
    let mut labels: BTreeMap<String, LabelValue> = match line.shift_remove("labels") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(value) => serde_json::from_value(value).map_err(|error| format!("field `labels`: {error}"))?,
    };
    for name in &fields.labels {
        match line.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                let value = LabelValue::deserialize(value).map_err(|error| format!("field `{name}`: {error}"))?;
                labels.insert(name.clone(), value);
            }
        }
    }
    Ok(labels)
}

fn missing(name: &str, line: &Map<String, Value>) -> String {
    let has: Vec<_> = line.keys().map(|key| format!("`{key}`")).collect();
    format!("field `{name}` is missing; the line has {}", has.join(", "))
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Example, String> {
        parse_line(text, &Fields::default())
    }

    #[test]
    fn unknown_fields_are_kept() {
        let example = one(r#"{"id": 7, "input": "x", "annotator": "a", "labels": {"tier": 1, "tag": ["a", "b"]}}"#);
        let example = example.unwrap();
        assert_eq!(example.id, "7");
        assert_eq!(example.other["annotator"], "a");
        assert_eq!(example.labels["tag"].iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_wrong_line_names_the_field() {
        for (text, part) in [
            ("[1]", "expected a JSON object"),
            (r#"{"input": "x"}"#, "field `id` is missing"),
            (r#"{"id": "", "input": "x"}"#, "field `id`"),
            (r#"{"id": "a"}"#, "field `input` is missing"),
            (r#"{"id": "a", "input": 3}"#, "field `input`: expected a text"),
            (r#"{"id": "a", "input": "x", "labels": {"a": {}}}"#, "field `labels`"),
            (r#"{"id": "a""#, "not valid JSON"),
        ] {
            let error = one(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
