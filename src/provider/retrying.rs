//! What is tried again, and when: a wrapper around a provider.

use std::sync::Mutex;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tokio::time::{Instant, sleep_until};

use super::notice::{BreakerState, Failure, Notice, Notices};
use super::router::{Answering, Closing, Provider, ProviderError};
use crate::call::{Answered, Call, CallFailure, Reply, RetryPolicy};

impl RetryPolicy {
    /// How long to wait after the `attempt`-th attempt failed: what the server asked for, else anything up to a bound that
    /// doubles (full jitter: callers that failed together do not come back together). `None`: give up.
    pub(super) fn wait(&self, attempt: u32, failure: &CallFailure, random: f64) -> Option<Duration> {
        if attempt >= self.attempts || !failure.kind.is_passing() {
            return None;
        }
        let cap = self.cap.0;
        if let Some(asked) = failure.retry_after {
            return (asked.as_secs_f64() <= cap).then_some(asked);
        }
        let bound = (self.base.0 * 2.0_f64.powi(attempt.min(60) as i32 - 1)).min(cap);
        Some(Duration::from_secs_f64(bound * random))
    }
}

/// How often a probe may find the provider still down before the run is given up.
const MOST_PROBES: u32 = 4;

/// Whether a provider that keeps failing is left alone.
#[derive(Debug, Default)]
struct Breaker {
    /// Failed attempts in a row.
    failures: u32,
    /// Set while it is open: when the next probe may go, and how many have failed.
    open: Option<(Instant, u32)>,
}

/// What an attempt may do.
enum Leave {
    Go,
    Wait(Instant),
}

/// Tries again what may well succeed a little later, and leaves alone a provider that answers nothing.
pub struct Retrying {
    inner: Box<dyn Provider>,
    policy: RetryPolicy,
    breaker: Mutex<Breaker>,
    random: Mutex<Xoshiro256PlusPlus>,
    notices: Notices,
}

impl Retrying {
    /// Wraps a provider.
    #[must_use]
    pub fn new(inner: Box<dyn Provider>, policy: RetryPolicy, notices: Notices) -> Self {
        // Only waits hang on it, no result does: so it may differ from run to run, and should.
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let random = Xoshiro256PlusPlus::seed_from_u64(clock.as_nanos() as u64 ^ u64::from(std::process::id()));
        Self { inner, policy, breaker: Mutex::default(), random: Mutex::new(random), notices }
    }

    fn leave(&self, provider: &str) -> Leave {
        let mut breaker = lock(&self.breaker);
        match breaker.open {
            None => Leave::Go,
            Some((probe, probes)) if probe <= Instant::now() => {
                // Half open: this one goes, and all others wait for what it finds.
                breaker.open = Some((Instant::now() + self.rest(probes + 1), probes));
                self.changed(provider, BreakerState::HalfOpen, None);
                Leave::Go
            }
            Some((probe, _)) => Leave::Wait(probe),
        }
    }

    /// How long the provider is left alone.
    fn rest(&self, probes: u32) -> Duration {
        let longest = self.policy.cap.0;
        Duration::from_secs_f64((4.0 * self.policy.base.0 * 2.0_f64.powi(probes.min(30) as i32)).min(longest))
    }

    fn changed(&self, provider: &str, state: BreakerState, rest: Option<Duration>) {
        let rest_ms = rest.map(milliseconds);
        self.notices.tell(Notice::Breaker { provider: provider.to_owned(), state, rest_ms });
    }

    /// Counts an attempt; an error when the provider has been down for too long.
    fn count(&self, provider: &str, failed: bool) -> Result<(), ProviderError> {
        let mut breaker = lock(&self.breaker);
        if !failed {
            if breaker.open.is_some() {
                self.changed(provider, BreakerState::Closed, None);
            }
            *breaker = Breaker::default();
            return Ok(());
        }
        breaker.failures += 1;
        if self.policy.breaker == 0 || breaker.failures < self.policy.breaker {
            return Ok(());
        }
        let probes = breaker.open.map_or(0, |(_, probes)| probes + 1);
        if probes >= MOST_PROBES {
            return Err(ProviderError::Down(breaker.failures));
        }
        if breaker.open.is_none() || breaker.failures > self.policy.breaker {
            breaker.open = Some((Instant::now() + self.rest(probes), probes));
            // Only a probe counts from now on.
            breaker.failures = self.policy.breaker;
            self.changed(provider, BreakerState::Open, Some(self.rest(probes)));
        }
        Ok(())
    }

    async fn attempts(&self, call: &Call) -> Result<Answered, ProviderError> {
        let provider = call.provider();
        let mut attempt = 0;
        loop {
            while let Leave::Wait(until) = self.leave(provider) {
                sleep_until(until).await;
            }
            attempt += 1;
            let answered = self.inner.ask(call).await?;
            let Reply::Failed(failure) = &answered.reply else {
                self.tell(provider, attempt, &answered, None);
                self.count(provider, false)?;
                return Ok(Answered { attempts: attempt, ..answered });
            };
            let random = lock(&self.random).random::<f64>();
            let wait = self.policy.wait(attempt, failure, random);
            self.tell(provider, attempt, &answered, wait);
            if let Some(error) = ProviderError::of_all(failure) {
                return Err(error);
            }
            // A server that says no is there.
            self.count(provider, failure.kind.is_passing())?;
            let Some(wait) = wait else {
                return Ok(Answered { attempts: attempt, ..answered });
            };
            sleep_until(Instant::now() + wait).await;
        }
    }

    /// Says what came of an attempt.
    fn tell(&self, provider: &str, attempt: u32, answered: &Answered, wait: Option<Duration>) {
        // Of an answer that needs no second attempt only a listener wants to know.
        if wait.is_none() && !self.notices.is_heard() {
            return;
        }
        let failure = match &answered.reply {
            Reply::Failed(failure) => Some(Failure { kind: failure.kind, message: failure.message.clone() }),
            _ => None,
        };
        self.notices.tell(Notice::Attempt {
            provider: provider.to_owned(),
            attempt,
            latency_ms: answered.latency_ms,
            failure,
            wait_ms: wait.map(milliseconds),
        });
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Provider for Retrying {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(self.attempts(call))
    }

    fn close(&self) -> Closing<'_> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{FailureKind, Program, Seconds};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Fails as told, then answers.
    struct Flaky {
        kind: FailureKind,
        retry_after: Option<Duration>,
        failures: u32,
        asked: Arc<AtomicU32>,
    }

    impl Provider for Flaky {
        fn ask<'a>(&'a self, _: &'a Call) -> Answering<'a> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            let reply = if asked < self.failures {
                let failure = CallFailure::new(self.kind, "no");
                Reply::Failed(CallFailure { retry_after: self.retry_after, ..failure })
            } else {
                Reply::Output("yes".into())
            };
            Box::pin(std::future::ready(Ok(Answered::live(reply, 1.0, None))))
        }
    }

    fn call() -> Call {
        Call::Program(Program { provider: "p".to_owned(), input: serde_json::Value::Null })
    }

    /// What comes of it, how often it was asked, and how many seconds passed on the paused clock.
    fn ask(kind: FailureKind, failures: u32, retry_after: Option<f64>, policy: RetryPolicy) -> (String, u32, f64) {
        let asked = Arc::new(AtomicU32::new(0));
        let retry_after = retry_after.map(Duration::from_secs_f64);
        let flaky = Flaky { kind, retry_after, failures, asked: Arc::clone(&asked) };
        let retrying = Retrying::new(Box::new(flaky), policy, Notices::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let started = Instant::now();
            let outcome = match retrying.ask(&call()).await {
                Ok(Answered { reply: Reply::Failed(failure), attempts, .. }) => {
                    format!("{:?} after {attempts}", failure.kind)
                }
                Ok(answered) => format!("answer after {}", answered.attempts),
                Err(error) => error.to_string(),
            };
            (outcome, asked.load(Ordering::SeqCst), started.elapsed().as_secs_f64())
        })
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let policy = RetryPolicy::default();
        for kind in [FailureKind::RateLimited, FailureKind::Server, FailureKind::Timeout, FailureKind::Connection] {
            assert_eq!(ask(kind, 3, None, policy).0, "answer after 4");
        }
        for kind in [FailureKind::Rejected, FailureKind::ContextLength, FailureKind::ContentPolicy] {
            assert_eq!(ask(kind, 1, None, policy), (format!("{kind:?} after 1"), 1, 0.0));
        }
        assert_eq!(ask(FailureKind::Server, 99, None, policy).0, "Server after 6");
        let (said, asked, _) = ask(FailureKind::Auth, 99, None, policy);
        assert!(said.contains("no") && asked == 1, "{said}");
    }

    #[test]
    fn the_server_says_how_long_up_to_the_cap() {
        let (said, _, took) = ask(FailureKind::RateLimited, 2, Some(7.0), RetryPolicy::default());
        assert_eq!(said, "answer after 3");
        assert!((14.0..14.1).contains(&took), "{took}");
        assert_eq!(ask(FailureKind::RateLimited, 2, Some(3600.0), RetryPolicy::default()).1, 1);
        assert!(ask(FailureKind::RateLimited, 5, Some(0.0), RetryPolicy::default()).2 < 0.1);
    }

    #[test]
    fn waits_double_up_to_the_cap_with_full_jitter() {
        let policy = RetryPolicy { attempts: 40, cap: Seconds(8.0), ..RetryPolicy::default() };
        let failure = CallFailure::new(FailureKind::Server, "");
        let wait = |attempt, random| policy.wait(attempt, &failure, random).unwrap().as_secs_f64();
        let bounds: Vec<f64> = (1..8).map(|attempt| wait(attempt, 1.0)).collect();
        assert_eq!(bounds, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert_eq!((wait(3, 0.5), wait(3, 0.0)), (1.0, 0.0));
    }

    #[test]
    fn a_provider_that_is_down_is_left_alone_then_given_up() {
        let policy = RetryPolicy { attempts: 1_000, breaker: 5, ..RetryPolicy::default() };
        let (said, asked, took) = ask(FailureKind::Connection, u32::MAX, None, policy);
        assert!(said.contains("attempts in a row failed"), "{said}");
        assert!((6..20).contains(&asked) && took > 10.0, "asked {asked} times in {took} s");
        // It comes back while it is left alone.
        assert_eq!(ask(FailureKind::Connection, 6, None, policy).0, "answer after 7");
    }
}
