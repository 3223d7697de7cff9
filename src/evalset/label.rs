//! The value of a label: one text or several.

use serde::{Deserialize, Deserializer, Serialize};

/// One or several values of a label key. Numbers and truth values are read as their text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LabelValue {
    /// One value.
    One(String),
    /// Several: the example is in each of the slices.
    Many(Vec<String>),
}

impl LabelValue {
    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Bool(bool),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for LabelValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a text, a number, or a list of them")]
        enum Raw {
            One(Scalar),
            Many(Vec<Scalar>),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::One(scalar) => Self::One(scalar.into_text()),
            Raw::Many(scalars) => Self::Many(scalars.into_iter().map(Scalar::into_text).collect()),
        })
    }
}
