//! How much at once, and how much a minute: a wrapper around a provider.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::notice::{LimitChange, Notice, Notices, is_ending};
use super::router::{Answering, Closing, Provider, ProviderError};
use crate::call::{Answered, Call, FailureKind, LimitSpec, Reply};

/// So many calls at once are never too much to begin with.
const FEW: f64 = 16.0;
/// A cut leaves this share of the calls in flight.
const CUT: f64 = 0.7;
/// A step of the slow growth is this part of the maximum, and one call at the least.
const STEPS: f64 = 64.0;
/// Answers between two looks at the latency.
const WINDOW: u32 = 64;
/// The mean latency of a window may be this many times that of the quickest one before it counts as a queue.
const RISEN: f64 = 3.0;

/// How many calls may be in flight: half of the maximum at first (of a small one
/// all), and twice as many after a round of answers. Less when the
/// server says that it is too much, or takes much longer than it did; after that again twice as many a round, up to a
/// little below where the trouble began, and from there a few more a round.
#[derive(Debug)]
struct Gate {
    most: f64,
    limit: f64,
    in_flight: usize,
    /// Good answers since the limit changed; as many as the limit are a round.
    round: f64,
    /// Up to here a round without trouble doubles the limit.
    threshold: f64,
    /// Whether there was a whole round without trouble since the last cut.
    calm: bool,
    last_cut: Option<Instant>,
    latency: Window,
}

/// Latencies since the last look, and the quickest mean there was.
#[derive(Debug, Default)]
struct Window {
    sum: f64,
    count: u32,
    quickest: Option<f64>,
}

impl Window {
    /// Takes a latency in; true when a window is full and its mean has risen.
    fn risen(&mut self, latency_ms: f64) -> bool {
        self.sum += latency_ms;
        self.count += 1;
        if self.count < WINDOW {
            return false;
        }
        let mean = self.sum / f64::from(self.count);
        (self.sum, self.count) = (0.0, 0);
        let quickest = self.quickest.map_or(mean, |quickest| quickest.min(mean));
        self.quickest = Some(quickest);
        // Below some milliseconds it is our own machine that wavers.
        mean > RISEN * quickest.max(20.0)
    }
}

impl Gate {
    fn new(most: usize) -> Self {
        let most = most.max(1) as f64;
        Self {
            most,
            limit: (most / 2.0).max(FEW).min(most),
            in_flight: 0,
            round: 0.0,
            threshold: most,
            calm: true,
            last_cut: None,
            latency: Window::default(),
        }
    }

    fn enter(&mut self) -> bool {
        let free = (self.in_flight as f64) < self.limit.floor();
        self.in_flight += usize::from(free);
        free
    }

    /// Takes an answer in; the new limit when it has changed, and why.
    fn adapt(&mut self, answered: &Answered, now: Instant) -> Option<(usize, LimitChange)> {
        let failed = matches!(answered.reply, Reply::Failed(_));
        let refused = matches!(&answered.reply, Reply::Failed(failure)
            if matches!(failure.kind, FailureKind::RateLimited | FailureKind::Timeout));
        let risen = !failed && self.latency.risen(answered.latency_ms);
        if !refused && !risen {
            return if failed { None } else { self.grow() };
        }
        // What was in flight at a cut says the same again; it counts once.
        let round = Duration::from_secs_f64((answered.latency_ms / 1e3).clamp(0.05, 30.0));
        if self.last_cut.is_some_and(|cut| now < cut + round) {
            return None;
        }
        self.last_cut = Some(now);
        self.limit = (self.limit * CUT).floor().max(1.0);
        self.round = 0.0;
        // Cuts that follow each other are one trouble (a used-up minute, an outage): when it is over, the level before it is
        // reached quickly.
        if std::mem::take(&mut self.calm) {
            self.threshold = self.limit;
        }
        Some((self.limit as usize, if refused { LimitChange::Refused } else { LimitChange::Slow }))
    }

    /// Counts a good answer.
    fn grow(&mut self) -> Option<(usize, LimitChange)> {
        self.round += 1.0;
        if self.round < self.limit {
            return None;
        }
        self.round = 0.0;
        self.calm = true;
        if self.limit >= self.most {
            return None;
        }
        let next = if self.limit < self.threshold {
            (self.limit * 2.0).min(self.threshold)
        } else {
            self.limit + (self.most / STEPS).floor().max(1.0)
        };
        self.limit = next.min(self.most);
        Some((self.limit as usize, LimitChange::Grown))
    }
}

/// So many units a minute, with a burst of a sixth of a minute.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    burst: f64,
    level: f64,
    filled: Instant,
}

impl Bucket {
    fn new(per_minute: u32) -> Self {
        let burst = (f64::from(per_minute) / 6.0).max(1.0);
        Self { per_second: f64::from(per_minute) / 60.0, burst, level: burst, filled: Instant::now() }
    }

    /// Takes units out; when it may not be yet, the moment at which to ask again.
    fn take(&mut self, units: f64, now: Instant) -> Option<Instant> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.burst);
        self.filled = now;
        // What is more than a full bucket goes when the bucket is full, and leaves a debt.
        let needed = units.min(self.burst);
        if self.level >= needed {
            self.level -= units;
            return None;
        }
        Some(now + Duration::from_secs_f64(((needed - self.level) / self.per_second).max(0.001)))
    }

    /// Takes more, or gives back, when the true number is known.
    fn settle(&mut self, estimated: f64, found: f64) {
        self.level = (self.level + estimated - found).min(self.burst);
    }
}

/// Lets only so many calls through.
pub struct Limited {
    inner: Box<dyn Provider>,
    gate: Mutex<Gate>,
    free: Notify,
    requests: Option<Mutex<Bucket>>,
    tokens: Option<Mutex<Bucket>>,
    notices: Notices,
}

impl Limited {
    /// Wraps a provider; `concurrency` is the run's.
    #[must_use]
    pub fn new(inner: Box<dyn Provider>, spec: LimitSpec, concurrency: usize, notices: Notices) -> Self {
        let bucket = |per_minute: Option<u32>| per_minute.map(|per_minute| Mutex::new(Bucket::new(per_minute)));
        Self {
            inner,
            gate: Mutex::new(Gate::new(spec.concurrency.unwrap_or(concurrency))),
            free: Notify::new(),
            requests: bucket(spec.requests_per_minute),
            tokens: bucket(spec.tokens_per_minute),
            notices,
        }
    }

    async fn limited(&self, call: &Call) -> Result<Answered, ProviderError> {
        loop {
            // Asked for before looking, so that a place that is freed in between is not missed.
            let freed = self.free.notified();
            if is_ending() {
                // Whoever waits behind this one is to hear of it too.
                self.free.notify_one();
                return Err(ProviderError::Ending);
            }
            if lock(&self.gate).enter() {
                break;
            }
            freed.await;
        }
        let place = Place(self);
        let estimate = call.estimated_usage().total() as f64;
        draw(self.requests.as_ref(), 1.0).await;
        draw(self.tokens.as_ref(), estimate).await;
        if is_ending() {
            return Err(ProviderError::Ending);
        }
        let answered = self.inner.ask(call).await?;
        if let (Some(tokens), Some(usage)) = (&self.tokens, answered.usage) {
            lock(tokens).settle(estimate, usage.total() as f64);
        }
        let changed = lock(&self.gate).adapt(&answered, Instant::now());
        if let Some((limit, why)) = changed {
            self.notices.tell(Notice::Concurrency { provider: call.provider().to_owned(), limit, why });
        }
        drop(place);
        Ok(answered)
    }
}

/// A call in flight; its place is given back also when the call is dropped.
struct Place<'l>(&'l Limited);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut gate = lock(&self.0.gate);
        gate.in_flight -= 1;
        let free = (gate.limit as usize).saturating_sub(gate.in_flight);
        drop(gate);
        // Two, where the limit has grown.
        for _ in 0..free.min(2) {
            self.0.free.notify_one();
        }
    }
}

/// Waits until a bucket gives so many units.
async fn draw(bucket: Option<&Mutex<Bucket>>, units: f64) {
    let Some(bucket) = bucket else { return };
    loop {
        let Some(until) = lock(bucket).take(units, Instant::now()) else { return };
        sleep_until(until).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Provider for Limited {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(self.limited(call))
    }

    fn close(&self) -> Closing<'_> {
        self.inner.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{CallFailure, Program};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn answered(failure: Option<FailureKind>, latency_ms: f64) -> Answered {
        let reply =
            failure.map_or_else(|| Reply::Output("yes".into()), |kind| Reply::Failed(CallFailure::new(kind, "no")));
        Answered::live(reply, latency_ms, None)
    }

    /// Answers in a row, and the limits that come of them.
    fn round(gate: &mut Gate, count: usize, now: Instant) -> Vec<usize> {
        (0..count).filter_map(|_| gate.adapt(&answered(None, 100.0), now)).map(|(limit, _)| limit).collect()
    }

    #[test]
    fn it_starts_at_half_doubles_a_round_and_is_cut_once_a_round() {
        let mut gate = Gate::new(256);
        let mut now = Instant::now();
        assert_eq!(gate.limit, 128.0);
        assert!(round(&mut gate, 127, now).is_empty());
        assert_eq!(round(&mut gate, 1, now), [256]);
        let refused = answered(Some(FailureKind::RateLimited), 100.0);
        assert_eq!(gate.adapt(&refused, now), Some((179, LimitChange::Refused)));
        // The rest of that round says nothing new.
        assert_eq!(gate.adapt(&refused, now), None);
        now += Duration::from_millis(150);
        assert_eq!(gate.adapt(&refused, now), Some((125, LimitChange::Refused)));
        // Quickly back to where the trouble began, then a sixty-fourth of the maximum a round.
        assert_eq!(round(&mut gate, 125 + 179 + 183, now), [179, 183, 187]);
        for _ in 0..50 {
            now += Duration::from_secs(1);
            gate.adapt(&refused, now);
        }
        assert_eq!(gate.limit, 1.0);
        // The trouble began at 187.
        assert_eq!(round(&mut gate, 255, now), [2, 4, 8, 16, 32, 64, 128, 130]);
        // It began at 130, so that is too much.
        now += Duration::from_secs(1);
        assert_eq!(gate.adapt(&refused, now), Some((91, LimitChange::Refused)));
        assert_eq!(round(&mut gate, 130, now), [95]);
    }

    #[test]
    fn the_smallest_limits_work() {
        for most in 1..4 {
            let mut gate = Gate::new(most);
            let now = Instant::now();
            round(&mut gate, 10, now);
            assert_eq!(gate.limit, most as f64);
            gate.adapt(&answered(Some(FailureKind::Timeout), 100.0), now);
            assert!(gate.enter() && gate.limit >= 1.0);
        }
    }

    #[test]
    fn a_server_that_takes_much_longer_is_sent_less() {
        let mut gate = Gate::new(64);
        let now = Instant::now();
        assert_eq!((Gate::new(8).limit, Gate::new(20).limit), (8.0, 16.0));
        let mut changes = Vec::new();
        for latency in [vec![50.0; 256], vec![60.0; 256], vec![400.0; 64]].concat() {
            changes.extend(gate.adapt(&answered(None, latency), now));
        }
        assert_eq!(changes, [(64, LimitChange::Grown), (44, LimitChange::Slow)]);
        // A failure of the server is no queue, and two milliseconds instead of half a one are no news.
        let mut gate = Gate::new(64);
        round(&mut gate, 64, now);
        for latency in [vec![0.5; 64], vec![4.0; 640]].concat() {
            assert_eq!(gate.adapt(&answered(None, latency), now), None);
        }
    }

    /// Counts how many calls are inside at once.
    struct Counting {
        inside: AtomicUsize,
        most: Arc<AtomicUsize>,
    }

    impl Provider for Counting {
        fn ask<'a>(&'a self, _: &'a Call) -> Answering<'a> {
            Box::pin(async {
                let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(inside, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.inside.fetch_sub(1, Ordering::SeqCst);
                Ok(answered(None, 10.0))
            })
        }
    }

    /// The most calls inside at once, and the seconds on the paused clock that `calls` took.
    fn flood(spec: LimitSpec, calls: usize) -> (usize, f64) {
        let most = Arc::new(AtomicUsize::new(0));
        let counting = Counting { inside: AtomicUsize::new(0), most: Arc::clone(&most) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let took = runtime.block_on(async {
            let limited = Limited::new(Box::new(counting), spec, 1_000, Notices::default());
            let call = Call::Program(Program { provider: "p".to_owned(), input: serde_json::Value::Null });
            let started = Instant::now();
            futures_util::future::join_all((0..calls).map(|_| limited.ask(&call))).await;
            started.elapsed().as_secs_f64()
        });
        (most.load(Ordering::SeqCst), took)
    }

    #[test]
    fn never_more_at_once_than_allowed_and_all_get_through() {
        let (most, _) = flood(LimitSpec { concurrency: Some(8), ..LimitSpec::default() }, 200);
        assert_eq!(most, 8);
    }

    #[test]
    fn a_minute_has_so_many_requests() {
        // 120 a minute, 20 of them at once: the other 100 take 50 seconds.
        let (_, took) = flood(LimitSpec { requests_per_minute: Some(120), ..LimitSpec::default() }, 120);
        assert!((49.0..52.0).contains(&took), "{took}");
    }

    #[test]
    fn tokens_are_settled_when_they_are_known() {
        let now = Instant::now();
        let mut bucket = Bucket::new(6_000);
        assert_eq!(bucket.take(900.0, now), None);
        bucket.settle(900.0, 100.0);
        assert_eq!(bucket.take(900.0, now), None);
        let until = bucket.take(500.0, now).unwrap();
        assert!((until - now).as_secs_f64() > 4.9);
        // More than the bucket holds goes when it is full, and what follows waits the longer.
        let later = now + Duration::from_secs(20);
        assert_eq!(bucket.take(5_000.0, later), None);
        assert!((bucket.take(1.0, later).unwrap() - later).as_secs_f64() > 39.0);
    }
}
