//! One side alone: what a run came to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::cell::one_side;
use super::corpus::{BINS, CORPUS_RESAMPLES, PairedSeen};
use super::error::CompareError;
use super::pairing::Matched;
use super::side::{MetricValues, Side};
use crate::record::RunRecord;
use crate::score::Value;
use crate::stats::bootstrap::Resampling;
use crate::stats::calibration::{Binning, calibration_interval};
use crate::stats::{Alpha, BlockMoments, Interval};

/// One metric over all examples of one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricEstimate {
    /// The metric.
    pub metric: String,
    /// What is estimated.
    pub estimate: &'static str,
    /// Scores there are: examples times trials.
    pub scored: u64,
    /// Scores that could not be measured.
    pub unscored: u64,
    /// Scores that passed.
    pub passed: u64,
    /// The estimate; none where it is undefined.
    pub value: Option<f64>,
    /// The same, where it is a mean over examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Its 95 % interval: Wilson for 0/1 values of examples, else t on examples (or groups); of an estimate over the whole
    /// corpus the percentile bootstrap over examples (or groups).
    pub ci: Option<Interval>,
}

/// The estimates of every metric of a side; `seed` is that of the bootstraps.
///
/// # Errors
/// A metric that needs more trials of an example than there are.
pub fn summarise(side: &Side, seed: u64) -> Result<Vec<MetricEstimate>, CompareError> {
    side.metrics.iter().map(|metric| estimate(side, metric, seed)).collect()
}

/// The independent block of an example: its group, or itself.
fn block(side: &Side, example: usize) -> &str {
    let group = side.groups.as_ref().and_then(|groups| groups[example].as_deref());
    group.unwrap_or_else(|| side.ids.get(example))
}

fn estimate(side: &Side, metric: &MetricValues, seed: u64) -> Result<MetricEstimate, CompareError> {
    let (mut scored, mut unscored, mut passed) = (0, 0, 0);
    let mut blocks: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let (mut examples, mut one_trial) = (0, true);
    for example in 0..side.ids.len() {
        let trials = metric.of(example);
        if !trials.is_empty() {
            metric.enough_trials(side.ids.get(example), trials.len())?;
        }
        let values: Vec<f64> = trials.iter().flatten().map(|scored| scored.value).collect();
        let passes = trials.iter().flatten().filter(|scored| scored.passed).count();
        scored += values.len() as u64;
        unscored += (trials.len() - values.len()) as u64;
        passed += passes as u64;
        one_trial &= values.len() < 2;
        if let Some(value) = metric.aggregate.of(&values, passes as u32) {
            let block = blocks.entry(block(side, example)).or_default();
            block.0 += value;
            block.1 += 1.0;
            examples += 1;
        }
    }
    let mut estimate = MetricEstimate {
        metric: metric.name.clone(),
        estimate: metric.estimate.name(),
        scored,
        unscored,
        passed,
        value: None,
        mean: None,
        ci: None,
    };
    if metric.seen.is_some() {
        (estimate.value, estimate.ci) = of_corpus(side, metric, seed);
        return Ok(estimate);
    }
    let mut moments = BlockMoments::default();
    for (sum, size) in blocks.values() {
        moments.push(*sum, *size);
    }
    let single = metric.aggregate.is_binary() || one_trial && metric.is_binary();
    let binary = single && moments.blocks() == examples && metric.scale.low == 0.0 && metric.scale.high == 1.0;
    estimate.mean = moments.mean().ok();
    estimate.value = estimate.mean;
    estimate.ci = one_side(&moments, metric.scale, binary, Alpha::FIVE_PERCENT);
    Ok(estimate)
}

/// The estimate over the whole corpus, and its interval.
fn of_corpus(side: &Side, metric: &MetricValues, seed: u64) -> (Option<f64>, Option<Interval>) {
    let rows: Vec<u32> = (0..side.ids.len() as u32).collect();
    let alone = Matched { baseline: rows.clone(), head: rows, only_baseline: Vec::new(), only_head: Vec::new() };
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let members: Vec<(u32, u32)> = (0..side.ids.len())
        .map(|example| {
            let next = numbers.len() as u32;
            (*numbers.entry(block(side, example)).or_insert(next), example as u32)
        })
        .collect();
    let Some(seen) = PairedSeen::new(metric, metric, &alone) else { return (None, None) };
    let Ok(paired) = seen.on(&members, metric.scale) else { return (None, None) };
    let resampling = Resampling { replicates: CORPUS_RESAMPLES, seed };
    let replicates = paired.bootstrap(resampling, 1).ok().and_then(|replicates| replicates.head);
    let ci = replicates.and_then(|replicates| seen.one_side(&replicates, Alpha::FIVE_PERCENT));
    let calibration = || {
        let ungrouped = numbers.len() == members.len();
        let (confidence, right) = seen.stated_once().filter(|_| ungrouped && metric.estimate.is_calibration_error())?;
        let binning = Binning::EqualWidthRightClosed;
        calibration_interval(&confidence, &right, BINS as usize, binning, resampling, Alpha::FIVE_PERCENT)
            .ok()
            .map(|calibration| calibration.interval)
    };
    (paired.head(), ci.or_else(calibration))
}

/// Given labels against right ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The right labels that occur, by their bytes.
    pub right: Vec<String>,
    /// The labels that were given, by their bytes; an answer without one stands under the empty text.
    pub given: Vec<String>,
    /// How often: rows are right labels, columns given ones; every trial counts.
    pub counts: Vec<Vec<u64>>,
}

/// The confusion matrix of every scorer of a record that gives labels.
#[must_use]
pub fn confusions(record: &RunRecord) -> BTreeMap<String, Confusion> {
    let mut pairs: BTreeMap<&str, BTreeMap<(&str, &str), u64>> = BTreeMap::new();
    // A judge's label is its opinion: there is no right one beside it.
    let judged = |name: &str| record.manifest.asked.scorers.get(name).is_some_and(|scorer| scorer.judge.is_some());
    for row in record.samples.iter().flat_map(|sample| &sample.scores).filter(|row| !judged(&row.scorer)) {
        let (Some(Value::Label(given)), Some(passed)) = (&row.value, row.passed) else { continue };
        let right = if passed { Some(given) } else { row.expected.as_ref() };
        if let Some(right) = right {
            *pairs.entry(&row.scorer).or_default().entry((right, given)).or_default() += 1;
        }
    }
    let matrix = |pairs: &BTreeMap<(&str, &str), u64>| {
        let right: BTreeSet<&str> = pairs.keys().map(|(right, _)| *right).collect();
        let given: BTreeSet<&str> = pairs.keys().map(|(_, given)| *given).collect();
        let count = |right, given| pairs.get(&(right, given)).copied().unwrap_or(0);
        Confusion {
            counts: right.iter().map(|&right| given.iter().map(|&given| count(right, given)).collect()).collect(),
            right: right.into_iter().map(str::to_owned).collect(),
            given: given.into_iter().map(str::to_owned).collect(),
        }
    };
    pairs.iter().map(|(scorer, pairs)| ((*scorer).to_owned(), matrix(pairs))).collect()
}
