//! What is found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::judge::scale::GradeScale;

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

/// What a forged judgement of a judge would look like.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::judge) struct Watch {
    /// The keys of its replies.
    pub(in crate::judge) keys: Vec<String>,
    /// Its grades.
    pub(in crate::judge) scale: GradeScale,
}

/// A place that a pattern matches: its name, and the bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) pattern: &'static str,
    pub(super) start: usize,
    pub(super) end: usize,
}
