//! One side alone: what a run came to.

use serde::Serialize;

use super::side::{MetricValues, Side};
use crate::stats::proportion::Proportion;
use crate::stats::{Alpha, BlockMoments, Interval};

/// One metric over all examples of one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricEstimate {
    /// The metric.
    pub metric: String,
    /// Scores there are: examples times trials.
    pub scored: u64,
    /// Scores that could not be measured.
    pub unscored: u64,
    /// Scores that passed.
    pub passed: u64,
    /// The mean.
    pub mean: Option<f64>,
    /// Its 95 % interval: Wilson for 0/1 scores of one trial, else t on examples (or groups).
    pub ci: Option<Interval>,
}

/// The estimates of every metric of a side.
#[must_use]
pub fn summarise(side: &Side) -> Vec<MetricEstimate> {
    side.metrics.iter().map(|metric| estimate(side, metric)).collect()
}

fn estimate(side: &Side, metric: &MetricValues) -> MetricEstimate {
    let (mut scored, mut unscored, mut passed) = (0, 0, 0);
    let mut blocks: std::collections::BTreeMap<&str, (f64, f64)> = std::collections::BTreeMap::new();
    let mut one_trial = true;
    for example in 0..side.ids.len() {
        let trials = metric.of(example);
        let values: Vec<f64> = trials.iter().flatten().map(|scored| scored.value).collect();
        scored += values.len() as u64;
        unscored += (trials.len() - values.len()) as u64;
        passed += trials.iter().flatten().filter(|scored| scored.passed).count() as u64;
        one_trial &= values.len() < 2;
        if !values.is_empty() {
            let group = side.groups.as_ref().and_then(|groups| groups[example].as_deref());
            one_trial &= group.is_none();
            let block = blocks.entry(group.unwrap_or_else(|| side.ids.get(example))).or_default();
            block.0 += values.iter().sum::<f64>() / values.len() as f64;
            block.1 += 1.0;
        }
    }
    let mut moments = BlockMoments::default();
    for (sum, size) in blocks.values() {
        moments.push(*sum, *size);
    }
    let ci = if one_trial && metric.is_binary() && metric.scale.low == 0.0 && metric.scale.high == 1.0 {
        Proportion::new((moments.mean().unwrap_or(0.0) * scored as f64).round() as u64, scored)
            .ok()
            .map(|share| share.wilson(Alpha::FIVE_PERCENT))
    } else {
        moments.t_interval(Alpha::FIVE_PERCENT).ok().map(|ci| ci.clipped(metric.scale.low, metric.scale.high))
    };
    MetricEstimate { metric: metric.name.clone(), scored, unscored, passed, mean: moments.mean().ok(), ci }
}
