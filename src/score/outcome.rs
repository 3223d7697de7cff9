//! What a scorer says.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Right or wrong; 1 or 0 in a mean.
    Bool(bool),
    /// A number on the scorer's scale.
    Number(f64),
    /// A label, as a classifier gives it.
    Label(String),
    /// Ids, the best first.
    Ranked(Vec<String>),
    /// How the answer fared against another: 1 better, 0 as good, −1 worse.
    #[serde(serialize_with = "write_preference", deserialize_with = "read_preference")]
    Preference(i8),
}

/// A preference in files: an object, since a bare −1 would read as a number.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferred {
    preference: i8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn write_preference<S: Serializer>(preference: &i8, serializer: S) -> Result<S::Ok, S::Error> {
    Preferred { preference: *preference }.serialize(serializer)
}

fn read_preference<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i8, D::Error> {
    let Preferred { preference } = Preferred::deserialize(deserializer)?;
    if (-1..=1).contains(&preference) {
        Ok(preference)
    } else {
        Err(serde::de::Error::custom(format!("a preference is -1, 0 or 1, not {preference}")))
    }
}

/// What an example would have had as the right answer, for metrics that need more than "right or wrong".
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// The right label (the first, where several are right).
    Label(String),
    /// The grade of each relevant id; ids without one are irrelevant.
    Relevance(BTreeMap<String, f64>),
}

impl Value {
    /// The value as a number, where it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Preference(preference) => Some(f64::from(*preference)),
            Self::Label(_) | Self::Ranked(_) => None,
        }
    }
}

/// One measured part: the whole, or one dimension of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The dimension; empty where there is only one.
    pub name: String,
    /// The value.
    pub value: Value,
    /// Whether it is good enough.
    pub passed: bool,
    /// How sure the answer says it is, 0 to 1, where the scorer looks for it and finds it.
    pub confidence: Option<f64>,
    /// Why, in a sentence for people.
    pub reason: Option<String>,
    /// Marks for counting, like a flip of a judge.
    pub marks: Vec<String>,
}

impl Part {
    /// A part without a name: the whole of a scorer that measures one thing.
    #[must_use]
    pub const fn whole(value: Value, passed: bool) -> Self {
        Self { name: String::new(), value, passed, confidence: None, reason: None, marks: Vec::new() }
    }

    /// The same with a stated confidence.
    #[must_use]
    pub const fn stated(mut self, confidence: Option<f64>) -> Self {
        self.confidence = confidence;
        self
    }

    /// The same with a sentence for people.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Why an instrument could not measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why(pub String);

/// What came of scoring one answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Measured.
    Scored(Vec<Part>),
    /// The instrument could not measure; never the candidate's fault.
    Unscored {
        /// The reason.
        why: Why,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_reads_back_as_itself() {
        for (value, text) in [
            (Value::Bool(true), "true"),
            (Value::Number(1.0), "1.0"),
            (Value::Label("1".to_owned()), r#""1""#),
            (Value::Ranked(vec!["a".to_owned(), "b".to_owned()]), r#"["a","b"]"#),
            (Value::Ranked(Vec::new()), "[]"),
            (Value::Preference(-1), r#"{"preference":-1}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
        }
        assert!(serde_json::from_str::<Value>(r#"{"preference":2}"#).is_err());
    }
}
