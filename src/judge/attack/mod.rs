//! Attempts of an answer to steer the judge that grades it: what was found, where, and by which pattern.
//!
//! Nothing here changes what a judge is shown, and nothing here grades. A text is folded (look-alike letters, hidden
//! signs), cut into words and sentences, and held against named patterns; what merely talks about grading, reports what
//! somebody else said, or looks technical is left alone. What is found is said with its line, so that a person can look.

mod decoded;
mod detect;
mod finding;
mod fold;
mod forged;
mod foreign;
mod layout;
mod lines;
mod pattern;
mod phrases;
mod quotes;
mod signs;
mod stated;
mod words;

pub(super) use detect::detect;
pub use finding::Finding;
pub(super) use finding::Watch;
