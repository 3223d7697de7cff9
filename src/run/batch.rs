//! The calls that begin the answers, asked in batches: half the price, and answered within a day. The answers go into the
//! cache, and the run that follows finds them there; so further turns, judges and repeated questions need nothing new.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::error::RunError;
use super::event::RunEvent;
use super::plan::Plan;
use crate::call::Call;
use crate::provider::cache::CacheKey;
use crate::provider::{BatchDesk, BatchStand, EndedBatch, Fetched, ProviderError, Reserved, Submission};
use crate::record::{BatchEntry, BatchLedger, BatchSpent, BatchState};

/// How often a call goes into a batch before it is asked like any other.
const TIMES: usize = 2;

/// The waits between two looks grow by this.
const SLOWER: f64 = 1.5;

/// The calls that a run begins with, each once, by key.
pub struct FirstCalls {
    calls: Vec<(CacheKey, Call)>,
}

impl FirstCalls {
    /// The first calls of a plan.
    ///
    /// # Errors
    /// An example that cannot be asked.
    pub fn of(plan: &Plan, desk: &BatchDesk) -> Result<Self, RunError> {
        let mut known = HashSet::new();
        let calls = plan.first_calls()?.into_iter().map(|call| (desk.key(&call), call));
        Ok(Self { calls: calls.filter(|(key, _)| known.insert(*key)).collect() })
    }

    /// How many of these keys are among them.
    #[must_use]
    pub fn count(&self, keys: &[String]) -> usize {
        let known: HashSet<String> = self.calls.iter().map(|(key, _)| key.to_string()).collect();
        keys.iter().filter(|key| known.contains(*key)).count()
    }
}

/// Fetches what is on its way in batches and, with `submit`, hands over what the cache lacks. Calls that a batch did not
/// answer in time, or for a reason that passes, go into a second one; what that does not answer either is left to the run.
///
/// Dropped at any moment, it goes on where it was when it is called again with the same ledger: a batch is on the ledger
/// before it is on its way.
///
/// # Errors
/// A batch that is not taken, that was cancelled, or that cannot be asked about; a budget without room.
pub async fn ask_in_batches(
    first: &FirstCalls,
    desk: &BatchDesk,
    ledger: &mut BatchLedger,
    submit: bool,
    on_event: &mut dyn FnMut(&RunEvent<'_>),
) -> Result<(), RunError> {
    let calls: HashMap<CacheKey, &Call> = first.calls.iter().map(|(key, call)| (*key, call)).collect();
    let mut work = Work { desk, ledger, calls, reserved: HashMap::new(), refused: HashSet::new(), cancelled: None };
    loop {
        work.find_lost().await?;
        work.wait(on_event).await?;
        if let Some(id) = work.cancelled.take() {
            let what = format!("the batch {id} was cancelled at the vendor; what it answered is kept");
            return Err(ProviderError::Batch(what).into());
        }
        if !submit || !work.hand_over(&first.calls, on_event).await? {
            break;
        }
    }
    let left = work.missing(&first.calls)?.len();
    if left > 0 && submit {
        on_event(&RunEvent::Unbatched { calls: left });
    }
    Ok(())
}

struct Work<'w> {
    desk: &'w BatchDesk,
    ledger: &'w mut BatchLedger,
    calls: HashMap<CacheKey, &'w Call>,
    /// What is set aside for calls on their way.
    reserved: HashMap<CacheKey, Reserved<'w>>,
    /// Calls that no batch will answer.
    refused: HashSet<CacheKey>,
    cancelled: Option<String>,
}

/// What was counted while the results of a batch came.
#[derive(Default)]
struct Counted {
    answered: HashSet<CacheKey>,
    refused: HashSet<CacheKey>,
    foreign: usize,
    spent: BatchSpent,
    /// What the vendor said about one that brought no answer.
    why: Option<String>,
}

impl<'w> Work<'w> {
    /// Calls that the cache lacks.
    fn missing(&self, calls: &'w [(CacheKey, Call)]) -> Result<Vec<(CacheKey, &'w Call)>, RunError> {
        let mut missing = Vec::new();
        for (key, call) in calls {
            if !self.desk.holds(key)? {
                missing.push((*key, call));
            }
        }
        Ok(missing)
    }

    /// Finds the ids of batches whose submission was cut short; forgets those that never arrived. What is on its way counts
    /// in the budget.
    async fn find_lost(&mut self) -> Result<(), RunError> {
        let lost: Vec<BatchEntry> =
            self.ledger.batches().iter().filter(|batch| batch.state == BatchState::Submitting).cloned().collect();
        for batch in lost {
            let not = self.ledger.ids();
            let submission = Submission { nonce: &batch.nonce, since: batch.since, requests: batch.calls, not: &not };
            match self.desk.find(submission).await? {
                Some(id) => self.ledger.submitted(&batch.nonce, &id)?,
                None => self.ledger.forget(&batch.nonce)?,
            }
        }
        let open = self.ledger.batches().iter().filter(|batch| batch.state == BatchState::Open);
        for key in open.flat_map(|batch| &batch.keys).filter_map(|key| key.parse().ok()) {
            if let Some(call) = self.calls.get(&key) {
                self.reserved.entry(key).or_insert_with(|| self.desk.reserve_sent(call));
            }
        }
        Ok(())
    }

    /// Hands over what is missing and has not been in batches too often, as much of it as the budget has room for; whether
    /// there was anything.
    async fn hand_over(
        &mut self,
        first: &'w [(CacheKey, Call)],
        on_event: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Result<bool, RunError> {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for key in self.ledger.batches().iter().flat_map(|batch| &batch.keys) {
            *times.entry(key).or_default() += 1;
        }
        let mut todo = self.missing(first)?;
        todo.retain(|(key, _)| {
            !self.refused.contains(key) && times.get(key.to_string().as_str()).is_none_or(|times| *times < TIMES)
        });
        drop(times);
        let mut room = 0;
        for (key, call) in &todo {
            match self.desk.reserve(call) {
                Ok(reserved) => drop(self.reserved.insert(*key, reserved)),
                // The rest follows when it is known what these took.
                Err(ProviderError::Budget(_)) if room > 0 => break,
                Err(error) => return Err(error.into()),
            }
            room += 1;
        }
        todo.truncate(room);
        let mut at = 0;
        while at < todo.len() {
            let (parts, count) = self.desk.pack(&todo[at..])?;
            let keys: Vec<String> = todo[at..at + count].iter().map(|(key, _)| key.to_string()).collect();
            if let Err(error) = self.submit(keys, parts, on_event).await {
                let unsent = todo[at..].iter().map(|(key, _)| key);
                unsent.for_each(|key| drop(self.reserved.remove(key)));
                // What is on its way is waited for first.
                return if at > 0 && !matches!(error, RunError::Record(_)) { Ok(true) } else { Err(error) };
            }
            at += count;
        }
        Ok(room > 0)
    }

    async fn submit(
        &mut self,
        keys: Vec<String>,
        parts: Vec<u8>,
        on_event: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Result<(), RunError> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let since = now.as_secs() as i64;
        let nonce = format!("{:x}-{:x}-{}", now.as_nanos(), std::process::id(), self.ledger.batches().len());
        let (not, requests) = (self.ledger.ids(), keys.len());
        self.ledger.submitting(&nonce, since, keys)?;
        let submission = Submission { nonce: &nonce, since, requests, not: &not };
        match self.desk.submit(submission, &parts).await {
            Ok(id) => {
                self.ledger.submitted(&nonce, &id)?;
                on_event(&RunEvent::Batch { id: &id, state: "submitted", done: 0, calls: requests });
                Ok(())
            }
            // Not taken, for certain. After any other failure it may be there: the ledger keeps it, and it is looked for.
            Err(error @ (ProviderError::Settings(_) | ProviderError::Auth(_) | ProviderError::Tls(_))) => {
                self.ledger.forget(&nonce)?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for all batches that the vendor has, and fetches what they bring.
    async fn wait(&mut self, on_event: &mut dyn FnMut(&RunEvent<'_>)) -> Result<(), RunError> {
        let (mut wait, longest) = self.desk.waits();
        let mut seen: HashMap<String, (String, u64)> = HashMap::new();
        loop {
            let open: Vec<BatchEntry> =
                self.ledger.batches().iter().filter(|batch| batch.state == BatchState::Open).cloned().collect();
            if open.is_empty() {
                return Ok(());
            }
            for batch in open {
                let Some(id) = &batch.id else { continue };
                match self.desk.look(id).await? {
                    BatchStand::Open { state, done } => {
                        let now = (state, done);
                        if seen.get(id) != Some(&now) {
                            on_event(&RunEvent::Batch { id, state: &now.0, done, calls: batch.calls });
                            // Something moves, so that it is worth looking again soon.
                            wait = self.desk.waits().0;
                            seen.insert(id.clone(), now);
                        }
                    }
                    BatchStand::Ended(ended) => self.fetch(&batch, id, &ended, on_event).await?,
                    BatchStand::Refused(why) => {
                        self.ledger.forget(&batch.nonce)?;
                        self.give_back(&batch);
                        return Err(ProviderError::Batch(format!("the batch {id} failed as a whole: {why}")).into());
                    }
                }
            }
            if self.ledger.is_open() {
                tokio::time::sleep(wait).await;
                wait = Duration::from_secs_f64((wait.as_secs_f64() * SLOWER).min(longest.as_secs_f64()));
            }
        }
    }

    /// Fetches the results of a batch, books them, and closes it on the ledger.
    async fn fetch(
        &mut self,
        batch: &BatchEntry,
        id: &str,
        ended: &EndedBatch,
        on_event: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Result<(), RunError> {
        let mut counted = Counted::default();
        let reserved = &mut self.reserved;
        let mut on = |key: Option<CacheKey>, fetched| match (key, fetched) {
            (None, _) => counted.foreign += 1,
            (Some(key), Fetched::Answered { usage, cost_usd }) => {
                if counted.answered.insert(key) {
                    counted.spent.usd += cost_usd.unwrap_or(0.0);
                    counted.spent.tokens += usage.map_or(0, crate::call::Usage::total);
                    if let Some(reserved) = reserved.remove(&key) {
                        reserved.book(usage, cost_usd);
                    }
                }
            }
            (Some(_), Fetched::Again(why)) => counted.why = Some(why),
            (Some(key), Fetched::Refused(why)) => {
                counted.refused.insert(key);
                counted.why = Some(why);
            }
        };
        self.desk.fetch(ended, &self.calls, &mut on).await?;
        if counted.answered.is_empty() && counted.foreign > 0 {
            // It was found by its size alone, and is another's.
            self.give_back(batch);
            return Ok(self.ledger.forget(&batch.nonce)?);
        }
        let is_answered = |key: &String| key.parse().is_ok_and(|key| counted.answered.contains(&key));
        let unanswered: Vec<String> = batch.keys.iter().filter(|key| !is_answered(key)).cloned().collect();
        counted.spent.requests = batch.calls as u64;
        let lost = unanswered.len();
        self.ledger.done(&batch.nonce, counted.spent, unanswered)?;
        self.give_back(batch);
        self.refused.extend(counted.refused);
        if ended.is_cancelled() && lost > 0 {
            self.cancelled = Some(id.to_owned());
        }
        let (state, calls, why) = (ended.word(), batch.calls, counted.why.as_deref());
        on_event(&RunEvent::BatchFetched { id, state, calls, answered: calls - lost, why });
        Ok(())
    }

    /// Gives back what is still set aside for the calls of a batch.
    fn give_back(&mut self, batch: &BatchEntry) {
        for key in batch.keys.iter().filter_map(|key| key.parse().ok()) {
            self.reserved.remove(&key);
        }
    }
}
