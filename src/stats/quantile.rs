//! Bounds of a quantile that hold for every distribution.

use super::error::{Result, StatError, finite_sample, in_unit_interval};
use super::interval::Alpha;
use super::order;
use super::special::beta_cdf;

/// A quantile with one-sided bounds, each of them at its own error rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileEstimate {
    /// The quantile of the sample, type 7.
    pub value: f64,
    /// The true quantile lies below this with probability at most α; none where the sample is too small to say.
    pub low: Option<f64>,
    /// The true quantile lies above this with probability at most α; none where the sample is too small to say.
    pub high: Option<f64>,
}

/// The quantile of `values` at `level`, with distribution-free bounds.
///
/// Assumes `units` independent draws; where a unit has several values (the trials of an example) the ranks of the bounds
/// are those of `units` draws, stretched over all values. The number of draws below the true quantile is
/// Binomial(`units`, `level`), so the k-th smallest value is a lower bound at error P(Binomial < k), whatever the
/// distribution (David & Nagaraja 2003, 7.1). Ties make it conservative.
///
/// ```
/// use evalgauge::stats::{Alpha, quantile::quantile_bounds};
///
/// let values: Vec<f64> = (1..=100).map(f64::from).collect();
/// let median = quantile_bounds(&values, 100, 0.5, Alpha::FIVE_PERCENT).unwrap();
/// assert_eq!((median.value, median.low, median.high), (50.5, Some(42.0), Some(59.0)));
/// // 20 values say nothing about how high the 95 % point may lie.
/// assert_eq!(quantile_bounds(&values[..20], 20, 0.95, Alpha::FIVE_PERCENT).unwrap().high, None);
/// ```
///
/// # Errors
/// No value, a value that is not finite, a level outside 0..1, or fewer values than units.
pub fn quantile_bounds(values: &[f64], units: usize, level: f64, alpha: Alpha) -> Result<QuantileEstimate> {
    finite_sample("values", values)?;
    in_unit_interval("level", level)?;
    if units == 0 || units > values.len() {
        return Err(StatError::Undefined("a quantile of more independent draws than there are values"));
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |rank: usize| sorted[((rank * sorted.len()).div_ceil(units)).clamp(1, sorted.len()) - 1];
    // P(Binomial(units, level) ≤ k).
    let below = |k: usize| {
        if k >= units { 1.0 } else { 1.0 - beta_cdf(level, k as f64 + 1.0, (units - k) as f64) }
    };
    // The largest rank k with P(Binomial ≤ k − 1) ≤ α, and the smallest with P(Binomial ≥ k) ≤ α.
    let low = last_where(units, |k| below(k - 1) <= alpha.get());
    let above = last_where(units, |k| 1.0 - below(units - k) <= alpha.get());
    Ok(QuantileEstimate {
        value: order::quantile(&sorted, level),
        low: low.map(at),
        high: above.map(|k| at(units + 1 - k)),
    })
}

/// The largest of 1..=n for which a property holds that holds up to some number and not beyond; none where it never does.
fn last_where(n: usize, holds: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut yes, mut no) = (0, n + 1);
    while no - yes > 1 {
        let middle = usize::midpoint(yes, no);
        if holds(middle) { yes = middle } else { no = middle }
    }
    (yes > 0).then_some(yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rng::{stream, uniform};

    #[test]
    fn bounds_cover_as_they_say() {
        let alpha = Alpha::FIVE_PERCENT;
        let mut rng = stream(3, 0);
        let (mut low, mut high) = (0, 0);
        for _ in 0..4_000 {
            let values: Vec<f64> = (0..120).map(|_| uniform(&mut rng).powi(3)).collect();
            let p90 = quantile_bounds(&values, 120, 0.9, alpha).unwrap();
            let truth = 0.9_f64.powi(3);
            low += u32::from(p90.low.unwrap() > truth);
            high += u32::from(p90.high.unwrap() < truth);
        }
        // 5 % of 4,000 and two standard errors; and not far below, or the bounds would be useless.
        assert!((60..=228).contains(&low) && (60..=228).contains(&high), "{low} {high}");
    }

    #[test]
    fn too_few_values_give_no_bound() {
        let alpha = Alpha::FIVE_PERCENT;
        let two = quantile_bounds(&[1.0, 2.0], 2, 0.5, alpha).unwrap();
        assert_eq!((two.low, two.high), (None, None));
        assert!(quantile_bounds(&[], 0, 0.5, alpha).is_err());
        assert!(quantile_bounds(&[1.0], 2, 0.5, alpha).is_err());
        // Trials of one example are no independent draws.
        let many = quantile_bounds(&[1.0; 100], 2, 0.5, alpha).unwrap();
        assert_eq!((many.low, many.high), (None, None));
    }
}
