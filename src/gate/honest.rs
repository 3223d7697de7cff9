//! Honest baselines beside the head: is it better than what an afternoon makes? They are shown, and decide nothing.

use serde::{Deserialize, Serialize};

/// How the head stands to a baseline, by the 95 % interval of the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The whole interval is for the head.
    Beats,
    /// The interval holds 0, or there is none.
    Open,
    /// The whole interval is against it.
    Loses,
}

/// A baseline and the head under one metric, over the examples that both answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HonestScore {
    /// The metric.
    pub metric: String,
    /// Pairs with a score on both sides.
    pub n: u64,
    /// Estimate of the baseline.
    pub baseline: Option<f64>,
    /// Its 95 % interval.
    pub baseline_ci: Option<[f64; 2]>,
    /// Estimate of the head.
    pub head: Option<f64>,
    /// Its 95 % interval.
    pub head_ci: Option<[f64; 2]>,
    /// Head minus baseline, in units of the metric.
    pub delta: Option<f64>,
    /// Two-sided 95 % interval of `delta`.
    pub ci: Option<[f64; 2]>,
    /// How `ci` was made.
    pub method: String,
    /// How the head stands to it.
    pub standing: Standing,
}

/// A baseline that an afternoon makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HonestBaseline {
    /// Its name.
    pub name: String,
    /// Its kind: `random`, `majority`, `keyword` or `nearest`.
    pub kind: String,
    /// What it learned from: the set itself with each example left out, or a file; nothing of rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned_from: Option<String>,
    /// SHA-256 over its settings and the files that decide its answers, among them what it learned from.
    pub digest: String,
    /// Where its record is.
    pub source: String,
    /// SHA-256 of its record.
    pub record_sha256: String,
    /// Beside the head, metric by metric.
    pub scores: Vec<HonestScore>,
}
