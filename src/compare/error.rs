//! Why two sides cannot be compared, or a side cannot be read.

use crate::stats::StatError;
use crate::table::TableError;

/// A comparison that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file that cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The input has a fault that a person must mend.
    #[error("{0}")]
    Input(String),
    /// The two sides answer different questions: no number would mean anything.
    #[error("cannot compare: {0}")]
    NotComparable(String),
    /// A statistic that refuses its input.
    #[error("{what}: {source}")]
    Statistic {
        /// The metric and slice.
        what: String,
        /// Why it refuses.
        source: StatError,
    },
}
