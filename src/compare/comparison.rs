//! Two sides, cell by cell: estimates, differences with intervals, tests, flips. Nothing is decided here.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cell::cell;
use super::corpus::CorpusEvidence;
use super::error::CompareError;
use super::flips::{Flips, find_flips};
use super::length::{LengthProfile, lengths_of_both};
use super::measure::{PairedMeasure, paired as paired_measures};
use super::paired_metric::PairedMetric;
use super::pairing::{Matched, TrialRange, check_pins, match_ids};
use super::side::{Identity, JudgedBy, MetricValues, Side};
use super::slices::{SliceKeys, slices};
use super::watched::{Watched, watched};
use crate::score::Scale;
use crate::stats::paired::PairedTable;
use crate::stats::trial_permutation::BlockTrials;
use crate::stats::{Alpha, BlockMoments, Interval};

/// How to make the interval of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IntervalMethod {
    /// Tango for 0/1 scores of one trial without groups, else t on blocks with a pseudo pair.
    #[default]
    Auto,
    /// Tango's score interval; 0/1 scores of one trial without groups.
    Tango,
    /// Newcombe's hybrid score interval; likewise.
    Newcombe,
    /// Difference ± z × standard error of the paired differences.
    Wald,
    /// Percentile bootstrap over blocks.
    Bootstrap,
    /// Bias-corrected and accelerated bootstrap over examples; no groups.
    Bca,
}

/// τ: the drop of a run as a whole that is tolerated, as a share of a metric's scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tolerances {
    /// Of metrics that have none of their own.
    pub general: f64,
    /// By metric.
    pub of_metric: BTreeMap<String, f64>,
}

impl Tolerances {
    /// That of a metric.
    #[must_use]
    pub fn of(&self, metric: &str) -> f64 {
        self.of_metric.get(metric).copied().unwrap_or(self.general)
    }
}

/// What to compare, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// The slices.
    pub slices: SliceKeys,
    /// Names of the metrics to compare, in order; empty takes all that the baseline has.
    pub metrics: Vec<String>,
    /// How to make intervals.
    pub interval: IntervalMethod,
    /// The error rate of the intervals.
    pub alpha: Alpha,
    /// The drops that tests of "worse" are to tolerate.
    pub tolerances: Tolerances,
    /// Examples whose passes are to be kept, whatever they are.
    pub watched: Vec<String>,
    /// Seed of whatever draws.
    pub seed: u64,
}

/// The 2 × 2 table of passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PassTable {
    /// Both sides pass.
    pub both: u64,
    /// Only the baseline passes.
    pub only_baseline: u64,
    /// Only the head passes.
    pub only_head: u64,
    /// Neither passes.
    pub neither: u64,
}

/// p-values of "no difference", two-sided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Tests {
    /// 0/1 scores of one trial without groups.
    McNemar {
        /// Exact conditional test.
        mcnemar_exact: f64,
        /// Exact test with mid-p.
        mcnemar_mid_p: f64,
        /// χ² with continuity correction, clamped at 0: statistic.
        mcnemar_chi2: f64,
        /// Its p-value.
        mcnemar_chi2_p: f64,
    },
    /// Everything else.
    T {
        /// t test on blocks.
        t: f64,
    },
}

/// One metric on one slice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellComparison {
    /// The metric.
    pub metric: String,
    /// The slice.
    pub slice: String,
    /// Examples with a score on both sides.
    pub n: u64,
    /// Examples of the slice that have none on one side.
    pub unscored: u64,
    /// Examples that only the baseline, and only the head, has no score for.
    #[serde(skip)]
    pub unscored_sides: (u64, u64),
    /// Independent blocks among the `n`: groups, or examples.
    pub blocks: u64,
    /// Estimate of the baseline.
    pub baseline: Option<f64>,
    /// Its interval.
    pub baseline_ci: Option<Interval>,
    /// Estimate of the head.
    pub head: Option<f64>,
    /// Its interval.
    pub head_ci: Option<Interval>,
    /// Head minus baseline, in units of the metric.
    pub delta: Option<f64>,
    /// Its interval.
    pub ci: Option<Interval>,
    /// How `ci` was made.
    pub method: &'static str,
    /// Tests of no difference.
    #[serde(flatten)]
    pub tests: Option<Tests>,
    /// The table of passes, for 0/1 scores of one trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<PassTable>,
    /// Whether every answer of the cell is the same, byte for byte, on both sides.
    pub same_answers: bool,
    /// What the decision needs.
    #[serde(skip)]
    pub evidence: CellEvidence,
}

/// The numbers behind a cell from which the gate decides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CellEvidence {
    /// Moments of the change per block, on a 0..1 scale where positive is better.
    pub change: BlockMoments,
    /// The passes for 0/1 scores of one trial without groups, A = head and B = baseline.
    pub table: Option<PairedTable>,
    /// Most trials a pair uses.
    pub trials: u32,
    /// (block, change as a proportional whole number, positive is better) for blocks that moved.
    pub moved: Vec<(u32, i64)>,
    /// The values of the baseline and of the head, in units of the metric; one block a group, or an example.
    pub sides: (BlockMoments, BlockMoments),
    /// The drop that is tolerated, as a share of the scale.
    pub tolerance: f64,
    /// Where it is not 0: the same of every block's change plus the tolerance, for blocks where that is not 0.
    pub beyond: Option<Vec<(u32, i64)>>,
    /// The label keys of the slice.
    pub keys: Vec<String>,
    /// Passing examples of the baseline that fail in the head.
    pub pass_to_fail: u64,
    /// Where the sides have different numbers of trials: their values, positive is better, ascending by block.
    pub unequal_trials: Vec<BlockTrials>,
    /// For an estimate that is no mean over examples, what takes the place of `change`, `table` and `moved`.
    pub corpus: Option<CorpusEvidence>,
}

/// One metric, over all examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Its name.
    pub name: String,
    /// Its scale.
    pub scale: Scale,
    /// Trials of the baseline.
    pub baseline_trials: TrialRange,
    /// Trials of the head.
    pub head_trials: TrialRange,
    /// The most trials that a pair uses.
    pub trials_used: u32,
    /// The drop that is tolerated, as a share of the scale.
    pub tolerance: f64,
}

/// Everything that two sides say about each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The baseline.
    pub baseline: Identity,
    /// The head.
    pub head: Identity,
    /// Examples that both sides have.
    pub pairs: u64,
    /// Ids that only the baseline has (the first few), and how many.
    pub only_baseline: Missing,
    /// Ids that only the head has (the first few), and how many.
    pub only_head: Missing,
    /// The metrics.
    pub metrics: Vec<MetricSummary>,
    /// The cells: metric by metric, `overall` first, then slices in the order of their keys.
    pub cells: Vec<CellComparison>,
    /// Examples that passed before and fail now, and the reverse, of each metric.
    pub flips: Flips,
    /// The examples that were to be watched, metric by metric.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Watched>,
    /// The metrics that judges make; the same judges on both sides, or the pins would differ.
    #[serde(skip)]
    pub judges: Vec<JudgedBy>,
    /// What the answers of both sides took, where both were measured.
    #[serde(skip)]
    pub measures: Vec<PairedMeasure>,
    /// What judges say by the length of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<LengthProfile>,
    /// What a reader should know before trusting the numbers.
    pub warnings: Vec<String>,
    /// The seed of whatever drew.
    pub seed: u64,
}

/// Examples that one side lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// How many.
    pub count: u64,
    /// The first ones.
    pub ids: Vec<String>,
}

impl Missing {
    fn of(side: &Side, rows: &[u32]) -> Self {
        const MOST: usize = 20;
        Self {
            count: rows.len() as u64,
            ids: rows.iter().take(MOST).map(|&row| side.ids.get(row as usize).to_owned()).collect(),
        }
    }
}

/// The independent blocks of the paired examples: their group, or themselves.
pub(super) struct Blocks {
    pub(super) of: Vec<u32>,
    pub(super) grouped: bool,
    count: usize,
}

impl Blocks {
    pub(super) fn new(baseline: &Side, rows: &[u32]) -> Self {
        let Some(groups) = &baseline.groups else {
            return Self { of: (0..rows.len() as u32).collect(), grouped: false, count: rows.len() };
        };
        // Numbered by first appearance in the order of ids, so that the order of the file has no say.
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut count = 0;
        let mut grouped = false;
        let of = rows
            .iter()
            .map(|&row| {
                let next = count;
                let number = match &groups[row as usize] {
                    Some(group) => *numbers.entry(group).or_insert(next),
                    None => next,
                };
                if number == next {
                    count += 1;
                } else {
                    grouped = true;
                }
                number
            })
            .collect();
        Self { of, grouped, count: count as usize }
    }
}

/// Compares two sides.
///
/// # Errors
/// [`CompareError::NotComparable`] when pins differ or no example is shared; [`CompareError::Input`] for an unknown metric
/// or label key.
pub fn compare(baseline: &Side, head: &Side, options: &CompareOptions) -> Result<Comparison, CompareError> {
    check_pins(baseline.identity.pins.as_ref(), head.identity.pins.as_ref())?;
    let matched = match_ids(baseline, head);
    if matched.baseline.is_empty() {
        return Err(CompareError::NotComparable(format!(
            "{} and {} have no id in common",
            baseline.identity.source, head.identity.source
        )));
    }
    let slices = slices(baseline, &matched.baseline, &options.slices).map_err(CompareError::Input)?;
    let blocks = Blocks::new(baseline, &matched.baseline);
    let same = same_answers(baseline, head, &matched);

    let names: Vec<String> = if options.metrics.is_empty() {
        baseline.metrics.iter().map(|metric| metric.name.clone()).collect()
    } else {
        options.metrics.clone()
    };
    let mut comparison = Comparison {
        baseline: baseline.identity.clone(),
        head: head.identity.clone(),
        pairs: matched.baseline.len() as u64,
        only_baseline: Missing::of(baseline, &matched.only_baseline),
        only_head: Missing::of(head, &matched.only_head),
        metrics: Vec::new(),
        cells: Vec::new(),
        flips: Flips::default(),
        watched: Vec::new(),
        judges: if head.judges.is_empty() { baseline.judges.clone() } else { head.judges.clone() },
        measures: paired_measures(&baseline.measured, &head.measured, &matched, &blocks.of),
        lengths: lengths_of_both(&baseline.judged_scores, &head.judged_scores, &matched),
        warnings: warnings(baseline, head, &blocks),
        seed: options.seed,
    };
    for name in &names {
        let (b, h) = (metric(baseline, name)?, metric(head, name)?);
        let compared = compared_with(baseline, head, b)?;
        let b = compared.as_ref().unwrap_or(b);
        if b.scale != h.scale {
            return Err(CompareError::NotComparable(format!("metric `{name}` has another scale on either side")));
        }
        enough_trials(baseline, b, h, &matched)?;
        let paired = PairedMetric::new(b, h, &matched, options.tolerances.of(name));
        comparison.warnings.extend(paired.warnings(name));
        let cells: Result<Vec<_>, CompareError> =
            slices.par_iter().map(|slice| cell(&paired, slice, &blocks, same.as_deref(), options)).collect();
        comparison.cells.extend(cells?);
        find_flips(&mut comparison.flips, name, &paired, baseline, head, &matched);
        comparison.watched.extend(watched(&options.watched, &paired, baseline, &matched));
        comparison.metrics.push(paired.summary);
    }
    Ok(comparison)
}

fn metric<'a>(side: &'a Side, name: &str) -> Result<&'a MetricValues, CompareError> {
    side.metrics.iter().find(|metric| metric.name == name).ok_or_else(|| {
        let has: Vec<_> = side.metrics.iter().map(|metric| format!("`{}`", metric.name)).collect();
        CompareError::Input(format!("{} has no metric `{name}`; it has {}", side.identity.source, has.join(", ")))
    })
}

/// Of answers that a judge compared with the baseline's, the preference is the change itself: the baseline counts as
/// compared with itself. Both sides may also have been compared with one other record.
fn compared_with(baseline: &Side, head: &Side, metric: &MetricValues) -> Result<Option<MetricValues>, CompareError> {
    let (Some(_), Some(b), Some(h)) = (metric.tie, &baseline.identity.pins, &head.identity.pins) else {
        return Ok(None);
    };
    match (&h.against, &b.against) {
        (Some(against), _) if *against == baseline.identity.sha256 => Ok(Some(metric.with_itself())),
        (of_head, of_baseline) if of_head == of_baseline => Ok(None),
        _ => Err(CompareError::NotComparable(format!(
            "metric `{}`: the head was not compared with the answers of this baseline; run it with --against {}",
            metric.name, baseline.identity.source
        ))),
    }
}

/// Refuses a metric that needs more trials of an example than both sides have.
fn enough_trials(side: &Side, b: &MetricValues, h: &MetricValues, matched: &Matched) -> Result<(), CompareError> {
    for (&row, &other) in matched.baseline.iter().zip(&matched.head) {
        let (of_baseline, of_head) = (b.of(row as usize).len(), h.of(other as usize).len());
        // An example without any trial is one that the metric is not about, or that is unscored.
        if of_baseline > 0 && of_head > 0 {
            b.enough_trials(side.ids.get(row as usize), of_baseline.min(of_head))?;
        }
    }
    Ok(())
}

fn warnings(baseline: &Side, head: &Side, blocks: &Blocks) -> Vec<String> {
    let mut warnings = Vec::new();
    let tables: Vec<&str> = [baseline, head]
        .into_iter()
        .filter(|side| side.identity.pins.is_none())
        .map(|side| side.identity.name.as_str())
        .collect();
    if !tables.is_empty() {
        warnings.push(format!(
            "unpinned: {}: of plain tables it is taken on trust that both sides saw the same examples and scorers",
            tables.join(", ")
        ));
    }
    if blocks.grouped && blocks.count < 30 {
        warnings.push(format!("only {} independent groups: intervals from fewer than 30 are rough", blocks.count));
    }
    warnings
}

fn same_answers(baseline: &Side, head: &Side, matched: &Matched) -> Option<Vec<bool>> {
    let (b, h) = (baseline.answers.as_ref()?, head.answers.as_ref()?);
    Some(matched.baseline.iter().zip(&matched.head).map(|(&i, &j)| b[i as usize] == h[j as usize]).collect())
}
