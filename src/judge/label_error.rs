//! What can be wrong with labels.

use std::path::PathBuf;

use crate::table::TableError;

/// Labels that cannot be used; every variant says where and what would mend it.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file cannot be read as a table.
    #[error(transparent)]
    File(#[from] TableError),
    /// One line is wrong.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// Which field, and what is wrong with it.
        reason: String,
        /// What would mend it.
        hint: String,
    },
    /// The file as a whole, or what was asked of it, is wrong.
    #[error("{reason}")]
    Whole {
        /// What is wrong.
        reason: String,
        /// What would mend it.
        hint: String,
    },
}

impl LabelError {
    /// Something about the whole of the labels.
    pub fn whole(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Whole { reason: reason.into(), hint: hint.into() }
    }

    /// What would mend it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::Line { hint, .. } | Self::Whole { hint, .. } => Some(hint),
        }
    }
}
