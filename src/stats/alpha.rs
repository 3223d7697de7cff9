//! Krippendorff's α for any number of raters, gaps and four levels of measurement.
//!
//! No level compares pairs of ratings one by one where a sum does: nominal disagreement comes from counts, interval
//! disagreement from sums of squares, and the ordinal distance is the difference of mid-ranks.

use rayon::prelude::*;

use super::error::{Result, StatError, at_least};
use super::interval::{Alpha, Interval};
use super::multirater::t_interval_below_one;
use super::ratings::{Ratings, Tally, size};

/// The most distinct values the ratio level accepts: its expected disagreement compares each with each.
pub const MAX_RATIO_VALUES: usize = 50_000;

/// What differences between ratings mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Values are names: δ² = 1 for different ones.
    Nominal,
    /// Values have an order: δ is the number of ratings between the two, half of each end counted.
    Ordinal,
    /// Differences mean something: δ = a − b.
    Interval,
    /// Ratios do: δ = (a − b)/(a + b); values must not be negative.
    Ratio,
}

/// Krippendorff's α and its parts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct KrippendorffAlpha {
    /// 1 − observed / expected disagreement.
    pub alpha: f64,
    /// Mean δ² of pairs of ratings within a unit.
    pub observed_disagreement: f64,
    /// Mean δ² of all pairs of ratings.
    pub expected_disagreement: f64,
    /// Standard error over units by linearisation with the distances held fixed; absent with a single unit.
    pub se: Option<f64>,
    /// t interval with units − 1 degrees of freedom, upper end at most 1; absent when no unit varies.
    pub interval: Option<Interval>,
    /// Units with two ratings or more; the others say nothing about agreement.
    pub units: usize,
    /// Ratings in those units.
    pub ratings: u64,
}

/// Krippendorff's α = 1 − Dₒ/Dₑ (Krippendorff 2011).
///
/// Dₒ = (1/n) Σᵤ Σ δ²(a, b)/(mᵤ − 1) over ordered pairs within unit u, Dₑ = Σ δ²(a, b)/(n(n − 1)) over all ordered
/// pairs of the n ratings in units rated at least twice. Units are assumed independent; the standard error is Gwet's
/// (2014) linearisation, and takes ordinal distances (which depend on the sample) as given.
///
/// # Errors
/// [`StatError::TooFew`] without a unit rated twice; [`StatError::Undefined`] when these ratings are all one value, so
/// that nothing tells agreement from habit; [`StatError::OutOfRange`] for negative values or more than
/// [`MAX_RATIO_VALUES`] distinct ones at the ratio level, and for values too far apart to square.
///
/// Three observers and fifteen units, with gaps:
/// ```
/// use evalgauge::stats::{Alpha, alpha::{Level, krippendorff_alpha}, ratings::Ratings};
/// let read = |text: &str| text.chars().map(|c| c.to_digit(10).map(f64::from)).collect::<Vec<_>>();
/// let raters = ["*****34121133*3", "1*213343*******", "**21344*21133*4"].map(read);
/// let alpha = krippendorff_alpha(&Ratings::from_raters(&raters)?, Level::Nominal, Alpha::FIVE_PERCENT)?;
/// assert!((alpha.alpha - 0.691).abs() < 5e-4);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn krippendorff_alpha(ratings: &Ratings, level: Level, confidence: Alpha) -> Result<KrippendorffAlpha> {
    let units: Vec<&[Tally]> = ratings.tallies().filter(|unit| size(unit) >= 2.0).collect();
    at_least("units with two ratings", 1, units.len())?;
    let mut counts = vec![0.0; ratings.values().len()];
    for &(code, count) in units.iter().copied().flatten() {
        counts[code as usize] += f64::from(count);
    }
    if counts.iter().filter(|&&count| count > 0.0).count() < 2 {
        return Err(StatError::Undefined("all ratings are one value: there is no disagreement to expect"));
    }
    let metric = Metric::new(level, ratings.values(), &counts)?;
    let n: f64 = counts.iter().sum();
    // Mean squared distance of each value to a rating drawn at random.
    let to_all = metric.to_all(&counts, n);
    let expected = counts.iter().zip(&to_all).map(|(count, mean)| count * mean).sum::<f64>() / n;
    let within: Vec<f64> = units.iter().map(|unit| metric.within(unit) / (size(unit) - 1.0)).collect();
    let observed = within.iter().sum::<f64>() / n;
    let alpha = 1.0 - observed / expected * (n - 1.0) / n;
    let se = linearised_se(&units, &within, &to_all, observed, expected);
    let scale = metric.unit * metric.unit;
    Ok(KrippendorffAlpha {
        alpha,
        observed_disagreement: observed * scale,
        expected_disagreement: expected * n / (n - 1.0) * scale,
        se,
        interval: se.and_then(|se| t_interval_below_one(alpha, se, units.len() as f64 - 1.0, confidence)),
        units: units.len(),
        ratings: n as u64,
    })
}

/// Gwet's standard error written with disagreements, in which the scale of δ cancels; `expected` is over n², not
/// n(n − 1).
fn linearised_se(units: &[&[Tally]], within: &[f64], to_all: &[f64], observed: f64, expected: f64) -> Option<f64> {
    if units.len() < 2 {
        return None;
    }
    let count = units.len() as f64;
    let n = units.iter().map(|unit| size(unit)).sum::<f64>();
    let mean = n / count;
    let ratio = observed / expected;
    let corrected = observed * (n - 1.0) / n;
    let squares: f64 = units
        .iter()
        .zip(within)
        .map(|(unit, within)| {
            let relative = size(unit) / mean;
            let by_chance = unit.iter().map(|&(code, k)| f64::from(k) * to_all[code as usize]).sum::<f64>() / mean;
            let own = (corrected * (relative - 1.0) - within / mean) / expected;
            let shift = own + ratio - 2.0 * ratio * (relative - by_chance / expected);
            shift * shift
        })
        .sum();
    Some(libm::sqrt(squares / (count * (count - 1.0))))
}

/// The distance of a level, prepared for one sample.
struct Metric {
    level: Level,
    /// Where each value lies on the axis whose squared differences are the distance (ranks for ordinal).
    position: Vec<f64>,
    /// Length of one unit of `position` in units of the ratings.
    unit: f64,
}

impl Metric {
    fn new(level: Level, values: &[f64], counts: &[f64]) -> Result<Self> {
        match level {
            Level::Nominal => Ok(Self { level, position: Vec::new(), unit: 1.0 }),
            Level::Ordinal => {
                let mut below = 0.0;
                let mid_rank = |&count: &f64| {
                    below += count;
                    below - 0.5 * count
                };
                Ok(Self { level, position: counts.iter().map(mid_rank).collect(), unit: 1.0 })
            }
            Level::Interval => {
                let (low, range) = range_of(values, counts)?;
                // Into 0..=1, so that squares neither overflow nor lose a large common offset. Values that occur only
                // in units rated once may lie outside; they count nothing and must not turn into infinities.
                let position = values.iter().map(|value| ((value - low) / range).clamp(0.0, 1.0)).collect();
                Ok(Self { level, position, unit: range })
            }
            Level::Ratio => {
                if values[0] < 0.0 {
                    return Err(StatError::OutOfRange {
                        what: "rating",
                        value: values[0],
                        range: "[0, ∞) at the ratio level",
                    });
                }
                if values.len() > MAX_RATIO_VALUES {
                    return Err(StatError::OutOfRange {
                        what: "distinct ratings at the ratio level",
                        value: values.len() as f64,
                        range: "1..=50000",
                    });
                }
                range_of(values, counts)?;
                Ok(Self { level, position: values.to_vec(), unit: 1.0 })
            }
        }
    }

    /// Mean squared distance from each value to the `n` ratings counted in `counts`.
    fn to_all(&self, counts: &[f64], n: f64) -> Vec<f64> {
        match self.level {
            Level::Nominal => counts.iter().map(|count| (n - count) / n).collect(),
            Level::Ordinal | Level::Interval => {
                let weighted = |f: &dyn Fn(f64) -> f64| {
                    self.position.iter().zip(counts).map(|(&at, count)| f(at) * count).sum::<f64>() / n
                };
                let mean = weighted(&|at| at);
                let variance = weighted(&|at| (at - mean) * (at - mean));
                self.position.iter().map(|at| (at - mean) * (at - mean) + variance).collect()
            }
            Level::Ratio => self.position.par_iter().map(|&a| ratio_to_all(a, &self.position, counts) / n).collect(),
        }
    }

    /// Sum of squared distances over ordered pairs of ratings of one unit.
    fn within(&self, unit: &[Tally]) -> f64 {
        let m = size(unit);
        match self.level {
            Level::Nominal => unit.iter().map(|&(_, k)| f64::from(k) * (m - f64::from(k))).sum(),
            Level::Ordinal | Level::Interval => {
                let at = |code: u32| self.position[code as usize];
                let mean = unit.iter().map(|&(code, k)| f64::from(k) * at(code)).sum::<f64>() / m;
                let squares = |&(code, k): &Tally| f64::from(k) * (at(code) - mean) * (at(code) - mean);
                2.0 * m * unit.iter().map(squares).sum::<f64>()
            }
            Level::Ratio => {
                let mut sum = 0.0;
                for (i, &(a, k)) in unit.iter().enumerate() {
                    for &(b, other) in &unit[i + 1..] {
                        let pairs = 2.0 * f64::from(k) * f64::from(other);
                        sum += pairs * squared_ratio(self.position[a as usize], self.position[b as usize]);
                    }
                }
                sum
            }
        }
    }
}

/// δ² at the ratio level for values of which at most one is 0.
fn squared_ratio(a: f64, b: f64) -> f64 {
    let delta = (a - b) / (a + b);
    delta * delta
}

/// Sum of δ² at the ratio level from `a` to all ratings; `values` ascend, so that only the first can be 0.
fn ratio_to_all(a: f64, values: &[f64], counts: &[f64]) -> f64 {
    let zero = usize::from(a == 0.0 && values[0] == 0.0);
    let (values, counts) = (&values[zero..], &counts[zero..]);
    // Independent partial sums let the divisions run side by side; the order is fixed, so the bits are too.
    let (values4, rest) = values.as_chunks::<4>();
    let (counts4, rest_counts) = counts.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (b, count) in values4.iter().zip(counts4) {
        for lane in 0..4 {
            sums[lane] += squared_ratio(a, b[lane]) * count[lane];
        }
    }
    let tail: f64 = rest.iter().zip(rest_counts).map(|(&b, &count)| squared_ratio(a, b) * count).sum();
    sums.iter().sum::<f64>() + tail
}

/// The smallest value that occurs and the distance to the largest.
fn range_of(values: &[f64], counts: &[f64]) -> Result<(f64, f64)> {
    let mut used = values.iter().zip(counts).filter(|&(_, &count)| count > 0.0).map(|(&value, _)| value);
    let low = used.next().unwrap_or_default();
    let high = used.next_back().unwrap_or(low);
    let range = high - low;
    // Squares must stay finite in the reported disagreements too, and sums of two values at the ratio level.
    if range < 1e150 && high.abs().max(low.abs()) < 1e300 {
        Ok((low, range))
    } else {
        Err(StatError::OutOfRange { what: "range of the ratings", value: range, range: "up to 1e150" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::multirater::{Coefficient, Weights, agreement};
    use super::*;

    const LEVELS: [Level; 4] = [Level::Nominal, Level::Ordinal, Level::Interval, Level::Ratio];

    fn alpha(ratings: &Ratings, level: Level) -> Result<KrippendorffAlpha> {
        krippendorff_alpha(ratings, level, Alpha::FIVE_PERCENT)
    }

    fn read(raters: &[&str]) -> Ratings {
        let rater = |text: &&str| text.chars().map(|c| c.to_digit(10).map(f64::from)).collect::<Vec<_>>();
        Ratings::from_raters(&raters.iter().map(rater).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn krippendorffs_four_observers() {
        let ratings = read(&["123321412---", "1233224125-3", "-3332342251-", "12332441251-"]);
        for (level, published) in LEVELS.into_iter().zip([0.743, 0.815, 0.849, 0.797]) {
            let result = alpha(&ratings, level).unwrap();
            assert!((result.alpha - published).abs() < 5e-4, "{level:?} {result:?}");
            assert_eq!((result.units, result.ratings), (11, 40));
        }
    }

    #[test]
    fn alpha_can_be_negative_and_zero() {
        assert_eq!(alpha(&read(&["1212", "2121"]), Level::Nominal).unwrap().alpha, -0.75);
        let one_unit = alpha(&read(&["1", "2"]), Level::Interval).unwrap();
        assert!(one_unit.alpha.abs() < 1e-15 && one_unit.se.is_none() && one_unit.interval.is_none());
    }

    #[test]
    fn refusals() {
        assert!(matches!(alpha(&read(&["1-", "-2"]), Level::Nominal), Err(StatError::TooFew { .. })));
        for level in LEVELS {
            // The second unit's 2 meets no other rating and does not count.
            assert!(matches!(alpha(&read(&["112", "11-"]), level), Err(StatError::Undefined(_))));
        }
        let negative = Ratings::from_units(&[[-1.0, 2.0], [1.0, 1.0]]).unwrap();
        assert!(alpha(&negative, Level::Interval).is_ok());
        assert!(matches!(alpha(&negative, Level::Ratio), Err(StatError::OutOfRange { .. })));
        let far = Ratings::from_units(&[[-1e200, 1e200]]).unwrap();
        assert!(matches!(alpha(&far, Level::Interval), Err(StatError::OutOfRange { .. })));
    }

    #[test]
    fn a_lone_extreme_value_does_not_spoil_the_others() {
        let ratings = Ratings::from_units(&[vec![1.0, 2.0], vec![3.0, 3.0], vec![f64::MAX]]).unwrap();
        for level in LEVELS {
            let without = Ratings::from_units(&[[1.0, 2.0], [3.0, 3.0]]).unwrap();
            assert_eq!(alpha(&ratings, level).unwrap(), alpha(&without, level).unwrap());
        }
    }

    #[test]
    fn zero_is_as_far_from_anything_as_can_be_at_the_ratio_level() {
        // Within: (0, 1) at distance 1; overall 0, 1, 1, 1: three of six pairs at distance 1.
        let result = alpha(&read(&["01", "11"]), Level::Ratio).unwrap();
        assert!((result.observed_disagreement - 0.5).abs() < 1e-15);
        assert!((result.expected_disagreement - 0.5).abs() < 1e-15);
    }

    /// The definition, pair by pair.
    fn by_pairs(units: &[Vec<f64>], level: Level) -> f64 {
        let units: Vec<_> = units.iter().filter(|unit| unit.len() > 1).collect();
        let all: Vec<f64> = units.iter().flat_map(|unit| unit.iter().copied()).collect();
        let between = |low: f64, high: f64| -> f64 {
            let count = |value: f64| all.iter().filter(|&&other| other == value).count() as f64;
            let inside = all.iter().filter(|&&other| low <= other && other <= high).count() as f64;
            inside - f64::midpoint(count(low), count(high))
        };
        let squared = |a: f64, b: f64| match level {
            _ if a == b => 0.0,
            Level::Nominal => 1.0,
            Level::Ordinal => between(a.min(b), a.max(b)).powi(2),
            Level::Interval => (a - b).powi(2),
            Level::Ratio => ((a - b) / (a + b)).powi(2),
        };
        let pairs = |values: &[f64]| -> f64 {
            let partners = |&a: &f64| values.iter().map(|&b| squared(a, b)).sum::<f64>();
            values.iter().map(partners).sum()
        };
        let n = all.len() as f64;
        let observed: f64 = units.iter().map(|unit| pairs(unit) / (unit.len() as f64 - 1.0)).sum::<f64>() / n;
        1.0 - observed / (pairs(&all) / (n * (n - 1.0)))
    }

    fn units() -> impl Strategy<Value = Vec<Vec<f64>>> {
        let value = prop_oneof![(0_u32..5).prop_map(f64::from), Just(0.25), Just(17.5)];
        prop::collection::vec(prop::collection::vec(value, 0..6), 1..12)
    }

    proptest! {
        #[test]
        fn counting_agrees_with_comparing_pairs(units in units()) {
            let Ok(ratings) = Ratings::from_units(&units) else { return Ok(()) };
            for level in LEVELS {
                match alpha(&ratings, level) {
                    Ok(result) => {
                        prop_assert!((result.alpha - by_pairs(&units, level)).abs() < 1e-9, "{:?}", level);
                        let holds = |i: Interval| i.low <= result.alpha && result.alpha <= i.high + 1e-12;
                        prop_assert!(result.interval.is_none_or(holds));
                    }
                    Err(StatError::TooFew { .. }) => prop_assert!(units.iter().all(|unit| unit.len() < 2)),
                    Err(_) => prop_assert!(!by_pairs(&units, level).is_finite()),
                }
            }
        }

        #[test]
        fn the_standard_error_is_that_of_the_weighted_coefficient(units in units()) {
            let Ok(ratings) = Ratings::from_units(&units) else { return Ok(()) };
            for (level, weights) in [(Level::Nominal, Weights::Identity), (Level::Interval, Weights::Quadratic)] {
                let weighted = agreement(&ratings, Coefficient::Krippendorff, weights, Alpha::FIVE_PERCENT);
                if let (Ok(own), Ok(weighted)) = (alpha(&ratings, level), weighted) {
                    prop_assert!((own.alpha - weighted.value).abs() < 1e-9);
                    prop_assert!(own.se.zip(weighted.se).is_none_or(|(a, b)| (a - b).abs() < 1e-9));
                    prop_assert_eq!(own.se.is_some(), weighted.se.is_some());
                }
            }
        }

        #[test]
        fn only_what_a_level_measures_matters(units in units(), shift in -1e6_f64..1e6, factor in 0.001_f64..1e3) {
            let moved = |f: &dyn Fn(f64) -> f64| -> Option<Ratings> {
                let unit = |unit: &Vec<f64>| unit.iter().map(|&x| f(x)).collect();
                Ratings::from_units(&units.iter().map(unit).collect::<Vec<Vec<f64>>>()).ok()
            };
            let cases: [(Level, &dyn Fn(f64) -> f64); 4] = [
                (Level::Nominal, &|x| if x == 2.0 { -7.0 } else { x }),
                (Level::Ordinal, &|x| (x / 3.0).exp()),
                (Level::Interval, &|x| x * factor + shift),
                (Level::Ratio, &|x| x * factor),
            ];
            for (level, f) in cases {
                if let (Some(before), Some(after)) = (moved(&|x| x), moved(f)) {
                    match (alpha(&before, level), alpha(&after, level)) {
                        (Ok(a), Ok(b)) => prop_assert!((a.alpha - b.alpha).abs() < 1e-6, "{:?} {:?} {:?}", level, a, b),
                        (a, b) => prop_assert_eq!(a.is_err(), b.is_err()),
                    }
                }
            }
        }
    }
}
