//! How calls are made, as data: how long is waited, what is tried again, how much at once, what was running. Settings of
//! candidates, judges and scorers alike; `provider` does what they say.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Seconds(pub f64);

impl Seconds {
    /// As a duration; `None` when not positive or beyond a year.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        (self.0 > 0.0 && self.0 <= 31_557_600.0).then(|| Duration::from_secs_f64(self.0))
    }
}

/// `retry = { attempts = 6, base = 0.5, cap = 60, breaker = 20 }`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The longest wait before the second attempt, in seconds; it doubles with every further one.
    pub base: Seconds,
    /// The longest wait of all, in seconds; a server that asks for more is not waited for.
    pub cap: Seconds,
    /// After this many failed attempts in a row nothing is sent for a while, then one call to see. 0: never.
    pub breaker: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 6, base: Seconds(0.5), cap: Seconds(60.0), breaker: 20 }
    }
}

impl RetryPolicy {
    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// A sentence naming the key.
    pub fn check(&self) -> Result<(), String> {
        if self.attempts == 0 {
            return Err("`retry.attempts` is 0; the first attempt counts, so 1 is the least".to_owned());
        }
        for (key, seconds) in [("base", self.base), ("cap", self.cap)] {
            if seconds.duration().is_none() {
                return Err(format!("`retry.{key}` is {}; expected seconds, more than 0", seconds.0));
            }
        }
        Ok(())
    }
}

/// `limits = { concurrency = 16, requests_per_minute = 500, tokens_per_minute = 200000 }`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSpec {
    /// Calls in flight at this provider; by default as many as the run has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute, estimated before and settled after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
}

impl LimitSpec {
    /// Refuses limits under which nothing could be sent.
    ///
    /// # Errors
    /// A sentence naming the key.
    pub fn check(&self) -> Result<(), String> {
        let zero = |value: Option<u64>| value == Some(0);
        for (key, value) in [
            ("concurrency", self.concurrency.map(|limit| limit as u64)),
            ("requests_per_minute", self.requests_per_minute.map(u64::from)),
            ("tokens_per_minute", self.tokens_per_minute.map(u64::from)),
        ] {
            if zero(value) {
                return Err(format!("`limits.{key}` is 0: nothing could be sent"));
            }
        }
        Ok(())
    }
}

/// What was running: `version = { git = true }`, `{ files = [..] }` or `{ text = ".." }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VersionSpec {
    /// The commit of the project; nothing is kept while there are changes that are not committed.
    Git(bool),
    /// The contents of these files; `*` and `?` stand for parts of a name, `**` for any folders.
    Files(Vec<String>),
    /// What somebody says it is.
    Text(String),
}

impl VersionSpec {
    /// Whether git has to be asked.
    #[must_use]
    pub const fn needs_revision(&self) -> bool {
        matches!(self, Self::Git(true))
    }
}
