//! What can be wrong with the configuration.

use std::path::{Path, PathBuf};

use crate::evalset::toml_fault;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
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
    /// Settings that contradict each other or name something that does not exist.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no configuration where one is needed.
    #[error("there is no evalgauge.toml here; name one with --config FILE")]
    Missing,
}

impl ConfigError {
    /// A parse error with its line, and the known key that comes nearest to an unknown one.
    pub(super) fn parse(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let (line, reason) = toml_fault(text, error);
        Self::Line { path: path.to_owned(), line, reason }
    }
}
