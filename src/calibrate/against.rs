//! One column of grades against one column of labels.

use serde::Serialize;

use super::scale::{Measure, Scale};
use crate::stats::alpha::{Level, krippendorff_alpha};
use crate::stats::classification::{Average, ConfusionMatrix, PrecisionRecall};
use crate::stats::correlation::{Correlation, Kendall, kendall, pearson, spearman};
use crate::stats::judge_bias::JudgeTable;
use crate::stats::kappa::{CohenKappa, MAX_LABELS, RatingTable, Weighting, cohen_kappa, gwet_ac1, landis_koch};
use crate::stats::multirater::{Coefficient, Weights, agreement};
use crate::stats::proportion::Proportion;
use crate::stats::ratings::Ratings;
use crate::stats::{Alpha, Interval};

/// Codes of labels, one an item.
pub(super) type Codes = Vec<Option<u32>>;

/// κ and what it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kappa {
    /// κ.
    pub value: f64,
    /// Its interval; absent where the table leaves κ no standard error.
    pub interval: Option<Interval>,
    /// Its standard error.
    pub se: Option<f64>,
    /// Agreement expected by chance.
    pub expected_agreement: f64,
    /// Both sides used one and the same label throughout: κ is 0/0 and stands at 1 by convention only.
    pub degenerate: bool,
}

impl From<CohenKappa> for Kappa {
    fn from(found: CohenKappa) -> Self {
        Self {
            value: found.kappa,
            interval: found.interval,
            se: found.se,
            expected_agreement: found.expected_agreement,
            degenerate: found.degenerate,
        }
    }
}

/// A coefficient with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Coefficients {
    /// The coefficient.
    pub value: f64,
    /// Its interval; absent where nothing varies.
    pub interval: Option<Interval>,
}

/// What follows from labels having an order, or being numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ordered {
    /// Whether the order was stated; else it is that of the numbers, and nobody said that it means anything.
    pub stated: bool,
    /// κ with quadratic weights by places in the list of labels.
    pub quadratic_kappa: Option<Kappa>,
    /// κ with linear weights.
    pub linear_kappa: Option<Kappa>,
    /// Krippendorff's α of the two, ordinal.
    pub alpha_ordinal: Option<Coefficients>,
    /// Krippendorff's α of the two, interval.
    pub alpha_interval: Option<Coefficients>,
    /// Spearman's ρ.
    pub spearman: Option<Correlation>,
    /// Pearson's r.
    pub pearson: Option<Correlation>,
    /// Kendall's τ-b.
    pub kendall: Option<Kendall>,
}

/// Counts by label (row) and grade (column).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The labels, of rows and columns.
    pub labels: Vec<String>,
    /// Rows: the reference; columns: the judge.
    pub rows: Vec<Vec<u64>>,
}

/// Precision, recall and F1 of one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelScores {
    /// The label.
    pub label: String,
    /// How many items have it by the reference.
    pub support: u64,
    /// Its scores.
    #[serde(flatten)]
    pub scores: PrecisionRecall,
}

/// Precision, recall and F1 of the labels that either side used, and their plain means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScores {
    /// Plain means over these labels.
    pub macro_average: PrecisionRecall,
    /// One entry a label, in their order.
    pub by_label: Vec<LabelScores>,
}

/// How often the judge passes what the reference passes, and fails what it fails.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PassFail {
    /// The counts.
    pub table: JudgeTable,
    /// Share of passes that the judge passes (sensitivity); absent without a pass.
    pub true_positive_rate: Option<f64>,
    /// Its Wilson interval.
    pub true_positive_interval: Option<Interval>,
    /// Share of fails that the judge fails (specificity); absent without a fail.
    pub true_negative_rate: Option<f64>,
    /// Its Wilson interval.
    pub true_negative_interval: Option<Interval>,
}

/// A judge against one reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// Whose labels: a rater's name, `consensus`, …
    pub reference: String,
    /// Items with both.
    pub n: usize,
    /// Share of items with the same label.
    pub agreement: Option<f64>,
    /// Cohen's κ.
    pub kappa: Option<Kappa>,
    /// Landis and Koch's word for it.
    pub words: Option<&'static str>,
    /// Gwet's AC1.
    pub ac1: Option<Coefficients>,
    /// Share of each label in both columns together.
    pub prevalence: Option<Vec<f64>>,
    /// The coefficients of ordered labels and numbers.
    pub ordered: Option<Ordered>,
    /// Precision and recall.
    pub classes: Option<ClassScores>,
    /// Pass and fail.
    pub pass_fail: Option<PassFail>,
    /// Who was taken for what.
    pub confusion: Option<Confusion>,
}

impl Against {
    /// The κ that the scale calls for: quadratic where labels have a stated order.
    #[must_use]
    pub fn headline(&self, scale: &Scale) -> Option<Kappa> {
        match scale.measure {
            Measure::Unordered => self.kappa,
            Measure::Ordered => self.ordered.as_ref().and_then(|ordered| ordered.quadratic_kappa),
            Measure::Continuous => None,
        }
    }
}

/// The items on which both have something, as two lists of codes.
pub(super) fn both(first: &[Option<u32>], second: &[Option<u32>]) -> (Vec<u32>, Vec<u32>) {
    first.iter().zip(second).filter_map(|(&a, &b)| a.zip(b)).unzip()
}

/// The table of two columns; none without items, or with too many labels to make one.
pub(super) fn table(first: &[u32], second: &[u32], scale: &Scale) -> Option<RatingTable> {
    if scale.measure == Measure::Continuous || scale.codes > MAX_LABELS {
        return None;
    }
    RatingTable::from_codes(first, second, scale.codes).ok()
}

/// κ of a table under a weighting.
pub(super) fn kappa(table: &RatingTable, weighting: Weighting, alpha: Alpha) -> Kappa {
    cohen_kappa(table, weighting, alpha).into()
}

/// How much is said about one reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All that the scale allows.
    Full,
    /// One of very many raters: what a table of counts gives, without α and without what nobody said about order.
    Counts,
}

/// A judge's column against a reference's.
pub(super) fn against(
    reference: &str,
    labels: &[Option<u32>],
    grades: &[Option<u32>],
    scale: &Scale,
    alpha: Alpha,
) -> Against {
    detailed(reference, labels, grades, (scale, Detail::Full), alpha)
}

/// A judge's column against a reference's, in more or less detail.
pub(super) fn detailed(
    reference: &str,
    labels: &[Option<u32>],
    grades: &[Option<u32>],
    (scale, detail): (&Scale, Detail),
    alpha: Alpha,
) -> Against {
    let (labels, grades) = both(labels, grades);
    let counted = table(&labels, &grades, scale);
    let found = counted.as_ref().map(|table| kappa(table, Weighting::Unweighted, alpha));
    let rows: Option<Vec<Vec<u64>>> = counted.as_ref().map(|table| table.rows().map(<[u64]>::to_vec).collect());
    let raw = counted.as_ref().map(|table| table.agreements() as f64 / table.total() as f64);
    Against {
        reference: reference.to_owned(),
        n: labels.len(),
        agreement: raw,
        kappa: found,
        words: found.filter(|kappa| !kappa.degenerate).map(|kappa| landis_koch(kappa.value)),
        ac1: counted.as_ref().and_then(|table| match detail {
            Detail::Full => ac1(&labels, &grades, scale, alpha),
            Detail::Counts => gwet_ac1(table).map(|value| Coefficients { value, interval: None }),
        }),
        prevalence: counted.as_ref().map(RatingTable::prevalence),
        ordered: ordered(&labels, &grades, counted.as_ref(), (scale, detail), alpha),
        classes: rows.as_deref().and_then(|rows| classes(rows, scale)),
        pass_fail: pass_fail(&labels, &grades, scale, alpha),
        confusion: rows.map(|rows| Confusion { labels: scale.labels.clone(), rows }),
    }
}

fn classes(rows: &[Vec<u64>], scale: &Scale) -> Option<ClassScores> {
    let is_used = |code: &usize| rows[*code].iter().sum::<u64>() + rows.iter().map(|row| row[*code]).sum::<u64>() > 0;
    let used: Vec<usize> = (0..rows.len()).filter(is_used).collect();
    let small: Vec<Vec<u64>> = used.iter().map(|&row| used.iter().map(|&column| rows[row][column]).collect()).collect();
    let matrix = ConfusionMatrix::from_counts(&small).ok()?;
    let by_label = used.iter().zip(matrix.per_class()).zip(matrix.support());
    let by_label =
        by_label.map(|((&code, scores), support)| LabelScores { label: scale.labels[code].clone(), support, scores });
    Some(ClassScores { macro_average: matrix.average(Average::Macro), by_label: by_label.collect() })
}

fn ratings(labels: &[u32], grades: &[u32], value: impl Fn(u32) -> f64) -> Option<Ratings> {
    let units: Vec<[f64; 2]> = labels.iter().zip(grades).map(|(&a, &b)| [value(a), value(b)]).collect();
    Ratings::from_units(&units).ok()
}

fn ac1(labels: &[u32], grades: &[u32], scale: &Scale, alpha: Alpha) -> Option<Coefficients> {
    let every: Vec<f64> = (0..scale.codes).map(|code| code as f64).collect();
    let ratings = ratings(labels, grades, f64::from)?.with_categories(&every).ok()?;
    let found = agreement(&ratings, Coefficient::Gwet, Weights::Identity, alpha).ok()?;
    Some(Coefficients { value: found.value, interval: found.interval })
}

fn ordered(
    labels: &[u32],
    grades: &[u32],
    table: Option<&RatingTable>,
    (scale, detail): (&Scale, Detail),
    alpha: Alpha,
) -> Option<Ordered> {
    let stated = scale.measure == Measure::Ordered || (scale.measure == Measure::Continuous && scale.stated);
    // Two names have no distances, and an order that was denied has none either.
    let is_brief = detail == Detail::Counts;
    if scale.measure == Measure::Unordered && (scale.codes < 3 || scale.stated || is_brief) {
        return None;
    }
    let numbers = scale.numbers.as_ref()?;
    let of = |codes: &[u32]| -> Vec<f64> { codes.iter().map(|&code| numbers[code as usize]).collect() };
    let (x, y) = (of(labels), of(grades));
    let weighted = |weighting| table.map(|table| kappa(table, weighting, alpha));
    let level = |level| {
        if is_brief {
            return None;
        }
        let ratings = ratings(labels, grades, |code| numbers[code as usize])?;
        let found = krippendorff_alpha(&ratings, level, alpha).ok()?;
        Some(Coefficients { value: found.alpha, interval: found.interval })
    };
    Some(Ordered {
        stated,
        quadratic_kappa: weighted(Weighting::Quadratic),
        linear_kappa: weighted(Weighting::Linear),
        alpha_ordinal: level(Level::Ordinal),
        alpha_interval: level(Level::Interval),
        spearman: spearman(&x, &y, alpha).ok(),
        pearson: pearson(&x, &y, alpha).ok(),
        kendall: kendall(&x, &y, alpha).ok(),
    })
}

/// Correlations of a judge's numbers with means of labels, which are no codes.
pub(super) fn correlations(labels: &[f64], grades: &[f64], stated: bool, alpha: Alpha) -> Ordered {
    Ordered {
        stated,
        quadratic_kappa: None,
        linear_kappa: None,
        alpha_ordinal: None,
        alpha_interval: None,
        spearman: spearman(labels, grades, alpha).ok(),
        pearson: pearson(labels, grades, alpha).ok(),
        kendall: kendall(labels, grades, alpha).ok(),
    }
}

fn pass_fail(labels: &[u32], grades: &[u32], scale: &Scale, alpha: Alpha) -> Option<PassFail> {
    // A measurement's pass is the people's; what the judge's own numbers mean is not known.
    let passes = scale.passes.as_ref().filter(|_| scale.measure != Measure::Continuous)?;
    let of = |codes: &[u32]| -> Vec<bool> { codes.iter().map(|&code| passes[code as usize]).collect() };
    let table = JudgeTable::from_labels(&of(labels), &of(grades)).ok()?;
    let rate = |hits: u64, misses: u64| Proportion::new(hits, hits + misses).ok();
    let (positive, negative) = (rate(table.true_pass, table.false_fail), rate(table.true_fail, table.false_pass));
    Some(PassFail {
        table,
        true_positive_rate: positive.map(Proportion::rate),
        true_positive_interval: positive.map(|rate| rate.wilson(alpha)),
        true_negative_rate: negative.map(Proportion::rate),
        true_negative_interval: negative.map(|rate| rate.wilson(alpha)),
    })
}
