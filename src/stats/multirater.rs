//! Agreement of any number of raters: Fleiss' κ, and the family of Gwet (AC1/AC2, Fleiss, Krippendorff) with gaps,
//! weights and intervals.
//!
//! All work on the tallies of [`Ratings`], so the cost is that of counting, never that of comparing pairs of ratings.

use super::error::{Result, StatError, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::p_value::p_value;
use super::ratings::{Ratings, Tally, size};
use super::special::t_two_sided;

/// The most distinct values a weighted coefficient accepts: it needs a weight for each pair of them.
pub const MAX_CATEGORIES: usize = 2048;

/// Fleiss' κ and its parts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct FleissKappa {
    /// Number of subjects.
    pub subjects: usize,
    /// Ratings each subject got.
    pub raters: u64,
    /// The mean share of agreeing pairs of ratings within a subject.
    pub observed_agreement: f64,
    /// Σ p̄² over the pooled shares of the categories.
    pub expected_agreement: f64,
    /// (observed − expected) / (1 − expected).
    pub kappa: f64,
    /// Standard error under κ = 0 (Fleiss, Nee & Landis 1979).
    pub null_se: Option<f64>,
    /// κ / `null_se`.
    pub z: Option<f64>,
    /// Randolph's free-marginal κ: chance agreement is 1 / number of categories; absent with a single category.
    pub free_marginal: Option<f64>,
    /// All ratings are one category: κ is 0/0 and stands at 1 by convention.
    pub degenerate: bool,
}

/// Fleiss' κ for `counts[subject][category]` with the same number of ratings for each subject (Fleiss 1971).
///
/// The raters of one subject need not be those of another. For an interval, or with gaps, use [`agreement`] with
/// [`Coefficient::Fleiss`].
///
/// # Errors
/// [`StatError::TooFew`] without subjects, categories, or two ratings a subject; [`StatError::Lengths`] for rows of
/// different length or sum.
///
/// ```
/// let counts = [[0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6]];
/// let result = evalgauge::stats::multirater::fleiss_kappa(&counts)?;
/// assert!((result.observed_agreement - 0.7).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn fleiss_kappa<R: AsRef<[u32]>>(counts: &[R]) -> Result<FleissKappa> {
    at_least("subjects", 1, counts.len())?;
    let categories = counts[0].as_ref().len();
    at_least("categories", 1, categories)?;
    let raters = sum_of(counts[0].as_ref());
    at_least("ratings a subject", 2, raters as usize)?;
    let mut totals = vec![0_u64; categories];
    let mut squares = 0.0;
    for row in counts {
        let row = row.as_ref();
        same_length("categories of two subjects", categories, row.len())?;
        same_length("ratings of two subjects", raters as usize, sum_of(row) as usize)?;
        squares += row.iter().map(|&count| square(f64::from(count))).sum::<f64>();
        totals.iter_mut().zip(row).for_each(|(total, &count)| *total += u64::from(count));
    }
    let (subjects, r) = (counts.len() as f64, raters as f64);
    let all = subjects * r;
    let observed = (squares - all) / (all * (r - 1.0));
    let free = 1.0 / categories as f64;
    let free_marginal = (categories > 1).then(|| (observed - free) / (1.0 - free));
    let mut result = FleissKappa {
        subjects: counts.len(),
        raters,
        observed_agreement: observed,
        expected_agreement: 1.0,
        kappa: 1.0,
        null_se: None,
        z: None,
        free_marginal,
        degenerate: totals.iter().filter(|&&total| total > 0).count() == 1,
    };
    if result.degenerate {
        return Ok(result);
    }
    let shares = || totals.iter().map(|&total| total as f64 / all);
    result.expected_agreement = shares().map(|p| p * p).sum();
    let spread: f64 = shares().map(|p| p * (1.0 - p)).sum();
    result.kappa = 1.0 - (1.0 - observed) / spread;
    let skew: f64 = shares().map(|p| p * (1.0 - p) * (1.0 - 2.0 * p)).sum();
    let null_se = libm::sqrt(2.0 * (spread * spread - skew).max(0.0) / (all * (r - 1.0))) / spread;
    if null_se > 0.0 {
        result.null_se = Some(null_se);
        result.z = Some(result.kappa / null_se);
    }
    Ok(result)
}

/// Which notion of chance agreement corrects the observed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coefficient {
    /// Gwet's AC1, or AC2 with weights: hard against lopsided prevalence.
    Gwet,
    /// Fleiss' κ, generalised to gaps and weights.
    Fleiss,
    /// Krippendorff's α with the same weights; [`super::alpha::krippendorff_alpha`] has his own distances.
    Krippendorff,
}

/// Partial credit for two different values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// None: the values are names.
    Identity,
    /// 1 − |a − b| / range.
    Linear,
    /// 1 − (a − b)² / range².
    Quadratic,
    /// By the number of values between the two in the sorted list, ends included: 1 − C(d + 1, 2) / C(q, 2).
    Ordinal,
    /// 1 − √|a − b| / √range.
    Radical,
    /// 1 − ((a − b)/(a + b))² over its largest value; needs positive values.
    Ratio,
}

impl Weights {
    /// The q × q matrix, row by row, for ascending distinct values.
    fn matrix(self, values: &[f64]) -> Result<Vec<f64>> {
        let q = values.len();
        if q > MAX_CATEGORIES {
            return Err(StatError::OutOfRange { what: "distinct ratings", value: q as f64, range: "1..=2048" });
        }
        if self == Self::Ratio && values[0] <= 0.0 {
            return Err(StatError::OutOfRange {
                what: "rating", value: values[0], range: "(0, ∞) for ratio weights"
            });
        }
        let largest = self.distance(values, 0, q - 1);
        if !largest.is_finite() {
            return Err(StatError::OutOfRange {
                what: "range of the ratings",
                value: largest,
                range: "finite numbers",
            });
        }
        let cell = |at: usize| {
            let (i, j) = (at / q, at % q);
            if i == j { 1.0 } else { 1.0 - self.distance(values, i, j) / largest }
        };
        Ok((0..q * q).map(cell).collect())
    }

    fn distance(self, values: &[f64], i: usize, j: usize) -> f64 {
        let gap = (values[i] - values[j]).abs();
        match self {
            Self::Identity => f64::from(u8::from(i != j)),
            Self::Linear => gap,
            Self::Quadratic => gap * gap,
            Self::Radical => libm::sqrt(gap),
            Self::Ratio => (gap / (values[i] + values[j])) * (gap / (values[i] + values[j])),
            Self::Ordinal => {
                let steps = i.abs_diff(j) as f64;
                steps * (steps + 1.0) / 2.0
            }
        }
    }
}

/// A chance-corrected coefficient with its interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Agreement {
    /// The coefficient, at most 1.
    pub value: f64,
    /// Observed (weighted) agreement within units.
    pub observed: f64,
    /// Agreement expected by chance.
    pub expected: f64,
    /// Standard error over units by linearisation; absent with a single unit.
    pub se: Option<f64>,
    /// t interval with units − 1 degrees of freedom, upper end at most 1; absent when no unit varies.
    pub interval: Option<Interval>,
    /// Two-sided p against a coefficient of 0; absent without an interval.
    pub p: Option<f64>,
    /// Units that entered: with a rating for Gwet and Fleiss, with two or more for Krippendorff.
    pub units: usize,
}

/// Gwet's AC1/AC2, generalised Fleiss' κ or Krippendorff's α for several raters with gaps (Gwet 2008, 2014).
///
/// Each is (pₐ − pₑ)/(1 − pₑ) with pₐ the mean weighted agreement of pairs of ratings in a unit. The standard error
/// linearises the coefficient over units, which are assumed to be drawn independently; values are the ratings' own, so
/// linear and quadratic weights follow their distances, ordinal ones their positions.
///
/// # Errors
/// [`StatError::TooFew`] without a unit rated twice, [`StatError::Undefined`] when all ratings are one value (AC1 and
/// AC2 are defined then if [`Ratings::with_categories`] named others), [`StatError::OutOfRange`] for more than
/// [`MAX_CATEGORIES`] values or ratio weights on values that are not positive.
pub fn agreement(ratings: &Ratings, coefficient: Coefficient, weights: Weights, alpha: Alpha) -> Result<Agreement> {
    let matrix = weights.matrix(ratings.values())?;
    let sample = match coefficient {
        Coefficient::Krippendorff => Sample::paired(ratings, matrix)?,
        Coefficient::Gwet | Coefficient::Fleiss => Sample::all(ratings, matrix)?,
    };
    let (expected, chance) = match coefficient {
        Coefficient::Gwet => sample.gwet_chance()?,
        Coefficient::Fleiss | Coefficient::Krippendorff => sample.pooled_chance(),
    };
    // Rounding leaves 1 − pe a little above zero where it is zero.
    if 1.0 - expected <= 1e-14 {
        return Err(StatError::Undefined("all ratings are one value: chance agreement is 1"));
    }
    let parts = match coefficient {
        Coefficient::Krippendorff => sample.krippendorff(expected, &chance),
        Coefficient::Gwet | Coefficient::Fleiss => sample.plain(expected, &chance),
    };
    Ok(parts.finish(sample.units.len(), expected, alpha))
}

struct Parts {
    value: f64,
    observed: f64,
    /// Sum of the squared influences of the units.
    squares: f64,
}

impl Parts {
    fn finish(self, units: usize, expected: f64, alpha: Alpha) -> Agreement {
        let n = units as f64;
        let df = n - 1.0;
        let se = (units > 1).then(|| libm::sqrt(self.squares / (n * df)));
        let interval = se.and_then(|se| t_interval_below_one(self.value, se, df, alpha));
        // Units that all say the same are no proof: without an interval there is no p either.
        let p = se.zip(interval).map(|(se, _)| p_value(t_two_sided(self.value / se, df)));
        Agreement { value: self.value, observed: self.observed, expected, se, interval, p, units }
    }
}

/// `value ± t·se`, the upper end at most 1; `None` for a standard error that is 0 up to rounding.
pub(super) fn t_interval_below_one(value: f64, se: f64, df: f64, alpha: Alpha) -> Option<Interval> {
    let half = alpha.two_sided_t(df) * se;
    (se > 1e-13).then(|| Interval::new(value - half, (value + half).min(1.0)))
}

/// The units that enter a coefficient, and what all of them share.
struct Sample<'a> {
    units: Vec<&'a [Tally]>,
    matrix: Vec<f64>,
    q: usize,
    /// Mean share of each value; for α, shares of all ratings together.
    shares: Vec<f64>,
    /// Mean number of ratings a unit.
    mean_size: f64,
}

impl<'a> Sample<'a> {
    fn all(ratings: &'a Ratings, matrix: Vec<f64>) -> Result<Self> {
        let units: Vec<_> = ratings.tallies().collect();
        at_least("units with two ratings", 1, units.iter().filter(|unit| size(unit) >= 2.0).count())?;
        let mut shares = vec![0.0; ratings.values().len()];
        for unit in &units {
            let weight = size(unit) * units.len() as f64;
            unit.iter().for_each(|&(code, count)| shares[code as usize] += f64::from(count) / weight);
        }
        Ok(Self { units, matrix, q: ratings.values().len(), shares, mean_size: f64::NAN })
    }

    fn paired(ratings: &'a Ratings, matrix: Vec<f64>) -> Result<Self> {
        let units: Vec<_> = ratings.tallies().filter(|unit| size(unit) >= 2.0).collect();
        at_least("units with two ratings", 1, units.len())?;
        let total: f64 = units.iter().map(|unit| size(unit)).sum();
        let mut shares = vec![0.0; ratings.values().len()];
        for &(code, count) in units.iter().copied().flatten() {
            shares[code as usize] += f64::from(count) / total;
        }
        let mean_size = total / units.len() as f64;
        Ok(Self { units, matrix, q: ratings.values().len(), shares, mean_size })
    }

    /// Weighted agreement over ordered pairs of different ratings of a unit.
    fn pairs(&self, unit: &[Tally]) -> f64 {
        unit.iter()
            .map(|&(a, count)| {
                let row = &self.matrix[a as usize * self.q..][..self.q];
                let matched: f64 = unit.iter().map(|&(b, other)| row[b as usize] * f64::from(other)).sum();
                f64::from(count) * (matched - 1.0)
            })
            .sum()
    }

    fn gwet_chance(&self) -> Result<(f64, Vec<f64>)> {
        at_least("distinct ratings", 2, self.q)?;
        let q = self.q as f64;
        let scale = self.matrix.iter().sum::<f64>() / (q * (q - 1.0));
        let expected = scale * self.shares.iter().map(|p| p * (1.0 - p)).sum::<f64>();
        Ok((expected, self.shares.iter().map(|p| scale * (1.0 - p)).collect()))
    }

    fn pooled_chance(&self) -> (f64, Vec<f64>) {
        let dot = |row: &[f64]| row.iter().zip(&self.shares).map(|(w, p)| w * p).sum::<f64>();
        let chance: Vec<f64> = self.matrix.chunks_exact(self.q).map(dot).collect();
        (dot(&chance), chance)
    }

    fn plain(&self, expected: f64, chance: &[f64]) -> Parts {
        let rated_twice = self.units.iter().filter(|unit| size(unit) >= 2.0).count() as f64;
        let agreement = |unit: &[Tally]| {
            let m = size(unit);
            if m >= 2.0 { Some(self.pairs(unit) / (m * (m - 1.0))) } else { None }
        };
        let observed = self.units.iter().filter_map(|unit| agreement(unit)).sum::<f64>() / rated_twice;
        let value = (observed - expected) / (1.0 - expected);
        let boost = self.units.len() as f64 / rated_twice;
        let influence = |unit: &[Tally]| {
            let own = agreement(unit).map_or(0.0, |own| boost * (own - expected) / (1.0 - expected));
            own - 2.0 * (1.0 - value) * (mean_over(unit, chance) / size(unit) - expected) / (1.0 - expected)
        };
        let squares = self.units.iter().map(|unit| square(influence(unit) - value)).sum();
        Parts { value, observed, squares }
    }

    fn krippendorff(&self, expected: f64, chance: &[f64]) -> Parts {
        let mean = self.mean_size;
        let agreement = |unit: &[Tally]| self.pairs(unit) / (mean * (size(unit) - 1.0));
        let n = self.units.len() as f64;
        let uncorrected = self.units.iter().map(|unit| agreement(unit)).sum::<f64>() / n;
        let small_sample = 1.0 / (mean * n);
        let observed = (1.0 - small_sample) * uncorrected + small_sample;
        let value = (observed - expected) / (1.0 - expected);
        let large_sample = (uncorrected - expected) / (1.0 - expected);
        let influence = |unit: &[Tally]| {
            let excess = (size(unit) - mean) / mean;
            let own = agreement(unit) - observed * excess;
            let by_chance = mean_over(unit, chance) / mean - expected * excess;
            (own - expected - 2.0 * (1.0 - large_sample) * (by_chance - expected)) / (1.0 - expected)
        };
        let squares = self.units.iter().map(|unit| square(influence(unit) - large_sample)).sum();
        Parts { value, observed, squares }
    }
}

/// Σ count · `by_code`[code] over a unit.
fn mean_over(unit: &[Tally], by_code: &[f64]) -> f64 {
    unit.iter().map(|&(code, count)| f64::from(count) * by_code[code as usize]).sum()
}

fn sum_of(counts: &[u32]) -> u64 {
    counts.iter().map(|&count| u64::from(count)).sum()
}

fn square(x: f64) -> f64 {
    x * x
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kappa::{RatingTable, scott_pi};
    use super::*;

    const COEFFICIENTS: [Coefficient; 3] = [Coefficient::Gwet, Coefficient::Fleiss, Coefficient::Krippendorff];
    const WEIGHTS: [Weights; 6] =
        [Weights::Identity, Weights::Linear, Weights::Quadratic, Weights::Ordinal, Weights::Radical, Weights::Ratio];

    fn corrected(ratings: &Ratings, coefficient: Coefficient, weights: Weights) -> Agreement {
        agreement(ratings, coefficient, weights, Alpha::FIVE_PERCENT).unwrap()
    }

    fn read(raters: &[&str]) -> Ratings {
        let rater = |text: &&str| text.chars().map(|c| c.to_digit(10).map(f64::from)).collect::<Vec<_>>();
        Ratings::from_raters(&raters.iter().map(rater).collect::<Vec<_>>()).unwrap()
    }

    /// Krippendorff's (2011) four observers and twelve units.
    fn observers() -> Ratings {
        read(&["123321412---", "1233224125-3", "-3332342251-", "12332441251-"])
    }

    #[test]
    fn four_observers() {
        // Gwet's published results for these data.
        for (coefficient, value, se) in [
            (Coefficient::Gwet, 0.775_44, 0.142_95),
            (Coefficient::Fleiss, 0.761_17, 0.153_02),
            (Coefficient::Krippendorff, 0.743_42, 0.145_57),
        ] {
            let result = corrected(&observers(), coefficient, Weights::Identity);
            assert!((result.value - value).abs() < 5e-6, "{coefficient:?} {result:?}");
            assert!((result.se.unwrap() - se).abs() < 5e-6, "{coefficient:?} {result:?}");
            assert_eq!(result.interval.unwrap().high, 1.0);
        }
        assert_eq!(corrected(&observers(), Coefficient::Gwet, Weights::Identity).units, 12);
        assert_eq!(corrected(&observers(), Coefficient::Krippendorff, Weights::Identity).units, 11);
    }

    #[test]
    fn fleiss_by_hand() {
        // Two subjects, three ratings: P = (1 + 1/3)/2, Pe = (5/6)² + (1/6)².
        let result = fleiss_kappa(&[[3, 0], [2, 1]]).unwrap();
        assert!((result.observed_agreement - 2.0 / 3.0).abs() < 1e-12);
        assert!((result.expected_agreement - 26.0 / 36.0).abs() < 1e-12);
        assert!((result.kappa + 0.2).abs() < 1e-12);
        assert!((result.free_marginal.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        // With two categories the null standard error is 1/√(N n (n − 1)/2).
        assert!((result.null_se.unwrap() - 1.0 / 6.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn one_category_is_one_and_flagged() {
        let result = fleiss_kappa(&[[4, 0], [4, 0]]).unwrap();
        assert!(result.degenerate && result.kappa == 1.0 && result.null_se.is_none() && result.z.is_none());
        assert!(fleiss_kappa(&[[4]]).unwrap().free_marginal.is_none());
    }

    #[test]
    fn fleiss_refusals() {
        assert!(matches!(fleiss_kappa(&[[2, 1], [1, 1]]), Err(StatError::Lengths { .. })));
        assert!(matches!(fleiss_kappa(&[[1, 0], [0, 1]]), Err(StatError::TooFew { .. })));
        assert!(matches!(fleiss_kappa(&[vec![2, 0], vec![2]]), Err(StatError::Lengths { .. })));
        assert!(fleiss_kappa::<[u32; 2]>(&[]).is_err() && fleiss_kappa::<[u32; 0]>(&[[]]).is_err());
    }

    #[test]
    fn undefined_agreement_is_refused() {
        let same = read(&["111", "111"]);
        for coefficient in COEFFICIENTS {
            assert!(agreement(&same, coefficient, Weights::Identity, Alpha::FIVE_PERCENT).is_err());
            let unpaired = read(&["12-", "--2"]);
            assert!(agreement(&unpaired, coefficient, Weights::Linear, Alpha::FIVE_PERCENT).is_err());
        }
        // AC1 knows an answer once it knows that another label could have been given.
        let two_labels = same.with_categories(&[1.0, 2.0]).unwrap();
        assert_eq!(corrected(&two_labels, Coefficient::Gwet, Weights::Identity).value, 1.0);
        assert!(agreement(&two_labels, Coefficient::Fleiss, Weights::Identity, Alpha::FIVE_PERCENT).is_err());
        let zero = read(&["01", "11"]);
        assert!(agreement(&zero, Coefficient::Gwet, Weights::Ratio, Alpha::FIVE_PERCENT).is_err());
        let far = Ratings::from_units(&[[-1e200, 1e200]]).unwrap();
        assert!(agreement(&far, Coefficient::Gwet, Weights::Quadratic, Alpha::FIVE_PERCENT).is_err());
    }

    #[test]
    fn a_single_unit_has_no_interval() {
        let one = corrected(&read(&["1", "1", "2"]), Coefficient::Fleiss, Weights::Identity);
        assert!(one.value.is_finite() && one.se.is_none() && one.interval.is_none() && one.p.is_none());
    }

    #[test]
    fn unvarying_units_have_neither_interval_nor_p() {
        let perfect = corrected(&read(&["1221", "1221"]), Coefficient::Fleiss, Weights::Identity);
        assert_eq!((perfect.value, perfect.interval, perfect.p), (1.0, None, None));
    }

    #[test]
    fn more_unused_categories_raise_ac1() {
        let plain = corrected(&observers(), Coefficient::Gwet, Weights::Identity).value;
        let more = observers().with_categories(&[6.0, 7.0]).unwrap();
        assert!(corrected(&more, Coefficient::Gwet, Weights::Identity).value > plain);
    }

    fn gappy() -> impl Strategy<Value = Vec<Vec<Option<f64>>>> {
        (2_usize..5, 2_usize..15).prop_flat_map(|(raters, units)| {
            let rating = prop::option::weighted(0.8, (1_u32..5).prop_map(f64::from));
            prop::collection::vec(prop::collection::vec(rating, units), raters)
        })
    }

    proptest! {
        #[test]
        fn order_of_raters_and_units_does_not_matter(mut raters in gappy()) {
            let Ok(before) = Ratings::from_raters(&raters) else { return Ok(()) };
            raters.reverse();
            for rater in &mut raters {
                rater.reverse();
            }
            let after = Ratings::from_raters(&raters).unwrap();
            for (coefficient, weights) in COEFFICIENTS.iter().flat_map(|&c| WEIGHTS.map(|w| (c, w))) {
                let both = [&before, &after].map(|r| agreement(r, coefficient, weights, Alpha::FIVE_PERCENT));
                match both {
                    [Ok(a), Ok(b)] => {
                        prop_assert!((a.value - b.value).abs() < 1e-9);
                        prop_assert!(a.value <= 1.0 + 1e-12);
                        prop_assert!(a.se.zip(b.se).is_none_or(|(a, b)| (a - b).abs() < 1e-7));
                        prop_assert!(a.interval.is_none_or(|i| i.low <= a.value && a.value <= i.high + 1e-12));
                        prop_assert!(a.p.is_none_or(|p| p > 0.0 && p <= 1.0));
                    }
                    [Err(a), Err(b)] => prop_assert_eq!(a, b),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }

        #[test]
        fn fleiss_for_two_complete_raters_is_scotts_pi(
            pairs in prop::collection::vec((0_u32..4, 0_u32..4), 2..40)
        ) {
            let units: Vec<[f64; 2]> = pairs.iter().map(|&(a, b)| [f64::from(a), f64::from(b)]).collect();
            let (first, second): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
            let pi = scott_pi(&RatingTable::from_codes(&first, &second, 4).unwrap());
            let ratings = Ratings::from_units(&units).unwrap();
            match agreement(&ratings, Coefficient::Fleiss, Weights::Identity, Alpha::FIVE_PERCENT) {
                Ok(fleiss) => prop_assert!((fleiss.value - pi.pi).abs() < 1e-9),
                Err(_) => prop_assert!(pi.degenerate),
            }
            let counts: Vec<[u32; 4]> = pairs.iter().map(|&(a, b)| {
                let mut row = [0; 4];
                row[a as usize] += 1;
                row[b as usize] += 1;
                row
            }).collect();
            prop_assert!((fleiss_kappa(&counts).unwrap().kappa - pi.pi).abs() < 1e-9);
        }
    }
}
