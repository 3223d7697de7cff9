//! Examples that a policy names one by one.

use serde::Serialize;

use super::paired_metric::PairedMetric;
use super::pairing::{Matched, Pairing};
use super::side::Side;

/// How a named example fared under one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// The example.
    pub id: String,
    /// The metric.
    pub metric: String,
    /// Passing trials of the baseline, and how many there are.
    pub baseline: (u32, u32),
    /// Passing trials of the head, and how many there are.
    pub head: (u32, u32),
}

/// The named examples that both sides have under a metric that knows passes.
pub(super) fn watched(ids: &[String], paired: &PairedMetric, baseline: &Side, matched: &Matched) -> Vec<Watched> {
    if !paired.has_passes || ids.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (&row, pairing) in matched.baseline.iter().zip(&paired.pairs) {
        let Pairing::Paired(pair) = pairing else { continue };
        let id = baseline.ids.get(row as usize);
        if ids.iter().any(|wanted| wanted == id) {
            let (before, now) = (pair.baseline_trials, pair.head_trials);
            found.push(Watched {
                id: id.to_owned(),
                metric: paired.summary.name.clone(),
                baseline: (before.passed, before.used),
                head: (now.passed, now.used),
            });
        }
    }
    found
}
