//! Mann–Whitney test of two independent samples.

use super::Continuity;
use crate::stats::error::{Result, StatError, finite_sample};
use crate::stats::order::mid_ranks;
use crate::stats::p_value::p_value;
use crate::stats::special::normal_sf;

/// Largest product of the sample sizes for which the exact distribution is computed.
const MAX_EXACT_PRODUCT: usize = 40_000;

/// Mann–Whitney statistic and the effect sizes that are the same number on other scales.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MannWhitney {
    /// Pairs (x, y) with x > y, equal pairs counted one half.
    pub u: f64,
    /// `u / (m n)`: the probability that x exceeds y, ties one half (area under the ROC curve).
    pub auc: f64,
    /// Cliff's delta (1993), `2 auc − 1`.
    pub cliffs_delta: f64,
    /// Σ(t³ − t) over groups of t equal values.
    ties: f64,
    m: usize,
    n: usize,
}

/// Mann & Whitney's (1947) U of `x` against `y`.
///
/// ```
/// use evalgauge::stats::nonparametric::mann_whitney;
/// assert_eq!(mann_whitney(&[1.0, 3.0], &[2.0, 3.0, 0.0])?.u, 3.5);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for an empty sample, [`StatError::OutOfRange`] for values that are not finite.
pub fn mann_whitney(x: &[f64], y: &[f64]) -> Result<MannWhitney> {
    finite_sample("first sample", x)?;
    finite_sample("second sample", y)?;
    let (ranks, ties) = mid_ranks(&[x, y].concat());
    let (m, n) = (x.len() as f64, y.len() as f64);
    let u = ranks[..x.len()].iter().sum::<f64>() - m * (m + 1.0) / 2.0;
    let auc = u / (m * n);
    Ok(MannWhitney { u, auc, cliffs_delta: 2.0 * auc - 1.0, ties, m: x.len(), n: y.len() })
}

/// Two-sided p-value by the normal approximation, with the variance corrected for ties.
///
/// H0: both samples come from one distribution. When all values are equal, the corrected statistic is below its
/// expectation, so p is 1; the uncorrected one is 0/0.
///
/// # Errors
/// As [`mann_whitney`]; [`StatError::Undefined`] when all values are equal and `continuity` is uncorrected.
pub fn mann_whitney_asymptotic(x: &[f64], y: &[f64], continuity: Continuity) -> Result<f64> {
    let statistic = mann_whitney(x, y)?;
    let (m, n) = (x.len() as f64, y.len() as f64);
    let total = m + n;
    // For one value on each side the tie term is 0 and its denominator is not.
    let ties = statistic.ties / (total * (total - 1.0));
    let deviation = libm::sqrt(m * n / 12.0 * (total + 1.0 - ties).max(0.0));
    let mut distance = (statistic.u - 0.5 * m * n).abs();
    if continuity == Continuity::Corrected {
        distance -= 0.5;
        if distance <= 0.0 {
            return Ok(1.0);
        }
    }
    if deviation == 0.0 {
        return Err(StatError::Undefined("Mann–Whitney test of values that are all equal"));
    }
    Ok(p_value(2.0 * normal_sf(distance / deviation)))
}

/// Two-sided p-value with the exact null distribution of U.
///
/// # Errors
/// As [`mann_whitney`]; [`StatError::Undefined`] when two values are equal, [`StatError::OutOfRange`] when the product
/// of the sample sizes exceeds 40,000.
pub fn mann_whitney_exact(x: &[f64], y: &[f64]) -> Result<f64> {
    let statistic = mann_whitney(x, y)?;
    if statistic.ties > 0.0 {
        return Err(StatError::Undefined("exact Mann–Whitney test with ties"));
    }
    let product = statistic.m * statistic.n;
    if product > MAX_EXACT_PRODUCT {
        return Err(StatError::OutOfRange {
            what: "product of the sample sizes",
            value: product as f64,
            range: "1 to 40000",
        });
    }
    let smaller = statistic.u.min(product as f64 - statistic.u) as usize;
    let distribution = null_distribution(statistic.m, statistic.n, smaller);
    Ok(p_value(2.0 * distribution.iter().sum::<f64>()))
}

/// P(U = u) for u up to `largest`.
///
/// The largest of all values belongs to the first sample with probability i/(i+j), and then exceeds all j of the
/// second: `p(i, j, u) = i/(i+j) p(i−1, j, u−j) + j/(i+j) p(i, j−1, u)`. All terms are positive, so nothing cancels.
fn null_distribution(m: usize, n: usize, largest: usize) -> Vec<f64> {
    let mut certain_zero = vec![0.0; largest + 1];
    certain_zero[0] = 1.0;
    // For the current j: the distribution for each i.
    let mut by_first = vec![certain_zero; m + 1];
    for j in 1..=n {
        for i in 1..=m {
            let weight = i as f64 / (i + j) as f64;
            let (fewer, own) = by_first.split_at_mut(i);
            // U cannot exceed i·j, and below j the largest value cannot belong to the first sample.
            let reach = largest.min(i * j) + 1;
            let (low, high) = own[0][..reach].split_at_mut(j.min(reach));
            for probability in low {
                *probability *= 1.0 - weight;
            }
            for (probability, shifted) in high.iter_mut().zip(&fewer[i - 1]) {
                *probability = weight * shifted + (1.0 - weight) * *probability;
            }
        }
    }
    by_first.swap_remove(m)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hollander & Wolfe (1973), p. 69: water transfer at term against weeks 12–26; one-sided exact p 0.1272.
    #[test]
    fn water_transfer_as_published() {
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let earlier = [1.15, 0.88, 0.90, 0.74, 1.21];
        assert_eq!(mann_whitney(&term, &earlier).unwrap().u, 35.0);
        assert!((mann_whitney_exact(&term, &earlier).unwrap() / 2.0 - 0.1272).abs() < 5e-5);
    }

    #[test]
    fn distribution_of_small_samples_by_hand() {
        // Two against two: the six orders give U = 0, 1, 2, 2, 3, 4.
        let distribution = null_distribution(2, 2, 4);
        for (got, count) in distribution.iter().zip([1.0, 1.0, 2.0, 1.0, 1.0]) {
            assert!((got - count / 6.0).abs() < 1e-15);
        }
    }

    #[test]
    fn equal_values() {
        let ones = [1.0; 3];
        assert_eq!(mann_whitney(&ones, &ones).unwrap().auc, 0.5);
        assert_eq!(mann_whitney_asymptotic(&ones, &ones, Continuity::Corrected), Ok(1.0));
        assert!(mann_whitney_asymptotic(&ones, &ones, Continuity::Uncorrected).is_err());
        assert!(mann_whitney_exact(&ones, &ones).is_err());
        assert!(mann_whitney(&[], &ones).is_err());
        assert!(mann_whitney(&[f64::NAN], &ones).is_err());
    }

    proptest! {
        #[test]
        fn sides_swap_and_units_do_not_matter(
            x in prop::collection::vec(-9_i32..10, 1..20), y in prop::collection::vec(-9_i32..10, 1..20),
        ) {
            let values = |v: &[i32], scale: f64| v.iter().map(|&v| scale * f64::from(v)).collect::<Vec<_>>();
            let (a, b) = (values(&x, 1.0), values(&y, 1.0));
            let (one, other) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
            prop_assert_eq!(one.u + other.u, (x.len() * y.len()) as f64);
            let wins: f64 = a.iter().flat_map(|p| b.iter().map(move |q| 0.5 * f64::from(u8::from(p > q))
                + 0.5 * f64::from(u8::from(p >= q)))).sum();
            prop_assert_eq!(one.u, wins);
            let p = |a: &[f64], b: &[f64]| mann_whitney_asymptotic(a, b, Continuity::Corrected).unwrap();
            prop_assert!((p(&a, &b) - p(&values(&y, 3.0), &values(&x, 3.0))).abs() < 1e-12);
        }
    }
}
