//! What can be wrong with a file of rows.

use std::path::PathBuf;

/// A file that cannot be read as a table; every variant names the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line that does not follow the format.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What was expected and what stood there.
        reason: String,
    },
    /// A named column does not exist.
    #[error("{}: no column `{name}`; it has {}", path.display(), list(has))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        name: String,
        /// The columns that exist.
        has: Vec<String>,
    },
    /// The ending of the file name is not one of a known format.
    #[error("{}: unknown format; expected a name ending in .csv, .tsv, .jsonl, .ndjson or .parquet", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// There is a header but no row.
    #[error("{}: no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file that cannot be decoded or encoded.
    #[error("{}: parquet: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
}

fn list(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown = names.iter().take(MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{shown} and {} more", names.len() - MOST) } else { shown }
}

/// What is wrong with one line of JSON, and at which column: its line number is the file's, not the parser's "line 1".
#[must_use]
pub fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line 1 column ") {
        Some((what, column)) => format!("{what} at column {column}"),
        None => text,
    }
}

impl TableError {
    /// A function that turns an I/O error into one that names `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
