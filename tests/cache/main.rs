//! The cache of answers: what is asked and what is not, what survives, and what its verbs do.

#![expect(clippy::unwrap_used, reason = "what cannot go on is a failed test, also in helpers")]

mod answers;
mod key;
mod processes;
mod shared;
mod stub;
mod verbs;
