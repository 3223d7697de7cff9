//! Bodies of requests: a tree that borrows what it holds, so that nothing is copied before it is serialised.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// A JSON value that borrows.
pub(super) enum Json<'a> {
    Text(&'a str),
    Made(String),
    Value(&'a Value),
    Flag(bool),
    Whole(i64),
    Count(u64),
    Real(f64),
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// A JSON object under construction; keys are few, and keep their order.
#[derive(Default)]
pub(super) struct Object<'a>(Vec<(&'a str, Json<'a>)>);

impl<'a> Object<'a> {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(8))
    }

    pub(super) fn with(mut self, key: &'a str, value: impl Into<Json<'a>>) -> Self {
        self.put(key, value);
        self
    }

    pub(super) fn maybe(mut self, key: &'a str, value: Option<impl Into<Json<'a>>>) -> Self {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    pub(super) fn put(&mut self, key: &'a str, value: impl Into<Json<'a>>) {
        self.0.push((key, value.into()));
    }

    /// Puts an object in unless it is empty.
    pub(super) fn put_filled(&mut self, key: &'a str, value: Object<'a>) {
        if !value.0.is_empty() {
            self.put(key, value);
        }
    }

    /// Lays other fields over these; objects on both sides are merged.
    pub(super) fn merge(&mut self, extra: &'a Map<String, Value>) {
        for (key, value) in extra {
            match (self.0.iter_mut().find(|(known, _)| known == key), value) {
                (Some((_, Json::Object(known))), Value::Object(more)) => known.merge(more),
                (Some((_, known)), _) => *known = Json::Value(value),
                (None, _) => self.put(key, value),
            }
        }
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Made(text) => serializer.serialize_str(text),
            Self::Value(value) => value.serialize(serializer),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Count(number) => serializer.serialize_u64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident),*) => {
        $(impl<'a> From<$from> for Json<'a> {
            fn from(value: $from) -> Self {
                Self::$variant(value)
            }
        })*
    };
}

from!(&'a str => Text, String => Made, &'a Value => Value, bool => Flag, i64 => Whole, u64 => Count, f64 => Real,
    Vec<Json<'a>> => List, Object<'a> => Object);

impl<'a> From<&'a String> for Json<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [String]> for Json<'a> {
    fn from(texts: &'a [String]) -> Self {
        Self::List(texts.iter().map(Self::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_laid_over_replaces_and_merges_without_doubling_keys() {
        let inner = Object::new().with("a", 1_u64).with("b", "x");
        let mut object = Object::new().with("config", inner).with("seed", 3_i64).with("stop", Json::List(vec![]));
        let extra = json!({"config": {"b": "y", "c": [1]}, "seed": null, "more": {"d": true}});
        let Value::Object(extra) = extra else { unreachable!() };
        object.merge(&extra);
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"config":{"a":1,"b":"y","c":[1]},"seed":null,"stop":[],"more":{"d":true}}"#
        );
    }
}
