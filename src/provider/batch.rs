//! Questions handed over in batches: half the price, answered within a day, kept in the cache like any other.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::budget::{Aside, Budget};
use super::build::{Kept, Surroundings};
use super::cache::{CacheKey, CacheMode, Identity, Store, keep_answer};
use super::price::Price;
use super::router::ProviderError;
use super::spec::ProviderSpec;
use super::wire::{BatchWire, Ending, Outcome, Slip, Stand};
use crate::call::{Answered, Call, CallFailure, FailureKind, RetryPolicy, Usage};

/// Where batches of one candidate are handed over and fetched.
pub struct BatchDesk {
    wire: BatchWire,
    identity: Identity,
    store: Arc<Store>,
    /// What an answer in a batch costs, where the price is known.
    price: Option<Price>,
    budget: Arc<Budget>,
    retry: RetryPolicy,
}

/// What a batch is known by before it has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission<'a> {
    /// Ours alone.
    pub nonce: &'a str,
    /// When it was handed over at the earliest: seconds since 1970.
    pub since: i64,
    /// How many questions it holds.
    pub requests: usize,
    /// The ids of all batches that are others.
    pub not: &'a [String],
}

/// How a batch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStand {
    /// It is being worked on.
    Open {
        /// The vendor's word for it.
        state: String,
        /// Questions that are done, as far as the vendor says.
        done: u64,
    },
    /// Nothing more comes.
    Ended(EndedBatch),
    /// The vendor did not take it, for this reason.
    Refused(String),
}

/// A batch whose results can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedBatch {
    how: Ending,
    results: Vec<reqwest::Url>,
}

impl EndedBatch {
    /// Whether somebody ended it at the vendor.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.how == Ending::Cancelled
    }

    /// The vendor's word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.how {
            Ending::Completed => "completed",
            Ending::Expired => "expired",
            Ending::Cancelled => "cancelled",
        }
    }
}

/// What results of a batch came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetched {
    /// The answer is in the cache.
    Answered {
        /// Tokens, where the vendor says.
        usage: Option<Usage>,
        /// What it costs, where the price is known.
        cost_usd: Option<f64>,
    },
    /// It brought no answer, and another time may.
    Again(String),
    /// It brought no answer, and will not.
    Refused(String),
}

impl ProviderSpec {
    /// Where batches of this candidate are handed over.
    ///
    /// # Errors
    /// A candidate without batches, a cache that may not be written: where would the answers go?
    pub fn batches(&self, around: &Surroundings<'_>) -> Result<BatchDesk, ProviderError> {
        let Some((vendor, spec)) = self.model() else {
            return Err(ProviderError::Settings(format!(
                "a `{}` candidate has no batches (`openai`, `openai_responses` and `anthropic` have)",
                self.kind()
            )));
        };
        let wire = BatchWire::new(vendor, spec, around.environment)?;
        let (Kept::As(identity), Some((store, CacheMode::ReadWrite))) = (self.identity(around)?, around.cache) else {
            let what = "batches bring their answers into the cache, so that it has to be used: --cache rw";
            return Err(ProviderError::Settings(what.to_owned()));
        };
        spec.retry.check().map_err(ProviderError::Settings)?;
        Ok(BatchDesk {
            wire,
            identity,
            store: Arc::clone(store),
            price: self.price(around)?.map(|price| price.times(around.prices.batch)),
            budget: Arc::clone(around.budget),
            retry: spec.retry,
        })
    }
}

/// What was set aside for a question in a batch.
pub struct Reserved<'d>(Aside<'d>);

impl Reserved<'_> {
    /// Books what the answer took.
    pub fn book(self, usage: Option<Usage>, cost_usd: Option<f64>) {
        self.0.book(usage, cost_usd);
    }
}

impl BatchDesk {
    /// The key of a call.
    #[must_use]
    pub fn key(&self, call: &Call) -> CacheKey {
        self.identity.key(call)
    }

    /// Whether the answer is in the cache.
    ///
    /// # Errors
    /// A cache that cannot be read.
    pub fn holds(&self, key: &CacheKey) -> Result<bool, ProviderError> {
        Ok(self.store.holds(key)?)
    }

    /// The shortest and the longest wait between two looks at a batch.
    #[must_use]
    pub fn waits(&self) -> (Duration, Duration) {
        (Duration::from_secs_f64(self.retry.base.0), Duration::from_secs_f64(self.retry.cap.0.max(self.retry.base.0)))
    }

    /// Sets aside what a call may take in a batch.
    ///
    /// # Errors
    /// A budget without room for it.
    pub fn reserve(&self, call: &Call) -> Result<Reserved<'_>, ProviderError> {
        let (tokens, usd) = self.estimate(call);
        self.budget.set_aside(tokens, usd).map(Reserved)
    }

    /// The same for a call that is on its way already, whatever the budget says.
    #[must_use]
    pub fn reserve_sent(&self, call: &Call) -> Reserved<'_> {
        let (tokens, usd) = self.estimate(call);
        Reserved(self.budget.hold(tokens, usd))
    }

    fn estimate(&self, call: &Call) -> (u64, f64) {
        let usage = call.estimated_usage();
        (usage.total(), self.price.map_or(0.0, |price| price.of(usage)))
    }

    /// As many of these questions as fit into one batch, from the first one on: the bytes to hand over, and how many.
    ///
    /// # Errors
    /// A question that the vendor has no words for.
    pub fn pack(&self, calls: &[(CacheKey, &Call)]) -> Result<(Vec<u8>, usize), ProviderError> {
        let limits = self.wire.limits();
        // Room for what stands around the questions.
        pack(calls, limits.requests, limits.bytes - 4096, |key, call| match call {
            Call::Chat(request) => self.wire.part(&key.to_string(), request),
            Call::Embed(_) | Call::Program(_) => {
                Err(ProviderError::Settings("only questions to a model can be asked in a batch".to_owned()))
            }
        })
    }

    /// Hands a batch over; its id. Where the answer to that gets lost, looks for the batch before it is handed over again.
    ///
    /// # Errors
    /// A batch that is not taken.
    pub async fn submit(&self, submission: Submission<'_>, parts: &[u8]) -> Result<String, ProviderError> {
        let mut attempt = 1;
        loop {
            let failure = match self.wire.submit(submission.nonce, parts).await {
                Ok(id) => return Ok(id),
                Err(failure) => failure,
            };
            let Some(wait) = self.retry.wait(attempt, &failure, 1.0) else { return Err(not_taken(&failure)) };
            tokio::time::sleep(wait).await;
            // A server that has too much to do has not taken it; of all else one cannot know.
            if failure.kind != FailureKind::RateLimited
                && let Some(id) = self.find(submission).await?
            {
                return Ok(id);
            }
            attempt += 1;
        }
    }

    /// The id of a batch whose submission was cut short; `None` when it never arrived.
    ///
    /// # Errors
    /// A vendor that cannot be asked.
    pub async fn find(&self, submission: Submission<'_>) -> Result<Option<String>, ProviderError> {
        let Submission { nonce, since, requests, not } = submission;
        let slip = Slip { nonce, since, requests, not };
        self.again(|| self.wire.find(&slip)).await
    }

    /// How a batch stands.
    ///
    /// # Errors
    /// A vendor that cannot be asked, or that does not know the batch.
    pub async fn look(&self, id: &str) -> Result<BatchStand, ProviderError> {
        Ok(match self.again(|| self.wire.look(id)).await? {
            Stand::Open { state, done } => BatchStand::Open { state, done },
            Stand::Refused(why) => BatchStand::Refused(why),
            Stand::Ended { how, results } => BatchStand::Ended(EndedBatch { how, results }),
        })
    }

    /// Fetches the results of a batch and keeps its answers; each is in the cache when `on` hears of it. A name that is none
    /// of ours comes as `None`. After a failure on the way everything is fetched again, and comes again.
    ///
    /// # Errors
    /// Results that cannot be fetched, a cache that cannot be written.
    pub async fn fetch(
        &self,
        batch: &EndedBatch,
        calls: &HashMap<CacheKey, &Call>,
        on: &mut dyn FnMut(Option<CacheKey>, Fetched),
    ) -> Result<(), ProviderError> {
        let mut attempt = 1;
        while let Err(failure) = self.fetch_once(batch, calls, on).await? {
            let Some(wait) = self.retry.wait(attempt, &failure, 1.0) else { return Err(lost(&failure)) };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
        Ok(())
    }

    async fn fetch_once(
        &self,
        batch: &EndedBatch,
        calls: &HashMap<CacheKey, &Call>,
        on: &mut dyn FnMut(Option<CacheKey>, Fetched),
    ) -> Result<Result<(), CallFailure>, ProviderError> {
        for place in &batch.results {
            let mut lines = match self.wire.results(place).await {
                Ok(lines) => lines,
                Err(failure) => return Ok(Err(failure)),
            };
            loop {
                let returned = match lines.next().await {
                    Ok(returned) if returned.is_empty() => break,
                    Ok(returned) => returned,
                    Err(failure) => return Ok(Err(failure)),
                };
                // Together, so that they go to the disk together.
                let kept = join_all(returned.into_iter().map(async |returned| {
                    let key = returned.name.parse::<CacheKey>().ok();
                    let known = key.and_then(|key| Some((key, *calls.get(&key)?)));
                    let Some((key, call)) = known else { return Ok((None, Fetched::Again(String::new()))) };
                    Ok::<_, ProviderError>((Some(key), self.keep(key, call, returned.outcome).await?))
                }));
                for kept in kept.await {
                    let (key, fetched) = kept?;
                    on(key, fetched);
                }
            }
        }
        Ok(Ok(()))
    }

    async fn keep(&self, key: CacheKey, call: &Call, outcome: Outcome) -> Result<Fetched, ProviderError> {
        let (reply, usage) = match outcome {
            Outcome::Answered { reply, usage } => (reply, usage),
            Outcome::Expired => return Ok(Fetched::Again("it expired before it was asked".to_owned())),
            Outcome::Cancelled => return Ok(Fetched::Again("it was cancelled".to_owned())),
            Outcome::Failed(failure) if failure.kind.is_passing() => return Ok(Fetched::Again(failure.message)),
            Outcome::Failed(failure) => return Ok(Fetched::Refused(failure.message)),
        };
        let cost_usd = self.price.zip(usage).map(|(price, usage)| price.of(usage));
        let answered = Answered { cost_usd, batch: true, ..Answered::live(reply, 0.0, usage) };
        keep_answer(&self.store, &self.identity, key, call, answered).await?;
        Ok(Fetched::Answered { usage, cost_usd })
    }

    /// Tries something again as long as that may help.
    async fn again<T, F: Future<Output = Result<T, CallFailure>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, ProviderError> {
        let mut attempts = 1;
        loop {
            let failure = match attempt().await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let Some(wait) = self.retry.wait(attempts, &failure, 1.0) else { return Err(lost(&failure)) };
            tokio::time::sleep(wait).await;
            attempts += 1;
        }
    }
}

/// The parts of as many calls as the limits allow, one at the least.
fn pack(
    calls: &[(CacheKey, &Call)],
    requests: usize,
    bytes: usize,
    mut part: impl FnMut(&CacheKey, &Call) -> Result<Vec<u8>, ProviderError>,
) -> Result<(Vec<u8>, usize), ProviderError> {
    let mut parts = Vec::new();
    for (count, (key, call)) in calls.iter().enumerate().take(requests) {
        let more = part(key, call)?;
        if count > 0 && parts.len() + more.len() > bytes {
            return Ok((parts, count));
        }
        parts.extend_from_slice(&more);
    }
    Ok((parts, calls.len().min(requests)))
}

/// A batch that the vendor would not take.
fn not_taken(failure: &CallFailure) -> ProviderError {
    ProviderError::of_all(failure).unwrap_or_else(|| {
        if failure.kind.is_passing() {
            ProviderError::Batch(format!("the batch cannot be handed over: {failure}"))
        } else {
            ProviderError::Settings(format!("the batch was not taken: {failure}"))
        }
    })
}

/// A batch that was handed over and cannot be asked about.
fn lost(failure: &CallFailure) -> ProviderError {
    let lost = || ProviderError::Batch(format!("the batch cannot be looked at: {failure}"));
    ProviderError::of_all(failure).unwrap_or_else(lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Program;

    #[test]
    fn a_batch_is_as_large_as_the_vendor_allows_and_no_larger() {
        let call = Call::Program(Program { provider: "p".to_owned(), input: serde_json::Value::Null });
        let keys: Vec<CacheKey> = (0..10_u8).map(|n| format!("{n:064x}").parse().unwrap()).collect();
        let calls: Vec<(CacheKey, &Call)> = keys.iter().map(|key| (*key, &call)).collect();
        let sizes = |requests, bytes, size: usize| {
            let (mut at, mut sizes) = (0, Vec::new());
            while at < calls.len() {
                let (parts, count) = pack(&calls[at..], requests, bytes, |_, _| Ok(vec![b'x'; size])).unwrap();
                assert_eq!(parts.len(), count * size);
                at += count;
                sizes.push(count);
            }
            sizes
        };
        assert_eq!(sizes(100, 1_000, 10), [10]);
        assert_eq!(sizes(4, 1_000, 10), [4, 4, 2]);
        assert_eq!(sizes(100, 30, 10), [3, 3, 3, 1], "exactly full is not too full");
        assert_eq!(sizes(100, 5, 10), [1; 10], "one that is too large goes alone, and the vendor says so");
    }
}
