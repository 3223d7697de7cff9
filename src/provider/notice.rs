//! What wrappers have to say while they wait or repair: for a log, never for a result.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;

use crate::call::FailureKind;

/// Something that happened on the way to an answer. No key is ever in it: messages come without, and nothing else is text
/// from outside.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// A call was sent and came to an end.
    Attempt {
        /// Who was asked.
        provider: String,
        /// Which attempt at this call it was, from 1.
        attempt: u32,
        /// How long it took, in milliseconds.
        latency_ms: f64,
        /// Why it brought no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// How long is waited before the next one, in milliseconds; absent: there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        wait_ms: Option<f64>,
    },
    /// A provider keeps failing and is left alone, or is tried again, or answers again.
    Breaker {
        /// Who.
        provider: String,
        /// What holds from now on.
        state: BreakerState,
        /// For how long it is left alone, in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        rest_ms: Option<f64>,
    },
    /// Fewer or more calls may be in flight from now on.
    Concurrency {
        /// At whom.
        provider: String,
        /// How many.
        limit: usize,
        /// Why.
        why: LimitChange,
    },
    /// What the store of answers did for a call.
    Cache {
        /// What.
        result: CacheEvent,
        /// The key of the answer.
        cache_key: String,
    },
    /// A limit of `[budget]` is reached: the call was not sent.
    Budget {
        /// Who was to be asked.
        provider: String,
        /// Which limit, in words.
        reached: String,
    },
    /// Anything else worth a line.
    Warning {
        /// The line.
        message: String,
    },
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// In words; keys are blacked out.
    pub message: String,
}

/// Whether a provider is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// It is left alone.
    Open,
    /// One call goes, to see.
    HalfOpen,
    /// It is asked as usual.
    Closed,
}

/// Why a number of calls in flight changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitChange {
    /// A round without trouble.
    Grown,
    /// The provider said that it is too much, or did not answer in time.
    Refused,
    /// Answers take much longer than they did.
    Slow,
}

/// What the store of answers did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheEvent {
    /// It had the answer.
    Hit,
    /// It had none.
    Miss,
    /// It had one that is damaged.
    Corrupted,
    /// The shared cache had the answer.
    Shared,
    /// An equal call was in flight; its answer is this one's too.
    Coalesced,
    /// It keeps the new answer.
    Stored,
    /// Another process was quicker; its answer counts.
    Overtaken,
}

/// Which call a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct About {
    /// The example.
    pub id: String,
    /// The trial.
    pub trial: u32,
    /// The call of that example and trial.
    pub key: String,
}

tokio::task_local! {
    /// The call that is being answered, and whether its run is ending; wrappers see what is asked, and not for whom.
    static ABOUT: (About, Ending);
}

/// Whether a run is ending, so that nothing new is sent.
#[derive(Debug, Clone, Default)]
pub struct Ending(Arc<AtomicBool>);

impl Ending {
    /// From now on nothing new is sent.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether that is so.
    pub(super) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers a call in the name of an example: what wrappers say meanwhile is about that. A call that was not sent when the
/// run begins to end is not sent any more, and its answer is [`super::ProviderError::Ending`].
pub async fn about<F: Future>(about: About, ending: Ending, answering: F) -> F::Output {
    ABOUT.scope((about, ending), answering).await
}

/// Whether the run that the present call belongs to is ending.
pub(super) fn is_ending() -> bool {
    ABOUT.try_with(|(_, ending)| ending.has_begun()).unwrap_or(false)
}

/// The name of the present call, the same whenever and however often it is asked, and whether its run is ending.
pub(super) fn present() -> Option<(String, Ending)> {
    ABOUT.try_with(|(About { id, trial, key }, ending)| (format!("{id}/{trial}/{key}"), ending.clone())).ok()
}

/// Who wants to hear of everything at once.
type Listener = Box<dyn Fn(&Notice, Option<&About>) + Send + Sync>;

/// Where notices go.
#[derive(Clone, Default)]
pub struct Notices(Arc<Inner>);

#[derive(Default)]
struct Inner {
    listener: OnceLock<Listener>,
    told: Mutex<Told>,
}

/// What people should hear at the end of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// Attempts that failed and were made again.
    pub retries: u64,
    /// Changes of a breaker, and warnings.
    pub notices: Vec<Notice>,
}

/// Notices that are kept for the end.
const MOST_KEPT: usize = 100;

impl Notices {
    /// Lets somebody hear of everything from now on; there can be one.
    pub fn listen(&self, listener: impl Fn(&Notice, Option<&About>) + Send + Sync + 'static) {
        // A second one is a mistake that only costs its own log.
        let _ = self.0.listener.set(Box::new(listener));
    }

    /// Whether anybody hears more than what people are told at the end.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.listener.get().is_some()
    }

    /// Says something.
    pub fn tell(&self, notice: Notice) {
        if let Some(listener) = self.0.listener.get() {
            // Outside of a run there is no example.
            match ABOUT.try_with(|(about, _)| listener(&notice, Some(about))) {
                Ok(()) => {}
                Err(_) => listener(&notice, None),
            }
        }
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        match notice {
            Notice::Attempt { wait_ms: Some(_), .. } => told.retries += 1,
            Notice::Breaker { .. } | Notice::Warning { .. } if told.notices.len() < MOST_KEPT => {
                told.notices.push(notice);
            }
            _ => {}
        }
    }

    /// What people should hear, since the last time.
    #[must_use]
    pub fn take(&self) -> Told {
        std::mem::take(&mut *self.0.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_hears_whose_call_it_is() {
        let notices = Notices::default();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&heard);
        notices.listen(move |notice, about| {
            list.lock().unwrap().push((notice.clone(), about.map(|about| about.id.clone())));
        });
        let warning = |message: &str| Notice::Warning { message: message.to_owned() };
        notices.tell(warning("outside"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let call = About { id: "one".to_owned(), trial: 0, key: "answer".to_owned() };
        runtime.block_on(about(call, Ending::default(), async { notices.tell(warning("inside")) }));
        let expected = [(warning("outside"), None), (warning("inside"), Some("one".to_owned()))];
        assert_eq!(*heard.lock().unwrap(), expected);
        assert_eq!(notices.take().notices.len(), 2);
        assert_eq!(notices.take(), Told::default());
    }
}
