//! The trait of everything that answers, and the one that passes a call on to whoever is meant.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use super::cache::CacheError;
use crate::call::{Answered, Call, CallFailure, FailureKind};
use crate::evalset::EvalsetError;
use crate::table::TableError;

/// Why nobody can be asked at all: a fault of the set-up, not of one call.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A file of the provider cannot be read.
    #[error(transparent)]
    File(#[from] TableError),
    /// A file of the provider is wrong.
    #[error(transparent)]
    Evalset(#[from] EvalsetError),
    /// Settings, rules or a recording that cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The key is missing, or not good for this.
    #[error("the provider refuses the key: {0}")]
    Auth(String),
    /// No safe connection can be made.
    #[error("{0}")]
    Tls(String),
    /// Nothing gets through.
    #[error("the provider is down: {0} attempts in a row failed, and it was given time")]
    Down(u32),
    /// A batch that was handed over, or should be, and that brought nothing.
    #[error("{0}")]
    Batch(String),
    /// The run is ending, and the call was not sent; it says nothing about the provider.
    #[error("not sent: the run is ending")]
    Ending,
    /// A limit of `[budget]` is reached.
    #[error("budget reached: {0}")]
    Budget(String),
    /// The program cannot be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program as configured.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The cache of answers cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Nobody may be asked, and the cache holds no answer.
    #[error("the cache is read-only and holds no answer to {call}, key {key}")]
    CacheMiss {
        /// The key of the missing answer.
        key: String,
        /// The call in words.
        call: String,
    },
}

impl ProviderError {
    /// What would fail every call, and not only the one that it failed.
    pub(super) fn of_all(failure: &CallFailure) -> Option<Self> {
        match failure.kind {
            FailureKind::Auth => Some(Self::Auth(failure.message.clone())),
            FailureKind::Tls => Some(Self::Tls(failure.message.clone())),
            _ => None,
        }
    }
}

/// The future of an answer.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answered, ProviderError>> + Send + 'a>>;

/// The future of an orderly end.
pub type Closing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Something that answers calls. A call that brings no answer is an [`Answered`] with a failure in it; an error is for
/// what would fail every call, and ends the run.
pub trait Provider: Send + Sync {
    /// Asks.
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a>;

    /// Ends what was started to answer, like workers; done when it has ended. Whoever is asked again begins anew.
    fn close(&self) -> Closing<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// The answer of a provider that is asked for something it does not do.
pub(super) fn unfit<'a>(call: &Call) -> Answering<'a> {
    let reason = format!("`{}` cannot answer a question of this kind", call.provider());
    Box::pin(std::future::ready(Err(ProviderError::Settings(reason))))
}

/// Passes every call on to the provider that it names.
#[derive(Default)]
pub struct Router {
    providers: BTreeMap<String, Box<dyn Provider>>,
}

impl Router {
    /// Adds a provider under a name.
    #[must_use]
    pub fn with(mut self, name: &str, provider: Box<dyn Provider>) -> Self {
        self.providers.insert(name.to_owned(), provider);
        self
    }
}

impl Provider for Router {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        match self.providers.get(call.provider()) {
            Some(provider) => provider.ask(call),
            None => Box::pin(std::future::ready(Err(ProviderError::Settings(format!(
                "there is no provider `{}`",
                call.provider()
            ))))),
        }
    }
    fn close(&self) -> Closing<'_> {
        Box::pin(async {
            // All at once: one that takes its time does not make the others wait.
            let closing = self.providers.values().map(|provider| provider.close());
            futures_util::future::join_all(closing).await;
        })
    }
}
