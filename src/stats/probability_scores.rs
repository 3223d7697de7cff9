//! Scores of probabilities against 0/1 outcomes that need no bins: Brier, log loss, AUC, average precision.

use super::calibration::{check_probabilities, equal_width_bin};
use super::error::{Result, StatError, finite_sample, same_length};
use super::order::ascending;

/// Probabilities of exactly 0 or 1 are moved inward by this much before a logarithm is taken.
const LOG_CLIP: f64 = f64::EPSILON;

/// The Brier score taken apart: Brier = reliability − resolution + uncertainty + within-bin variance − covariance.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BrierDecomposition {
    /// Mean squared distance between a group's mean probability and its outcome rate; 0 is best.
    pub reliability: f64,
    /// Mean squared distance between a group's outcome rate and the overall one; larger is better.
    pub resolution: f64,
    /// Variance of the outcome, which no forecast changes.
    pub uncertainty: f64,
    /// Variance of the probabilities within groups; 0 when groups are distinct values.
    pub within_bin_variance: f64,
    /// Twice the covariance of probability and outcome within groups; 0 when groups are distinct values.
    pub within_bin_covariance: f64,
}

/// What counts as "the same forecast" in a decomposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForecastGroups {
    /// Equal probabilities (Murphy 1973); on continuous probabilities every item is a group of its own.
    DistinctValues,
    /// This many right-closed equal-width bins, with within-bin terms (Stephenson, Coelho and Jolliffe 2008).
    EqualWidth(usize),
}

const fn as_number(outcome: bool) -> f64 {
    if outcome { 1.0 } else { 0.0 }
}

/// Mean squared difference between probability and outcome (Brier 1950): 0 is perfect, 0.25 is always saying 0.5.
///
/// ```
/// use evalgauge::stats::probability_scores::brier_score;
/// let brier = brier_score(&[0.1, 0.9, 0.8, 0.3], &[false, true, true, false])?;
/// assert!((brier - 0.0375).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] without items, [`StatError::OutOfRange`] outside 0..=1.
pub fn brier_score(probability: &[f64], outcome: &[bool]) -> Result<f64> {
    check_probabilities("probability", probability, outcome.len())?;
    let squares: f64 = probability.iter().zip(outcome).map(|(p, &o)| (p - as_number(o)).powi(2)).sum();
    Ok(squares / probability.len() as f64)
}

/// Brier skill score against always forecasting the outcome rate: 1 − Brier / variance of the outcome.
///
/// # Errors
/// As [`brier_score`], and [`StatError::Undefined`] when all outcomes are equal.
pub fn brier_skill_score(probability: &[f64], outcome: &[bool]) -> Result<f64> {
    let brier = brier_score(probability, outcome)?;
    let rate = positives(outcome) as f64 / outcome.len() as f64;
    if rate == 0.0 || rate == 1.0 {
        return Err(StatError::Undefined("the outcome does not vary, so there is no skill to compare with"));
    }
    Ok(1.0 - brier / (rate * (1.0 - rate)))
}

/// Mean negative log likelihood in nats, with probabilities clipped to `f64::EPSILON` from 0 and 1.
///
/// ```
/// use evalgauge::stats::probability_scores::log_loss;
/// let loss = log_loss(&[0.9, 0.1, 0.2, 0.65], &[true, false, false, true])?;
/// assert!((loss - 0.21616).abs() < 1e-5);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// As [`brier_score`].
pub fn log_loss(probability: &[f64], outcome: &[bool]) -> Result<f64> {
    check_probabilities("probability", probability, outcome.len())?;
    let term = |(&p, &o): (&f64, &bool)| {
        let p = p.clamp(LOG_CLIP, 1.0 - LOG_CLIP);
        if o { -libm::log(p) } else { -libm::log1p(-p) }
    };
    Ok(probability.iter().zip(outcome).map(term).sum::<f64>() / probability.len() as f64)
}

/// Murphy's decomposition of the Brier score over groups of like forecasts.
///
/// # Errors
/// As [`brier_score`]; [`StatError::OutOfRange`] for 0 bins.
pub fn brier_decomposition(
    probability: &[f64],
    outcome: &[bool],
    groups: ForecastGroups,
) -> Result<BrierDecomposition> {
    check_probabilities("probability", probability, outcome.len())?;
    let order = ascending(probability);
    let same_group: Box<dyn Fn(f64, f64) -> bool> = match groups {
        ForecastGroups::DistinctValues => Box::new(|a, b| a == b),
        ForecastGroups::EqualWidth(0) => {
            return Err(StatError::OutOfRange { what: "number of bins", value: 0.0, range: "1.." });
        }
        ForecastGroups::EqualWidth(bins) => {
            Box::new(move |a, b| equal_width_bin(a, bins, true) == equal_width_bin(b, bins, true))
        }
    };
    let items = probability.len() as f64;
    let rate = positives(outcome) as f64 / items;
    let mut sums = BrierDecomposition {
        reliability: 0.0,
        resolution: 0.0,
        uncertainty: rate * (1.0 - rate) * items,
        within_bin_variance: 0.0,
        within_bin_covariance: 0.0,
    };
    // Bins are ranges of probability, so the members of a group are neighbours in sorted order.
    for group in order.chunk_by(|&a, &b| same_group(probability[a], probability[b])) {
        let size = group.len() as f64;
        let mean = group.iter().map(|&i| probability[i]).sum::<f64>() / size;
        let group_rate = group.iter().map(|&i| as_number(outcome[i])).sum::<f64>() / size;
        sums.reliability += size * (mean - group_rate).powi(2);
        sums.resolution += size * (group_rate - rate).powi(2);
        if groups != ForecastGroups::DistinctValues {
            for &item in group {
                let deviation = probability[item] - mean;
                sums.within_bin_variance += deviation * deviation;
                sums.within_bin_covariance += 2.0 * deviation * (as_number(outcome[item]) - group_rate);
            }
        }
    }
    Ok(BrierDecomposition {
        reliability: sums.reliability / items,
        resolution: sums.resolution / items,
        uncertainty: sums.uncertainty / items,
        within_bin_variance: sums.within_bin_variance / items,
        within_bin_covariance: sums.within_bin_covariance / items,
    })
}

fn positives(outcome: &[bool]) -> usize {
    outcome.iter().filter(|&&positive| positive).count()
}

/// Positives and items at each distinct score, highest score first.
fn steps(score: &[f64], outcome: &[bool]) -> Result<Vec<(u64, u64)>> {
    same_length("scores and outcomes", score.len(), outcome.len())?;
    finite_sample("scores", score)?;
    let mut order = ascending(score);
    order.reverse();
    let step = |tied: &[usize]| (tied.iter().filter(|&&i| outcome[i]).count() as u64, tied.len() as u64);
    Ok(order.chunk_by(|&a, &b| score[a] == score[b]).map(step).collect())
}

/// Area under the ROC curve: the chance that a random positive scores above a random negative, ties counting half.
///
/// `score` may be anything that orders items, not only a probability. Equals the Mann–Whitney U over the number of
/// pairs (Hanley and McNeil 1982); O(n log n).
///
/// ```
/// use evalgauge::stats::probability_scores::roc_auc;
/// let auc = roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// assert!((auc - 0.75).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] without items, [`StatError::OutOfRange`] for a score that is not
/// finite, [`StatError::Undefined`] when all outcomes are equal.
pub fn roc_auc(score: &[f64], outcome: &[bool]) -> Result<f64> {
    let steps = steps(score, outcome)?;
    let positives = positives(outcome) as f64;
    let negatives = outcome.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Err(StatError::Undefined("an AUC needs positives and negatives"));
    }
    let (mut positives_above, mut pairs) = (0.0_f64, 0.0_f64);
    for (positive, items) in steps {
        let (positive, negative) = (positive as f64, (items - positive) as f64);
        pairs += negative * (positives_above + 0.5 * positive);
        positives_above += positive;
    }
    Ok(pairs / (positives * negatives))
}

/// Average precision: Σ (recall step) · (precision) over distinct thresholds from the highest score down.
///
/// No interpolation; items with equal scores enter together.
///
/// ```
/// use evalgauge::stats::probability_scores::average_precision;
/// let ap = average_precision(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// assert!((ap - 5.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// As [`roc_auc`], but undefined only without positives.
pub fn average_precision(score: &[f64], outcome: &[bool]) -> Result<f64> {
    let steps = steps(score, outcome)?;
    let positives = positives(outcome) as f64;
    if positives == 0.0 {
        return Err(StatError::Undefined("average precision needs a positive"));
    }
    let (mut found, mut seen, mut area) = (0_u64, 0_u64, 0.0_f64);
    for (positive, items) in steps {
        found += positive;
        seen += items;
        area += positive as f64 * (found as f64 / seen as f64);
    }
    Ok(area / positives)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn total(parts: &BrierDecomposition) -> f64 {
        parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin_variance
            - parts.within_bin_covariance
    }

    #[test]
    fn extreme_probabilities_cost_a_finite_log_loss() {
        let worst = log_loss(&[0.0, 1.0], &[true, false]).unwrap();
        assert!((worst + f64::EPSILON.ln()).abs() < 1e-9, "{worst}");
        assert!(log_loss(&[1.0, 0.0], &[true, false]).unwrap() < 1e-15);
    }

    #[test]
    fn tied_scores_are_worth_half() {
        assert_eq!(roc_auc(&[0.3; 4], &[true, false, true, false]).unwrap(), 0.5);
        assert_eq!(average_precision(&[0.3; 4], &[true, false, false, false]).unwrap(), 0.25);
        assert_eq!(roc_auc(&[2.0, 1.0, 1.0], &[true, true, false]).unwrap(), 0.75);
        // Zero and minus zero are the same score.
        assert_eq!(roc_auc(&[0.0, -0.0], &[true, false]).unwrap(), 0.5);
    }

    #[test]
    fn one_class_has_no_auc_and_no_skill() {
        for outcome in [[true; 3], [false; 3]] {
            assert!(matches!(roc_auc(&[0.1, 0.2, 0.3], &outcome), Err(StatError::Undefined(_))));
            assert!(matches!(brier_skill_score(&[0.1, 0.2, 0.3], &outcome), Err(StatError::Undefined(_))));
        }
        assert!(average_precision(&[0.1, 0.2], &[false, false]).is_err());
        assert_eq!(average_precision(&[0.1, 0.2], &[true, true]).unwrap(), 1.0);
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(brier_score(&[bad], &[true]).is_err());
            assert!(log_loss(&[bad], &[true]).is_err());
            assert!(brier_decomposition(&[bad], &[true], ForecastGroups::DistinctValues).is_err());
        }
        assert!(roc_auc(&[f64::NAN, 0.0], &[true, false]).is_err());
        assert!(brier_score(&[], &[]).is_err());
        assert!(brier_score(&[0.5], &[]).is_err());
        assert!(brier_decomposition(&[0.5], &[true], ForecastGroups::EqualWidth(0)).is_err());
    }

    #[test]
    fn a_constant_forecast_of_the_rate_is_reliable_and_resolves_nothing() {
        let outcome = [true, false, false, false];
        let parts = brier_decomposition(&[0.25; 4], &outcome, ForecastGroups::DistinctValues).unwrap();
        assert_eq!((parts.reliability, parts.resolution, parts.uncertainty), (0.0, 0.0, 0.1875));
        assert_eq!(brier_skill_score(&[0.25; 4], &outcome).unwrap(), 0.0);
    }

    proptest! {
        #[test]
        fn the_decomposition_adds_up_to_the_brier_score(
            items in prop::collection::vec((0_u32..=20, any::<bool>()), 1..60), bins in 1_usize..25,
        ) {
            let (probability, outcome): (Vec<f64>, Vec<bool>) =
                items.into_iter().map(|(p, o)| (f64::from(p) / 20.0, o)).unzip();
            let brier = brier_score(&probability, &outcome).unwrap();
            for groups in [ForecastGroups::DistinctValues, ForecastGroups::EqualWidth(bins)] {
                let parts = brier_decomposition(&probability, &outcome, groups).unwrap();
                prop_assert!((total(&parts) - brier).abs() < 1e-12, "{groups:?} {parts:?}");
            }
        }

        #[test]
        fn auc_counts_pairs(items in prop::collection::vec((0_i32..8, any::<bool>()), 2..40)) {
            let (score, outcome): (Vec<f64>, Vec<bool>) = items.iter().map(|&(s, o)| (f64::from(s), o)).unzip();
            let (mut won, mut pairs) = (0.0, 0.0);
            for &(high, _) in items.iter().filter(|item| item.1) {
                for &(low, _) in items.iter().filter(|item| !item.1) {
                    pairs += 1.0;
                    won += 0.5 * (f64::from(u8::from(high > low)) + f64::from(u8::from(high >= low)));
                }
            }
            match roc_auc(&score, &outcome) {
                Ok(auc) => {
                    prop_assert!((auc - won / pairs).abs() < 1e-12);
                    let flipped: Vec<f64> = score.iter().map(|s| -s).collect();
                    prop_assert!((roc_auc(&flipped, &outcome).unwrap() + auc - 1.0).abs() < 1e-12);
                }
                Err(_) => prop_assert!(pairs == 0.0),
            }
        }
    }
}
