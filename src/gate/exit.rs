//! How the program ends: one enum for every verb.

use serde::{Deserialize, Serialize};

/// The exit codes, which are part of the public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[repr(u8)]
pub enum Exit {
    /// 0: pass, or the verb did what it was asked to.
    Pass = 0,
    /// 1: the gate failed.
    Regression = 1,
    /// 2: usage, configuration or input.
    Input = 2,
    /// 3: inconclusive, and the policy says that this is not a pass.
    Inconclusive = 3,
    /// 4: cannot decide: different pins, no pairs, no baseline, too many unscored.
    Undecidable = 4,
    /// 5: the run is incomplete: errors beyond the limit, an interrupt, missing examples.
    Incomplete = 5,
    /// 6: a failure of the machine or of evalgauge itself.
    Failure = 6,
}

impl Exit {
    /// The number that the process returns.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// No evidence of harm (or, in non-inferiority mode, evidence of none beyond the margins).
    Pass,
    /// A cell regressed.
    Fail,
    /// Not enough evidence, and the policy does not take that for a pass.
    Inconclusive,
    /// A metric that gates could not be measured well enough.
    Undecidable,
    /// The head lacks examples that the baseline has, or its run did not finish.
    Incomplete,
}

impl Decision {
    /// The name as it stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Undecidable => "undecidable",
            Self::Incomplete => "incomplete",
        }
    }

    /// The exit code that goes with it.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Pass => Exit::Pass,
            Self::Fail => Exit::Regression,
            Self::Inconclusive => Exit::Inconclusive,
            Self::Undecidable => Exit::Undecidable,
            Self::Incomplete => Exit::Incomplete,
        }
    }

    /// Which of two decisions stands when both hold: incomplete, fail, undecidable, inconclusive, pass.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let rank = |decision: Self| match decision {
            Self::Incomplete => 4,
            Self::Fail => 3,
            Self::Undecidable => 2,
            Self::Inconclusive => 1,
            Self::Pass => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}
