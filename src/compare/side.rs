//! One side of a comparison: values per example and metric, wherever they come from.

use serde::{Deserialize, Serialize};

use crate::table::Text;

/// A metric's scale: the lowest and highest value a score can take, and which end is good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Lowest possible value.
    pub low: f64,
    /// Highest possible value.
    pub high: f64,
    /// Whether more is better.
    #[serde(default = "yes")]
    pub higher_is_better: bool,
}

const fn yes() -> bool {
    true
}

impl Scale {
    /// 0 to 1, more is better.
    pub const UNIT: Self = Self { low: 0.0, high: 1.0, higher_is_better: true };

    /// `high - low`.
    #[must_use]
    pub fn width(self) -> f64 {
        self.high - self.low
    }

    /// The good end.
    #[must_use]
    pub const fn best(self) -> f64 {
        if self.higher_is_better { self.high } else { self.low }
    }

    /// The bad end: what a failed candidate scores.
    #[must_use]
    pub const fn worst(self) -> f64 {
        if self.higher_is_better { self.low } else { self.high }
    }

    /// Whether `value` is at least as good as `limit`.
    #[must_use]
    pub fn reaches(self, value: f64, limit: f64) -> bool {
        if self.higher_is_better { value >= limit } else { value <= limit }
    }

    /// The sign that makes a change positive when it is for the better.
    #[must_use]
    pub const fn direction(self) -> f64 {
        if self.higher_is_better { 1.0 } else { -1.0 }
    }
}

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

/// The values of one metric: each example has one a trial, in trial order; `None` is unscored.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricValues {
    /// The metric's name.
    pub name: String,
    /// Its scale.
    pub scale: Scale,
    /// The worst value that still counts as a pass; `None` when scores are not passes or fails.
    pub pass_at: Option<f64>,
    values: Vec<Option<f64>>,
    ends: Vec<u32>,
}

impl MetricValues {
    /// A metric without examples.
    #[must_use]
    pub fn new(name: impl Into<String>, scale: Scale) -> Self {
        Self { name: name.into(), scale, pass_at: None, values: Vec::new(), ends: Vec::new() }
    }

    /// Appends an example with its trials.
    pub fn push(&mut self, trials: impl IntoIterator<Item = Option<f64>>) {
        self.values.extend(trials);
        self.ends.push(self.values.len() as u32);
    }

    /// The trials of an example.
    #[must_use]
    pub fn of(&self, example: usize) -> &[Option<f64>] {
        let start = if example == 0 { 0 } else { self.ends[example - 1] as usize };
        &self.values[start..self.ends[example] as usize]
    }

    /// All values of all examples.
    #[must_use]
    pub fn all(&self) -> &[Option<f64>] {
        &self.values
    }

    /// Whether every scored value is the lowest or the highest of the scale.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.values.iter().flatten().all(|&value| value == self.scale.low || value == self.scale.high)
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
