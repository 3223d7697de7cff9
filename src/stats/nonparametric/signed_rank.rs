//! Sign test and Wilcoxon's signed-rank test for paired differences.

use super::Continuity;
use crate::stats::error::{Result, StatError, finite_sample};
use crate::stats::order::mid_ranks;
use crate::stats::p_value::p_value;
use crate::stats::special::{binomial_half_cdf, normal_sf};

/// Most differences for which the exact distribution of the signed-rank sum is computed.
const MAX_EXACT: usize = 1000;

/// Two-sided sign test: twice the smaller tail of Binomial(wins + losses, 1/2), at most 1; ties are left out.
///
/// Without any win or loss p is 1.
///
/// ```
/// use evalgauge::stats::nonparametric::sign_test;
/// assert_eq!(sign_test(10, 0), 0.001_953_125);
/// ```
#[must_use]
pub fn sign_test(wins: u64, losses: u64) -> f64 {
    p_value(2.0 * binomial_half_cdf(wins.min(losses), wins + losses))
}

/// [`sign_test`] of the numbers of positive and negative differences.
///
/// # Errors
/// [`StatError::TooFew`] for no differences, [`StatError::OutOfRange`] for values that are not finite.
pub fn sign_test_of(differences: &[f64]) -> Result<f64> {
    finite_sample("differences", differences)?;
    let positive = differences.iter().filter(|d| **d > 0.0).count() as u64;
    let negative = differences.iter().filter(|d| **d < 0.0).count() as u64;
    Ok(sign_test(positive, negative))
}

/// What becomes of differences of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroMethod {
    /// Left out before ranking (Wilcoxon 1945).
    #[default]
    Drop,
    /// Ranked with the others, then left out (Pratt 1959), with the variance of Cureton (1967).
    Pratt,
    /// Ranked with the others, half of their ranks given to either sign.
    Split,
}

/// A rank test.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RankTest {
    /// The smaller of the rank sums of positive and of negative differences.
    pub statistic: f64,
    /// Two-sided p-value.
    pub p: f64,
}

struct RankSums {
    positive: f64,
    negative: f64,
    zero: f64,
    zeros: f64,
    ranked: f64,
    ties: f64,
}

fn rank_sums(differences: &[f64], zeros: ZeroMethod) -> RankSums {
    let kept: Vec<f64> = match zeros {
        ZeroMethod::Drop => differences.iter().copied().filter(|d| *d != 0.0).collect(),
        ZeroMethod::Pratt | ZeroMethod::Split => differences.to_vec(),
    };
    let sizes: Vec<f64> = kept.iter().map(|d| d.abs()).collect();
    let (ranks, ties) = mid_ranks(&sizes);
    let sum = |holds: fn(f64) -> bool| kept.iter().zip(&ranks).filter(|(d, _)| holds(**d)).map(|(_, rank)| rank).sum();
    RankSums {
        positive: sum(|d| d > 0.0),
        negative: sum(|d| d < 0.0),
        zero: sum(|d| d == 0.0),
        zeros: kept.iter().filter(|d| **d == 0.0).count() as f64,
        ranked: kept.len() as f64,
        ties,
    }
}

/// Wilcoxon signed-rank test by the normal approximation, with the variance corrected for ties.
///
/// Assumes independent pairs whose differences are symmetric about their centre; H0: the centre is 0.
///
/// # Errors
/// [`StatError::TooFew`] for no differences, [`StatError::OutOfRange`] for values that are not finite,
/// [`StatError::Undefined`] when all differences are zero (except with [`ZeroMethod::Split`], where p is 1).
pub fn wilcoxon_signed_rank(differences: &[f64], zeros: ZeroMethod, continuity: Continuity) -> Result<RankTest> {
    finite_sample("differences", differences)?;
    let mut sums = rank_sums(differences, zeros);
    // Sums of ranks and of squared ranks up to n, times 4 and 24.
    let linear = |n: f64| n * (n + 1.0);
    let quadratic = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
    let mut mean = linear(sums.ranked);
    let mut variance = quadratic(sums.ranked);
    match zeros {
        ZeroMethod::Drop => {}
        ZeroMethod::Pratt => {
            mean -= linear(sums.zeros);
            variance -= quadratic(sums.zeros);
            sums.ties -= sums.zeros * sums.zeros * sums.zeros - sums.zeros;
        }
        ZeroMethod::Split => {
            sums.positive += 0.5 * sums.zero;
            sums.negative += 0.5 * sums.zero;
        }
    }
    let deviation = libm::sqrt((variance - 0.5 * sums.ties) / 24.0);
    if deviation.is_nan() || deviation <= 0.0 {
        return Err(StatError::Undefined("signed-rank test of differences that are all zero"));
    }
    let mut distance = (sums.positive - mean / 4.0).abs();
    if continuity == Continuity::Corrected && distance > 0.0 {
        distance -= 0.5;
    }
    let p = p_value(2.0 * normal_sf((distance / deviation).abs()));
    Ok(RankTest { statistic: sums.positive.min(sums.negative), p })
}

/// Wilcoxon signed-rank test with the exact null distribution of the rank sum.
///
/// ```
/// use evalgauge::stats::nonparametric::wilcoxon_signed_rank_exact;
/// let test = wilcoxon_signed_rank_exact(&[1.0, 1.5, 1.9, 2.2, 3.0])?;
/// assert_eq!((test.statistic, test.p), (0.0, 0.0625));
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for no differences, [`StatError::OutOfRange`] for values that are not finite or more than
/// 1,000 of them, [`StatError::Undefined`] when a difference is zero or two are equal in size: use
/// [`super::paired_permutation_exact`] or the approximation then.
pub fn wilcoxon_signed_rank_exact(differences: &[f64]) -> Result<RankTest> {
    finite_sample("differences", differences)?;
    let n = differences.len();
    if n > MAX_EXACT {
        return Err(StatError::OutOfRange { what: "number of differences", value: n as f64, range: "1 to 1000" });
    }
    let sums = rank_sums(differences, ZeroMethod::Drop);
    if sums.ties > 0.0 || sums.ranked < n as f64 {
        return Err(StatError::Undefined("exact signed-rank test with ties or zeros"));
    }
    let statistic = sums.positive.min(sums.negative);
    // P(rank sum = s), one rank after the other: each is in the sum with probability 1/2.
    let largest = statistic as usize;
    let mut probability = vec![0.0; largest + 1];
    probability[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=largest).rev() {
            let without = probability[sum];
            let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (without + with);
        }
    }
    Ok(RankTest { statistic, p: p_value(2.0 * probability.iter().sum::<f64>()) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hollander & Wolfe (1973), table 3.1: Hamilton depression scale before and after; T = 5, p = 0.0391 two-sided.
    #[test]
    #[expect(clippy::approx_constant, reason = "a score of 3.14 is no π")]
    fn depression_scale_as_published() {
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let differences = crate::stats::mean::differences(&before, &after).unwrap();
        let test = wilcoxon_signed_rank_exact(&differences).unwrap();
        assert_eq!((test.statistic, test.p), (5.0, 0.039_062_5));
    }

    #[test]
    fn nothing_but_zeros() {
        for zeros in [ZeroMethod::Drop, ZeroMethod::Pratt] {
            let test = wilcoxon_signed_rank(&[0.0; 3], zeros, Continuity::Corrected);
            assert!(matches!(test, Err(StatError::Undefined(_))), "{zeros:?}");
        }
        let split = wilcoxon_signed_rank(&[0.0; 3], ZeroMethod::Split, Continuity::Corrected).unwrap();
        assert_eq!(split, RankTest { statistic: 3.0, p: 1.0 });
        assert_eq!(sign_test_of(&[0.0; 3]), Ok(1.0));
    }

    #[test]
    fn exact_distribution_needs_distinct_sizes() {
        assert!(wilcoxon_signed_rank_exact(&[1.0, -1.0]).is_err());
        assert!(wilcoxon_signed_rank_exact(&[1.0, 0.0]).is_err());
        assert!(wilcoxon_signed_rank_exact(&[]).is_err());
        assert!(wilcoxon_signed_rank(&[f64::NAN], ZeroMethod::Drop, Continuity::Corrected).is_err());
        assert_eq!(wilcoxon_signed_rank_exact(&[2.0]).unwrap().p, 1.0);
    }

    proptest! {
        #[test]
        fn order_and_sign_do_not_matter(mut d in prop::collection::vec(-5_i32..6, 1..25)) {
            d.push(1);
            let values: Vec<f64> = d.iter().map(|&v| f64::from(v)).collect();
            let mirrored: Vec<f64> = values.iter().rev().map(|v| -v).collect();
            for zeros in [ZeroMethod::Drop, ZeroMethod::Pratt, ZeroMethod::Split] {
                let test = |v: &[f64]| wilcoxon_signed_rank(v, zeros, Continuity::Corrected).unwrap();
                prop_assert!((test(&values).p - test(&mirrored).p).abs() < 1e-12);
                prop_assert_eq!(test(&values).statistic, test(&mirrored).statistic);
            }
        }

        #[test]
        fn the_approximation_approaches_the_exact_value(seed in 0_u64..1000) {
            let d: Vec<f64> = (0..60_u64).map(|i| {
                let size = (i + 1) as f64;
                if (i * 7919 + seed * 104_729) % 11 < 5 { size } else { -size }
            }).collect();
            let exact = wilcoxon_signed_rank_exact(&d).unwrap();
            let normal = wilcoxon_signed_rank(&d, ZeroMethod::Drop, Continuity::Corrected).unwrap();
            prop_assert!((exact.p - normal.p).abs() < 0.01, "{} {}", exact.p, normal.p);
        }
    }
}
