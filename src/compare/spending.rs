//! What a run cost, how long its answers took, and how far its stated confidences can be believed: shown, never decided on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::corpus::BINS;
use crate::call::Source;
use crate::record::{RunRecord, Sample};
use crate::score::Status;
use crate::stats::calibration::{Bin, Binning, ReliabilityRow, errors_from_bins, reliability_table};

/// What the answers of a record took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spending {
    /// Answers: examples times trials.
    pub answers: u64,
    /// Answers that failed.
    pub failed: u64,
    /// Answers that were asked for now, where the record says where they came from.
    pub live: Option<u64>,
    /// Tokens in, over the answers that say.
    pub input_tokens: Option<u64>,
    /// Tokens out, over the answers that say.
    pub output_tokens: Option<u64>,
    /// US dollars in all, where a price is known for every answer that has tokens.
    pub cost_usd: Option<f64>,
    /// Median latency in milliseconds.
    pub latency_p50: Option<f64>,
    /// 95th percentile of the latency in milliseconds.
    pub latency_p95: Option<f64>,
    /// Mean length of an answer in characters.
    pub answer_length: Option<f64>,
}

/// The value at or below which the share `level` of sorted values lies (nearest rank).
pub(super) fn at_rank(sorted: &[f64], level: f64) -> Option<f64> {
    let rank = (level * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// What a record's answers took. A blessed baseline keeps answers and scores only, so most of it is unknown there.
#[must_use]
pub fn spending(record: &RunRecord) -> Spending {
    let samples = &record.samples;
    let mut latencies: Vec<f64> = samples.iter().filter_map(|sample| sample.latency_ms).collect();
    latencies.sort_by(f64::total_cmp);
    let tokens = |of: fn(&Sample) -> Option<u64>| {
        let known: Vec<u64> = samples.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum())
    };
    let costs: Vec<f64> = samples.iter().filter_map(|sample| sample.cost_usd).collect();
    let answered: Vec<&String> = samples.iter().filter_map(|sample| sample.answer.as_ref()).collect();
    Spending {
        answers: samples.len() as u64,
        failed: samples.iter().filter(|sample| sample.error.is_some()).count() as u64,
        live: samples
            .iter()
            .all(|sample| sample.source.is_some())
            .then(|| samples.iter().filter(|sample| sample.source == Some(Source::Live)).count() as u64),
        input_tokens: tokens(|sample| sample.usage.map(|usage| usage.input_tokens)),
        output_tokens: tokens(|sample| sample.usage.map(|usage| usage.output_tokens)),
        cost_usd: (!costs.is_empty()).then(|| costs.iter().sum()),
        latency_p50: at_rank(&latencies, 0.50),
        latency_p95: at_rank(&latencies, 0.95),
        answer_length: (!answered.is_empty())
            .then(|| answered.iter().map(|answer| answer.chars().count() as f64).sum::<f64>() / answered.len() as f64),
    }
}

/// Stated confidence against the share of right answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// Bin by bin; bins of equal width, empty ones included.
    pub rows: Vec<ReliabilityRow>,
    /// The expected calibration error.
    pub error: f64,
}

/// Stated confidence against the share of right answers, in bins of equal width, of every scorer that answers state a
/// confidence to. A score whose answer states none is left out here.
#[must_use]
pub fn reliability(record: &RunRecord) -> BTreeMap<String, Reliability> {
    let mut stated: BTreeMap<&str, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for row in record.samples.iter().flat_map(|sample| &sample.scores) {
        if let (Some(confidence), Some(passed), Status::Scored) = (row.confidence, row.passed, row.status) {
            let (confidences, right) = stated.entry(&row.scorer).or_default();
            confidences.push(confidence);
            right.push(passed);
        }
    }
    let table = |(confidences, right): (Vec<f64>, Vec<bool>)| {
        let rows = reliability_table(&confidences, &right, BINS as usize, Binning::EqualWidthRightClosed).ok()?;
        let bins: Vec<Bin> = rows.iter().map(|row| row.bin).collect();
        Some(Reliability { error: errors_from_bins(&bins).ok()?.expected, rows })
    };
    stated.into_iter().filter_map(|(scorer, pairs)| Some((scorer.to_owned(), table(pairs)?))).collect()
}

/// One candidate by what it costs and how good it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostQuality {
    /// The candidate, or the run.
    pub name: String,
    /// US dollars an answer.
    pub cost: f64,
    /// The metric.
    pub quality: f64,
}

/// Which candidates no other beats in one of cost and quality without losing in the other.
#[must_use]
pub fn pareto_front(points: &[CostQuality], higher_is_better: bool) -> Vec<bool> {
    let better = |a: f64, b: f64| if higher_is_better { a > b } else { a < b };
    let dominates = |a: &CostQuality, b: &CostQuality| {
        a.cost <= b.cost && !better(b.quality, a.quality) && (a.cost < b.cost || better(a.quality, b.quality))
    };
    points.iter().map(|point| !points.iter().any(|other| dominates(other, point))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(at_rank(&sorted, 0.5), Some(10.0));
        assert_eq!(at_rank(&sorted, 0.95), Some(19.0));
        assert_eq!(at_rank(&[3.0], 0.95), Some(3.0));
        assert_eq!(at_rank(&[], 0.5), None);
    }

    #[test]
    fn the_front_is_what_nobody_beats() {
        let point = |cost: f64, quality: f64| CostQuality { name: String::new(), cost, quality };
        let points = [point(1.0, 0.5), point(2.0, 0.9), point(3.0, 0.8), point(2.0, 0.9), point(1.5, 0.5)];
        assert_eq!(pareto_front(&points, true), [true, true, false, true, false]);
        assert_eq!(pareto_front(&points[..3], false), [true, false, false]);
    }
}
