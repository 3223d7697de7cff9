//! Why an example makes no question.

use crate::call::TemplateError;

/// An example that a candidate cannot ask.
#[derive(Debug, thiserror::Error)]
pub enum CandidateError {
    /// Its prompt cannot be rendered.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Its input is of a form that the candidate does not understand.
    #[error("{0}")]
    Input(String),
}
