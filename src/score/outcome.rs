//! What a scorer says.

use serde::{Deserialize, Serialize};

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
}

impl Value {
    /// The value as a number, where it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Label(_) => None,
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
    /// Why, in a sentence for people.
    pub reason: Option<String>,
}

impl Part {
    /// A part without a name: the whole of a scorer that measures one thing.
    #[must_use]
    pub const fn whole(value: Value, passed: bool) -> Self {
        Self { name: String::new(), value, passed, reason: None }
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
