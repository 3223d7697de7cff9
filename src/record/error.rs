//! What can be wrong with a record.

use std::path::PathBuf;

use crate::table::TableError;

/// A record that cannot be read, written or found.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] TableError),
    /// A file whose content is not what it should be.
    #[error("{}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The rows do not have the digest that the manifest names.
    #[error("{}: the rows have the digest {found}, the manifest says {said}: somebody changed one of them", path.display())]
    Changed {
        /// The record's folder.
        path: PathBuf,
        /// Digest in the manifest.
        said: String,
        /// Digest of the rows.
        found: String,
    },
    /// Another process works in this folder.
    #[error("{}: another evalgauge is running here", path.display())]
    Locked {
        /// The run's folder.
        path: PathBuf,
    },
    /// The run did not finish, so there is no record yet.
    #[error("the run {id} did not finish ({done} of {planned} calls answered)")]
    Unfinished {
        /// The run.
        id: String,
        /// Rows in its journal.
        done: usize,
        /// Calls that were planned.
        planned: usize,
    },
    /// Records that are not the shards of one run.
    #[error("cannot merge: {0}")]
    Shards(String),
    /// Shards that are not there.
    #[error("cannot merge: missing {missing}")]
    MissingShards {
        /// Which, as `index/count`.
        missing: String,
    },
    /// No such record.
    #[error("{0}")]
    Unknown(String),
}

impl RecordError {
    /// A function that names the file in front of what a parser says.
    pub fn broken<E: std::fmt::Display>(path: impl Into<PathBuf>) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |error| Self::Broken { path, reason: error.to_string() }
    }
}
