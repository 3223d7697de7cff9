//! What wrappers have to say while they wait or repair: for a log, never for a result.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::call::CallFailure;

/// Something that happened on the way to an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An attempt failed, and another follows.
    Retry {
        /// Which attempt it was, from 1.
        attempt: u32,
        /// Why it failed.
        failure: CallFailure,
        /// How long is waited.
        wait: Duration,
    },
    /// The provider keeps failing and is left alone.
    Opened {
        /// For how long.
        rest: Duration,
    },
    /// The provider answers again.
    Closed,
    /// Fewer calls are in flight from now on, or more again.
    Concurrency {
        /// How many there may be.
        limit: usize,
    },
    /// Anything else worth a line.
    Warning(String),
}

/// Where notices go: a list that the runner empties.
#[derive(Debug, Clone, Default)]
pub struct Notices(Arc<Mutex<Vec<Notice>>>);

impl Notices {
    /// Says something.
    pub fn tell(&self, notice: &Notice) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(notice.clone());
    }

    /// Everything that was said since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
