//! A call whose other side is a program: one JSON document in, one out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON document for whoever answers under `provider`: a child process, a rule file, a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Who is asked; a name that the router knows.
    pub provider: String,
    /// What is said: for a candidate `id`, `trial`, `input`, and `prompt` where there is a template.
    pub input: Value,
}
