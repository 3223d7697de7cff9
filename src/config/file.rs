//! The settings that a project file holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use crate::compare::{MetricSpec, SliceKeys};
use crate::gate::{GatePolicy, MIN_N};
use crate::provider::cache::{CacheMode, SharedSpec};
use crate::provider::{BudgetSpec, ProviderSpec};
use crate::score::ScorerSpec;

/// The seed where neither the command line nor the file names one.
pub const DEFAULT_SEED: u64 = 7;

/// `[slices]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SlicesSpec {
    /// Label keys whose values are slices; without it, all keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
    /// Crossings of keys.
    pub crossings: Vec<Vec<String>>,
    /// Smaller slices are shown, not tested.
    pub min_n: u64,
}

impl Default for SlicesSpec {
    fn default() -> Self {
        Self { keys: None, crossings: Vec::new(), min_n: MIN_N }
    }
}

impl SlicesSpec {
    /// The slices to compare.
    #[must_use]
    pub fn keys(&self) -> SliceKeys {
        SliceKeys { keys: self.keys.clone(), crossings: self.crossings.clone() }
    }
}

/// The whole of `evalgauge.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The eval set, `name` or `name@tag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evalset: Option<String>,
    /// The candidate that `check` and `run` take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// The honest baselines that `check --baselines` sets beside the candidate: candidates, or kinds that learn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<String>,
    /// Trials of every example.
    pub trials: u32,
    /// Calls in flight.
    pub concurrency: usize,
    /// Seed of everything that draws.
    pub seed: u64,
    /// What a whole run may take, over candidate and judges.
    pub budget: BudgetSpec,
    /// What the cache of answers is used for.
    pub cache: CacheMode,
    /// A cache of answers that several machines use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_cache: Option<SharedSpec>,
    /// A file with prices per million tokens; without one, those that come with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices: Option<PathBuf>,
    /// The share of planned answers (below 1) or their number above which failed ones end a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_limit: Option<f64>,
    /// `[candidates.NAME.KIND]`
    pub candidates: BTreeMap<String, ProviderSpec>,
    /// `[scorers.NAME.KIND]`
    pub scorers: BTreeMap<String, ScorerSpec>,
    /// `[metrics]`; without it, the mean of every scorer.
    pub metrics: BTreeMap<String, MetricSpec>,
    /// `[slices]`
    pub slices: SlicesSpec,
    /// `[gate]`
    pub gate: GatePolicy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            evalset: None,
            candidate: None,
            baselines: Vec::new(),
            trials: 1,
            concurrency: 8,
            seed: DEFAULT_SEED,
            budget: BudgetSpec::default(),
            cache: CacheMode::default(),
            shared_cache: None,
            prices: None,
            error_limit: None,
            candidates: BTreeMap::new(),
            scorers: BTreeMap::new(),
            metrics: BTreeMap::new(),
            slices: SlicesSpec::default(),
            gate: GatePolicy::default(),
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key (with its line and the nearest known one), a value of the wrong kind.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Reads a text; `path` stands in error messages.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::parse(path, text, &error))?;
        config.gate.min_n = config.slices.min_n;
        config.check().map_err(|reason| ConfigError::Settings { path: path.to_owned(), reason })?;
        Ok(config)
    }

    /// How many of the planned answers may fail.
    #[must_use]
    pub fn failed_answers(&self, planned: usize) -> Option<usize> {
        self.error_limit.map(|limit| if limit < 1.0 { (limit * planned as f64) as usize } else { limit as usize })
    }

    /// Refuses settings that contradict each other.
    fn check(&self) -> Result<(), String> {
        self.gate.check().map_err(|reason| format!("[gate] {reason}"))?;
        self.budget.check()?;
        self.shared_cache.as_ref().map_or(Ok(()), SharedSpec::check).map_err(|error| error.to_string())?;
        if self.error_limit.is_some_and(|limit| limit < 0.0 || !limit.is_finite()) {
            return Err("`error_limit` is negative; expected a share below 1, or a number of answers".to_owned());
        }
        let named = |what: &str, name: &str, known: Vec<&String>| {
            let has: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
            format!("there is no {what} `{name}`; there are: {has}")
        };
        if let Some(name) = self.candidate.as_ref().filter(|name| !self.candidates.contains_key(*name)) {
            return Err(named("candidate", name, self.candidates.keys().collect()));
        }
        for name in &self.baselines {
            let is_one = match self.candidates.get(name) {
                Some(spec) => spec.is_honest_baseline(),
                None => ProviderSpec::LEARNING.contains(&name.as_str()),
            };
            if !is_one {
                return Err(format!(
                    "`baselines`: `{name}` is neither `random`, `majority` or `nearest` nor a candidate of such a kind or of \
                     `keyword`"
                ));
            }
        }
        for (metric, spec) in &self.metrics {
            if !self.scorers.contains_key(&spec.scorer) {
                return Err(format!(
                    "metric `{metric}`: {}",
                    named("scorer", &spec.scorer, self.scorers.keys().collect())
                ));
            }
            spec.check(self.scorers.get(&spec.scorer)).map_err(|reason| format!("metric `{metric}`: {reason}"))?;
        }
        // Without [metrics] each scorer is one; judges with parts name theirs there.
        let metrics: Vec<&String> =
            if self.metrics.is_empty() { self.scorers.keys().collect() } else { self.metrics.keys().collect() };
        let gated = self.gate.metrics.iter().chain(self.gate.metric.keys());
        if let Some(name) = gated.filter(|_| !metrics.is_empty()).find(|name| !metrics.contains(name)) {
            return Err(format!("[gate] {}", named("metric", name, metrics)));
        }
        Ok(())
    }
}
