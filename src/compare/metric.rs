//! Metrics as they stand in the config: an estimate over the scores of one scorer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::side::Scored;
use crate::record::RunRecord;
use crate::score::{Scale, ScoreRow, Status};

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// The mean of the values; a label counts 1 where it is right.
    #[default]
    Mean,
    /// The share of passes.
    PassRate,
}

/// `[metrics] NAME = { scorer = "…", estimate = "…" }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// The scorer.
    pub scorer: String,
    /// The part of its outcome; empty where it has only one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// What is estimated.
    #[serde(default)]
    pub estimate: Estimate,
}

impl MetricSpec {
    /// The scale of the metric, given that of the scorer.
    pub(super) const fn scale(&self, scorer: Scale) -> Scale {
        match self.estimate {
            Estimate::Mean => scorer,
            Estimate::PassRate => Scale::UNIT,
        }
    }

    /// What one score says to the metric; `None` is unscored.
    pub(super) fn value(&self, row: &ScoreRow) -> Option<Scored> {
        if row.status == Status::Unscored {
            return None;
        }
        let passed = row.passed?;
        let share = f64::from(u8::from(passed));
        let value = match self.estimate {
            Estimate::PassRate => share,
            // A label is no number; what it contributes to a mean is whether it is right.
            Estimate::Mean => row.value.as_ref()?.as_number().unwrap_or(share),
        };
        Some(Scored { value, passed })
    }
}

/// The mean of every scorer and part, under the scorer's name (`scorer.part` where there are parts).
#[must_use]
pub fn default_metrics(record: &RunRecord) -> BTreeMap<String, MetricSpec> {
    let rows = record.samples.iter().flat_map(|sample| &sample.scores);
    let mut metrics = BTreeMap::new();
    for row in rows {
        let name = if row.part.is_empty() { row.scorer.clone() } else { format!("{}.{}", row.scorer, row.part) };
        metrics.entry(name).or_insert_with(|| MetricSpec {
            scorer: row.scorer.clone(),
            part: row.part.clone(),
            estimate: Estimate::Mean,
        });
    }
    metrics
}
