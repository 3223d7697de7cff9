//! One side of a comparison: values per example and metric, wherever they come from.

use serde::{Deserialize, Serialize};

use crate::score::Scale;
use crate::table::Text;

/// The values of one label key: each example has any number of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// The key, e.g. `tier`.
    pub key: String,
    /// The distinct values.
    pub names: Vec<String>,
    /// Codes of all examples one after the other.
    codes: Vec<u32>,
    /// Where the codes of each example end.
    ends: Vec<u32>,
}

impl Labels {
    /// An empty column for a key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), ..Self::default() }
    }

    /// Appends an example with the given codes (indices into `names`).
    pub fn push(&mut self, codes: impl IntoIterator<Item = u32>) {
        self.codes.extend(codes);
        self.ends.push(self.codes.len() as u32);
    }

    /// The codes of an example.
    #[must_use]
    pub fn of(&self, example: usize) -> &[u32] {
        let start = if example == 0 { 0 } else { self.ends[example - 1] as usize };
        &self.codes[start..self.ends[example] as usize]
    }
}

/// A value, and whether it is good enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The value.
    pub value: f64,
    /// Whether it passed.
    pub passed: bool,
}

/// The values of one metric: each example has one a trial, in trial order; `None` is unscored. An example without any
/// trial is one that the metric does not apply to.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricValues {
    /// The metric's name.
    pub name: String,
    /// Its scale.
    pub scale: Scale,
    /// Whether `passed` means something: scores without a limit are neither.
    pub has_passes: bool,
    values: Vec<Option<Scored>>,
    ends: Vec<u32>,
}

impl MetricValues {
    /// A metric without examples.
    #[must_use]
    pub fn new(name: impl Into<String>, scale: Scale, has_passes: bool) -> Self {
        Self { name: name.into(), scale, has_passes, values: Vec::new(), ends: Vec::new() }
    }

    /// Appends an example with its trials.
    pub fn push(&mut self, trials: impl IntoIterator<Item = Option<Scored>>) {
        self.values.extend(trials);
        self.ends.push(self.values.len() as u32);
    }

    /// The trials of an example.
    #[must_use]
    pub fn of(&self, example: usize) -> &[Option<Scored>] {
        let start = if example == 0 { 0 } else { self.ends[example - 1] as usize };
        &self.values[start..self.ends[example] as usize]
    }

    /// Whether every scored value is the lowest or the highest of the scale.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.values.iter().flatten().all(|scored| scored.value == self.scale.low || scored.value == self.scale.high)
    }
}

/// What both sides must share for a comparison to mean anything; a plain table has none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// Name of the eval set.
    pub evalset: String,
    /// SHA-256 of the pinned file.
    pub dataset_sha256: String,
    /// What produced the scores of each scorer: kind, settings, version, prompt digests.
    pub scorers: std::collections::BTreeMap<String, String>,
}

/// Who a side is, as reports print it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// A short name: run id, candidate, or file and column.
    pub name: String,
    /// The file or folder that was read.
    pub source: String,
    /// SHA-256 of the stable part of a record; of the bytes of a table.
    pub sha256: String,
    /// The candidate, for records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// The git revision at which a record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_revision: Option<String>,
    /// The pins, for records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pins: Option<Pins>,
    /// Whether the run covered all it planned; tables are taken as they are.
    pub complete: bool,
}

/// What one example answered, for showing it side by side and for telling "the same" from "as good".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// The answer of each trial.
    pub texts: Vec<String>,
}

/// One side: examples ascending by the bytes of their ids, with everything in that order.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Who it is.
    pub identity: Identity,
    /// Ids, ascending and unique.
    pub ids: Text,
    /// The group of each example, where examples are grouped.
    pub groups: Option<Vec<Option<String>>>,
    /// The label columns.
    pub labels: Vec<Labels>,
    /// The metrics.
    pub metrics: Vec<MetricValues>,
    /// The answers, where the source has them.
    pub answers: Option<Vec<Answers>>,
    /// Inputs worth showing beside the answers, where the source has them.
    pub inputs: Option<Vec<String>>,
}
