//! Why something could not be published.

use crate::table::TableError;

/// Something that could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] TableError),
    /// What the environment says makes no sense.
    #[error("{0}")]
    Settings(String),
    /// GitHub did not do it, also after trying again.
    #[error("{method} {path}: {what}")]
    Api {
        /// What was tried.
        method: &'static str,
        /// Where.
        path: String,
        /// What came back; the token is blacked out.
        what: String,
        /// The status, where there was an answer.
        status: Option<u16>,
    },
}

impl PublishError {
    /// Whether this token may not do it: no fault, but a pull request from a fork, or a workflow without the permission.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::Api { status: Some(401 | 403 | 404), .. })
    }
}
