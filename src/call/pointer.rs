//! JSON pointers (RFC 6901) as they stand in a config.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place inside a JSON value; the empty pointer is the value itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
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

    /// Whether another place is this one or lies inside it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The names on the way there.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        self.0.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.is_empty() { "the whole value" } else { &self.0 })
    }
}

impl JsonSchema for Pointer {
    fn schema_name() -> Cow<'static, str> {
        "Pointer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A JSON pointer (RFC 6901); empty: the whole value.", "type": "string", "pattern": "^(/.*)?$" })
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn a_place_holds_itself_and_what_is_inside() {
        let at = |text: &str| Pointer::new(text).unwrap();
        for (outer, inner, holds) in [
            ("", "", true),
            ("", "/a", true),
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a", "/ab", false),
            ("/a/b", "/a", false),
        ] {
            assert_eq!(at(outer).holds(&at(inner)), holds, "{outer} {inner}");
        }
    }

    #[test]
    fn parts_are_written_out() {
        assert_eq!(Pointer::new("/a~1b/m~0n/").unwrap().parts(), ["a/b", "m~n", ""]);
        assert!(Pointer::default().parts().is_empty());
    }
}
