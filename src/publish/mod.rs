//! Reports to where people read them: a comment on the pull request, a step's summary, annotations at lines of files.
//!
//! GitHub is spoken to directly: a handful of calls, of which each can fail in its own way, and the token that makes them
//! goes nowhere else. What cannot be posted (a pull request from a fork has no token that may write) is said in one line
//! and stands in the step's summary; nothing here changes a verdict.

mod annotation;
mod api;
mod comment;
mod error;
mod github;
mod summary;
mod token;

pub use annotation::{Annotation, Level, workflow_commands};
pub use comment::{Posted, comment};
pub use error::PublishError;
pub use github::{Github, Marker};
pub use summary::{set_outputs, summarise};
pub use token::Token;
