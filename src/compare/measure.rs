//! What a run took, beside how good it was: latency, cost, length, refusals, errors. The data of guard rails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pairing::Matched;
use crate::call::Finish;
use crate::record::{RunRecord, Sample};
use crate::score::Status;

/// A quantity of answers that may not rise too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The median of the wall-clock time of an answer, in milliseconds.
    LatencyP50,
    /// The 95 % point of the same.
    LatencyP95,
    /// US dollars an answer.
    CostPerExample,
    /// Characters of an answer.
    OutputLength,
    /// The share of answers that the model, or the vendor's filter, refused.
    Refusals,
    /// The share of answers that failed.
    Errors,
    /// The share of scores that could not be measured.
    Unscored,
}

impl Measure {
    /// The name, as it stands in the config.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP95 => "latency_p95",
            Self::CostPerExample => "cost_per_example",
            Self::OutputLength => "output_length",
            Self::Refusals => "refusals",
            Self::Errors => "errors",
            Self::Unscored => "unscored",
        }
    }

    /// The column of a table that holds it; none for what follows from the scores.
    #[must_use]
    pub const fn column(self) -> Option<&'static str> {
        match self {
            Self::LatencyP50 | Self::LatencyP95 => Some("latency_ms"),
            Self::CostPerExample => Some("cost_usd"),
            Self::OutputLength => Some("output_length"),
            Self::Refusals => Some("refused"),
            Self::Errors => Some("failed"),
            Self::Unscored => None,
        }
    }

    /// The level of a quantile; none for a mean.
    #[must_use]
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Self::LatencyP50 => Some(0.5),
            Self::LatencyP95 => Some(0.95),
            _ => None,
        }
    }

    /// Whether its values are times in milliseconds.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::LatencyP50 | Self::LatencyP95)
    }

    /// Whether its values are shares.
    #[must_use]
    pub const fn is_rate(self) -> bool {
        matches!(self, Self::Refusals | Self::Errors | Self::Unscored)
    }

    /// Its value of one answer.
    fn of(self, sample: &Sample) -> Option<f64> {
        let share = |is: bool| if is { 1.0 } else { 0.0 };
        match self {
            // A failed call says how long the failure took, not how long an answer takes.
            Self::LatencyP50 | Self::LatencyP95 => sample.latency_ms.filter(|_| sample.error.is_none()),
            Self::CostPerExample => sample.cost_usd,
            Self::OutputLength => sample.answer.as_ref().map(|answer| answer.chars().count() as f64),
            Self::Refusals => Some(share(sample.finish == Some(Finish::Refusal))),
            Self::Errors => Some(share(sample.error.is_some())),
            Self::Unscored => {
                let unscored = sample.scores.iter().filter(|row| row.status == Status::Unscored).count();
                (!sample.scores.is_empty()).then(|| unscored as f64 / sample.scores.len() as f64)
            }
        }
    }
}

/// One measure of a side: the values of each example's trials, examples in the side's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The measure.
    pub measure: Measure,
    /// The values that are known.
    pub values: Vec<Vec<f64>>,
}

/// Measures of a record, for [`super::Side::measured`].
#[must_use]
pub fn measured(record: &RunRecord, measures: &[Measure]) -> Vec<Measured> {
    let of = |&measure: &Measure| Measured {
        measure,
        values: record
            .samples
            .chunk_by(|a, b| a.id == b.id)
            .map(|trials| trials.iter().filter_map(|sample| measure.of(sample)).collect())
            .collect(),
    };
    measures.iter().map(of).collect()
}

/// One measure of the examples that both sides have values of.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedMeasure {
    /// The measure.
    pub measure: Measure,
    /// Each example's independent block, the baseline's values and the head's.
    pub pairs: Vec<(u32, Vec<f64>, Vec<f64>)>,
}

/// Pairs the measures that both sides have; `blocks` are those of the shared examples.
pub(super) fn paired(
    baseline: &[Measured],
    head: &[Measured],
    matched: &Matched,
    blocks: &[u32],
) -> Vec<PairedMeasure> {
    let rows = || matched.baseline.iter().zip(&matched.head).zip(blocks);
    baseline
        .iter()
        .filter_map(|base| Some((base, head.iter().find(|other| other.measure == base.measure)?)))
        .map(|(base, head)| PairedMeasure {
            measure: base.measure,
            pairs: rows()
                .map(|((&b, &h), &block)| (block, base.values[b as usize].clone(), head.values[h as usize].clone()))
                .filter(|(_, base, head)| !base.is_empty() && !head.is_empty())
                .collect(),
        })
        .collect()
}
