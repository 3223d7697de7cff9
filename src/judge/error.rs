//! What can be wrong with a judge's folder.

use std::path::{Path, PathBuf};

use crate::call::TemplateError;
use crate::evalset::toml_fault;
use crate::table::TableError;

/// A judge that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] TableError),
    /// A line that is not understood.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong, and what was meant perhaps.
        reason: String,
    },
    /// Settings that contradict each other.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A prompt template that cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// There is no such judge.
    #[error("{0}")]
    Unknown(String),
}

impl JudgeError {
    /// A parse error with its line.
    #[must_use]
    pub fn parse(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let (line, reason) = toml_fault(text, error);
        Self::Line { path: path.to_owned(), line, reason }
    }

    pub(super) fn settings(path: &Path, reason: impl Into<String>) -> Self {
        Self::Settings { path: path.to_owned(), reason: reason.into() }
    }
}
