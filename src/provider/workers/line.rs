//! The two lines of the protocol.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::child::shown;
use crate::call::{CallFailure, FailureKind};

/// The line of a call: `{"call": NAME, "attempt": 1, "document": {…}}`; the document is JSON in one line.
pub(super) fn write(out: &mut Vec<u8>, name: &str, attempt: u32, document: &str) {
    out.extend_from_slice(br#"{"call":"#);
    // A text into memory: that cannot fail.
    let _ = serde_json::to_writer(&mut *out, name);
    out.extend_from_slice(format!(r#","attempt":{attempt},"document":"#).as_bytes());
    out.extend_from_slice(document.as_bytes());
    out.extend_from_slice(b"}\n");
}

/// What a line says of a call.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    /// The call's name.
    pub(super) call: String,
    /// The output, or why there is none.
    pub(super) outcome: Result<Value, CallFailure>,
}

#[derive(Deserialize)]
struct Raw {
    call: Option<String>,
    #[serde(default, deserialize_with = "there")]
    output: Option<Value>,
    error: Option<String>,
}

/// A `null` that is there is an output too.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads the line of a reply.
///
/// # Errors
/// A sentence for people: a line that is none breaks the protocol.
pub(super) fn read(line: &[u8]) -> Result<Said, String> {
    let raw: Raw = serde_json::from_slice(line).map_err(|error| {
        let text = std::str::from_utf8(line).map_or("bytes that are not UTF-8", str::trim);
        format!(
            "the worker printed a line that is no reply ({}): {}; a reply is {{\"call\": .., \"output\": ..}}, and what is \
             for people goes to stderr",
            reason(&error),
            shown(text.as_bytes())
        )
    })?;
    let Some(call) = raw.call else {
        return Err(format!("a reply of the worker has no `call`, the name that the call came with: {}", shown(line)));
    };
    let outcome = match (raw.output, raw.error) {
        (Some(output), None) => Ok(output),
        (None, Some(error)) => {
            Err(CallFailure::new(FailureKind::Crash, format!("the worker says: {}", shown(error.as_bytes()))))
        }
        (None, None) => return Err(format!("a reply of the worker has neither `output` nor `error`: {}", shown(line))),
        (Some(_), Some(_)) => return Err(format!("a reply of the worker has `output` and `error`: {}", shown(line))),
    };
    Ok(Said { call, outcome })
}

/// Why a line is no reply, without a position in it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_one_line_whatever_is_in_it() {
        let mut out = Vec::new();
        write(&mut out, "a\n\"1\"/0/answer", 2, &json!({"input": "two\nlines \u{2028}"}).to_string());
        assert_eq!(String::from_utf8_lossy(&out).lines().count(), 1);
        assert!(out.ends_with(b"}\n"));
        let line: Value = serde_json::from_slice(&out).unwrap();
        let expected = json!({"call": "a\n\"1\"/0/answer", "attempt": 2, "document": {"input": "two\nlines \u{2028}"}});
        assert_eq!(line, expected);
    }

    #[test]
    fn a_reply_is_read_and_anything_else_says_what_is_wrong() {
        let output = |line: &str| read(line.as_bytes()).unwrap().outcome;
        assert_eq!(output(r#"{"call":"a","output":[1]}"#), Ok(json!([1])));
        assert_eq!(output(r#"{"output":null,"call":"a","more":1}"#), Ok(Value::Null));
        assert_eq!(output(r#"{"call":"a","error":"no memory"}"#).unwrap_err().message, "the worker says: no memory");
        for (line, why) in [
            ("loading the model", "a line that is no reply (expected value): loading the model"),
            (r#"{"call":7,"output":1}"#, "invalid type: integer `7`, expected a string"),
            (r#"{"output":1}"#, "has no `call`"),
            (r#"{"call":"a"}"#, "neither `output` nor `error`"),
            (r#"{"call":"a","output":1,"error":"x"}"#, "`output` and `error`"),
            ("[]", "no reply"),
            ("", "no reply"),
        ] {
            let said = read(line.as_bytes()).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
        assert!(read(b"\xff\xfe").unwrap_err().contains("not UTF-8"));
    }
}
