//! The bootstrap of a mean with infinitely many resamples, for scores on a lattice: no seed, no Monte Carlo error.

use super::error::{Result, StatError, at_least};
use super::interval::{Alpha, Interval};
use super::lattice::{common_denominator, greatest_common_divisor};
use super::mean::{mean, sum_of_squares};

/// The most support points whose distribution is convolved; the work grows with their square.
const MOST_POINTS: usize = 20_000;

/// The exact distribution of the mean of a resample.
#[derive(Debug, Clone, PartialEq)]
pub struct IdealBootstrap {
    estimate: f64,
    standard_error: f64,
    smallest: f64,
    step: f64,
    probabilities: Vec<f64>,
}

/// A possible mean of a resample.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct SupportPoint {
    /// The mean.
    pub value: f64,
    /// Probability of this mean or a smaller one.
    pub cdf: f64,
    /// Probability of a smaller mean.
    pub cdf_below: f64,
}

impl IdealBootstrap {
    /// The distribution for the mean of `values`, whose differences must be multiples of a common step `1/D` with
    /// `D <= 2520`: 0/1 scores, grades, deltas of either, means of a few trials.
    ///
    /// The `n`-fold convolution of the empirical distribution, by repeated squaring; all terms are positive, so the
    /// tails keep their relative accuracy.
    ///
    /// # Errors
    /// [`StatError::TooFew`] below two values; [`StatError::OutOfRange`] for a value that is not finite;
    /// [`StatError::Undefined`] for values on no such lattice, or with more than 20,000 possible means.
    pub fn of_mean(values: &[f64]) -> Result<Self> {
        at_least("values", 2, values.len())?;
        let estimate = mean(values)?;
        let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let lattice = Lattice::of(values, smallest)?;
        let points = lattice.widest.saturating_mul(values.len()).saturating_add(1);
        if points > MOST_POINTS {
            return Err(StatError::Undefined("the ideal bootstrap beyond 20,000 possible means"));
        }
        let n = values.len() as f64;
        let mut once = vec![0.0; lattice.widest + 1];
        for offset in lattice.offsets {
            once[offset] += 1.0 / n;
        }
        Ok(Self {
            estimate,
            standard_error: libm::sqrt(sum_of_squares(values, estimate)) / n,
            smallest,
            step: lattice.step / n,
            probabilities: power(once, values.len()),
        })
    }

    /// The mean of the data.
    #[must_use]
    pub const fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The standard deviation of the resampled mean, `√(Σ (x − x̄)²) / n`.
    #[must_use]
    pub const fn standard_error(&self) -> f64 {
        self.standard_error
    }

    /// The distance between neighbouring possible means.
    #[must_use]
    pub const fn step(&self) -> f64 {
        self.step
    }

    /// The smallest possible mean whose distribution function reaches `level` (quantile type 1).
    #[must_use]
    pub fn quantile(&self, level: f64) -> SupportPoint {
        let mut point = SupportPoint { value: self.smallest, cdf: 0.0, cdf_below: 0.0 };
        for (k, probability) in self.probabilities.iter().enumerate().filter(|&(_, &probability)| probability > 0.0) {
            let cdf_below = point.cdf;
            point = SupportPoint {
                value: self.smallest + k as f64 * self.step,
                cdf: (cdf_below + probability).min(1.0),
                cdf_below,
            };
            if point.cdf >= level {
                break;
            }
        }
        point
    }

    /// The percentile interval without Monte Carlo error.
    ///
    /// # Errors
    /// [`StatError::Undefined`] when both limits are the same mean, as for data that do not vary.
    pub fn percentile(&self, alpha: Alpha) -> Result<Interval> {
        Interval::new(self.quantile(alpha.get() / 2.0).value, self.quantile(1.0 - alpha.get() / 2.0).value)
            .with_width("a bootstrap interval whose limits are one and the same mean")
    }
}

/// Values as whole steps above the smallest of them.
struct Lattice {
    offsets: Vec<usize>,
    widest: usize,
    step: f64,
}

impl Lattice {
    fn of(values: &[f64], smallest: f64) -> Result<Self> {
        let above: Vec<f64> = values.iter().map(|x| x - smallest).collect();
        let denominator = common_denominator(&above)
            .ok_or(StatError::Undefined("the ideal bootstrap of values that share no common step"))?;
        let mut offsets: Vec<usize> = above.iter().map(|x| (x * denominator).round() as usize).collect();
        // Scores like 0, 20, 40 have a step above 1.
        let common =
            offsets.iter().fold(0, |common, &offset| greatest_common_divisor(common, offset as u64)).max(1) as usize;
        for offset in &mut offsets {
            *offset /= common;
        }
        let widest = offsets.iter().copied().max().unwrap_or(0);
        Ok(Self { offsets, widest, step: common as f64 / denominator })
    }
}

/// The distribution of the sum of `n` independent draws.
fn power(once: Vec<f64>, n: usize) -> Vec<f64> {
    let mut result = vec![1.0];
    let (mut square, mut left) = (once, n);
    loop {
        if left % 2 == 1 {
            result = convolution(&result, &square);
        }
        left /= 2;
        if left == 0 {
            return result;
        }
        square = convolution(&square, &square);
    }
}

fn convolution(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, &x) in a.iter().enumerate().filter(|&(_, &x)| x > 0.0) {
        for (cell, y) in out[i..].iter_mut().zip(b) {
            *cell += x * y;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::{Resampling, mean_replicates};
    use super::super::special::ln_choose;
    use super::*;

    #[test]
    fn binary_scores_are_binomial() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(u8::from(i < 13))).collect();
        let ideal = IdealBootstrap::of_mean(&values).unwrap();
        for (k, &probability) in ideal.probabilities.iter().enumerate() {
            let k = k as f64;
            let exact = (ln_choose(40.0, k) + k * 0.325_f64.ln() + (40.0 - k) * 0.675_f64.ln()).exp();
            assert!((probability - exact).abs() <= 1e-10 * exact, "{k}");
        }
        assert!((ideal.standard_error() - (0.325_f64 * 0.675 / 40.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn monte_carlo_converges_to_it() {
        let grades = [0.2, 0.4, 0.4, 1.0, 0.6, 0.8, 0.2, 0.6, 1.0, 0.4, 0.0, 0.8];
        let ideal = IdealBootstrap::of_mean(&grades).unwrap();
        let drawn = mean_replicates(&grades, Resampling { replicates: 100_000, seed: 4 }).unwrap();
        assert!((ideal.step() - 0.2 / 12.0).abs() < 1e-15);
        for level in [0.01, 0.1, 0.5, 0.8, 0.99] {
            let point = ideal.quantile(level);
            let share = drawn.sorted().partition_point(|&r| r <= point.value + 1e-9) as f64 / 100_000.0;
            assert!((share - point.cdf).abs() < 0.008, "{level}: {share} {point:?}");
            assert!(point.cdf >= level && point.cdf_below < level);
        }
    }

    #[test]
    fn refuses_what_has_no_small_lattice() {
        assert!(IdealBootstrap::of_mean(&[1.0]).is_err());
        assert!(IdealBootstrap::of_mean(&[0.0, f64::NAN]).is_err());
        assert!(IdealBootstrap::of_mean(&[0.0, std::f64::consts::PI]).is_err());
        assert!(IdealBootstrap::of_mean(&[0.0, 30_000.0, 1.0]).is_err());
        let equal = IdealBootstrap::of_mean(&[3.5; 4]).unwrap();
        assert!(equal.percentile(Alpha::FIVE_PERCENT).is_err());
        assert_eq!(equal.quantile(0.5).value, 3.5);
    }
}
