//! What makes two questions the same.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::call::{Call, Headers};
use crate::table::hex;

/// Raised when the same question would get another key, so that old entries are no longer found.
const FORMAT: u32 = 1;

/// Headers that say who asks, not what is asked. They never enter a key: one who changes a key finds the same answers.
const CREDENTIALS: [&str; 7] =
    ["authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "x-auth-token", "cookie"];

/// The address of an answer: SHA-256 over everything that the question consists of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(pub(super) [u8; 32]);

impl fmt::Display for CacheKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for CacheKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "a key is 64 hex digits in lower case".to_owned();
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 64 || !digits {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

/// Who answers, as far as the answer may depend on it. The provider's name in the config is not part of it: a candidate
/// under another name finds its answers again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    kind: String,
    base_url: String,
    extra: BTreeMap<String, String>,
}

impl Identity {
    /// A provider of a kind (like `openai`) at an address. User, password, query and fragment of the address are left
    /// out; they hold keys.
    #[must_use]
    pub fn new(kind: &str, base_url: &str) -> Self {
        Self { kind: kind.to_owned(), base_url: bare(base_url), extra: BTreeMap::new() }
    }

    /// With something else that the answer depends on: of a program the digest of its settings and the version that
    /// was running, of Azure the version of its API.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.extra.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With the headers that the config adds. Those that usually hold a key are left out.
    #[must_use]
    pub fn with_headers(mut self, headers: &Headers) -> Self {
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if !CREDENTIALS.contains(&name.as_str()) {
                self.extra.insert(format!("header {name}"), value.clone());
            }
        }
        self
    }

    /// The provider's kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The key of a call.
    #[must_use]
    pub fn key(&self, call: &Call) -> CacheKey {
        CacheKey(Sha256::digest(self.question(call)).into())
    }

    /// The text whose digest is the key: one line of JSON with sorted keys.
    fn question(&self, call: &Call) -> String {
        let question = Question {
            format: FORMAT,
            kind: &self.kind,
            base_url: &self.base_url,
            extra: &self.extra,
            call: canonical(call),
        };
        // Sorted once more as a whole: the order of fields in our own structs may change without a new key.
        let mut value = serde_json::to_value(&question).unwrap_or_default();
        value.sort_all_objects();
        value.to_string()
    }
}

/// Everything that the key is made from.
#[derive(Serialize)]
struct Question<'a> {
    format: u32,
    kind: &'a str,
    base_url: &'a str,
    extra: &'a BTreeMap<String, String>,
    call: Value,
}

/// The call without the name of who is asked, and with the documents inside it as texts.
///
/// A document (the schema of an answer, a tool's parameters, a program's input) goes out as it stands, and a model that
/// has to write `reasoning` before `label` answers otherwise than one that has to write it after. So the order of its
/// fields is part of the question, while the order of our own fields is not.
fn canonical(call: &Call) -> Value {
    let mut value = serde_json::to_value(call).unwrap_or_default();
    let Some(asked) = value.as_object_mut().and_then(|kinds| kinds.values_mut().next()) else { return value };
    if let Some(fields) = asked.as_object_mut() {
        // Keeps the order of the others; they are sorted later.
        fields.shift_remove("provider");
    }
    asked.pointer_mut("/schema/schema").map(freeze);
    // Only a program has one.
    asked.get_mut("input").map(freeze);
    for tool in asked.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        tool.get_mut("parameters").map(freeze);
    }
    for message in asked.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        for made in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            made.get_mut("arguments").map(freeze);
        }
    }
    for (_, parameter) in asked.pointer_mut("/params/extra").and_then(Value::as_object_mut).into_iter().flatten() {
        freeze(parameter);
    }
    value
}

/// Replaces a document by its text.
fn freeze(document: &mut Value) {
    *document = Value::String(document.to_string());
}

/// An address without user, password, query, fragment and the slash at its end.
fn bare(url: &str) -> String {
    if let Ok(mut parsed) = reqwest::Url::parse(url)
        && parsed.has_host()
    {
        parsed.set_query(None);
        parsed.set_fragment(None);
        // Neither can fail on an address that has a host.
        let _ = parsed.set_username("");
        let _ = parsed.set_password(None);
        return parsed.as_str().trim_end_matches('/').to_owned();
    }
    // Not an address that could be asked; what might be a key still goes.
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let url = match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    };
    url.trim_end_matches('/').to_owned()
}
