//! The provider that looks into the store before it asks.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::connection::now;
use super::entry::{Entry, answer_of, text_of};
use super::error::CacheError;
use super::flight::Turn;
use super::key::{CacheKey, Identity};
use super::store::{Counts, Found, Store};
use super::transfer::{pack_line, unpack_line};
use super::writer::Stored;
use crate::call::{Answered, Call, Source};
use crate::provider::notice::{CacheEvent, Notice, Notices};
use crate::provider::router::{Answering, Closing, Provider, ProviderError};

/// What the store is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum CacheMode {
    /// Answers come from it, and new ones go into it.
    #[default]
    #[serde(rename = "rw")]
    ReadWrite,
    /// Answers come from it, and nobody is asked: what is missing ends the run.
    #[serde(rename = "ro")]
    ReadOnly,
    /// Everything is asked anew, once, and takes the place of what was there.
    #[serde(rename = "refresh")]
    Refresh,
    /// It is not used.
    #[serde(rename = "off")]
    Off,
}

impl CacheMode {
    /// The name as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "rw",
            Self::ReadOnly => "ro",
            Self::Refresh => "refresh",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for CacheMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for CacheMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::ReadWrite, Self::ReadOnly, Self::Refresh, Self::Off]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| format!("`{text}` is none of rw, ro, refresh, off"))
    }
}

/// Answers from the store where it can, asks where it must, and keeps what comes.
///
/// Equal calls at the same time are sent once, whichever `Cached` on the same store they go through. The others get
/// that one's answer, also where it is a failure: nothing speaks for a second try a moment later, which is what
/// `Retrying` is for. An error that ends the run, or a call that is given up, lets the next one ask.
pub struct Cached {
    inner: Box<dyn Provider>,
    identity: Identity,
    store: Arc<Store>,
    mode: CacheMode,
    notices: Notices,
}

impl Cached {
    /// A provider with a store before it.
    #[must_use]
    pub fn new(inner: Box<dyn Provider>, identity: Identity, store: Arc<Store>, mode: CacheMode) -> Self {
        Self { inner, identity, store, mode, notices: Notices::default() }
    }

    /// The same, saying what the store does for each call.
    #[must_use]
    pub fn telling(mut self, notices: Notices) -> Self {
        self.notices = notices;
        self
    }

    /// Counts what happened, and says it where somebody listens.
    fn note(&self, result: CacheEvent, key: CacheKey) {
        let counts = &self.store.counts;
        Counts::add(match result {
            CacheEvent::Hit => &counts.hits,
            CacheEvent::Miss => &counts.misses,
            CacheEvent::Corrupted => &counts.corrupted,
            CacheEvent::Shared => &counts.shared,
            CacheEvent::Coalesced => &counts.coalesced,
            CacheEvent::Stored => &counts.stored,
            CacheEvent::Overtaken => &counts.overtaken,
        });
        if self.notices.is_heard() {
            self.notices.tell(Notice::Cache { result, cache_key: key.to_string() });
        }
    }

    async fn answer(&self, call: &Call) -> Result<Answered, ProviderError> {
        if self.mode == CacheMode::Off {
            return self.inner.ask(call).await;
        }
        let key = self.identity.key(call);
        let store = &*self.store;
        loop {
            match store.flights.join(key) {
                Turn::First(flight) => {
                    let answered = self.find_or_ask(key, call).await?;
                    flight.land(&answered);
                    return Ok(answered);
                }
                Turn::Wait(landing) => {
                    // Closed without an answer: whoever asked gave up, and it is our turn.
                    if let Ok(mut answered) = landing.await {
                        self.note(CacheEvent::Coalesced, key);
                        answered.source = Source::Cache;
                        return Ok(answered);
                    }
                }
            }
        }
    }

    async fn find_or_ask(&self, key: CacheKey, call: &Call) -> Result<Answered, ProviderError> {
        let store = &*self.store;
        // Of what this process has refreshed already, the new answer is good.
        let anew = self.mode == CacheMode::Refresh
            && !store.refreshed.lock().unwrap_or_else(PoisonError::into_inner).contains(&key);
        let mut replace = anew;
        if !anew {
            match store.get(&key)? {
                Found::Answer(answered) => {
                    self.note(CacheEvent::Hit, key);
                    return Ok(Answered { source: Source::Cache, ..*answered });
                }
                Found::Nothing => {}
                Found::Broken(broken) => {
                    self.note(CacheEvent::Corrupted, key);
                    store.warn(format!("the cached answer to {} is broken: {}", describe(call), broken.reason));
                    replace = true;
                }
            }
        }
        if !anew && let Some(answered) = self.find_shared(key, replace).await? {
            return Ok(answered);
        }
        self.note(CacheEvent::Miss, key);
        if self.mode == CacheMode::ReadOnly {
            return Err(ProviderError::CacheMiss { key: key.to_string(), call: describe(call) });
        }
        let answered = self.inner.ask(call).await?;
        self.keep(key, call, answered, replace).await
    }

    /// Keeps a live answer, and gives what counts from now on.
    async fn keep(
        &self,
        key: CacheKey,
        call: &Call,
        mut answered: Answered,
        replace: bool,
    ) -> Result<Answered, ProviderError> {
        let store = &*self.store;
        let Some(entry) = entry_of(&self.identity, key, call, &answered) else { return Ok(answered) };
        let line = store.shared().filter(|shared| shared.keeps()).and_then(|_| pack_line(&entry).ok());
        match store.put(entry, replace).await? {
            Stored::New => {
                self.note(CacheEvent::Stored, key);
                if self.mode == CacheMode::Refresh {
                    store.refreshed.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                }
            }
            Stored::Taken(kept) => {
                // A call was made and paid for; its figures are those of the answer that counts.
                self.note(CacheEvent::Overtaken, key);
                answered = Answered { source: answered.source, attempts: answered.attempts, ..*kept };
            }
        }
        if let (Some(shared), Some(line)) = (store.shared(), line) {
            store.shared_result(shared.put(key, line).await);
        }
        Ok(answered)
    }

    /// The answer in the shared cache, after it was kept here too.
    async fn find_shared(&self, key: CacheKey, replace: bool) -> Result<Option<Answered>, ProviderError> {
        let store = &*self.store;
        let Some(shared) = store.shared() else { return Ok(None) };
        let found = shared.get(key).await.and_then(|line| line.map(|line| unpack_line(&line, key)).transpose());
        let Some(entry) = store.shared_result(found).flatten() else { return Ok(None) };
        // `unpack_line` has looked: it is an answer.
        let Ok(mut answered) = answer_of(&entry.text) else { return Ok(None) };
        if store.can_write()
            && let Stored::Taken(kept) = store.put(entry, replace).await?
        {
            answered = *kept;
        }
        self.note(CacheEvent::Shared, key);
        answered.source = Source::Cache;
        Ok(Some(answered))
    }
}

/// An answer as it is kept; nothing of one that is not worth keeping.
fn entry_of(identity: &Identity, key: CacheKey, call: &Call, answered: &Answered) -> Option<Entry> {
    let text = text_of(answered)?;
    Some(Entry {
        key,
        kind: identity.kind().to_owned(),
        model: call.model().unwrap_or_default().to_owned(),
        created: now(),
        text,
    })
}

/// Keeps an answer that came another way than by a call; done when it is durable, and in the shared cache where there is
/// one. Where an answer is kept already, that one stays.
pub(in crate::provider) async fn keep_answer(
    store: &Store,
    identity: &Identity,
    key: CacheKey,
    call: &Call,
    answered: Answered,
) -> Result<(), CacheError> {
    let Some(entry) = entry_of(identity, key, call, &answered) else { return Ok(()) };
    let shared = store.shared().filter(|shared| shared.keeps());
    let line = shared.and_then(|_| pack_line(&entry).ok());
    if matches!(store.put(entry, false).await?, Stored::New) {
        Counts::add(&store.counts.stored);
    }
    if let (Some(shared), Some(line)) = (store.shared(), line) {
        store.shared_result(shared.put(key, line).await);
    }
    Ok(())
}

impl Provider for Cached {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(self.answer(call))
    }

    fn close(&self) -> Closing<'_> {
        self.inner.close()
    }
}

/// A call in words: who, which model, how what is asked begins.
fn describe(call: &Call) -> String {
    const SHOWN: usize = 60;
    let said = match call {
        Call::Chat(request) => request.messages.last().map(|turn| turn.content.to_text()).unwrap_or_default(),
        Call::Embed(embedding) => embedding.text.clone(),
        Call::Program(program) => program.input.to_string(),
    };
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = words.chars().take(SHOWN).collect();
    if shown.len() < words.len() {
        shown.push('…');
    }
    let who = call.provider();
    match call.model() {
        None => format!("`{who}`: \"{shown}\""),
        Some(model) => format!("`{who}` ({model}): \"{shown}\""),
    }
}
