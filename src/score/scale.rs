//! The range of a score, and which end of it is good.

use serde::{Deserialize, Serialize};

/// A metric's scale: the lowest and highest value a score can take, and which end is good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Lowest possible value.
    pub low: f64,
    /// Highest possible value.
    pub high: f64,
    /// Whether more is better.
    #[serde(default = "yes")]
    pub higher_is_better: bool,
}

const fn yes() -> bool {
    true
}

impl Scale {
    /// 0 to 1, more is better.
    pub const UNIT: Self = Self { low: 0.0, high: 1.0, higher_is_better: true };

    /// `high - low`.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// The good end.
    #[must_use]
    pub const fn best(self) -> f64 {
        if self.higher_is_better { self.high } else { self.low }
    }

    /// The bad end: what a failed candidate scores.
    #[must_use]
    pub const fn worst(self) -> f64 {
        if self.higher_is_better { self.low } else { self.high }
    }

    /// Whether `value` is at least as good as `limit`.
    #[must_use]
    pub fn reaches(self, value: f64, limit: f64) -> bool {
        if self.higher_is_better { value >= limit } else { value <= limit }
    }

    /// The sign that makes a change positive when it is for the better.
    #[must_use]
    pub const fn direction(self) -> f64 {
        if self.higher_is_better { 1.0 } else { -1.0 }
    }
}
