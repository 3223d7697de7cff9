//! What the records behind a verdict add to it: examples, label tables, stated confidence, cost against quality, the past.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::examples::Examples;
use crate::compare::{Confusion, CostQuality, Reliability, confusions, pareto_front, reliability};
use crate::record::RunRecord;

/// Both sides' label tables of a scorer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionPair {
    /// The scorer.
    pub scorer: String,
    /// The baseline's.
    pub baseline: Option<Confusion>,
    /// The head's.
    pub head: Option<Confusion>,
}

/// Both sides' stated confidence of a scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityPair {
    /// The scorer.
    pub scorer: String,
    /// The baseline's.
    pub baseline: Option<Reliability>,
    /// The head's.
    pub head: Option<Reliability>,
}

/// Candidates by cost and quality.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// The metric.
    pub metric: String,
    /// Whether the metric is a share, written in per cent.
    pub percent: bool,
    /// The candidates, each with whether no other beats it.
    pub points: Vec<(CostQuality, bool)>,
}

impl Candidates {
    /// Candidates under a metric; `None` with fewer than two.
    #[must_use]
    pub fn new(metric: &str, percent: bool, higher_is_better: bool, points: Vec<CostQuality>) -> Option<Self> {
        let front = pareto_front(&points, higher_is_better);
        let points: Vec<_> = points.into_iter().zip(front).collect();
        (points.len() > 1).then(|| Self { metric: metric.to_owned(), percent, points })
    }
}

/// One check of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// When, or which commit.
    pub when: String,
    /// What came of it.
    pub decision: Option<String>,
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
}

/// The checks of a history, a JSON object a line. A line that is none of ours is passed over: a report must not fail on it.
#[must_use]
pub fn looks(history: &str) -> Vec<Look> {
    history.lines().filter_map(look).collect()
}

fn look(line: &str) -> Option<Look> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |names: &[&str]| names.iter().find_map(|name| line.get(name)?.as_str()).map(str::to_owned);
    let number =
        |value: &Value| value.as_f64().or_else(|| ["head", "value"].iter().find_map(|key| value.get(key)?.as_f64()));
    let metrics = line.get("metrics")?.as_object()?.iter();
    Some(Look {
        when: text(&["date", "as_of", "at", "time", "finished", "commit", "git_revision", "run_id"])?,
        decision: text(&["decision", "verdict"]),
        metrics: metrics.filter_map(|(name, value)| Some((name.clone(), number(value)?))).collect(),
    })
}

/// Everything beside the view.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Details {
    /// The examples, where there are records.
    pub examples: Option<Examples>,
    /// Label tables.
    pub confusions: Vec<ConfusionPair>,
    /// Stated confidence.
    pub reliability: Vec<ReliabilityPair>,
    /// Candidates by cost and quality.
    pub candidates: Option<Candidates>,
    /// The checks of the past.
    pub history: Vec<Look>,
}

/// Both sides' values by name, where either has one.
fn both<T>(mut baseline: BTreeMap<String, T>, mut head: BTreeMap<String, T>) -> Vec<(String, Option<T>, Option<T>)> {
    let names: BTreeSet<String> = baseline.keys().chain(head.keys()).cloned().collect();
    names
        .into_iter()
        .map(|name| {
            let (before, now) = (baseline.remove(&name), head.remove(&name));
            (name, before, now)
        })
        .collect()
}

impl Details {
    /// What two records (or one) show beside `examples`.
    #[must_use]
    pub fn of_records(baseline: Option<&RunRecord>, head: &RunRecord, examples: Examples) -> Self {
        let labels = both(baseline.map(confusions).unwrap_or_default(), confusions(head));
        let stated = both(baseline.map(reliability).unwrap_or_default(), reliability(head));
        Self {
            examples: Some(examples),
            confusions: labels
                .into_iter()
                .map(|(scorer, baseline, head)| ConfusionPair { scorer, baseline, head })
                .collect(),
            reliability: stated
                .into_iter()
                .map(|(scorer, baseline, head)| ReliabilityPair { scorer, baseline, head })
                .collect(),
            candidates: None,
            history: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_far_as_it_can_be() {
        let text = "{\"date\":\"2026-11-01\",\"decision\":\"pass\",\"metrics\":{\"routing\":0.8,\"note\":\"x\"}}\n\nnonsense\n\
                    [1]\n{\"commit\":\"abc\",\"metrics\":{\"routing\":{\"head\":0.7}}}\n{\"metrics\":{}}\n";
        let looks = looks(text);
        assert_eq!(looks.len(), 2);
        assert_eq!((looks[0].when.as_str(), looks[0].metrics["routing"]), ("2026-11-01", 0.8));
        assert_eq!((looks[1].decision.as_deref(), looks[1].metrics["routing"]), (None, 0.7));
    }
}
