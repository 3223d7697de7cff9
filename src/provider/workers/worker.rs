//! One worker's place: starts a child when there is a call, and another one when that has ended.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use super::super::router::ProviderError;
use super::pool::{Job, Pool};
use super::session::{Session, Stopped};

/// A worker's place, whichever child is at work there.
pub(super) struct Worker {
    pub(super) pool: Arc<Pool>,
    seat: usize,
    pub(super) wake: Arc<Notify>,
    /// Calls that a child had when it ended, to be sent once more, each alone.
    suspects: VecDeque<Job>,
    /// Whether the pool gives it nothing, because of those.
    is_shut: bool,
}

/// Looks after a place until the pool is closed.
pub(super) async fn work(pool: Arc<Pool>, seat: usize) {
    let wake = pool.wake(seat);
    let mut worker = Worker { pool, seat, wake, suspects: VecDeque::new(), is_shut: false };
    loop {
        // The pool is closed when nobody waits for anything any more.
        if worker.pool.is_closing() {
            return;
        }
        let Some(first) = worker.next_alone() else {
            worker.wake.notified().await;
            continue;
        };
        if let Some(error) = worker.pool.broken() {
            first.done(Err(error));
            continue;
        }
        let session = match Session::start(&worker.pool) {
            Ok(session) => session,
            Err(error) => {
                worker.pool.fail(first, error);
                continue;
            }
        };
        match session.run(&mut worker, first).await {
            Stopped::Closed => return,
            Stopped::Ended { why, answers, unread, suspects } => {
                let is_noted = !suspects.is_empty() || !unread.is_empty() || answers == 0;
                let wait = is_noted.then(|| worker.pool.note_end(&why, answers, suspects.len()));
                worker.pool.shut(seat, unread);
                worker.is_shut = true;
                worker.suspects.extend(suspects);
                if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

impl Worker {
    /// The next call for a child that has none.
    pub(super) fn next_alone(&mut self) -> Option<Job> {
        while let Some(suspect) = self.suspects.pop_front() {
            if !suspect.is_ending() {
                return Some(suspect);
            }
            suspect.done(Err(ProviderError::Ending));
        }
        if std::mem::take(&mut self.is_shut) {
            self.pool.reopen(self.seat);
        }
        self.pool.take(self.seat)
    }

    /// The next call for a child that has others; one that is sent again is alone.
    pub(super) fn next_more(&self) -> Option<Job> {
        if self.is_shut { None } else { self.pool.take(self.seat) }
    }

    /// A call was answered.
    pub(super) fn answered(&self) {
        self.pool.answered(self.seat);
    }
}
