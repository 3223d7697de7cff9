//! Policy + [`crate::compare::Comparison`] → [`Verdict`].
//!
//! Pure: no file, no network, no clock. The date by which things age comes in as an argument.

mod bound;
mod confirm;
mod corrected;
mod decide;
mod exit;
mod family;
mod guard;
mod guard_rail;
mod honest;
mod licence;
mod limits;
mod policy;
mod replace;
mod rule;
mod verdict;

pub use confirm::{Confirmation, Rerun, confirmation};
pub use corrected::{
    CorrectedMetric, CorrectedRate, CorrectedRates, Predicted, PredictedMean, PredictedMeans, corrected_alone,
};
pub use decide::{CellFloor, Given, decide, flips_to_confirm};
pub use exit::{Decision, Exit};
pub use honest::{HonestBaseline, HonestScore, Standing};
pub use licence::{JudgeStanding, JudgedMetric};
pub use limits::{Amount, BrokenLimit, GuardRail, GuardRails, Minimum, SafetyPolicy, Waiver};
pub use policy::{
    GatePolicy, LicenceMode, MIN_N, Margins, MetricPolicy, Mode, OVERALL_SHARE, OnUndecided, Require, UnscoredLimit,
};
pub use replace::{HardestCell, Replace, Replacement, Replacing, Selection, replacements};
pub use rule::{Rule, RuleOutcome, RuleState};
pub use verdict::{Cell, State, Verdict};
