//! Attempts of an answer to steer the judge that grades it: what was found, where, and by which pattern.

mod finding;

pub use finding::Finding;
pub(super) use finding::{Watch, detect};
