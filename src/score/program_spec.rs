//! Scorers that ask a program or a service: `[scorers.NAME.command]`, `[scorers.NAME.http]`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::judged::Judges;
use super::program::ProgramScorer;
use super::scale::Scale;
use super::scorer::Scorer;
use super::settings::Settings;
use super::spec::{ScorerSpec, SpecError, ValueKind};
use crate::call::{Headers, LimitSpec, Pointer, RetryPolicy, Seconds, VersionSpec};
use crate::evalset::LabelValue;

/// `[scorers.NAME.command]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandScorerSpec {
    /// The program and its arguments; no shell in between. It reads one JSON document from stdin.
    pub argv: Vec<String>,
    /// So many copies of it stay, and score one answer after another, a JSON line each; without it one is started for every
    /// answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<NonZeroUsize>,
    /// Answers that a worker is given before it has scored the first; 1 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<NonZeroUsize>,
    /// How long one answer may take, in seconds.
    #[serde(default = "a_minute")]
    pub timeout: Seconds,
    /// How long a worker's first score may take; `timeout` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<Seconds>,
    /// How many bytes it may print; of a worker: in one line.
    #[serde(default = "one_mebibyte")]
    pub max_output: u64,
    /// Names of environment variables that it may see, beside `PATH`, `HOME`, `LANG` and `TMPDIR`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What is running: another version is another scorer. The files that `argv` names always belong to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionSpec>,
    /// Place in the answer; the whole answer by default.
    #[serde(default)]
    pub answer: Pointer,
    /// Examples it applies to.
    #[serde(default)]
    pub when: BTreeMap<String, LabelValue>,
    /// Place in its output where the score is.
    #[serde(default)]
    pub reply: Pointer,
    /// The score that passes where it does not say; the best end of the scale by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at: Option<f64>,
    /// The range of its scores.
    #[serde(default = "unit")]
    pub scale: Scale,
    /// The labels that it gives, where it gives labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The labels that pass; where none is named, what stands in `expected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub right: Vec<String>,
    /// Place in `expected` of the right label.
    #[serde(default)]
    pub expected: Pointer,
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// `[scorers.NAME.http]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpScorerSpec {
    /// The address.
    pub url: String,
    /// The method.
    #[serde(default = "post")]
    pub method: String,
    /// Headers. Not for keys.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// The environment variable that holds a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// The header that the key goes into: `authorization` (then `Bearer KEY`) or another one (then the key alone).
    #[serde(default = "authorization")]
    pub key_header: String,
    /// A template of the body, with `id`, `input`, `answer`, `expected` and `labels`; without one, those as a JSON document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<PathBuf>,
    /// How long one attempt may take, in seconds.
    #[serde(default = "a_minute")]
    pub timeout: Seconds,
    /// How many bytes it may answer.
    #[serde(default = "one_mebibyte")]
    pub max_output: u64,
    /// What is tried again, and when.
    #[serde(default)]
    pub retry: RetryPolicy,
    /// How much at once.
    #[serde(default)]
    pub limits: LimitSpec,
    /// What is running: another version is another scorer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionSpec>,
    /// Place in the answer; the whole answer by default.
    #[serde(default)]
    pub answer: Pointer,
    /// Examples it applies to.
    #[serde(default)]
    pub when: BTreeMap<String, LabelValue>,
    /// Place in its reply where the score is.
    #[serde(default)]
    pub reply: Pointer,
    /// The score that passes where it does not say; the best end of the scale by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_at: Option<f64>,
    /// The range of its scores.
    #[serde(default = "unit")]
    pub scale: Scale,
    /// The labels that it gives, where it gives labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The labels that pass; where none is named, what stands in `expected`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub right: Vec<String>,
    /// Place in `expected` of the right label.
    #[serde(default)]
    pub expected: Pointer,
    /// What it counts in a `mean`; 1 where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

const fn a_minute() -> Seconds {
    Seconds(60.0)
}

const fn one_mebibyte() -> u64 {
    1 << 20
}

const fn unit() -> Scale {
    Scale::UNIT
}

fn post() -> String {
    "POST".to_owned()
}

fn authorization() -> String {
    "authorization".to_owned()
}

/// A scorer that asks somebody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asking<'s> {
    /// A program.
    Command(&'s CommandScorerSpec),
    /// A service.
    Http(&'s HttpScorerSpec),
}

impl Asking<'_> {
    /// What is running, where the settings say how to tell.
    #[must_use]
    pub const fn version(&self) -> Option<&VersionSpec> {
        match self {
            Self::Command(spec) => spec.version.as_ref(),
            Self::Http(spec) => spec.version.as_ref(),
        }
    }
}

impl<'s> Asking<'s> {
    /// The labels that it gives, where it gives labels.
    fn labels(self) -> &'s [String] {
        match self {
            Self::Command(spec) => &spec.labels,
            Self::Http(spec) => &spec.labels,
        }
    }

    fn values(self) -> ValueKind {
        if self.labels().is_empty() { ValueKind::Number } else { ValueKind::Label }
    }

    fn build(self, around: &Judges, digest: &str) -> Result<Box<dyn Scorer>, SpecError> {
        let asked = around.programs.get(digest);
        let asked = asked.ok_or_else(|| SpecError::new("it asks a program, which only a run can".to_owned()))?;
        Ok(Box::new(ProgramScorer::new(self, asked)?))
    }
}

impl Settings for CommandScorerSpec {
    fn kind(&self) -> &'static str {
        "command"
    }

    fn values(&self) -> ValueKind {
        Asking::Command(self).values()
    }

    /// It says so when it is asked.
    fn states_confidence(&self) -> bool {
        true
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        Asking::Command(self).build(around, &ScorerSpec::Command(self.clone()).digest())
    }
}

impl Settings for HttpScorerSpec {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn values(&self) -> ValueKind {
        Asking::Http(self).values()
    }

    /// It says so when it is asked.
    fn states_confidence(&self) -> bool {
        true
    }

    fn weight(&self) -> Option<f64> {
        self.weight
    }

    fn build(&self, around: &Judges) -> Result<Box<dyn Scorer>, SpecError> {
        Asking::Http(self).build(around, &ScorerSpec::Http(self.clone()).digest())
    }
}

impl CommandScorerSpec {
    /// The settings that decide a score: how many copies there are and how long is waited change nothing about it.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            workers: None,
            in_flight: None,
            timeout: a_minute(),
            start_timeout: None,
            max_output: one_mebibyte(),
            ..self.clone()
        }
    }
}

impl HttpScorerSpec {
    /// The settings that decide a score: how long is waited, how often it is tried, and which variable holds the key
    /// change nothing about it.
    #[must_use]
    pub fn deciding(&self) -> Self {
        Self {
            key_env: None,
            key_header: authorization(),
            timeout: a_minute(),
            max_output: one_mebibyte(),
            retry: RetryPolicy::default(),
            limits: LimitSpec::default(),
            ..self.clone()
        }
    }
}
