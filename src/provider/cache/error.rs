//! What can be wrong with a store of answers.

use std::path::{Path, PathBuf};

/// A store, or a file for one, that cannot be used. Many waiting calls get the same one, so it can be cloned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// The machine does not let us: a full disk, a damaged file, another process that never lets go.
    #[error("{}: {reason}", path.display())]
    Unusable {
        /// The store.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
    /// A file that is something else.
    #[error("{}: not a cache of answers", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A store of a later version of this program.
    #[error("{}: format {found} of a cache; this version reads up to {known}", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format that is known here.
        known: i64,
    },
    /// There is nothing.
    #[error("{}: there is no cache here", path.display())]
    Absent {
        /// The store.
        path: PathBuf,
    },
    /// A file of exported answers that cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A line of exported answers that is wrong.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

impl CacheError {
    /// Turns what SQLite or the system says about a store into an error that names it.
    pub(super) fn unusable<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self + use<'_, E> {
        move |error| Self::Unusable { path: path.to_owned(), reason: error.to_string() }
    }

    /// Turns what the system says about a file of exported answers into an error that names it.
    pub(super) fn file<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self + use<'_, E> {
        move |error| Self::File { path: path.to_owned(), reason: error.to_string() }
    }

    /// Whether the user can mend it, rather than the machine's owner.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        !matches!(self, Self::Unusable { .. })
    }
}
