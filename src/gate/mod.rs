//! Policy + [`crate::compare::Comparison`] → [`Verdict`].
//!
//! Pure: no file, no network, no clock. The date by which things age comes in as an argument.

mod bound;
mod decide;
mod exit;
mod family;
mod guard;
mod policy;
mod verdict;

pub use decide::decide;
pub use exit::{Decision, Exit};
pub use policy::{GatePolicy, MIN_N, Margins, MetricPolicy, Mode, OVERALL_SHARE, OnUndecided, Require, UnscoredLimit};
pub use verdict::{Cell, State, Verdict};
