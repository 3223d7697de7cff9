//! Means and their standard errors: independent, clustered, paired, and repeated trials (Miller 2024).

use std::collections::HashMap;
use std::hash::Hash;

use super::error::{Result, StatError, all_finite, at_least, finite_sample, same_length};
use super::interval::{Alpha, Interval};
use super::p_value::p_value;
use super::special::{normal_sf, t_two_sided};

/// The arithmetic mean.
///
/// # Errors
/// [`StatError::TooFew`] for no values; [`StatError::OutOfRange`] for a value that is not finite.
pub fn mean(values: &[f64]) -> Result<f64> {
    finite_sample("values", values)?;
    finite_mean(values)
}

/// The mean of values already checked, with the rounding error of the first pass taken out by a second.
fn finite_mean(values: &[f64]) -> Result<f64> {
    let n = values.len() as f64;
    let first = values.iter().sum::<f64>() / n;
    let mean = first + values.iter().map(|value| value - first).sum::<f64>() / n;
    if mean.is_finite() { Ok(mean) } else { Err(StatError::Undefined("a mean beyond the range of numbers")) }
}

/// The sample variance, divisor `n - 1`.
///
/// # Errors
/// As [`mean`]; [`StatError::TooFew`] for a single value.
pub fn sample_variance(values: &[f64]) -> Result<f64> {
    at_least("values", 2, values.len())?;
    let mean = mean(values)?;
    Ok(sum_of_squares(values, mean) / (values.len() - 1) as f64)
}

/// Σ (x − mean)².
pub(super) fn sum_of_squares(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean) * (value - mean)).sum()
}

/// An estimated mean with its standard error and the degrees of freedom of the t distribution that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct MeanEstimate {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom: observations, or clusters, less one.
    pub df: f64,
}

impl MeanEstimate {
    /// The mean of independent values, standard error `s / √n` with the sample standard deviation.
    ///
    /// # Errors
    /// As [`sample_variance`].
    pub fn of(values: &[f64]) -> Result<Self> {
        let variance = sample_variance(values)?;
        let n = values.len() as f64;
        Ok(Self { mean: mean(values)?, se: libm::sqrt(variance / n), df: n - 1.0 })
    }

    /// Whether the standard error is 0, or so small beside the mean that it is rounding: differences such as `0.3 - 0.2`
    /// and `0.4 - 0.3` are equal on paper only.
    fn without_spread(self) -> bool {
        self.se.is_nan() || self.se <= 1e-13 * self.mean.abs()
    }

    fn plus_minus(self, quantile: f64) -> Result<Interval> {
        if self.without_spread() {
            return Err(StatError::Undefined("an interval for the mean of values that do not vary"));
        }
        Ok(Interval::around(self.mean, quantile * self.se))
    }

    /// Student's interval `mean ± t(df) se`.
    ///
    /// # Errors
    /// [`StatError::Undefined`] when the values do not vary (see [`Self::t`]): no width would be a false certainty.
    pub fn t_interval(self, alpha: Alpha) -> Result<Interval> {
        self.plus_minus(alpha.two_sided_t(self.df))
    }

    /// The normal interval `mean ± z se`; too short for few observations or clusters.
    ///
    /// # Errors
    /// As [`Self::t_interval`].
    pub fn normal_interval(self, alpha: Alpha) -> Result<Interval> {
        self.plus_minus(alpha.two_sided_z())
    }

    /// `mean / se`, the statistic of the test that the true mean is 0.
    ///
    /// # Errors
    /// [`StatError::Undefined`] for a standard error of 0, or so small beside the mean that it is rounding: differences
    /// such as `0.3 - 0.2` and `0.4 - 0.3` are equal on paper only.
    pub fn t(self) -> Result<f64> {
        if self.without_spread() {
            Err(StatError::Undefined("t with a standard error of 0"))
        } else {
            Ok(self.mean / self.se)
        }
    }

    /// Two-sided p of Student's test that the true mean is 0, in (0, 1].
    ///
    /// # Errors
    /// As [`Self::t`].
    pub fn t_test(self) -> Result<f64> {
        Ok(p_value(t_two_sided(self.t()?, self.df)))
    }

    /// Two-sided p of the normal test that the true mean is 0, in (0, 1].
    ///
    /// # Errors
    /// As [`Self::t`].
    pub fn z_test(self) -> Result<f64> {
        Ok(p_value(2.0 * normal_sf(self.t()?.abs())))
    }
}

/// The mean of values, its standard error, and Student's interval as `mean ± t(n - 1) s / √n`.
///
/// ```
/// use evalgauge::stats::{Alpha, mean::t_interval};
/// // Student (1908), the extra hours of sleep of ten patients: 1.58 ± 2.262 × 0.3890.
/// let extra = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
/// let interval = t_interval(&extra, Alpha::FIVE_PERCENT)?;
/// assert!((interval.low - 0.7001).abs() < 5e-5 && (interval.high - 2.4599).abs() < 5e-5);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// As [`sample_variance`]; [`StatError::Undefined`] when all values are equal.
pub fn t_interval(values: &[f64], alpha: Alpha) -> Result<Interval> {
    MeanEstimate::of(values)?.t_interval(alpha)
}

/// The mean of values that come in clusters (groups of related items, trials of one item), with the standard errors
/// that ignore and that respect the clusters.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ClusteredMean {
    /// Mean over all values, each with equal weight.
    pub mean: f64,
    /// Number of values.
    pub n: usize,
    /// Number of clusters.
    pub clusters: usize,
    /// `s / √n`, as if the values were independent.
    pub se_independent: f64,
    /// `√(Σ_c (Σ_i r_ci)²) / n` with residuals `r`: Liang & Zeger's sandwich without correction.
    pub cr0: f64,
    /// `CR0 √(G / (G - 1))` for `G` clusters; `None` for one cluster, which says nothing about clusters.
    pub cr1: Option<f64>,
    /// Miller's (2024) form: `√(s²/n + Σ_c Σ_{i≠j} r_ci r_cj / n²)`, the bracket clamped at 0.
    pub miller: f64,
}

impl ClusteredMean {
    /// The estimate with its CR1 standard error on `G - 1` degrees of freedom: the default for grouped items.
    ///
    /// # Errors
    /// [`StatError::TooFew`] for a single cluster.
    pub fn estimate(self) -> Result<MeanEstimate> {
        let se = self.cr1.ok_or(StatError::TooFew { what: "clusters", needed: 2, got: self.clusters })?;
        Ok(MeanEstimate { mean: self.mean, se, df: (self.clusters - 1) as f64 })
    }

    /// `(CR1 / se_independent)²`: by how much clustering inflates the variance. `None` for one cluster or equal values.
    #[must_use]
    pub fn design_effect(self) -> Option<f64> {
        let ratio = self.cr1? / self.se_independent;
        (self.se_independent > 0.0).then_some(ratio * ratio)
    }
}

/// Clustered standard errors of a mean; `clusters[i]` names the cluster of `values[i]`.
///
/// Assumes that clusters are independent of each other and many (30 or more for CR0; CR1 with t(G − 1) is fair below).
///
/// # Errors
/// As [`sample_variance`]; [`StatError::Lengths`].
pub fn clustered_mean<K: Eq + Hash>(values: &[f64], clusters: &[K]) -> Result<ClusteredMean> {
    same_length("values and clusters", values.len(), clusters.len())?;
    let variance = sample_variance(values)?;
    let mean = mean(values)?;
    let n = values.len() as f64;
    // Sums stand in order of first appearance, so the result does not depend on the hash.
    let mut position: HashMap<&K, usize> = HashMap::new();
    let mut sums: Vec<f64> = Vec::new();
    for (value, cluster) in values.iter().zip(clusters) {
        let at = *position.entry(cluster).or_insert(sums.len());
        if at == sums.len() {
            sums.push(0.0);
        }
        sums[at] += value - mean;
    }
    let between: f64 = sums.iter().map(|sum| sum * sum).sum();
    let g = sums.len() as f64;
    let cr0 = libm::sqrt(between) / n;
    let cross_terms = between - sum_of_squares(values, mean);
    Ok(ClusteredMean {
        mean,
        n: values.len(),
        clusters: sums.len(),
        se_independent: libm::sqrt(variance / n),
        cr0,
        cr1: (sums.len() > 1).then(|| cr0 * libm::sqrt(g / (g - 1.0))),
        miller: libm::sqrt((variance / n + cross_terms / (n * n)).max(0.0)),
    })
}

/// The mean difference of two systems scored on the same items.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PairedMean {
    /// Mean of `a - b` with the standard error of the differences and `n - 1` degrees of freedom.
    pub difference: MeanEstimate,
    /// `√(s_a²/n + s_b²/n)`: what it would be on different items.
    pub se_unpaired: f64,
    /// `√((s_a² + s_b² - 2 cov) / n)`; equals `difference.se` up to rounding.
    pub se_from_covariance: f64,
    /// Sample covariance of the two scores, divisor `n - 1`.
    pub covariance: f64,
    /// Pearson's correlation; `None` when one side has no spread.
    pub correlation: Option<f64>,
}

/// The paired comparison of means (Miller 2024, section 4): `mean(a - b)` and how much pairing gains.
///
/// # Errors
/// [`StatError::Lengths`]; as [`sample_variance`].
pub fn paired_mean(a: &[f64], b: &[f64]) -> Result<PairedMean> {
    let differences = differences(a, b)?;
    let (variance_a, variance_b) = (sample_variance(a)?, sample_variance(b)?);
    let (mean_a, mean_b) = (mean(a)?, mean(b)?);
    let n = a.len() as f64;
    let covariance = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / (n - 1.0);
    let spread = libm::sqrt(variance_a) * libm::sqrt(variance_b);
    Ok(PairedMean {
        difference: MeanEstimate::of(&differences)?,
        se_unpaired: libm::sqrt(variance_a / n + variance_b / n),
        se_from_covariance: libm::sqrt(((variance_a + variance_b - 2.0 * covariance) / n).max(0.0)),
        covariance,
        correlation: (spread > 0.0).then(|| (covariance / spread).clamp(-1.0, 1.0)),
    })
}

/// `a[i] - b[i]` for two scores of the same items.
///
/// # Errors
/// [`StatError::Lengths`]; [`StatError::OutOfRange`] for a score that is not finite.
pub fn differences(a: &[f64], b: &[f64]) -> Result<Vec<f64>> {
    same_length("scores of A and B", a.len(), b.len())?;
    all_finite("score of A", a)?;
    all_finite("score of B", b)?;
    Ok(a.iter().zip(b).map(|(a, b)| a - b).collect())
}

/// Where the variance of a mean over items with several trials each comes from.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct TrialVariance {
    /// Mean of the item means.
    pub mean: f64,
    /// Number of items.
    pub items: usize,
    /// Sample variance of the item means.
    pub of_item_means: f64,
    /// Mean over items of the sample variance of their trials.
    pub within: f64,
    /// Estimated variance of the items' true means, `of_item_means - mean_i(within_i / k_i)`, at least 0.
    pub between: f64,
}

impl TrialVariance {
    /// The standard error as measured: that of the item means, which clusters trials by item.
    #[must_use]
    pub fn se(self) -> f64 {
        libm::sqrt(self.of_item_means / self.items as f64)
    }

    /// The standard error to expect with `trials` per item; infinity gives the part that more trials cannot remove.
    ///
    /// # Errors
    /// [`StatError::OutOfRange`] for fewer than one trial or NaN.
    pub fn se_with(self, trials: f64) -> Result<f64> {
        if trials >= 1.0 {
            return Ok(libm::sqrt((self.between + self.within / trials) / self.items as f64));
        }
        Err(StatError::OutOfRange { what: "trials per item", value: trials, range: "[1, infinity]" })
    }
}

/// Splits the variance of a mean into items and trials (Miller 2024, section 3): `scores[i]` holds the trials of item `i`.
///
/// Items may have different numbers of trials, two at least; each item weighs the same.
///
/// # Errors
/// [`StatError::TooFew`] below two items or for an item with fewer than two trials; [`StatError::OutOfRange`] for a score
/// that is not finite.
pub fn trial_variance<R: AsRef<[f64]>>(scores: &[R]) -> Result<TrialVariance> {
    at_least("items", 2, scores.len())?;
    let mut item_means = Vec::with_capacity(scores.len());
    let (mut within, mut noise) = (0.0, 0.0);
    for trials in scores {
        let trials = trials.as_ref();
        at_least("trials of an item", 2, trials.len())?;
        let variance = sample_variance(trials)?;
        item_means.push(mean(trials)?);
        within += variance;
        noise += variance / trials.len() as f64;
    }
    let n = scores.len() as f64;
    let of_item_means = sample_variance(&item_means)?;
    Ok(TrialVariance {
        mean: mean(&item_means)?,
        items: scores.len(),
        of_item_means,
        within: within / n,
        between: (of_item_means - noise / n).max(0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_too_little_or_broken_data() {
        assert!(mean(&[]).is_err() && mean(&[1.0, f64::NAN]).is_err() && mean(&[f64::INFINITY]).is_err());
        assert!(mean(&[f64::MAX, f64::MAX]).is_err());
        assert!(sample_variance(&[1.0]).is_err() && t_interval(&[2.0], Alpha::FIVE_PERCENT).is_err());
        assert!(clustered_mean(&[1.0, 0.0], &[0]).is_err() && clustered_mean(&[1.0], &[0]).is_err());
        assert!(paired_mean(&[1.0, 2.0], &[1.0]).is_err() && paired_mean(&[1.0], &[1.0]).is_err());
        assert!(trial_variance(&[vec![1.0, 0.0]]).is_err() && trial_variance(&[vec![1.0, 0.0], vec![1.0]]).is_err());
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        let shifted: Vec<f64> = [4.0, 7.0, 13.0, 16.0].iter().map(|x| x + 1e9).collect();
        assert_eq!(sample_variance(&shifted).unwrap(), 30.0);
    }

    #[test]
    fn one_cluster_has_no_interval_and_equal_values_no_test() {
        let one = clustered_mean(&[1.0, 0.0, 1.0, 1.0], &["x"; 4]).unwrap();
        assert!(one.cr1.is_none() && one.estimate().is_err() && one.design_effect().is_none());
        for differences in [vec![2.0; 3], vec![0.1; 7], vec![0.3 - 0.2, 0.4 - 0.3, 0.9 - 0.8]] {
            let equal = MeanEstimate::of(&differences).unwrap();
            assert!(
                equal.t_interval(Alpha::FIVE_PERCENT).is_err() && equal.normal_interval(Alpha::FIVE_PERCENT).is_err()
            );
            assert!(equal.t().is_err() && equal.t_test().is_err() && equal.z_test().is_err(), "{equal:?}");
        }
    }

    #[test]
    fn trials_clustered_by_item_give_the_standard_error_of_item_means() {
        let scores = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]];
        let flat: Vec<f64> = scores.concat();
        let items: Vec<usize> = (0..12).map(|i| i / 3).collect();
        let clustered = clustered_mean(&flat, &items).unwrap();
        let split = trial_variance(&scores).unwrap();
        assert!((clustered.cr1.unwrap() - split.se()).abs() < 1e-15);
        assert!((split.se_with(3.0).unwrap() - split.se()).abs() < 1e-15);
        assert!(split.se_with(0.5).is_err() && split.se_with(f64::NAN).is_err());
        assert_eq!(split.se_with(f64::INFINITY).unwrap(), (split.between / 4.0).sqrt());
    }

    fn scores() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(-100.0..100.0_f64, 3..40)
    }

    proptest! {
        #[test]
        fn intervals_scale_and_shift_with_the_data(values in scores(), factor in 0.1..10.0_f64, shift in -50.0..50.0_f64) {
            let moved: Vec<f64> = values.iter().map(|x| x * factor + shift).collect();
            let (interval, other) = (t_interval(&values, Alpha::FIVE_PERCENT).unwrap(), t_interval(&moved, Alpha::FIVE_PERCENT).unwrap());
            prop_assert!((interval.low * factor + shift - other.low).abs() < 1e-9);
            prop_assert!((interval.high * factor + shift - other.high).abs() < 1e-9);
        }

        #[test]
        fn singleton_clusters_are_independent_values(values in scores()) {
            let clusters: Vec<usize> = (0..values.len()).collect();
            let result = clustered_mean(&values, &clusters).unwrap();
            prop_assert!((result.cr1.unwrap() - result.se_independent).abs() < 1e-9);
            prop_assert!((result.miller - result.se_independent).abs() < 1e-9);
        }

        #[test]
        fn doubling_every_item_leaves_the_clustered_error(values in scores()) {
            let twice: Vec<f64> = values.iter().flat_map(|&x| [x, x]).collect();
            let clusters: Vec<usize> = (0..twice.len()).map(|i| i / 2).collect();
            let clustered = clustered_mean(&twice, &clusters).unwrap().estimate().unwrap();
            let plain = MeanEstimate::of(&values).unwrap();
            prop_assert!((clustered.se - plain.se).abs() < 1e-9 && clustered.df == plain.df);
        }

        #[test]
        fn exchanging_the_systems_negates(pairs in prop::collection::vec((-9.0..9.0_f64, -9.0..9.0_f64), 2..40)) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let (ab, ba) = (paired_mean(&a, &b).unwrap(), paired_mean(&b, &a).unwrap());
            prop_assert!((ab.difference.mean + ba.difference.mean).abs() < 1e-12);
            prop_assert!((ab.difference.se - ba.difference.se).abs() < 1e-12);
            prop_assert!((ab.difference.se - ab.se_from_covariance).abs() < 1e-6);
        }
    }
}
