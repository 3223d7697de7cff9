//! Why a sheet cannot be graded, or a grade not kept.

use std::path::PathBuf;

use crate::table::TableError;

/// What is wrong with a sheet, a file of labels or the server.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] TableError),
    /// A sheet that nobody could grade.
    #[error("{0}")]
    Sheet(String),
    /// A file of labels that is not this rater's.
    #[error("{}:{line}: {reason}", path.display())]
    Labels {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What stands there.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gives no random bytes.
    #[error("no random bytes for the page's secret: {0}")]
    Random(String),
}
