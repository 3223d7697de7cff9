//! The value of a label: one text or several.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One or several values of a label key. Numbers and truth values are read as their text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
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

/// The labels of an example: slice keys and their values. Examples with the same labels share them: a million of them have a
/// few dozen different ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(from = "BTreeMap<String, LabelValue>")]
pub struct Labels(Arc<BTreeMap<String, LabelValue>>);

impl std::ops::Deref for Labels {
    type Target = BTreeMap<String, LabelValue>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a String, &'a LabelValue);
    type IntoIter = std::collections::btree_map::Iter<'a, String, LabelValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl From<BTreeMap<String, LabelValue>> for Labels {
    fn from(labels: BTreeMap<String, LabelValue>) -> Self {
        Self(Arc::new(labels))
    }
}

/// Gives equal labels one place in memory.
#[derive(Debug, Default)]
pub(super) struct Sharing(HashSet<Labels>);

impl Sharing {
    /// Where nearly every example has labels of its own, sharing would cost more than it saves.
    const MOST: usize = 10_000;

    pub(super) fn share(&mut self, labels: Labels) -> Labels {
        if let Some(shared) = self.0.get(&labels) {
            return shared.clone();
        }
        if self.0.len() < Self::MOST {
            self.0.insert(labels.clone());
        }
        labels
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

impl JsonSchema for LabelValue {
    fn schema_name() -> Cow<'static, str> {
        "LabelValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let scalar = ["string", "number", "boolean"];
        json_schema!({
            "description": "One or several values of a label key.",
            "anyOf": [{ "type": scalar }, { "type": "array", "items": { "type": scalar } }]
        })
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
