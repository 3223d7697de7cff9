//! What a team allows: the policy as data, read from the config and printed back by `config show`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{self, BrokenLimit, GuardRails, Minimum, SafetyPolicy, Waiver};
use crate::compare::{Measure, OVERALL, Tolerances};

/// What a gate asks of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Fail on evidence of harm.
    #[default]
    Regression,
    /// Pass only on evidence that nothing fell beyond its margin.
    NonInferiority,
}

/// Whether cells without enough evidence stop a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUndecided {
    /// They are listed and pass.
    #[default]
    Pass,
    /// They end the gate with exit 3.
    Fail,
}

/// How strictly a judge's licence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LicenceMode {
    /// By the estimate of κ.
    #[default]
    Point,
    /// By the lower end of its interval.
    Strict,
}

/// Margins by cell: `overall`, `slice` (every other cell), a slice by name, or all values of a key as `key=*`.
/// A margin is a share of the metric's scale.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Margins(BTreeMap<String, f64>);

impl Margins {
    /// 2 points overall and on `difficulty=hard`, none on `safety=*` (which is watched by its flips), 5 points elsewhere.
    #[must_use]
    pub fn standard() -> Self {
        let entries = [(OVERALL, 0.02), ("slice", 0.05), ("difficulty=hard", 0.02), ("safety=*", 0.0)];
        Self(entries.into_iter().map(|(key, margin)| (key.to_owned(), margin)).collect())
    }

    /// One margin for every cell.
    #[must_use]
    pub fn uniform(margin: f64) -> Self {
        Self([(OVERALL.to_owned(), margin), ("slice".to_owned(), margin)].into_iter().collect())
    }

    /// The margin of a slice, if this table has one: by name, then by `key=*`, then `overall` or `slice`.
    #[must_use]
    pub fn of(&self, slice: &str, keys: &[String]) -> Option<f64> {
        let by_key = || match keys {
            [key] => self.0.get(&format!("{key}=*")),
            _ => None,
        };
        let class = if slice == OVERALL { OVERALL } else { "slice" };
        self.0.get(slice).or_else(by_key).or_else(|| self.0.get(class)).copied()
    }

    /// These margins, and those of `base` for keys that these do not name.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let mut merged = base.0.clone();
        merged.extend(self.0.iter().map(|(key, margin)| (key.clone(), *margin)));
        Self(merged)
    }

    /// The first entry that makes no sense, in words.
    ///
    /// # Errors
    /// A margin outside 0..1, or a key that can name no cell.
    pub fn check(&self) -> Result<(), String> {
        for (key, margin) in &self.0 {
            if !(0.0..=1.0).contains(margin) {
                return Err(format!("margin `{key}` is {margin}; a margin is a share of the scale, 0 to 1"));
            }
            if key != OVERALL && key != "slice" && !key.contains('=') {
                return Err(format!(
                    "margin `{key}` names no cell; expected `overall`, `slice`, `key=value` or `key=*`"
                ));
            }
        }
        Ok(())
    }
}

/// What one metric asks for itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricPolicy {
    /// Margins that replace the general ones.
    #[serde(default)]
    pub margin: Margins,
    /// The tolerance that replaces the general one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// The least acceptable value, in units of the metric (of a metric where lower is better, the most).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Minimum>,
}

/// A limit on the share of unscored pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnscoredLimit {
    /// The largest share of pairs without a score that still allows a decision.
    pub max: f64,
}

/// What must hold for the evidence to be taken at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Require {
    /// The share of the baseline's examples that the head must have.
    pub coverage: f64,
    /// How many pairs may be unscored.
    pub unscored: UnscoredLimit,
    /// Examples that every trial of the head must pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub must_pass: Vec<String>,
    /// Examples that this change claims to fix: the baseline fails them, and every trial of the head must pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub must_flip: Vec<String>,
    /// How many examples may break for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLimit>,
}

impl Default for Require {
    fn default() -> Self {
        Self {
            coverage: 1.0,
            unscored: UnscoredLimit { max: 0.01 },
            must_pass: Vec::new(),
            must_flip: Vec::new(),
            broken: None,
        }
    }
}

/// The whole policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatePolicy {
    /// The metrics that gate; empty: all.
    pub metrics: Vec<String>,
    /// What is asked of the evidence.
    pub mode: Mode,
    /// The false-alarm rate over all cells together, one-sided.
    pub alpha: f64,
    /// The share of α that the overall cells have together; all other cells share the rest equally.
    pub overall_share: f64,
    /// The metric whose overall cell has that share alone; without one, the overall cells of all metrics share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// τ: by how much a run as a whole may move on its own, as a share of the scale; a fall must be shown to be larger.
    pub tolerance: f64,
    /// What undecided cells do.
    pub on_undecided: OnUndecided,
    /// Margins; entries here are added to (and replace) the standard ones.
    pub margin: Margins,
    /// Per metric.
    pub metric: BTreeMap<String, MetricPolicy>,
    /// Weights of slices among each other in the family of tests, by name or as `key=*`; 1 where absent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weight: BTreeMap<String, f64>,
    /// Preconditions, and examples by name.
    pub require: Require,
    /// Slices whose flips are confirmed by re-runs and then fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<SafetyPolicy>,
    /// How far latency, cost, length, refusals and errors may rise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "limits::rails_schema")]
    pub guard: GuardRails,
    /// The false-alarm rate of all guard rails together.
    pub guard_alpha: f64,
    /// By which end of κ's interval a judge's licence is read.
    pub licence: LicenceMode,
    /// Whether licences from labels of stand-ins count.
    pub allow_stand_in: bool,
    /// Falls that the team takes, each for a while.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Waiver>,
    /// Smaller cells are shown, not tested. Set by `[slices] min_n`.
    #[serde(skip)]
    pub min_n: u64,
}

/// The default of `overall_share`. Weighting slices by √n instead would starve small ones.
pub const OVERALL_SHARE: f64 = 0.40;

/// The default of `[slices] min_n`.
pub const MIN_N: u64 = 20;

impl Default for GatePolicy {
    fn default() -> Self {
        Self {
            metrics: Vec::new(),
            mode: Mode::default(),
            alpha: 0.05,
            overall_share: OVERALL_SHARE,
            primary: None,
            tolerance: 0.0,
            on_undecided: OnUndecided::default(),
            margin: Margins::default(),
            metric: BTreeMap::new(),
            weight: BTreeMap::new(),
            require: Require::default(),
            safety: None,
            guard: GuardRails::new(),
            guard_alpha: 0.01,
            licence: LicenceMode::default(),
            allow_stand_in: false,
            accept: Vec::new(),
            min_n: MIN_N,
        }
    }
}

impl GatePolicy {
    /// The margin of a cell, as a share of the metric's scale.
    #[must_use]
    pub fn margin_of(&self, metric: &str, slice: &str, keys: &[String]) -> f64 {
        let own = self.metric.get(metric).and_then(|own| own.margin.of(slice, keys));
        own.or_else(|| self.margin.over(&Margins::standard()).of(slice, keys)).unwrap_or(0.0)
    }

    /// The weight of a slice among the others.
    #[must_use]
    pub fn weight_of(&self, slice: &str, keys: &[String]) -> f64 {
        let by_key = || match keys {
            [key] => self.weight.get(&format!("{key}=*")),
            _ => None,
        };
        self.weight.get(slice).or_else(by_key).copied().unwrap_or(1.0)
    }

    /// The examples that rules name.
    #[must_use]
    pub fn watched(&self) -> Vec<String> {
        self.require.must_pass.iter().chain(&self.require.must_flip).cloned().collect()
    }

    /// The measures that guard rails look at.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        self.guard.keys().copied().collect()
    }

    /// What the comparison must know of [`Self::tolerance`].
    #[must_use]
    pub fn tolerances(&self) -> Tolerances {
        let own = self.metric.iter().filter_map(|(name, own)| Some((name.clone(), own.tolerance?)));
        Tolerances { general: self.tolerance, of_metric: own.collect() }
    }

    /// Refuses values that no decision could be based on.
    ///
    /// # Errors
    /// A sentence naming the key and what it may be.
    pub fn check(&self) -> Result<(), String> {
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            return Err(format!("`alpha` is {}; expected more than 0 and less than 0.5", self.alpha));
        }
        if !(self.overall_share > 0.0 && self.overall_share < 1.0) {
            return Err(format!("`overall_share` is {}; expected more than 0 and less than 1", self.overall_share));
        }
        let Require { coverage, unscored, .. } = &self.require;
        if !(self.guard_alpha > 0.0 && self.guard_alpha < 0.5) {
            return Err(format!("`guard_alpha` is {}; expected more than 0 and less than 0.5", self.guard_alpha));
        }
        if let Some((slice, weight)) = self.weight.iter().find(|(_, weight)| !(weight.is_finite() && **weight > 0.0)) {
            return Err(format!("`weight` of `{slice}` is {weight}; expected more than 0"));
        }
        limits::check(&self.guard, self.safety.as_ref(), &self.accept)?;
        let own = self.metric.values().filter_map(|own| own.tolerance);
        let shares =
            [("require.coverage", *coverage), ("require.unscored.max", unscored.max), ("tolerance", self.tolerance)];
        for (key, value) in shares.into_iter().chain(own.map(|own| ("tolerance", own))) {
            if !(0.0..=1.0).contains(&value) {
                return Err(format!("`{key}` is {value}; expected a share, 0 to 1"));
            }
        }
        self.margin.check()?;
        self.metric.values().try_for_each(|own| own.margin.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn the_most_particular_margin_wins() {
        let policy: GatePolicy = serde_json::from_str(
            r#"{"margin": {"slice": 0.1, "tier=1": 0.03}, "metric": {"rationale": {"margin": {"overall": 0.15}}}}"#,
        )
        .unwrap();
        assert_eq!(policy.margin_of("m", "overall", &[]), 0.02);
        assert_eq!(policy.margin_of("m", "tier=1", &keys(&["tier"])), 0.03);
        assert_eq!(policy.margin_of("m", "tier=2", &keys(&["tier"])), 0.1);
        assert_eq!(policy.margin_of("m", "difficulty=hard", &keys(&["difficulty"])), 0.02);
        assert_eq!(policy.margin_of("m", "safety=injection", &keys(&["safety"])), 0.0);
        assert_eq!(policy.margin_of("m", "tier=1,locale=de", &keys(&["tier", "locale"])), 0.1);
        assert_eq!(policy.margin_of("rationale", "overall", &[]), 0.15);
        assert_eq!(policy.margin_of("rationale", "tier=1", &keys(&["tier"])), 0.03);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            r#"{"alpha": 0.0}"#,
            r#"{"overall_share": 1.0}"#,
            r#"{"tolerance": 2}"#,
            r#"{"alpha": 0.7}"#,
            r#"{"margin": {"hard": 0.1}}"#,
            r#"{"margin": {"slice": 5}}"#,
        ] {
            let policy: GatePolicy = serde_json::from_str(text).unwrap();
            assert!(policy.check().is_err(), "{text}");
        }
    }
}
