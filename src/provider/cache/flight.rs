//! Equal questions at the same time are one question.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::key::CacheKey;
use crate::call::Answered;

/// The questions that are being asked, and who else waits for each.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<CacheKey, Vec<oneshot::Sender<Answered>>>>);

/// Whose turn it is.
pub(super) enum Turn<'a> {
    /// Nobody asks this; whoever gets this does, and says what came.
    First(Flight<'a>),
    /// Somebody does. The channel closes without an answer when that one gave up; then it is anyone's turn.
    Wait(oneshot::Receiver<Answered>),
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<CacheKey, Vec<oneshot::Sender<Answered>>>> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn join(&self, key: CacheKey) -> Turn<'_> {
        let mut flights = self.lock();
        if let Some(waiting) = flights.get_mut(&key) {
            let (sender, receiver) = oneshot::channel();
            waiting.push(sender);
            return Turn::Wait(receiver);
        }
        flights.insert(key, Vec::new());
        Turn::First(Flight { flights: self, key, landed: false })
    }
}

/// One question that is being asked. Dropped without an answer (an error, a call that nobody waits for any more), it
/// lets the next one ask.
pub(super) struct Flight<'a> {
    flights: &'a Flights,
    key: CacheKey,
    landed: bool,
}

impl Flight<'_> {
    /// Gives the answer to everybody who waits for it.
    pub(super) fn land(mut self, answered: &Answered) {
        self.landed = true;
        let waiting = self.flights.lock().remove(&self.key).unwrap_or_default();
        for one in waiting {
            // One who no longer waits is no trouble.
            let _ = one.send(answered.clone());
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        // After `land` somebody else may have begun to ask the same; that is not ours to remove.
        if !self.landed {
            self.flights.lock().remove(&self.key);
        }
    }
}
