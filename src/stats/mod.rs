//! Estimates, intervals and tests: pure functions on slices of numbers.
//!
//! Nothing here reads a file, a clock or an unseeded generator. Functions that draw take their seed as an argument and
//! give the same bits on any number of threads. Too little data is an error ([`StatError`]), never NaN or an interval
//! of zero width. `docs/statistics.md` says which method is the default where, and why.

mod blocks;
mod error;
mod interval;
mod lattice;
pub mod multiplicity;
pub mod paired;
pub mod proportion;
pub mod rng;
pub mod sign_flip;
pub mod special;

pub use blocks::BlockMoments;
pub use error::{Result, StatError, all_finite, at_least, same_length};
pub use interval::{Alpha, Interval};
pub use lattice::proportional_integers;
