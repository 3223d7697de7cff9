//! Two sides, cell by cell: estimates, differences with intervals, tests, flips. Nothing is decided here.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::Serialize;

use super::error::CompareError;
use super::flips::{Flips, find_flips};
use super::pairing::{Matched, Pairing, TrialRange, check_pins, match_ids, pair, trials};
use super::side::{Identity, MetricValues, Side};
use super::slices::{Slice, SliceKeys, slices};
use crate::score::Scale;
use crate::stats::paired::PairedTable;
use crate::stats::proportion::Proportion;
use crate::stats::{Alpha, BlockMoments, Interval, proportional_integers};

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
    /// The label keys of the slice.
    pub keys: Vec<String>,
    /// Passing examples of the baseline that fail in the head.
    pub pass_to_fail: u64,
}

/// One metric, over all examples.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
struct Blocks {
    of: Vec<u32>,
    grouped: bool,
    count: usize,
}

impl Blocks {
    fn new(baseline: &Side, rows: &[u32]) -> Self {
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
        warnings: warnings(baseline, head, &blocks),
        seed: options.seed,
    };
    for name in &names {
        let (b, h) = (metric(baseline, name)?, metric(head, name)?);
        if b.scale != h.scale {
            return Err(CompareError::NotComparable(format!("metric `{name}` has another scale on either side")));
        }
        let paired = PairedMetric::new(b, h, &matched);
        comparison.warnings.extend(paired.warnings(name));
        let cells: Result<Vec<_>, CompareError> =
            slices.par_iter().map(|slice| cell(&paired, slice, &blocks, same.as_deref(), options)).collect();
        comparison.cells.extend(cells?);
        find_flips(&mut comparison.flips, name, &paired, baseline, head, &matched);
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

/// One metric of all shared examples.
pub(super) struct PairedMetric {
    pub(super) summary: MetricSummary,
    pub(super) pairs: Vec<Pairing>,
    pub(super) has_passes: bool,
    /// Whether the baseline and the head have any score.
    scored: Vec<(bool, bool)>,
    /// Every score sits at an end of the scale and every pair has one trial.
    single_binary: bool,
    /// The change of each pair, positive better, as proportional whole numbers; 0 where unscored.
    integers: Vec<i64>,
}

impl PairedMetric {
    fn new(baseline: &MetricValues, head: &MetricValues, matched: &Matched) -> Self {
        let scale = baseline.scale;
        let pairs: Vec<Pairing> = matched
            .baseline
            .par_iter()
            .zip(&matched.head)
            .map(|(&b, &h)| pair(baseline.of(b as usize), head.of(h as usize)))
            .collect();
        let paired = || {
            pairs.iter().filter_map(|pairing| match pairing {
                Pairing::Paired(pair) => Some(pair),
                Pairing::Unscored | Pairing::NotMeant => None,
            })
        };
        let trials_used = paired().map(|pair| pair.trials).max().unwrap_or(0);
        let any = |metric: &MetricValues, row: u32| metric.of(row as usize).iter().any(Option::is_some);
        let scored =
            matched.baseline.iter().zip(&matched.head).map(|(&b, &h)| (any(baseline, b), any(head, h))).collect();
        let changes: Vec<f64> = pairs
            .iter()
            .map(|pairing| match pairing {
                Pairing::Paired(pair) => scale.direction() * (pair.head - pair.baseline),
                Pairing::Unscored | Pairing::NotMeant => 0.0,
            })
            .collect();
        Self {
            summary: MetricSummary {
                name: baseline.name.clone(),
                scale,
                baseline_trials: trials(baseline, &matched.baseline),
                head_trials: trials(head, &matched.head),
                trials_used,
            },
            has_passes: baseline.has_passes && head.has_passes,
            single_binary: trials_used == 1 && baseline.is_binary() && head.is_binary(),
            integers: proportional_integers(&changes),
            scored,
            pairs,
        }
    }

    fn warnings(&self, name: &str) -> Vec<String> {
        let (b, h) = (self.summary.baseline_trials, self.summary.head_trials);
        let mut warnings = Vec::new();
        if b != h {
            let range = |r: TrialRange| {
                if r.least == r.most { r.most.to_string() } else { format!("{} to {}", r.least, r.most) }
            };
            warnings.push(format!(
                "{name}: {} trials in the baseline, {} in the head; of each example the first min(k, k′) of both are used",
                range(b),
                range(h)
            ));
        }
        let unscored = self.pairs.iter().filter(|pairing| **pairing == Pairing::Unscored).count();
        if unscored > 0 {
            warnings.push(format!("{name}: {unscored} of {} pairs are unscored and left out", self.pairs.len()));
        }
        warnings
    }
}

/// Sums over the members of one block.
#[derive(Default, Clone, Copy)]
struct BlockSums {
    members: f64,
    baseline: f64,
    head: f64,
    integer: i64,
}

fn cell(
    paired: &PairedMetric,
    slice: &Slice,
    blocks: &Blocks,
    same: Option<&[bool]>,
    options: &CompareOptions,
) -> Result<CellComparison, CompareError> {
    let scale = paired.summary.scale;
    let mut sums: Vec<(u32, BlockSums)> = Vec::with_capacity(slice.members.len());
    let mut passes = PassTable { both: 0, only_baseline: 0, only_head: 0, neither: 0 };
    let (mut unscored, mut unscored_sides, mut pass_to_fail) = (0, (0, 0), 0);
    for &example in &slice.members {
        let pair = match &paired.pairs[example as usize] {
            Pairing::Paired(pair) => pair,
            Pairing::NotMeant => continue,
            Pairing::Unscored => {
                unscored += 1;
                match paired.scored[example as usize] {
                    (false, true) => unscored_sides.0 += 1,
                    (true, false) => unscored_sides.1 += 1,
                    _ => {}
                }
                continue;
            }
        };
        let (b, h) = (pair.baseline_passes == pair.trials, pair.head_passes == pair.trials);
        match (b, h) {
            (true, true) => passes.both += 1,
            (true, false) => passes.only_baseline += 1,
            (false, true) => passes.only_head += 1,
            (false, false) => passes.neither += 1,
        }
        pass_to_fail += u64::from(paired.has_passes && b && pair.head_passes == 0);
        let block = blocks.of[example as usize];
        sums.push((
            block,
            BlockSums {
                members: 1.0,
                baseline: pair.baseline,
                head: pair.head,
                integer: paired.integers[example as usize],
            },
        ));
    }
    if blocks.grouped {
        sums = merged(sums);
    }
    let (mut change, mut baseline, mut head) = <(BlockMoments, BlockMoments, BlockMoments)>::default();
    for (_, block) in &sums {
        change.push(scale.direction() * (block.head - block.baseline) / scale.width(), block.members);
        baseline.push(block.baseline, block.members);
        head.push(block.head, block.members);
    }
    let n = passes.both + passes.only_baseline + passes.only_head + passes.neither;
    let binary = paired.single_binary && change.blocks() == n;
    let evidence = CellEvidence {
        change,
        // A = head and B = baseline, so that its difference is the change for the better.
        table: binary
            .then(|| PairedTable::new(passes.both, passes.only_head, passes.only_baseline, passes.neither).ok())
            .flatten(),
        trials: paired.summary.trials_used,
        moved: sums.iter().filter(|(_, b)| b.integer != 0).map(|(block, b)| (*block, b.integer)).collect(),
        keys: slice.keys.clone(),
        pass_to_fail,
    };
    let mut cell = CellComparison {
        metric: paired.summary.name.clone(),
        slice: slice.name.clone(),
        n,
        unscored,
        unscored_sides,
        blocks: change.blocks(),
        baseline: baseline.mean().ok(),
        baseline_ci: one_side(&baseline, scale, binary, options.alpha),
        head: head.mean().ok(),
        head_ci: one_side(&head, scale, binary, options.alpha),
        delta: change.mean().ok().map(|mean| mean * scale.width() * scale.direction()),
        ci: None,
        method: "none",
        tests: tests(&evidence),
        passes: binary.then_some(passes),
        same_answers: same.is_some_and(|same| slice.members.iter().all(|&example| same[example as usize])),
        evidence,
    };
    if let Some((interval, method)) = super::interval::of_difference(&cell.evidence, &sums_of(&sums, scale), options)
        .map_err(|source| CompareError::Statistic { what: format!("{} @ {}", cell.metric, cell.slice), source })?
    {
        cell.ci = Some(interval.scaled(scale.width() * scale.direction()));
        cell.method = method;
    }
    Ok(cell)
}

/// Adds up the members of each block, blocks ascending.
fn merged(mut sums: Vec<(u32, BlockSums)>) -> Vec<(u32, BlockSums)> {
    sums.sort_by_key(|(block, _)| *block);
    sums.dedup_by(|(later, from), (block, into)| {
        let same = later == block;
        if same {
            into.members += from.members;
            into.baseline += from.baseline;
            into.head += from.head;
            into.integer += from.integer;
        }
        same
    });
    sums
}

/// (change for the better on a 0..1 scale, size) of each block, for methods that resample.
fn sums_of(sums: &[(u32, BlockSums)], scale: Scale) -> impl Fn() -> Vec<(f64, f64)> {
    move || {
        sums.iter()
            .map(|(_, block)| (scale.direction() * (block.head - block.baseline) / scale.width(), block.members))
            .collect()
    }
}

fn tests(evidence: &CellEvidence) -> Option<Tests> {
    if let Some(table) = evidence.table {
        let corrected = table.mcnemar_corrected();
        return Some(Tests::McNemar {
            mcnemar_exact: table.mcnemar_exact(),
            mcnemar_mid_p: table.mcnemar_mid_p(),
            mcnemar_chi2: corrected.statistic,
            mcnemar_chi2_p: corrected.p,
        });
    }
    evidence.change.t_test().ok().map(|t| Tests::T { t })
}

/// The interval of one side's estimate: Wilson for 0/1 scores, else t on blocks (Wilson on the number of blocks where
/// nothing varies, since an interval of zero width claims too much).
fn one_side(moments: &BlockMoments, scale: Scale, binary: bool, alpha: Alpha) -> Option<Interval> {
    let mean = moments.mean().ok()?;
    let share = (mean - scale.low) / scale.width();
    let varies = moments.standard_error().is_ok_and(|error| error > 1e-12 * scale.width());
    let wilson = |n: u64| {
        let passes = (share * n as f64).round().clamp(0.0, n as f64) as u64;
        let unit = Proportion::new(passes, n).ok()?.wilson(alpha);
        Some(Interval::new(scale.low + unit.low * scale.width(), scale.low + unit.high * scale.width()))
    };
    if binary || !varies {
        return wilson(moments.blocks());
    }
    Some(moments.t_interval(alpha).ok()?.clipped(scale.low, scale.high))
}
