//! JSON pointers (RFC 6901) as they stand in a config.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place inside a JSON value; the empty pointer is the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Pointer(String);

impl Pointer {
    /// Checks and wraps a pointer.
    ///
    /// # Errors
    /// A sentence when the text is neither empty nor starts with `/`.
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        if text.is_empty() || text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is no JSON pointer; expected one like `/{text}`"))
        }
    }

    /// The value at this place.
    #[must_use]
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.0)
    }

    /// Whether this is the pointer to the whole value.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.is_empty() { "the whole value" } else { &self.0 })
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
