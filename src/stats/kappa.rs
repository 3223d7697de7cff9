//! Agreement of two raters: Cohen's κ (plain, linear, quadratic) and Scott's π.
//!
//! Ratings arrive as integer codes: the position of the label in a list that the caller states, see [`encode`].
//! The order of that list matters for weighted κ and for nothing else.

use std::collections::HashMap;
use std::hash::Hash;

use super::error::{Result, StatError, at_least, same_length};
use super::interval::{Alpha, Interval};
use super::p_value::p_value;
use super::special::normal_sf;

/// The longest label list a [`RatingTable`] accepts; its cells grow with the square of it.
pub const MAX_LABELS: usize = 2048;

/// Below this, n·Var₀(κ) is rounding noise around an exact zero.
const NO_VARIANCE: f64 = 1e-16;

/// Turns labels into codes: the position of each value in `labels`.
///
/// # Errors
/// [`StatError::TooFew`] for an empty label list, [`StatError::Undefined`] when the list repeats a label or a value is
/// not in it.
///
/// ```
/// let codes = evalgauge::stats::kappa::encode(&["good", "poor"], &["poor", "fair", "good"])?;
/// assert_eq!(codes, [2, 0]);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
pub fn encode<T: Eq + Hash>(values: &[T], labels: &[T]) -> Result<Vec<u32>> {
    at_least("labels", 1, labels.len())?;
    let codes: HashMap<&T, u32> = labels.iter().zip(0_u32..).collect();
    if codes.len() < labels.len() {
        return Err(StatError::Undefined("the label list names a label twice"));
    }
    values
        .iter()
        .map(|value| codes.get(value).copied().ok_or(StatError::Undefined("a rating is not in the label list")))
        .collect()
}

/// How two raters' labels fall together: `count(i, j)` items that the first put under label `i`, the second under `j`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatingTable {
    labels: usize,
    cells: Vec<u64>,
    total: u64,
}

impl RatingTable {
    /// Counts pairs of codes, each below `labels`, in one pass.
    ///
    /// # Errors
    /// [`StatError::Lengths`] for lists of different length, [`StatError::TooFew`] for no items,
    /// [`StatError::OutOfRange`] for a code of `labels` or more and for more than [`MAX_LABELS`] labels.
    pub fn from_codes(first: &[u32], second: &[u32], labels: usize) -> Result<Self> {
        same_length("the two raters' labels", first.len(), second.len())?;
        at_least("items rated by both", 1, first.len())?;
        check_label_count(labels)?;
        let mut cells = vec![0_u64; labels * labels];
        let mut highest = 0_u32;
        for (&a, &b) in first.iter().zip(second) {
            highest = highest.max(a).max(b);
            // A column code that is too high would land in a later row; `highest` catches it after the loop.
            if let Some(cell) = cells.get_mut(a as usize * labels + b as usize) {
                *cell += 1;
            }
        }
        if highest as usize >= labels {
            return Err(StatError::OutOfRange {
                what: "label code",
                value: f64::from(highest),
                range: "the label list",
            });
        }
        Ok(Self { labels, cells, total: first.len() as u64 })
    }

    /// Wraps a square table of counts.
    ///
    /// # Errors
    /// [`StatError::Lengths`] when it is not square, [`StatError::TooFew`] when it counts nothing,
    /// [`StatError::OutOfRange`] beyond [`MAX_LABELS`].
    pub fn from_counts<R: AsRef<[u32]>>(rows: &[R]) -> Result<Self> {
        at_least("labels", 1, rows.len())?;
        check_label_count(rows.len())?;
        let mut cells = Vec::with_capacity(rows.len() * rows.len());
        for row in rows {
            same_length("rows and columns of the table", rows.len(), row.as_ref().len())?;
            cells.extend(row.as_ref().iter().map(|&count| u64::from(count)));
        }
        let total: u64 = cells.iter().sum();
        at_least("items rated by both", 1, total as usize)?;
        Ok(Self { labels: rows.len(), cells, total })
    }

    /// The number of labels, used or not.
    #[must_use]
    pub const fn labels(&self) -> usize {
        self.labels
    }

    /// The number of items.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// One row for each label of the first rater.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.cells.chunks_exact(self.labels)
    }

    /// How many items both raters gave the same label.
    #[must_use]
    pub fn agreements(&self) -> u64 {
        self.cells.iter().step_by(self.labels + 1).sum()
    }

    /// How often each rater used each label: first rater, second rater.
    #[must_use]
    pub fn margins(&self) -> (Vec<u64>, Vec<u64>) {
        let mut columns = vec![0_u64; self.labels];
        let rows = self
            .rows()
            .map(|row| {
                for (column, &count) in columns.iter_mut().zip(row) {
                    *column += count;
                }
                row.iter().sum()
            })
            .collect();
        (rows, columns)
    }

    /// The share of each label among all ratings of both raters: the prevalence that makes κ small when it is lopsided.
    #[must_use]
    pub fn prevalence(&self) -> Vec<f64> {
        let (first, second) = self.margins();
        first.iter().zip(&second).map(|(&a, &b)| (a + b) as f64 / (2.0 * self.total as f64)).collect()
    }
}

fn check_label_count(labels: usize) -> Result<()> {
    if (1..=MAX_LABELS).contains(&labels) {
        Ok(())
    } else {
        Err(StatError::OutOfRange { what: "number of labels", value: labels as f64, range: "1..=2048" })
    }
}

/// How bad it is to confuse two labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// Any two different labels disagree fully: the labels have no order.
    Unweighted,
    /// Disagreement grows with the distance of the positions in the label list.
    Linear,
    /// Disagreement grows with the square of that distance.
    Quadratic,
}

impl Weighting {
    /// The disagreement of labels at positions `i` and `j`; it is an integer, so sums over counts are exact.
    fn disagreement(self, i: usize, j: usize) -> f64 {
        let distance = i.abs_diff(j) as f64;
        match self {
            Self::Unweighted => f64::from(u8::from(i != j)),
            Self::Linear => distance,
            Self::Quadratic => distance * distance,
        }
    }
}

/// Cohen's κ with all that a report prints beside it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CohenKappa {
    /// Number of items.
    pub items: u64,
    /// The share of items with the same label from both, whatever the weighting.
    pub raw_agreement: f64,
    /// Agreement with partial credit under the weighting; equal to `raw_agreement` when unweighted.
    pub observed_agreement: f64,
    /// The same agreement if the raters were independent with the margins they have.
    pub expected_agreement: f64,
    /// (observed − expected) / (1 − expected).
    pub kappa: f64,
    /// Large-sample standard error; absent when the margins leave κ no value but the one it has.
    pub se: Option<f64>,
    /// Normal interval κ ± z·se, not clipped; absent with `se`, and where `se` is 0: all agree, or all disagree, and the
    /// large-sample error does not see that the sample is finite.
    pub interval: Option<Interval>,
    /// Standard error under κ = 0.
    pub null_se: Option<f64>,
    /// κ / `null_se`.
    pub z: Option<f64>,
    /// Two-sided p of `z`.
    pub p: Option<f64>,
    /// The largest κ that these margins allow; only unweighted, only when not degenerate.
    pub maximum: Option<f64>,
    /// Both raters put everything under one and the same label: κ is 0/0 and stands at 1 by convention.
    pub degenerate: bool,
}

/// Cohen's κ: agreement of two raters beyond what their margins give by chance.
///
/// κ = 1 − D/E with D = Σ vᵢⱼ pᵢⱼ the observed and E = Σ vᵢⱼ pᵢ· p·ⱼ the expected disagreement (Cohen 1960, 1968).
/// The standard error is the large-sample one of Fleiss, Cohen & Everitt (1969), written as the mean square of
/// φᵢⱼ = (vᵢⱼ − D)/E − (D/E²)(v̄ᵢ· + v̄·ⱼ − 2E), which cannot turn negative by rounding.
///
/// Assumes items drawn independently; raters need not share margins. Where every possible table with these margins has
/// the same κ (a rater with a single label, raters with disjoint labels), `se`, `interval`, `z` and `p` are absent.
///
/// Cohen's grant example, 50 applications read by two reviewers:
/// ```
/// use evalgauge::stats::{Alpha, kappa::{RatingTable, Weighting, cohen_kappa}};
/// let table = RatingTable::from_counts(&[[20, 5], [10, 15]])?;
/// let result = cohen_kappa(&table, Weighting::Unweighted, Alpha::FIVE_PERCENT);
/// assert!((result.kappa - 0.4).abs() < 1e-12);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
#[must_use]
pub fn cohen_kappa(table: &RatingTable, weighting: Weighting, alpha: Alpha) -> CohenKappa {
    let n = table.total as f64;
    let raw_agreement = table.agreements() as f64 / n;
    let (first, second) = table.margins();
    let moments = Moments::of(table, &first, &second, weighting);
    if moments.expected == 0.0 {
        return CohenKappa {
            items: table.total,
            raw_agreement,
            observed_agreement: 1.0,
            expected_agreement: 1.0,
            kappa: 1.0,
            se: None,
            interval: None,
            null_se: None,
            z: None,
            p: None,
            maximum: None,
            degenerate: true,
        };
    }
    let kappa = 1.0 - moments.observed / moments.expected;
    let (variance, null_variance) = moments.variances(table, &first, &second, weighting);
    let movable = null_variance > NO_VARIANCE;
    let se = movable.then(|| libm::sqrt(variance / n));
    let null_se = movable.then(|| libm::sqrt(null_variance / n));
    let z = null_se.map(|se| kappa / se);
    let scale = weighting.disagreement(0, table.labels - 1);
    let maximum = (weighting == Weighting::Unweighted).then(|| {
        let possible: u64 = first.iter().zip(&second).map(|(&a, &b)| a.min(b)).sum();
        1.0 - (1.0 - possible as f64 / n) / moments.expected
    });
    CohenKappa {
        items: table.total,
        raw_agreement,
        observed_agreement: 1.0 - moments.observed / scale,
        expected_agreement: 1.0 - moments.expected / scale,
        kappa,
        se,
        interval: se.filter(|&se| se > 1e-13).map(|se| Interval::around(kappa, alpha.two_sided_z() * se)),
        null_se,
        z,
        p: z.map(|z| p_value(2.0 * normal_sf(z.abs()))),
        maximum,
        degenerate: false,
    }
}

/// Mean disagreements, observed and expected, and the expected one given each label of either rater.
struct Moments {
    observed: f64,
    expected: f64,
    by_row: Vec<f64>,
    by_column: Vec<f64>,
}

impl Moments {
    fn of(table: &RatingTable, first: &[u64], second: &[u64], weighting: Weighting) -> Self {
        let n = table.total as f64;
        let labels = table.labels;
        let (mut by_row, mut by_column) = (vec![0.0; labels], vec![0.0; labels]);
        let (mut observed, mut expected) = (0.0, 0.0);
        for (i, row) in table.rows().enumerate() {
            for (j, &count) in row.iter().enumerate() {
                let v = weighting.disagreement(i, j);
                observed += v * count as f64;
                by_row[i] += v * second[j] as f64;
                by_column[j] += v * first[i] as f64;
            }
            expected += by_row[i] * first[i] as f64;
        }
        for mean in by_row.iter_mut().chain(&mut by_column) {
            *mean /= n;
        }
        Self { observed: observed / n, expected: expected / n / n, by_row, by_column }
    }

    /// n·Var(κ) as the data stand and n·Var(κ) under independence.
    fn variances(&self, table: &RatingTable, first: &[u64], second: &[u64], weighting: Weighting) -> (f64, f64) {
        let n = table.total as f64;
        let ratio = self.observed / self.expected;
        let (mut here, mut null) = (0.0, 0.0);
        for (i, row) in table.rows().enumerate().filter(|&(i, _)| first[i] > 0) {
            for (j, &count) in row.iter().enumerate().filter(|&(j, _)| second[j] > 0) {
                let v = weighting.disagreement(i, j);
                let by_chance = self.by_row[i] + self.by_column[j];
                let influence = (v - self.observed - ratio * (by_chance - 2.0 * self.expected)) / self.expected;
                let null_influence = (v - by_chance + self.expected) / self.expected;
                here += count as f64 * influence * influence;
                null += (first[i] as f64 / n) * second[j] as f64 * null_influence * null_influence;
            }
        }
        (here / n, null / n)
    }
}

/// Scott's π and its parts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ScottPi {
    /// The share of items with the same label from both.
    pub observed_agreement: f64,
    /// Σ q̄² over the pooled shares of the labels.
    pub expected_agreement: f64,
    /// (observed − expected) / (1 − expected).
    pub pi: f64,
    /// All ratings are one label: π is 0/0 and stands at 1 by convention.
    pub degenerate: bool,
}

/// Scott's π: like κ, but chance agreement comes from the label shares pooled over both raters (Scott 1955).
///
/// Assumes that both raters have the same underlying distribution of labels.
///
/// ```
/// use evalgauge::stats::kappa::{RatingTable, scott_pi};
/// let table = RatingTable::from_counts(&[[0, 3], [3, 0]])?;
/// assert!((scott_pi(&table).pi + 1.0).abs() < 1e-15);
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
#[must_use]
pub fn scott_pi(table: &RatingTable) -> ScottPi {
    let n = table.total as f64;
    let observed_agreement = table.agreements() as f64 / n;
    let (first, second) = table.margins();
    let pooled = first.iter().zip(&second).map(|(&a, &b)| a + b);
    if pooled.clone().any(|count| count == 2 * table.total) {
        return ScottPi { observed_agreement, expected_agreement: 1.0, pi: 1.0, degenerate: true };
    }
    let expected_agreement = pooled.map(|count| (count as f64 / (2.0 * n)) * (count as f64 / (2.0 * n))).sum::<f64>();
    let pi = (observed_agreement - expected_agreement) / (1.0 - expected_agreement);
    ScottPi { observed_agreement, expected_agreement, pi, degenerate: false }
}

/// Gwet's AC1 of two raters, straight from their table: chance agreement is Σ π(1 − π)/(q − 1) with π the mean share of a
/// label (Gwet 2008). Absent with fewer than two labels in the list, which counts unused ones.
///
/// The same number as [`super::multirater::agreement`] for two raters without gaps, without its interval and its sorting:
/// for tables with thousands of pairs of raters.
///
/// ```
/// use evalgauge::stats::kappa::{RatingTable, gwet_ac1};
/// let table = RatingTable::from_counts(&[[80, 10], [5, 5]])?;
/// assert!(gwet_ac1(&table).is_some_and(|ac1| (ac1 - 0.808).abs() < 5e-4));
/// # Ok::<(), evalgauge::stats::StatError>(())
/// ```
#[must_use]
pub fn gwet_ac1(table: &RatingTable) -> Option<f64> {
    if table.labels < 2 {
        return None;
    }
    let observed = table.agreements() as f64 / table.total as f64;
    let spread: f64 = table.prevalence().iter().map(|share| share * (1.0 - share)).sum();
    let expected = spread / (table.labels as f64 - 1.0);
    Some((observed - expected) / (1.0 - expected))
}

/// The verbal scale of Landis & Koch (1977) for κ and its relatives.
#[must_use]
pub fn landis_koch(kappa: f64) -> &'static str {
    match kappa {
        k if k > 0.8 => "almost perfect",
        k if k > 0.6 => "substantial",
        k if k > 0.4 => "moderate",
        k if k > 0.2 => "fair",
        k if k >= 0.0 => "slight",
        _ => "poor",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEIGHTINGS: [Weighting; 3] = [Weighting::Unweighted, Weighting::Linear, Weighting::Quadratic];

    fn kappa(table: &RatingTable, weighting: Weighting) -> CohenKappa {
        cohen_kappa(table, weighting, Alpha::FIVE_PERCENT)
    }

    #[test]
    fn fleiss_cohen_everitt_example() {
        // Two hundred patients, three diagnoses: kappa .429 with variance .002885.
        let table = RatingTable::from_counts(&[[106, 10, 4], [22, 28, 10], [2, 12, 6]]).unwrap();
        let result = kappa(&table, Weighting::Unweighted);
        assert!((result.kappa - 0.429).abs() < 5e-4, "{result:?}");
        assert!((result.se.unwrap().powi(2) - 0.002_885).abs() < 5e-7, "{result:?}");
        assert!((result.raw_agreement - 0.70).abs() < 1e-12);
        assert!((result.expected_agreement - 0.475).abs() < 1e-12);
        assert_eq!(table.prevalence(), [0.625, 0.275, 0.1]);
    }

    #[test]
    fn one_label_everywhere_is_one_and_flagged() {
        let table = RatingTable::from_codes(&[1, 1, 1], &[1, 1, 1], 3).unwrap();
        for weighting in WEIGHTINGS {
            let result = kappa(&table, weighting);
            assert!(result.degenerate && result.kappa == 1.0);
            assert_eq!((result.se, result.interval, result.p, result.maximum), (None, None, None, None));
        }
        assert!(scott_pi(&table).degenerate && scott_pi(&table).pi == 1.0);
    }

    #[test]
    fn margins_that_fix_kappa_leave_no_interval() {
        let constant_rater = RatingTable::from_counts(&[[4, 2], [0, 0]]).unwrap();
        // Under linear weights every table of raters with disjoint ranges has kappa 0, though both raters vary.
        let disjoint = RatingTable::from_counts(&[[0, 0, 3, 1], [0, 0, 2, 5], [0; 4], [0; 4]]).unwrap();
        for result in [kappa(&constant_rater, Weighting::Quadratic), kappa(&disjoint, Weighting::Linear)] {
            assert!(result.kappa.abs() < 1e-12 && !result.degenerate, "{result:?}");
            assert_eq!((result.se, result.interval, result.z, result.p), (None, None, None, None));
        }
        assert!(kappa(&disjoint, Weighting::Quadratic).se.is_some());
    }

    #[test]
    fn perfect_agreement_and_perfect_disagreement() {
        let agree = kappa(&RatingTable::from_counts(&[[2, 0, 0], [0, 2, 0], [0, 0, 2]]).unwrap(), Weighting::Linear);
        assert_eq!((agree.kappa, agree.se), (1.0, Some(0.0)));
        let opposite = RatingTable::from_counts(&[[0, 3], [3, 0]]).unwrap();
        assert_eq!(kappa(&opposite, Weighting::Unweighted).kappa, -1.0);
        assert!((scott_pi(&opposite).pi + 1.0).abs() < 1e-15);
    }

    #[test]
    fn an_unused_label_counts_for_distance() {
        let (first, second) = ([0, 1, 2, 3, 0, 3], [0, 2, 2, 3, 1, 2]);
        let dense = kappa(&RatingTable::from_codes(&first, &second, 4).unwrap(), Weighting::Linear);
        let moved = |codes: [u32; 6]| codes.map(|code| if code >= 2 { code + 1 } else { code });
        let spread = kappa(&RatingTable::from_codes(&moved(first), &moved(second), 5).unwrap(), Weighting::Linear);
        assert!((dense.kappa - spread.kappa).abs() > 0.01);
    }

    #[test]
    fn refusals() {
        assert!(matches!(RatingTable::from_codes(&[], &[], 2), Err(StatError::TooFew { .. })));
        assert!(matches!(RatingTable::from_codes(&[0], &[0, 1], 2), Err(StatError::Lengths { .. })));
        assert!(matches!(RatingTable::from_codes(&[0, 1], &[0, 2], 2), Err(StatError::OutOfRange { .. })));
        assert!(matches!(RatingTable::from_codes(&[0], &[0], MAX_LABELS + 1), Err(StatError::OutOfRange { .. })));
        assert!(RatingTable::from_counts(&[[0, 0], [0, 0]]).is_err());
        assert!(RatingTable::from_counts(&[[1, 2, 3], [1, 2, 3]]).is_err());
        assert!(encode(&["a", "c"], &["a", "b"]).is_err());
        assert!(encode(&["a"], &["a", "a"]).is_err());
        assert!(encode::<&str>(&[], &[]).is_err());
    }

    #[test]
    fn verbal_scale() {
        let words = [-0.1, 0.0, 0.2, 0.21, 0.41, 0.61, 0.81].map(landis_koch);
        assert_eq!(words, ["poor", "slight", "slight", "fair", "moderate", "substantial", "almost perfect"]);
    }

    fn codes() -> impl Strategy<Value = (usize, Vec<(u32, u32)>)> {
        (2_usize..6).prop_flat_map(|k| {
            let code = 0..k as u32;
            (Just(k), prop::collection::vec((code.clone(), code), 1..60))
        })
    }

    fn tabulate(pairs: &[(u32, u32)], labels: usize) -> RatingTable {
        let (first, second): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
        RatingTable::from_codes(&first, &second, labels).unwrap()
    }

    fn close(a: &CohenKappa, b: &CohenKappa) -> bool {
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (a, b) => a == b,
        };
        (a.kappa - b.kappa).abs() < 1e-9 && near(a.se, b.se) && near(a.p, b.p) && a.degenerate == b.degenerate
    }

    proptest! {
        #[test]
        fn raters_are_interchangeable_and_direction_does_not_matter((k, pairs) in codes()) {
            let swapped: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
            let top = k as u32 - 1;
            let reversed: Vec<_> = pairs.iter().map(|&(a, b)| (top - a, top - b)).collect();
            for weighting in WEIGHTINGS {
                let here = kappa(&tabulate(&pairs, k), weighting);
                prop_assert!(close(&here, &kappa(&tabulate(&swapped, k), weighting)));
                prop_assert!(close(&here, &kappa(&tabulate(&reversed, k), weighting)));
            }
        }

        #[test]
        fn what_is_reported_is_finite_and_ordered((k, pairs) in codes()) {
            for weighting in WEIGHTINGS {
                let result = kappa(&tabulate(&pairs, k), weighting);
                prop_assert!(result.kappa.is_finite() && result.kappa <= 1.0);
                prop_assert_eq!(result.se.is_some_and(|se| se > 1e-13), result.interval.is_some());
                prop_assert!(result.interval.is_none_or(|interval| interval.width() > 0.0));
                prop_assert!(result.interval.is_none_or(|interval| interval.contains(result.kappa)));
                prop_assert!(result.p.is_none_or(|p| p > 0.0 && p <= 1.0));
                prop_assert!(result.maximum.is_none_or(|maximum| maximum >= result.kappa - 1e-12));
                let from_parts =
                    (result.observed_agreement - result.expected_agreement) / (1.0 - result.expected_agreement);
                prop_assert!(result.degenerate || (from_parts - result.kappa).abs() < 1e-9);
            }
        }

        #[test]
        fn two_labels_have_one_kappa(pairs in prop::collection::vec((0_u32..2, 0_u32..2), 1..60)) {
            let table = tabulate(&pairs, 2);
            let plain = kappa(&table, Weighting::Unweighted);
            prop_assert!(close(&plain, &kappa(&table, Weighting::Linear)));
            prop_assert!(close(&plain, &kappa(&table, Weighting::Quadratic)));
        }
    }
}
