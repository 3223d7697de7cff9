//! Intervals and the error rate they are made for.

use super::error::{Result, StatError};
use super::special::{normal_quantile, t_quantile};

/// An error rate strictly between 0 and 1; an interval made with it has confidence `1 - alpha`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Alpha(f64);

impl Alpha {
    /// The conventional 5 %: two-sided 95 % intervals.
    pub const FIVE_PERCENT: Self = Self(0.05);

    /// Checks and wraps an error rate.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] unless `0 < alpha < 1`.
    pub fn new(alpha: f64) -> Result<Self> {
        if alpha > 0.0 && alpha < 1.0 {
            Ok(Self(alpha))
        } else {
            Err(StatError::OutOfRange { what: "alpha", value: alpha, range: "(0, 1)" })
        }
    }

    /// The rate as a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The standard normal quantile at `1 − alpha/2`, taken in the lower tail where its digits are.
    #[must_use]
    pub fn two_sided_z(self) -> f64 {
        -normal_quantile(0.5 * self.0)
    }

    /// The quantile of Student's t with `df` degrees of freedom at `1 − alpha/2`.
    #[must_use]
    pub fn two_sided_t(self, df: f64) -> f64 {
        -t_quantile(0.5 * self.0, df)
    }

    /// The two-sided rate whose interval ends are one-sided bounds at this rate: `2 * alpha`, at most just below 1.
    #[must_use]
    pub fn two_sided_for_one_sided(self) -> Self {
        Self((2.0 * self.0).min(1.0 - f64::EPSILON))
    }

    /// The rate of each of several tests that together are to have this one (Bonferroni).
    #[must_use]
    pub fn among(self, tests: usize) -> Self {
        Self(self.0 / tests.max(1) as f64)
    }
}

/// A closed interval; `low <= high` always, and both are finite unless a method is documented to be one-sided.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl Interval {
    /// An interval from its two ends, in either order.
    #[must_use]
    pub fn new(low: f64, high: f64) -> Self {
        if low <= high { Self { low, high } } else { Self { low: high, high: low } }
    }

    /// `centre - half .. centre + half`.
    #[must_use]
    pub fn around(centre: f64, half: f64) -> Self {
        Self::new(centre - half, centre + half)
    }

    /// The part of the interval inside `low..=high`.
    #[must_use]
    pub fn clipped(self, low: f64, high: f64) -> Self {
        Self { low: self.low.clamp(low, high), high: self.high.clamp(low, high) }
    }

    /// The interval itself, unless it is a single point: data that do not vary say nothing about their precision.
    ///
    /// # Errors
    /// [`StatError::Undefined`] with `why` for an interval without width.
    pub fn with_width(self, why: &'static str) -> Result<Self> {
        if self.low < self.high { Ok(self) } else { Err(StatError::Undefined(why)) }
    }

    /// Whether `value` lies inside, ends included.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// `high - low`.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// The interval of `-x` for `x` in this one.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }

    /// The interval of `factor * x`.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self::new(self.low * factor, self.high * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alpha_is_strictly_between_zero_and_one() {
        assert!([0.0, 1.0, -0.1, 1.5, f64::NAN].into_iter().all(|alpha| Alpha::new(alpha).is_err()));
        let ten_percent = Alpha::FIVE_PERCENT.two_sided_for_one_sided();
        assert!((ten_percent.two_sided_z() - 1.644_853_626_951_472_2).abs() < 1e-13);
        // Student's table: 2.228 for ten degrees of freedom.
        assert!((Alpha::FIVE_PERCENT.two_sided_t(10.0) - 2.228_138_851_986_274).abs() < 1e-11);
    }

    #[test]
    fn a_point_is_no_interval() {
        assert!(Interval::new(0.5, 0.5).with_width("").is_err() && Interval::new(0.6, 0.5).with_width("").is_ok());
        assert!(Interval { low: f64::NAN, high: 1.0 }.with_width("").is_err());
    }
}
