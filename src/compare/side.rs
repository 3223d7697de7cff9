//! One side of a comparison: values per example and metric, wherever they come from.

use serde::{Deserialize, Serialize};

use super::aggregate::Aggregate;
use super::error::CompareError;
use super::estimate::Estimate;
use super::length::JudgedScores;
use super::measure::Measured;
use crate::judge::JudgeId;
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

/// What an estimate over the whole corpus sees of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// The right label, and the one that the answer gave, if any; both are numbers of labels.
    Label {
        /// The right one.
        right: u32,
        /// The given one.
        said: Option<u32>,
    },
    /// How sure the answer was, and whether it was right.
    Stated {
        /// 0 to 1.
        confidence: f64,
        /// Whether it was right.
        right: bool,
    },
    /// How the answer fared against another: 1, 0 or −1.
    Preferred(i8),
}

/// What a corpus estimate sees of every trial of a side.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeenTrials {
    /// The labels by number.
    pub labels: Vec<String>,
    /// One entry a value of the metric, `None` where unscored.
    pub trials: Vec<Option<Seen>>,
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
    /// What is estimated.
    pub estimate: Estimate,
    /// The label that the estimate is about.
    pub label: Option<String>,
    /// What becomes of the trials of an example.
    pub aggregate: Aggregate,
    /// For an estimate over the whole corpus, what it sees.
    pub seen: Option<SeenTrials>,
    /// Of comparisons that a judge made while the record was: what a tie counts.
    pub tie: Option<f64>,
    values: Vec<Option<Scored>>,
    ends: Vec<u32>,
}

impl MetricValues {
    /// A metric without examples.
    #[must_use]
    pub fn new(name: impl Into<String>, scale: Scale, has_passes: bool) -> Self {
        Self {
            name: name.into(),
            scale,
            has_passes,
            estimate: Estimate::Mean,
            label: None,
            aggregate: Aggregate::Mean,
            seen: None,
            tie: None,
            values: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Appends an example with its trials.
    pub fn push(&mut self, trials: impl IntoIterator<Item = Option<Scored>>) {
        self.values.extend(trials);
        self.ends.push(self.values.len() as u32);
    }

    /// The trials of an example.
    #[must_use]
    pub fn of(&self, example: usize) -> &[Option<Scored>] {
        &self.values[self.place(example)]
    }

    /// What a corpus estimate sees of the trials of an example.
    #[must_use]
    pub fn seen_of(&self, example: usize) -> &[Option<Seen>] {
        self.seen.as_ref().map_or(&[], |seen| &seen.trials[self.place(example)])
    }

    fn place(&self, example: usize) -> std::ops::Range<usize> {
        let start = if example == 0 { 0 } else { self.ends[example - 1] as usize };
        start..self.ends[example] as usize
    }

    /// The same with a tie in every place: what answers are that are compared with themselves.
    #[must_use]
    pub fn with_itself(&self) -> Self {
        let Some(value) = self.tie else { return self.clone() };
        let mut tied = self.clone();
        tied.values.fill(Some(Scored { value, passed: true }));
        if let Some(seen) = &mut tied.seen {
            seen.trials.fill(Some(Seen::Preferred(0)));
        }
        tied
    }

    /// The same metric of some examples, in the order given.
    pub(super) fn of_rows(&self, rows: &[u32]) -> Self {
        let mut some = Self { values: Vec::new(), ends: Vec::new(), seen: None, ..self.clone() };
        let mut seen = self.seen.as_ref().map(|seen| SeenTrials { labels: seen.labels.clone(), trials: Vec::new() });
        for &row in rows {
            some.push(self.of(row as usize).iter().copied());
            if let Some(seen) = &mut seen {
                seen.trials.extend(self.seen_of(row as usize));
            }
        }
        some.seen = seen;
        some
    }

    /// The same with some examples unscored.
    pub(super) fn without(mut self, dropped: impl Iterator<Item = usize>) -> Self {
        for example in dropped {
            let place = self.place(example);
            self.values[place.clone()].fill(None);
            if let Some(seen) = &mut self.seen {
                seen.trials[place].fill(None);
            }
        }
        self
    }

    /// The same metric of several sides, cut to the first trials of each example that all of them have; a trial without
    /// a score on any side has none on all. With it, whether there were more trials on some side.
    pub(super) fn cut_alike(metrics: &[&Self]) -> (Vec<Self>, bool) {
        let examples = metrics.iter().map(|metric| metric.ends.len()).min().unwrap_or(0);
        let mut differ = false;
        let emptied = |metric: &&Self| {
            let seen = metric.seen.as_ref().map(|seen| SeenTrials { labels: seen.labels.clone(), trials: Vec::new() });
            Self { values: Vec::new(), ends: Vec::new(), seen, ..(*metric).clone() }
        };
        let mut cut: Vec<Self> = metrics.iter().map(emptied).collect();
        for example in 0..examples {
            // A side without any trial here has no score, or the metric is not about the example.
            let counts = || metrics.iter().map(|metric| metric.of(example).len()).filter(|&trials| trials > 0);
            let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
            differ |= least < most;
            let all_scored =
                |trial: usize| metrics.iter().all(|m| m.of(example).get(trial).is_none_or(Option::is_some));
            let all_seen =
                |trial: usize| metrics.iter().all(|m| m.seen_of(example).get(trial).is_none_or(Option::is_some));
            for (cut, metric) in cut.iter_mut().zip(metrics) {
                let trials = metric.of(example).iter().take(least).enumerate();
                cut.push(trials.map(|(trial, scored)| scored.filter(|_| all_scored(trial))));
                if let Some(seen) = &mut cut.seen {
                    let trials = metric.seen_of(example).iter().take(least).enumerate();
                    seen.trials.extend(trials.map(|(trial, seen)| seen.filter(|_| all_seen(trial))));
                }
            }
        }
        (cut, differ)
    }

    /// Refuses an example with fewer trials than the metric needs.
    ///
    /// # Errors
    /// [`CompareError::Input`] naming the metric and the example.
    pub(super) fn enough_trials(&self, example: &str, trials: usize) -> Result<(), CompareError> {
        let needed = self.aggregate.fewest_trials();
        if trials >= needed as usize {
            return Ok(());
        }
        Err(CompareError::Input(format!(
            "metric `{}`: `{}` with k = {needed} needs at least {needed} trials of each example; `{example}` has {trials}",
            self.name,
            self.estimate.name()
        )))
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
    /// The digest of the record whose answers the answers were compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
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

/// A metric that a judge makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedBy {
    /// The metric.
    pub metric: String,
    /// The judge as it was when it graded.
    pub judge: JudgeId,
    /// The dimension that the metric is about.
    pub dimension: String,
    /// Whether the metric is the share of passes.
    pub is_pass_rate: bool,
    /// Whether it is the mean of grades that are numbers.
    pub is_mean_grade: bool,
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
    /// The metrics that judges make.
    pub judges: Vec<JudgedBy>,
    /// What judges said of its answers, where the source has both.
    pub judged_scores: Vec<JudgedScores>,
    /// What its answers took, where guard rails ask for it; see [`super::measured`].
    pub measured: Vec<Measured>,
}
