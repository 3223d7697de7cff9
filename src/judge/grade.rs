//! What a judge or a person says about an answer.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A grade: a number on a scale, or a label of a closed set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number or a label")]
pub enum Grade {
    /// A number.
    Number(f64),
    /// A label.
    Label(String),
}

impl Grade {
    /// The number, where it is one.
    #[must_use]
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Label(_) => None,
        }
    }

    /// The grade that a cell of a table holds: a number where it reads as one, else the text without outer blanks; none
    /// where there is nothing.
    #[must_use]
    pub fn read(cell: &str) -> Option<Self> {
        let cell = cell.trim();
        if cell.is_empty() {
            return None;
        }
        Some(
            cell.parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map_or_else(|| Self::Label(cell.to_owned()), Self::Number),
        )
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Label(label) => f.write_str(label),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_number_a_label_or_nothing() {
        assert_eq!(Grade::read(" 2 "), Some(Grade::Number(2.0)));
        assert_eq!(Grade::read("2.50"), Some(Grade::Number(2.5)));
        assert_eq!(Grade::read("NaN"), Some(Grade::Label("NaN".to_owned())));
        assert_eq!(Grade::read(" yes "), Some(Grade::Label("yes".to_owned())));
        assert_eq!(Grade::read("  "), None);
        assert_eq!(Grade::Number(2.0).to_string(), "2");
    }
}
