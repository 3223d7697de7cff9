//! A judge against people: how well they agree, and what the judge may be used for.
//!
//! Pure: it takes a [`Sheet`](crate::judge::Sheet) of labels and grades, and gives a [`Calibration`]. What it earns is a
//! [`Licence`], by the rules of `docs/calibration.md`.

mod against;
mod audit;
mod beside;
mod calibration;
mod ceiling;
mod disagreement;
mod headline;
mod history;
mod inter_rater;
mod licence;
mod reference;
mod reliability;
mod scale;
mod warning;

pub use against::{Against, ClassScores, Coefficients, Confusion, Kappa, LabelScores, Ordered, PassFail};
pub use audit::{AuditLine, Auditor, Experiment, FEWEST_ITEMS, Method, Outcome, not_measured};
pub use beside::{KappaDifference, SideBySide};
pub use calibration::{
    Calibration, JudgeCalibration, Marginals, Options, Precision, SliceCalibration, Spread, Unparsed, UnparsedRate,
    calibrate,
};
pub use ceiling::Ceiling;
pub use disagreement::{Disagreement, RaterLabel};
pub use history::{CalibrationLine, Digests, DimensionLine, Drift, GradesFrom, Lapse, RaterLine, drift, standing};
pub use inter_rater::{InterRater, RaterPair};
pub use licence::{Basis, Evidence, Licence, MIN_ITEMS, Use, VALID_DAYS, grant};
pub use reference::ConsensusCounts;
pub use reliability::{Reliability, ReliabilityBin};
pub use scale::{Measure, Scale, ScaleWish};

/// Why labels and grades cannot be calibrated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct CalibrateError {
    /// What is wrong.
    pub reason: String,
    /// What would mend it.
    pub hint: String,
}

impl CalibrateError {
    fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }
}
