//! What bootstrap replicates say: standard error, percentile, basic and BCa intervals.

use super::error::{Result, all_finite, at_least};
use super::interval::{Alpha, Interval};
use super::mean::{mean, sum_of_squares};
use super::order::quantile;
use super::special::{normal_cdf, normal_quantile};

/// Replicates this close to the estimate, in units of their largest magnitude, are ties: the same number summed in
/// another order.
pub(super) const TIE: f64 = 1e-12;

/// The replicates of a statistic, sorted, with its value on the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicates {
    estimate: f64,
    sorted: Vec<f64>,
}

/// How replicates that equal the estimate enter the bias correction z0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// Each counts half: right for discrete data, and what SciPy does.
    Half,
    /// None counts: Efron's original definition, biased for discrete data.
    None,
}

/// A bias-corrected and accelerated interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bca {
    /// The interval.
    pub interval: Interval,
    /// How the levels were corrected; `None` when z0 or a level does not exist and the interval is the percentile one.
    pub correction: Option<BcaCorrection>,
}

/// What turned a percentile interval into a BCa interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BcaCorrection {
    /// Bias correction: the normal quantile of the share of replicates below the estimate.
    pub z0: f64,
    /// Acceleration: a sixth of the skewness of the influence values over √n.
    pub acceleration: f64,
    /// Level of the lower limit.
    pub low_level: f64,
    /// Level of the upper limit.
    pub high_level: f64,
}

impl Replicates {
    /// Replicates that were computed elsewhere, in any order.
    ///
    /// # Errors
    /// [`super::StatError::TooFew`] below two; [`super::StatError::OutOfRange`] for one that is not finite.
    pub fn new(estimate: f64, mut replicates: Vec<f64>) -> Result<Self> {
        at_least("bootstrap replicates", 2, replicates.len())?;
        all_finite("estimate", &[estimate])?;
        all_finite("bootstrap replicate", &replicates)?;
        replicates.sort_unstable_by(f64::total_cmp);
        Ok(Self { estimate, sorted: replicates })
    }

    /// The statistic on the data themselves.
    #[must_use]
    pub const fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The replicates in ascending order.
    #[must_use]
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The bootstrap standard error: the standard deviation of the replicates, divisor B − 1.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let b = self.sorted.len() as f64;
        let centre = self.sorted.iter().sum::<f64>() / b;
        libm::sqrt(sum_of_squares(&self.sorted, centre) / (b - 1.0))
    }

    /// The quantile of type 7 (linear between order statistics, as in R and NumPy) at `level`, clamped to `[0, 1]`.
    #[must_use]
    pub fn quantile(&self, level: f64) -> f64 {
        quantile(&self.sorted, level)
    }

    /// The percentile interval (Efron 1979): the `α/2` and `1 − α/2` quantiles.
    ///
    /// # Errors
    /// [`super::StatError::Undefined`] when the two coincide: resampling data that do not vary says nothing about precision.
    pub fn percentile(&self, alpha: Alpha) -> Result<Interval> {
        self.between(0.5 * alpha.get(), 1.0 - 0.5 * alpha.get())
    }

    fn between(&self, low_level: f64, high_level: f64) -> Result<Interval> {
        let low = self.quantile(low_level);
        let high = self.quantile(high_level);
        // Equal sums in another order differ in their last digits.
        let high = if (high - low).abs() <= self.slack() { low } else { high };
        Interval::new(low, high).with_width("a bootstrap interval of data whose replicates do not vary")
    }

    /// The basic interval (Davison & Hinkley 1997): the percentile interval mirrored at the estimate.
    ///
    /// # Errors
    /// As [`Self::percentile`].
    pub fn basic(&self, alpha: Alpha) -> Result<Interval> {
        let percentile = self.percentile(alpha)?;
        Ok(Interval::new(2.0 * self.estimate - percentile.high, 2.0 * self.estimate - percentile.low))
    }

    /// Differences up to this are rounding.
    fn slack(&self) -> f64 {
        TIE * self.sorted[0].abs().max(self.sorted[self.sorted.len() - 1].abs()).max(self.estimate.abs())
    }

    /// The bias correction z0, infinite when all replicates lie on one side of the estimate.
    #[must_use]
    pub fn bias_correction(&self, ties: Ties) -> f64 {
        let slack = self.slack();
        let below = self.sorted.partition_point(|&r| r < self.estimate - slack) as f64;
        let up_to = self.sorted.partition_point(|&r| r <= self.estimate + slack) as f64;
        let count = match ties {
            Ties::Half => 0.5 * (below + up_to),
            Ties::None => below,
        };
        normal_quantile(count / self.sorted.len() as f64)
    }

    /// The BCa interval (Efron 1987): percentile limits at levels `Φ(z0 + (z0 + z) / (1 − a (z0 + z)))`.
    ///
    /// `acceleration` comes from [`mean_acceleration`], [`super::bootstrap::ratio_acceleration`] or [`acceleration`]. Falls back to the
    /// percentile interval when z0 is infinite (every replicate on one side of the estimate) or a denominator is not
    /// positive.
    ///
    /// # Errors
    /// [`super::StatError::OutOfRange`] for an acceleration that is not finite; [`super::StatError::Undefined`] when the limits coincide.
    pub fn bca(&self, alpha: Alpha, acceleration: f64) -> Result<Bca> {
        self.bca_with(alpha, acceleration, Ties::Half)
    }

    /// As [`Self::bca`], with a choice about ties.
    ///
    /// # Errors
    /// As [`Self::bca`].
    pub fn bca_with(&self, alpha: Alpha, acceleration: f64, ties: Ties) -> Result<Bca> {
        all_finite("acceleration", &[acceleration])?;
        let z0 = self.bias_correction(ties);
        let z = -alpha.two_sided_z();
        let level = |z: f64| {
            let moved = z0 + z;
            let denominator = 1.0 - acceleration * moved;
            (z0.is_finite() && denominator > 0.0).then(|| normal_cdf(z0 + moved / denominator))
        };
        Ok(match (level(z), level(-z)) {
            (Some(low_level), Some(high_level)) => Bca {
                interval: self.between(low_level, high_level)?,
                correction: Some(BcaCorrection { z0, acceleration, low_level, high_level }),
            },
            _ => Bca { interval: self.percentile(alpha)?, correction: None },
        })
    }
}

/// The acceleration of a mean in closed form, `Σ d³ / (6 (Σ d²)^1.5)` with `d` the deviations from the mean; 0 when all
/// values are equal.
///
/// # Errors
/// [`super::StatError::TooFew`] below two values; [`super::StatError::OutOfRange`] for a value that is not finite.
pub fn mean_acceleration(values: &[f64]) -> Result<f64> {
    at_least("values", 2, values.len())?;
    let centre = mean(values)?;
    Ok(sixth_of_skewness(values.iter().map(|x| x - centre), centre.abs()))
}

/// The acceleration from leave-one-out values of the statistic: `Σ U³ / (6 (Σ U²)^1.5)`, `U` the mean of the jackknife
/// less its values; 0 when they are all equal.
///
/// # Errors
/// [`super::StatError::TooFew`] below two values; [`super::StatError::OutOfRange`] for a value that is not finite.
pub fn acceleration(jackknife: &[f64]) -> Result<f64> {
    at_least("jackknife values", 2, jackknife.len())?;
    let centre = mean(jackknife)?;
    Ok(sixth_of_skewness(jackknife.iter().map(|x| centre - x), centre.abs()))
}

/// The jackknife standard error from leave-one-out values: `√((n − 1)/n Σ (θ₍ᵢ₎ − θ̄)²)`.
///
/// # Errors
/// As [`acceleration`].
pub fn jackknife_standard_error(jackknife: &[f64]) -> Result<f64> {
    at_least("jackknife values", 2, jackknife.len())?;
    let (centre, n) = (mean(jackknife)?, jackknife.len() as f64);
    Ok(libm::sqrt(sum_of_squares(jackknife, centre) * (n - 1.0) / n))
}

/// Deviations that are nothing but rounding, measured against the values' own size, count as none.
fn sixth_of_skewness(deviations: impl Iterator<Item = f64> + Clone, size: f64) -> f64 {
    // Scaling by the largest deviation keeps cubes of large or tiny scores inside the range of numbers.
    let largest = deviations.clone().fold(0.0_f64, |largest, d| largest.max(d.abs()));
    if largest <= 8.0 * f64::EPSILON * size || largest == 0.0 {
        return 0.0;
    }
    let (squares, cubes) = deviations.fold((0.0, 0.0), |(squares, cubes), d| {
        let d = d / largest;
        (squares + d * d, cubes + d * d * d)
    });
    cubes / (6.0 * squares * libm::sqrt(squares))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIVE: Alpha = Alpha::FIVE_PERCENT;

    #[test]
    fn replicates_that_do_not_vary_give_no_interval() {
        let replicates = Replicates::new(0.3, vec![0.3, 0.1 + 0.2, 0.3]).unwrap();
        assert!(replicates.percentile(FIVE).is_err() && replicates.basic(FIVE).is_err());
        assert!(replicates.bca(FIVE, 0.0).is_err());
    }

    #[test]
    fn one_sided_replicates_fall_back_to_percentiles() {
        let replicates = Replicates::new(0.0, vec![1.0, 2.0, 3.0]).unwrap();
        let bca = replicates.bca(FIVE, 0.0).unwrap();
        assert_eq!((bca.interval, bca.correction), (replicates.percentile(FIVE).unwrap(), None));
        assert!(replicates.bca(FIVE, f64::NAN).is_err());
    }

    #[test]
    fn ties_count_half() {
        // Two below, two equal, one above; the equal ones differ from the estimate by rounding only.
        let replicates = Replicates::new(0.3, vec![0.1, 0.2, 0.1 + 0.2, 0.3, 0.4]).unwrap();
        assert!((replicates.bias_correction(Ties::Half) - normal_quantile(0.6)).abs() < 1e-15);
        assert!((replicates.bias_correction(Ties::None) - normal_quantile(0.4)).abs() < 1e-15);
    }

    #[test]
    fn refuses_too_little_or_broken_replicates() {
        assert!(Replicates::new(1.0, vec![1.0]).is_err() && Replicates::new(1.0, vec![1.0, f64::NAN]).is_err());
        assert!(acceleration(&[1.0]).is_err() && mean_acceleration(&[1.0, f64::INFINITY]).is_err());
        assert!(jackknife_standard_error(&[1.0]).is_err());
    }

    proptest! {
        #[test]
        fn the_basic_interval_mirrors_the_percentile_one(values in prop::collection::vec(-5.0..5.0_f64, 2..40)) {
            let replicates = Replicates::new(values[0], values).unwrap();
            let (percentile, basic) = (replicates.percentile(FIVE).unwrap(), replicates.basic(FIVE).unwrap());
            prop_assert!((percentile.low + basic.high - 2.0 * replicates.estimate()).abs() < 1e-12);
            prop_assert!((percentile.width() - basic.width()).abs() < 1e-12);
        }

        #[test]
        fn bca_without_bias_and_acceleration_is_the_percentile_interval(half in prop::collection::vec(0.1..5.0_f64, 1..40)) {
            let symmetric = half.iter().flat_map(|&x| [x, -x]).collect();
            let replicates = Replicates::new(0.0, symmetric).unwrap();
            let (bca, percentile) = (replicates.bca(FIVE, 0.0).unwrap().interval, replicates.percentile(FIVE).unwrap());
            prop_assert!((bca.low - percentile.low).abs() < 1e-9 && (bca.high - percentile.high).abs() < 1e-9);
        }
    }
}
