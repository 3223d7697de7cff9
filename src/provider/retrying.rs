//! What is tried again, and when.

use serde::{Deserialize, Serialize};

use super::spec::Seconds;

/// `retry = { attempts = 5, base = 0.5, cap = 30 }`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The longest wait before the second attempt, in seconds; it doubles with every further one.
    pub base: Seconds,
    /// The longest wait of all, in seconds; a server that asks for more is not waited for.
    pub cap: Seconds,
    /// After this many failures in a row nothing is sent for `cap`, then one call to see. 0: never.
    pub breaker: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 6, base: Seconds(0.5), cap: Seconds(60.0), breaker: 20 }
    }
}
