//! Policy + [`crate::compare::Comparison`] → [`Verdict`].
//!
//! Pure: no file, no network, no clock. The date by which things age comes in as an argument.

mod bound;
mod decide;
mod exit;
mod guard;
mod policy;
mod verdict;

pub use decide::{OVERALL_SHARE, decide};
pub use exit::{Decision, Exit};
pub use policy::{GatePolicy, MIN_N, Margins, MetricPolicy, Mode, OnUndecided, Require, UnscoredLimit};
pub use verdict::{Cell, State, Verdict};
