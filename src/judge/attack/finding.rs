//! What is found.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An attempt to steer the judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The pattern.
    pub pattern: String,
    /// The line of the answer, from 1.
    pub line: usize,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in line {}: “{}”", self.pattern, self.line, self.found)
    }
}

/// What is known of the judge that an answer may want to steer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::judge) struct Watch {
    /// The keys of its replies.
    pub(in crate::judge) keys: Vec<String>,
}
