//! Calibration of stated confidences: reliability table, expected and maximum calibration error.
//!
//! A confidence is calibrated when, among the answers given with confidence c, the share c is right. The errors here
//! compare mean confidence with accuracy inside bins, so every number depends on the bins: their count, whether they
//! have equal width or equal mass, and which side of an edge a value like 0.9 falls on. Report them beside each other.
//! Scores that need no bins are in [`super::probability_scores`].

use super::bootstrap::{Replicates, Resampling};
use super::error::{Result, StatError, all_in_unit_interval, at_least, in_unit_interval, same_length};
use super::interval::{Alpha, Interval};
use super::order::ascending;
use super::p_value::monte_carlo_p;
use super::resample::replicated;
use super::rng::{index_below, uniform};

/// Fewer items than this leave the plug-in calibration error mostly noise: it is 0.06 on average for 300 perfectly
/// calibrated answers in 15 bins.
pub const ITEMS_FOR_AN_INTERVAL: usize = 300;

/// How confidences are grouped into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Binning {
    /// M bins ((m−1)/M, m/M] (Guo et al. 2017); a confidence of 0 belongs to the first.
    EqualWidthRightClosed,
    /// M bins [(m−1)/M, m/M); a confidence of 1 belongs to the last.
    EqualWidthLeftClosed,
    /// M groups of sorted confidences whose sizes differ by at most one, the larger groups first. Equal confidences may
    /// be split between groups, in the order in which the items were given.
    EqualMass,
}

/// Mean confidence and accuracy of the items in a bin.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BinMeans {
    /// Mean stated confidence.
    pub confidence: f64,
    /// Share of right answers.
    pub accuracy: f64,
}

/// The content of a bin.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bin {
    /// Number of items.
    pub count: u64,
    /// Their means; absent in an empty bin.
    pub means: Option<BinMeans>,
}

/// One row of a reliability table.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ReliabilityRow {
    /// The edges of an equal-width bin, or the smallest and largest confidence of an equal-mass one.
    pub range: Interval,
    /// What fell into it.
    pub bin: Bin,
}

/// Differences between confidence and accuracy, summarised over bins.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CalibrationErrors {
    /// Expected calibration error: mean absolute gap, bins weighted by their share of items.
    pub expected: f64,
    /// Maximum calibration error: largest absolute gap of any bin that holds an item.
    pub maximum: f64,
    /// Root of the mean squared gap, bins weighted by their share of items.
    pub root_mean_square: f64,
}

/// An expected calibration error with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CalibrationInterval {
    /// The plug-in estimate, biased upwards: noise within bins adds to it and never cancels.
    pub estimate: f64,
    /// The estimate less its bootstrap bias, at least 0.
    pub bias_corrected: f64,
    /// Interval for the population value with the same bins.
    pub interval: Interval,
    /// p-value of "every confidence is the true chance to be right".
    pub p_calibrated: f64,
}

/// Refuses anything but probabilities with one outcome each.
pub(super) fn check_probabilities(what: &'static str, probabilities: &[f64], outcomes: usize) -> Result<()> {
    same_length("probabilities and outcomes", probabilities.len(), outcomes)?;
    at_least("items", 1, probabilities.len())?;
    all_in_unit_interval(what, probabilities)
}

fn check_bins(bins: usize) -> Result<()> {
    // Edges are compared as f64 and every bin is allocated: far more bins than any sample has items is a slip.
    if (1..=1_000_000).contains(&bins) {
        Ok(())
    } else {
        Err(StatError::OutOfRange { what: "number of bins", value: bins as f64, range: "1..=1000000" })
    }
}

/// The 0-based equal-width bin of a value in 0..=1, comparing with the edges m/M exactly as they round in `f64`.
pub(super) fn equal_width_bin(value: f64, bins: usize, right_closed: bool) -> usize {
    let edge = |index: usize| index as f64 / bins as f64;
    let last = bins - 1;
    // `value * bins` may round across an edge, hence the correction by comparison.
    let mut bin = (libm::floor(value * bins as f64) as usize).min(last);
    if right_closed {
        while bin > 0 && value <= edge(bin) {
            bin -= 1;
        }
        while bin < last && value > edge(bin + 1) {
            bin += 1;
        }
    } else {
        while bin > 0 && value < edge(bin) {
            bin -= 1;
        }
        while bin < last && value >= edge(bin + 1) {
            bin += 1;
        }
    }
    bin
}

/// The 0-based bin of every item.
fn assign(confidence: &[f64], bins: usize, binning: Binning) -> Vec<usize> {
    match binning {
        Binning::EqualWidthRightClosed => confidence.iter().map(|&c| equal_width_bin(c, bins, true)).collect(),
        Binning::EqualWidthLeftClosed => confidence.iter().map(|&c| equal_width_bin(c, bins, false)).collect(),
        Binning::EqualMass => {
            let (size, larger) = (confidence.len() / bins, confidence.len() % bins);
            let in_larger = larger * (size + 1);
            let mut assigned = vec![0; confidence.len()];
            for (rank, item) in ascending(confidence).into_iter().enumerate() {
                assigned[item] =
                    if rank < in_larger { rank / (size + 1) } else { larger + (rank - in_larger) / size.max(1) };
            }
            assigned
        }
    }
}

/// Mean confidence against accuracy, bin by bin.
///
/// `confidence` lies in 0..=1, `correct[i]` says whether answer `i` was right. Equal-width tables have one row a bin,
/// empty ones included; equal-mass tables leave empty bins out.
///
/// # Errors
/// [`StatError::Lengths`], [`StatError::TooFew`] without items, [`StatError::OutOfRange`] for a confidence outside
/// 0..=1 or a number of bins outside 1..=1000000.
pub fn reliability_table(
    confidence: &[f64],
    correct: &[bool],
    bins: usize,
    binning: Binning,
) -> Result<Vec<ReliabilityRow>> {
    check_probabilities("confidence", confidence, correct.len())?;
    check_bins(bins)?;
    let mut counts = vec![0_u64; bins];
    let mut right = vec![0_u64; bins];
    let mut sums = vec![0.0_f64; bins];
    let mut ranges = vec![Interval { low: f64::INFINITY, high: f64::NEG_INFINITY }; bins];
    for ((bin, &confidence), &correct) in assign(confidence, bins, binning).into_iter().zip(confidence).zip(correct) {
        counts[bin] += 1;
        right[bin] += u64::from(correct);
        sums[bin] += confidence;
        ranges[bin] = Interval { low: ranges[bin].low.min(confidence), high: ranges[bin].high.max(confidence) };
    }
    let edges = |bin: usize| Interval { low: bin as f64 / bins as f64, high: (bin + 1) as f64 / bins as f64 };
    let row = |bin: usize| {
        let count = counts[bin];
        let means = (count > 0)
            .then(|| BinMeans { confidence: sums[bin] / count as f64, accuracy: right[bin] as f64 / count as f64 });
        let range = if binning == Binning::EqualMass { ranges[bin] } else { edges(bin) };
        ReliabilityRow { range, bin: Bin { count, means } }
    };
    Ok((0..bins).filter(|&bin| binning != Binning::EqualMass || counts[bin] > 0).map(row).collect())
}

/// Calibration errors from binned means, e.g. a published reliability table.
///
/// ```text
/// ECE = Σ n_b/n · |accuracy_b − confidence_b|,   MCE = max |accuracy_b − confidence_b|
/// ```
/// over bins with items (Naeini et al. 2015, Guo et al. 2017).
///
/// ```
/// use evalgauge::stats::calibration::{Bin, BinMeans, errors_from_bins};
/// let bin = |count, confidence, accuracy| Bin { count, means: Some(BinMeans { confidence, accuracy }) };
/// let errors = errors_from_bins(&[bin(30, 0.6, 0.7), bin(10, 0.9, 0.7)])?;
/// assert!((errors.expected - 0.125).abs() < 1e-12 && (errors.maximum - 0.2).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
///
/// # Errors
/// [`StatError::TooFew`] when all bins are empty, [`StatError::OutOfRange`] for means outside 0..=1,
/// [`StatError::Undefined`] for a bin with items and no means.
pub fn errors_from_bins(bins: &[Bin]) -> Result<CalibrationErrors> {
    let total: f64 = bins.iter().map(|bin| bin.count as f64).sum();
    at_least("items", 1, usize::from(total > 0.0))?;
    let (mut expected, mut maximum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        let means = bin.means.ok_or(StatError::Undefined("a bin holds items but has no means"))?;
        in_unit_interval("mean confidence", means.confidence)?;
        in_unit_interval("accuracy", means.accuracy)?;
        let gap = (means.accuracy - means.confidence).abs();
        let weight = bin.count as f64;
        expected += weight * gap;
        squares += weight * gap * gap;
        maximum = maximum.max(gap);
    }
    Ok(CalibrationErrors { expected: expected / total, maximum, root_mean_square: libm::sqrt(squares / total) })
}

/// Calibration errors of confidences: [`errors_from_bins`] of the [`reliability_table`].
///
/// # Errors
/// As [`reliability_table`].
pub fn calibration_errors(
    confidence: &[f64],
    correct: &[bool],
    bins: usize,
    binning: Binning,
) -> Result<CalibrationErrors> {
    let rows = reliability_table(confidence, correct, bins, binning)?;
    errors_from_bins(&rows.iter().map(|row| row.bin).collect::<Vec<_>>())
}

/// Expected calibration error with an interval that respects its bias.
///
/// The plug-in error of resampled data is biased upwards twice, so a percentile interval never reaches 0, not even for
/// a perfectly calibrated system. Here the lower limit is that of the basic bootstrap (2·estimate − upper quantile),
/// and 0 unless perfect calibration is rejected at alpha/2 by redrawing each answer with its stated confidence as the
/// chance to be right (consistency resampling, Bröcker and Smith 2007); the upper limit is the larger of basic and
/// percentile. In simulations with 300 and 1000 items, 15 bins and true errors from 0 to 0.2, a nominal 95 % interval
/// covered between 94 % and 99 %; the percentile interval covered 0 % at a true error of 0, the basic one 47 % to 76 %.
///
/// Items are assumed independent, and stay in the bin in which the original sample put them.
/// `resampling.replicates` bootstrap samples and as many redraws are made.
///
/// # Errors
/// As [`reliability_table`]; [`StatError::TooFew`] under [`ITEMS_FOR_AN_INTERVAL`] items or 100 resamples;
/// [`StatError::Undefined`] when the resamples do not vary.
pub fn calibration_interval(
    confidence: &[f64],
    correct: &[bool],
    bins: usize,
    binning: Binning,
    resampling: Resampling,
    alpha: Alpha,
) -> Result<CalibrationInterval> {
    check_probabilities("confidence", confidence, correct.len())?;
    check_bins(bins)?;
    at_least("items", ITEMS_FOR_AN_INTERVAL, confidence.len())?;
    let resampling = resampling.checked()?;
    let items = confidence.len();
    let bin_of = assign(confidence, bins, binning);
    let gap = |confidence: f64, right: bool| if right { confidence - 1.0 } else { confidence };
    let gaps: Vec<f64> = confidence.iter().zip(correct).map(|(&c, &right)| gap(c, right)).collect();
    let expected = |sums: &[f64]| sums.iter().map(|sum| sum.abs()).sum::<f64>() / items as f64;

    let mut sums = vec![0.0; bins];
    bin_of.iter().zip(&gaps).for_each(|(&bin, gap)| sums[bin] += gap);
    let estimate = expected(&sums);
    let scratch = || vec![0.0_f64; bins];
    let resampled = replicated(resampling, scratch, |sums, rng| {
        sums.fill(0.0);
        for _ in 0..items {
            let item = index_below(items, rng);
            sums[bin_of[item]] += gaps[item];
        }
        expected(sums)
    });
    // Another seed, lest the redraws repeat the numbers that picked the resampled items.
    let redrawing = Resampling { seed: !resampling.seed, ..resampling };
    let calibrated = replicated(redrawing, scratch, |sums, rng| {
        sums.fill(0.0);
        for (&bin, &confidence) in bin_of.iter().zip(confidence) {
            sums[bin] += gap(confidence, uniform(rng) < confidence);
        }
        expected(sums)
    });
    let mean = resampled.iter().sum::<f64>() / resampled.len() as f64;
    let percentile = Replicates::new(estimate, resampled)?.percentile(alpha)?;
    // Sums in another order differ in the last digits; such near-ties count as ties.
    let as_large = calibrated.iter().filter(|&&error| error >= estimate - 1e-12).count();
    let p_calibrated = monte_carlo_p(as_large as u64, calibrated.len() as u64);
    let low =
        if p_calibrated > 0.5 * alpha.get() { 0.0 } else { (2.0 * estimate - percentile.high).clamp(0.0, estimate) };
    let high = percentile.high.max(2.0 * estimate - percentile.low).clamp(estimate, 1.0);
    Ok(CalibrationInterval {
        estimate,
        bias_corrected: (2.0 * estimate - mean).max(0.0),
        interval: Interval { low, high },
        p_calibrated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BINNINGS: [Binning; 3] = [Binning::EqualWidthRightClosed, Binning::EqualWidthLeftClosed, Binning::EqualMass];

    #[test]
    fn values_on_an_edge_follow_the_convention() {
        for bins in [1, 3, 7, 10, 15, 49, 1000] {
            for index in 0..=bins {
                let edge = index as f64 / bins as f64;
                assert_eq!(equal_width_bin(edge, bins, true), index.max(1) - 1, "{index}/{bins}");
                assert_eq!(equal_width_bin(edge, bins, false), index.min(bins - 1), "{index}/{bins}");
                if index > 0 {
                    assert_eq!(equal_width_bin(edge.next_down(), bins, false), index - 1, "below {index}/{bins}");
                }
                if index < bins {
                    assert_eq!(equal_width_bin(edge.next_up(), bins, true), index, "above {index}/{bins}");
                }
            }
        }
    }

    #[test]
    fn the_edge_convention_changes_the_error() {
        // 0.9 right, 0.95 wrong: one bin together when left-closed, two bins when right-closed.
        let error = |binning| calibration_errors(&[0.9, 0.95], &[true, false], 10, binning).unwrap();
        assert!((error(Binning::EqualWidthLeftClosed).expected - 0.425).abs() < 1e-12);
        assert!((error(Binning::EqualWidthRightClosed).expected - 0.525).abs() < 1e-12);
        assert!((error(Binning::EqualWidthRightClosed).maximum - 0.95).abs() < 1e-12);
    }

    #[test]
    fn equal_mass_groups_differ_by_at_most_one_item() {
        let confidence: Vec<f64> = (0..11).map(|i| f64::from(i) / 10.0).collect();
        let sizes = |bins| -> Vec<u64> {
            let rows = reliability_table(&confidence, &[true; 11], bins, Binning::EqualMass).unwrap();
            rows.iter().map(|row| row.bin.count).collect()
        };
        assert_eq!(sizes(4), [3, 3, 3, 2]);
        assert_eq!(sizes(11), [1; 11]);
        assert_eq!(sizes(20), [1; 11], "empty groups are left out");
        let rows = reliability_table(&confidence, &[true; 11], 4, Binning::EqualMass).unwrap();
        assert_eq!(rows[1].range, Interval { low: 0.3, high: 0.5 });
    }

    #[test]
    fn without_data_or_probabilities_there_is_no_error() {
        for binning in BINNINGS {
            assert!(calibration_errors(&[], &[], 10, binning).is_err());
            assert!(calibration_errors(&[0.5], &[true, false], 10, binning).is_err());
            assert!(calibration_errors(&[0.5], &[true], 0, binning).is_err());
            for bad in [1.2, -0.1, f64::NAN, f64::INFINITY] {
                assert!(calibration_errors(&[0.5, bad], &[true, true], 10, binning).is_err(), "{bad}");
            }
        }
        let empty = Bin { count: 0, means: None };
        assert!(errors_from_bins(&[]).is_err());
        assert!(errors_from_bins(&[empty, empty]).is_err());
        assert!(errors_from_bins(&[Bin { count: 3, means: None }]).is_err());
        let means = Some(BinMeans { confidence: 0.5, accuracy: f64::NAN });
        assert!(errors_from_bins(&[Bin { count: 3, means }]).is_err());
    }

    /// `items` answers that are right as often as `confidence - excess` says, evenly spread.
    fn answers(items: usize, excess: f64) -> (Vec<f64>, Vec<bool>) {
        let confidence: Vec<f64> = (0..items).map(|i| 0.5 + 0.05 * (i % 10) as f64).collect();
        let correct = (0..items).map(|i| ((i / 10) as f64 * 0.618_034).fract() < confidence[i] - excess).collect();
        (confidence, correct)
    }

    #[test]
    fn the_interval_reaches_zero_only_for_calibrated_answers() {
        let (confidence, correct) = answers(1000, 0.0);
        let run = |confidence: &[f64], correct: &[bool], seed| {
            let (binning, resampling) = (Binning::EqualWidthRightClosed, Resampling { replicates: 500, seed });
            calibration_interval(confidence, correct, 15, binning, resampling, Alpha::FIVE_PERCENT).unwrap()
        };
        let calibrated = run(&confidence, &correct, 3);
        assert_eq!(calibrated.interval.low, 0.0);
        assert!(calibrated.p_calibrated > 0.05 && calibrated.interval.width() > 0.0, "{calibrated:?}");
        let (confidence, correct) = answers(1000, 0.2);
        let overconfident = run(&confidence, &correct, 3);
        assert!(overconfident.interval.contains(0.2) && overconfident.interval.low > 0.1, "{overconfident:?}");
        assert_eq!(overconfident.p_calibrated, 1.0 / 501.0);
        assert!(overconfident.bias_corrected <= overconfident.estimate);
        assert_eq!(overconfident, run(&confidence, &correct, 3));
        assert_ne!(overconfident, run(&confidence, &correct, 4));
    }

    #[test]
    fn the_interval_needs_items_and_variation() {
        let (confidence, correct) = answers(299, 0.0);
        let run = |confidence: &[f64], correct: &[bool]| {
            let resampling = Resampling { replicates: 500, seed: 3 };
            calibration_interval(confidence, correct, 15, Binning::EqualMass, resampling, Alpha::FIVE_PERCENT)
        };
        let few = run(&confidence, &correct);
        assert!(matches!(few, Err(StatError::TooFew { needed: ITEMS_FOR_AN_INTERVAL, got: 299, .. })));
        let constant = run(&[1.0; 400], &[true; 400]);
        assert!(matches!(constant, Err(StatError::Undefined(_))));
    }

    proptest! {
        #[test]
        fn errors_are_ordered_and_bounded(
            items in prop::collection::vec((0.0..=1.0, any::<bool>()), 1..80), bins in 1_usize..30, which in 0_usize..3,
        ) {
            let (confidence, correct): (Vec<f64>, Vec<bool>) = items.into_iter().unzip();
            let errors = calibration_errors(&confidence, &correct, bins, BINNINGS[which]).unwrap();
            prop_assert!(errors.expected <= errors.root_mean_square + 1e-12);
            prop_assert!(errors.root_mean_square <= errors.maximum + 1e-12);
            prop_assert!((0.0..=1.0).contains(&errors.maximum));
            let rows = reliability_table(&confidence, &correct, bins, BINNINGS[which]).unwrap();
            prop_assert_eq!(rows.iter().map(|row| row.bin.count).sum::<u64>(), confidence.len() as u64);
            for row in rows {
                if let Some(means) = row.bin.means {
                    let slack = Interval { low: row.range.low - 1e-12, high: row.range.high + 1e-12 };
                    prop_assert!(slack.contains(means.confidence));
                }
            }
        }

        #[test]
        fn order_of_items_does_not_matter_in_equal_width_bins(
            items in prop::collection::vec((0.0..=1.0, any::<bool>()), 1..40),
        ) {
            let (confidence, correct): (Vec<f64>, Vec<bool>) = items.iter().copied().unzip();
            let (reversed, answers): (Vec<f64>, Vec<bool>) = items.iter().rev().copied().unzip();
            let binning = Binning::EqualWidthRightClosed;
            let one = calibration_errors(&confidence, &correct, 15, binning).unwrap();
            let other = calibration_errors(&reversed, &answers, 15, binning).unwrap();
            prop_assert!((one.expected - other.expected).abs() < 1e-12);
            prop_assert!((one.maximum - other.maximum).abs() < 1e-12);
        }
    }
}
