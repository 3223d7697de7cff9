//! Metrics as they stand in the config: an estimate over the scores of one scorer.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::estimate::Estimate;
use super::side::{Scored, Seen};
use crate::record::RunRecord;
use crate::score::{Scale, ScoreRow, ScorerSpec, Status, Value};
use crate::stats::StatError;
use crate::stats::retrieval::{Gain, RankedQuery};
use crate::table::Category;

/// `[metrics] NAME = { scorer = "…", estimate = "…" }`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
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
    /// The k of an estimate that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<NonZeroU32>,
    /// The label of an estimate that is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl MetricSpec {
    /// Refuses a `k` or `label` that is missing or means nothing, and a scorer that the estimate cannot be made from.
    ///
    /// # Errors
    /// A sentence that says what is needed.
    pub fn check(&self, scorer: Option<&ScorerSpec>) -> Result<(), String> {
        let name = self.estimate.name();
        match (self.estimate.takes_k(), self.k) {
            (true, None) => return Err(format!("`{name}` needs `k`, as in `k = 3`")),
            (false, Some(_)) => return Err(format!("`{name}` has no `k`")),
            _ => {}
        }
        match (self.estimate.takes_label(), &self.label) {
            (true, None) => return Err(format!("`{name}` needs `label`, the label it is about")),
            (false, Some(_)) => return Err(format!("`{name}` has no `label`")),
            _ => {}
        }
        let Some(scorer) = scorer else { return Ok(()) };
        self.estimate.check(scorer)?;
        match (scorer, &self.label) {
            (ScorerSpec::Label(spec), Some(label)) if !spec.labels.contains(label) => {
                let has: Vec<_> = spec.labels.iter().map(|label| format!("`{label}`")).collect();
                Err(format!("scorer `{}` has no label `{label}`; it has {}", self.scorer, has.join(", ")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a `k` that no example has as many trials for.
    ///
    /// # Errors
    /// A sentence.
    pub fn check_trials(&self, trials: u32) -> Result<(), String> {
        let needed = self.aggregate().fewest_trials();
        if trials < needed {
            return Err(format!(
                "`{}` with k = {needed} needs at least {needed} trials of each example; the run has {trials}",
                self.estimate.name()
            ));
        }
        Ok(())
    }

    /// The scale of the metric, given that of the scorer.
    pub(super) const fn scale(&self, scorer: Scale) -> Scale {
        self.estimate.scale(scorer)
    }

    fn k(&self) -> u32 {
        self.k.map_or(1, NonZeroU32::get)
    }

    /// What becomes of the trials of an example.
    pub(super) fn aggregate(&self) -> Aggregate {
        match self.estimate {
            Estimate::PassAtK => Aggregate::PassAtK(self.k()),
            Estimate::PassHatK => Aggregate::PassHatK(self.k()),
            Estimate::AtLeastK => Aggregate::AtLeastK(self.k()),
            Estimate::Majority => Aggregate::Majority,
            Estimate::Median => Aggregate::Median,
            _ => Aggregate::Mean,
        }
    }

    /// What one score says to the metric; `None` is unscored.
    ///
    /// # Errors
    /// A sentence, for a value that the estimate cannot be made from.
    pub(super) fn value(&self, row: &ScoreRow) -> Result<Option<Scored>, String> {
        let (Some(passed), Some(value)) = (row.passed, &row.value) else { return Ok(None) };
        if row.status == Status::Unscored {
            return Ok(None);
        }
        let share = f64::from(u8::from(passed));
        let misfit = || self.estimate.misfit(&format!("scorer `{}`", self.scorer));
        let value = match self.estimate {
            // A label is no number; what it contributes to a mean is whether it is right.
            Estimate::Mean => value.as_number().unwrap_or(share),
            Estimate::Median => value.as_number().ok_or_else(misfit)?,
            Estimate::WinRate | Estimate::BradleyTerry => match value {
                Value::Preference(preference) => f64::midpoint(1.0, f64::from(*preference)),
                _ => return Err(misfit()),
            },
            Estimate::Brier => (certainty(row) - share).powi(2),
            Estimate::RecallAtK | Estimate::ReciprocalRank | Estimate::NdcgAtK | Estimate::AveragePrecision => {
                match (value, &row.relevance) {
                    (Value::Ranked(ids), Some(relevance)) => {
                        self.of_ranking(ids, relevance).map_err(|error| error.to_string())?
                    }
                    _ => return Err(misfit()),
                }
            }
            Estimate::Accuracy if !matches!(value, Value::Label(_)) => return Err(misfit()),
            _ => share,
        };
        Ok(Some(Scored { value, passed }))
    }

    fn of_ranking(&self, ids: &[String], relevance: &BTreeMap<String, f64>) -> Result<f64, StatError> {
        let grades: HashMap<&str, f64> = relevance.iter().map(|(id, grade)| (id.as_str(), *grade)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let query = RankedQuery::from_ids(&ids, &grades)?;
        match self.estimate {
            Estimate::RecallAtK => query.recall_at(self.k() as usize),
            Estimate::NdcgAtK => query.ndcg_at(self.k() as usize, Gain::Linear),
            Estimate::ReciprocalRank => Ok(query.reciprocal_rank()),
            _ => Ok(query.average_precision()),
        }
    }

    /// What one score says to an estimate over the whole corpus; labels are numbered by `labels`.
    ///
    /// # Errors
    /// A sentence, for a value that the estimate cannot be made from.
    pub(super) fn seen(&self, row: &ScoreRow, labels: &mut Category) -> Result<Option<Seen>, String> {
        let (Some(passed), Some(value)) = (row.passed, &row.value) else { return Ok(None) };
        if row.status == Status::Unscored {
            return Ok(None);
        }
        match (self.estimate, value) {
            (Estimate::Ece | Estimate::Auc, _) => Ok(Some(Seen::Stated { confidence: certainty(row), right: passed })),
            (Estimate::BradleyTerry, Value::Preference(preference)) => Ok(Some(Seen::Preferred(*preference))),
            (_, Value::Label(said)) if self.estimate.is_corpus() => {
                let right = if passed { Some(said) } else { row.expected.as_ref() };
                let right = right.ok_or_else(|| {
                    format!(
                        "`{}` needs the right label of each example, which records of earlier versions lack; run again",
                        self.estimate.name()
                    )
                })?;
                let right = labels.code(right);
                // An answer without a label, or none at all, is said to be of no class.
                Ok(Some(Seen::Label { right, said: (!said.is_empty()).then(|| labels.code(said)) }))
            }
            _ => Err(self.estimate.misfit(&format!("scorer `{}`", self.scorer))),
        }
    }
}

/// How sure an answer is. One that does not say is taken to be certain: silence must not look better than a doubt.
fn certainty(row: &ScoreRow) -> f64 {
    row.confidence.unwrap_or(1.0)
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
            ..MetricSpec::default()
        });
    }
    metrics
}
