//! Differences of location: t tests, standardised differences, Hodges–Lehmann estimates.

use super::error::{Result, StatError, finite_sample};
use super::mean::{MeanEstimate, mean, sample_variance};

/// A t test.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct TTest {
    /// The statistic.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided p-value.
    pub p: f64,
}

impl TTest {
    fn of(estimate: MeanEstimate) -> Result<Self> {
        Ok(Self { t: estimate.t()?, df: estimate.df, p: estimate.t_test()? })
    }
}

/// Paired t test (Student 1908): the mean of `differences` over its standard error, with n − 1 degrees of freedom.
///
/// Assumes independent differences, normal or many.
///
/// # Errors
/// [`StatError::TooFew`] for fewer than two differences, [`StatError::OutOfRange`] for values that are not finite,
/// [`StatError::Undefined`] when all differences are equal.
pub fn paired_t_test(differences: &[f64]) -> Result<TTest> {
    TTest::of(MeanEstimate::of(differences)?)
}

/// Welch's (1947) t test of two independent samples with unequal variances.
///
/// # Errors
/// [`StatError::TooFew`] for a sample of fewer than two, [`StatError::OutOfRange`] for values that are not finite,
/// [`StatError::Undefined`] when both samples are constant.
pub fn welch_t_test(x: &[f64], y: &[f64]) -> Result<TTest> {
    let (a, b) = (MeanEstimate::of(x)?, MeanEstimate::of(y)?);
    let (va, vb) = (a.se * a.se, b.se * b.se);
    if va + vb == 0.0 {
        return Err(StatError::Undefined("t test of two constant samples"));
    }
    let df = (va + vb) * (va + vb) / (va * va / a.df + vb * vb / b.df);
    TTest::of(MeanEstimate { mean: a.mean - b.mean, se: libm::sqrt(va + vb), df })
}

/// Cohen's d (1988): the difference of means over the pooled standard deviation.
///
/// # Errors
/// As [`welch_t_test`].
pub fn cohens_d(x: &[f64], y: &[f64]) -> Result<f64> {
    let (df_x, df_y) = (x.len() as f64 - 1.0, y.len() as f64 - 1.0);
    let pooled = (df_x * sample_variance(x)? + df_y * sample_variance(y)?) / (df_x + df_y);
    if pooled == 0.0 {
        return Err(StatError::Undefined("standardised difference of two constant samples"));
    }
    Ok((mean(x)? - mean(y)?) / libm::sqrt(pooled))
}

/// Hedges' g (1981): [`cohens_d`] times `1 − 3 / (4 (m + n − 2) − 1)`, which removes its bias to first order.
///
/// # Errors
/// As [`cohens_d`].
pub fn hedges_g(x: &[f64], y: &[f64]) -> Result<f64> {
    let df = (x.len() + y.len()) as f64 - 2.0;
    Ok(cohens_d(x, y)? * (1.0 - 3.0 / (4.0 * df - 1.0)))
}

/// Hodges–Lehmann (1963) estimate of the centre of `values`: the median of `(vᵢ + vⱼ)/2` over i ≤ j.
///
/// O(n log n): the median is found without forming the n(n+1)/2 means.
///
/// ```
/// use evalgauge::stats::location::hodges_lehmann;
/// assert_eq!(hodges_lehmann(&[1.0, 2.0, 9.0])?, 3.5); // of 1, 1.5, 2, 5, 5.5, 9
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] for no values, [`StatError::OutOfRange`] for values that are not finite.
pub fn hodges_lehmann(values: &[f64]) -> Result<f64> {
    finite_sample("values", values)?;
    let sorted = sorted(values);
    let pairs = sorted.len() * (sorted.len() + 1) / 2;
    // Means at most `limit`, i ≤ j: a staircase, since the mean grows with either index.
    let count = |limit: f64| {
        let mut end = sorted.len();
        let mut count = 0;
        for (i, low) in sorted.iter().enumerate() {
            while end > i && 0.5 * low + 0.5 * sorted[end - 1] > limit {
                end -= 1;
            }
            count += end.saturating_sub(i);
        }
        count
    };
    Ok(median_by_counting(pairs, count))
}

/// Hodges–Lehmann estimate of the shift from `y` to `x`: the median of all differences `xᵢ − yⱼ`.
///
/// # Errors
/// [`StatError::TooFew`] for an empty sample, [`StatError::OutOfRange`] for values that are not finite.
pub fn hodges_lehmann_shift(x: &[f64], y: &[f64]) -> Result<f64> {
    finite_sample("first sample", x)?;
    finite_sample("second sample", y)?;
    let (x, y) = (sorted(x), sorted(y));
    let count = |limit: f64| {
        let mut start = 0;
        let mut count = 0;
        for high in &x {
            while start < y.len() && high - y[start] > limit {
                start += 1;
            }
            count += y.len() - start;
        }
        count
    };
    Ok(median_by_counting(x.len() * y.len(), count))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The median of `total` numbers of which `count(v)` are at most v.
fn median_by_counting(total: usize, count: impl Fn(f64) -> usize) -> f64 {
    let upper = smallest_with_count(total / 2 + 1, &count);
    if total % 2 == 1 {
        return upper;
    }
    0.5f64.mul_add(smallest_with_count(total / 2, &count), 0.5 * upper)
}

/// The smallest v with `count(v) ≥ needed`, by bisection over all doubles in their order: at most 64 counts, and exact.
fn smallest_with_count(needed: usize, count: &impl Fn(f64) -> usize) -> f64 {
    // Doubles ordered as integers: all bits of negative numbers turned, the sign of the others.
    let from_order = |order: u64| {
        let bits = if order >> 63 == 1 { order ^ (1 << 63) } else { !order };
        f64::from_bits(bits)
    };
    let to_order = |value: f64| {
        let bits = value.to_bits();
        if bits >> 63 == 1 { !bits } else { bits ^ (1 << 63) }
    };
    let (mut low, mut high) = (to_order(f64::MIN), to_order(f64::MAX));
    while low < high {
        let middle = low + (high - low) / 2;
        if count(from_order(middle)) >= needed {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // −0.0 comes before 0.0 in that order.
    from_order(low) + 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Student (1908), from Cushny & Peebles: extra hours of sleep by two drugs, t = 4.0621 on 9 degrees of freedom.
    #[test]
    fn sleep_as_published() {
        let differences = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let test = paired_t_test(&differences).unwrap();
        assert!((test.t - 4.0621).abs() < 5e-5 && test.df == 9.0 && (test.p - 0.002_833).abs() < 1e-6);
        let x = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let y = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let welch = welch_t_test(&x, &y).unwrap();
        assert!((welch.t + 1.8608).abs() < 5e-5 && (welch.df - 17.776).abs() < 5e-4);
    }

    #[test]
    fn constant_samples_are_refused() {
        assert!(matches!(paired_t_test(&[1.0; 3]), Err(StatError::Undefined(_))));
        assert!(matches!(welch_t_test(&[1.0; 3], &[2.0; 2]), Err(StatError::Undefined(_))));
        assert!(matches!(cohens_d(&[1.0; 3], &[2.0; 2]), Err(StatError::Undefined(_))));
        assert!(paired_t_test(&[1.0]).is_err());
        assert!(welch_t_test(&[1.0, f64::NAN], &[2.0, 1.0]).is_err());
        assert!(hodges_lehmann(&[]).is_err());
        assert!(hodges_lehmann_shift(&[1.0], &[]).is_err());
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len() % 2 == 1 { values[middle] } else { 0.5 * (values[middle - 1] + values[middle]) }
    }

    proptest! {
        #[test]
        fn medians_agree_with_all_pairs(
            x in prop::collection::vec(-100_i32..100, 1..20), y in prop::collection::vec(-100_i32..100, 1..20),
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) =
                (x.iter().map(|&v| f64::from(v) / 7.0).collect(), y.iter().map(|&v| f64::from(v) / 7.0).collect());
            let differences = x.iter().flat_map(|a| y.iter().map(move |b| a - b)).collect();
            prop_assert!((hodges_lehmann_shift(&x, &y).unwrap() - median(differences)).abs() < 1e-12);
            let means = (0..x.len()).flat_map(|i| (i..x.len()).map(move |j| (i, j)));
            let means = means.map(|(i, j)| 0.5 * (x[i] + x[j])).collect();
            prop_assert!((hodges_lehmann(&x).unwrap() - median(means)).abs() < 1e-12);
        }

        #[test]
        fn standardised_differences_have_no_unit(x in prop::collection::vec(-9.0_f64..9.0, 3..9), scale in 0.1_f64..50.0) {
            let y: Vec<f64> = x.iter().rev().map(|v| 0.5 * v + 1.0).collect();
            let scaled = |values: &[f64]| values.iter().map(|v| scale * v - 3.0).collect::<Vec<_>>();
            prop_assume!(cohens_d(&x, &y).is_ok());
            let d = cohens_d(&x, &y).unwrap();
            prop_assert!((d - cohens_d(&scaled(&x), &scaled(&y)).unwrap()).abs() < 1e-8 * (1.0 + d.abs()));
            prop_assert!(hedges_g(&x, &y).unwrap().abs() <= d.abs());
            prop_assert!((d + cohens_d(&y, &x).unwrap()).abs() < 1e-9 * (1.0 + d.abs()));
        }
    }
}
