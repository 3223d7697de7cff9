//! What is found.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An attempt to steer the judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind, and how it was hidden where it was: `orders-grade`, `forges-grade in base64`.
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
