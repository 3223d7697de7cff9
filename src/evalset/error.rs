//! What can be wrong with an eval set.

use std::path::PathBuf;

use crate::table::TableError;

/// An eval set that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvalsetError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] TableError),
    /// A line that is not an example.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// Field, what was expected, what stood there.
        reason: String,
    },
    /// A file without examples.
    #[error("{}: no examples", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not what was pinned.
    #[error("{}: SHA-256 is {found}, pinned was {pinned}", path.display())]
    WrongSha {
        /// The file.
        path: PathBuf,
        /// What `evalset.toml` says.
        pinned: String,
        /// What the file has.
        found: String,
    },
    /// A file that was written to while it was read.
    #[error("{}: the file changed while it was read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// `evalset.toml` that cannot be understood.
    #[error("{}: {reason}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No such set, or no such version of it.
    #[error("{0}")]
    Unknown(String),
}
