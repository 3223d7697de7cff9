//! The loop that sends calls, keeps replies, and turns them into samples: one task owns everything.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::error::RunError;
use super::event::RunEvent;
use super::plan::Plan;
use super::task::{Next, Task};
use crate::call::{Answered, Call, Key};
use crate::evalset::Example;
use crate::provider::{About, Ending, Provider, ProviderError, about};
use crate::record::{Journal, JournalRow, Sample};

/// How much may happen at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls begun and not done. How many of them are sent at once is up to the providers.
    pub concurrency: usize,
    /// More failed answers than this end the run.
    pub failed: Option<usize>,
}

/// Runs a plan to its end and gives the samples, by the bytes of the id, then trial.
///
/// The plan gives its examples away: it can be run once. Every reply is in the journal before it is used. `replayed` are the replies of an earlier start of the same plan; they
/// are not asked for again. `interrupt` gives a future that ends when the user wants to stop: the first time, calls that
/// were sent are waited for and nothing new is sent; the second time they are dropped. Whatever else ends a run early waits
/// for the calls in flight too: they may be paid for.
///
/// # Errors
/// [`RunError::Interrupted`] when stopped early, or whatever makes going on pointless. The journal then holds all replies
/// there were.
pub async fn run<I, F>(
    plan: &mut Plan,
    limits: Limits,
    journal: &mut Journal,
    replayed: Vec<JournalRow>,
    mut interrupt: I,
    on_event: &mut dyn FnMut(&RunEvent<'_>),
) -> Result<Vec<Sample>, RunError>
where
    I: FnMut() -> F,
    F: Future<Output = ()>,
{
    let planned = plan.answers();
    on_event(&RunEvent::Started { planned, replayed: replayed.len() });
    let examples = std::mem::take(&mut plan.examples).into_iter().map(Some).collect();
    let mut state = Running::new(plan, examples, replayed, planned);
    let mut outcome = drive(&mut state, limits, journal, &mut interrupt, on_event).await;
    plan.provider.close().await;
    if outcome.is_ok() && state.samples.len() < planned {
        outcome = Err(RunError::Interrupted { done: state.samples.len(), planned });
    }
    let error = outcome.as_ref().err().map(ToString::to_string);
    on_event(&RunEvent::Ended { done: state.samples.len(), error: error.as_deref() });
    outcome?;
    let mut samples = state.samples;
    // No two are equal, and this way no second copy is made of them.
    samples.sort_unstable_by(|a, b| a.id.as_bytes().cmp(b.id.as_bytes()).then(a.trial.cmp(&b.trial)));
    Ok(samples)
}

/// Sends calls and takes answers in until nothing is left to do, or going on is pointless.
async fn drive<I, F>(
    state: &mut Running<'_>,
    limits: Limits,
    journal: &mut Journal,
    interrupt: &mut I,
    on_event: &mut dyn FnMut(&RunEvent<'_>),
) -> Result<(), RunError>
where
    I: FnMut() -> F,
    F: Future<Output = ()>,
{
    let mut in_flight = FuturesUnordered::new();
    let mut stop = Box::pin(interrupt());
    let ending = Ending::default();
    let mut stopping = false;
    let mut ended: Option<RunError> = None;
    loop {
        while !stopping && ended.is_none() && in_flight.len() < limits.concurrency.max(1) {
            let next = match state.next_call(on_event) {
                Ok(next) => next,
                Err(error) => {
                    ending.begin();
                    ended = Some(error);
                    break;
                }
            };
            let Some((task, key, call)) = next else { break };
            let whose = state.asks(task, &key, &call, on_event);
            let provider = &state.plan.provider;
            let ending = ending.clone();
            in_flight.push(async move { (task, key, about(whose, ending, provider.ask(&call)).await) });
        }
        if in_flight.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            () = &mut stop => {
                if stopping {
                    break;
                }
                stopping = true;
                ending.begin();
                on_event(&RunEvent::Stopping { in_flight: in_flight.len() });
                stop = Box::pin(interrupt());
            }
            Some((task, key, answered)) = in_flight.next() => {
                let outcome = match answered {
                    Ok(answered) => state.answered(task, key, answered, journal, on_event),
                    Err(ProviderError::Ending) => Ok(()),
                    Err(error) => Err(error.into()),
                };
                let outcome = outcome.and_then(|()| state.check(limits));
                if let Err(error) = outcome {
                    // A record that cannot be kept makes waiting pointless.
                    if matches!(error, RunError::Record(_)) {
                        return Err(error);
                    }
                    if ended.is_none() {
                        ending.begin();
                        on_event(&RunEvent::Stopping { in_flight: in_flight.len() });
                        ended = Some(error);
                    }
                }
            }
        }
    }
    drop(in_flight);
    journal.sync()?;
    ended.map_or(Ok(()), Err)
}

/// Where a run stands.
struct Running<'p> {
    plan: &'p Plan,
    /// The examples; each is given up when its last trial begins.
    examples: Vec<Option<Arc<Example>>>,
    /// The next example and trial that was not begun, as one number.
    next_task: usize,
    planned: usize,
    /// Replies of an earlier start, by example and trial.
    replayed: HashMap<(String, u32), Vec<(Key, Answered)>>,
    /// Tasks that were begun and are not done.
    open: BTreeMap<usize, Task>,
    /// Calls that are waiting for their turn.
    waiting: VecDeque<(usize, Key, Call)>,
    samples: Vec<Sample>,
    /// How many of them have no answer.
    failed: usize,
}

impl<'p> Running<'p> {
    fn new(plan: &'p Plan, examples: Vec<Option<Arc<Example>>>, rows: Vec<JournalRow>, planned: usize) -> Self {
        let mut replayed: HashMap<(String, u32), Vec<(Key, Answered)>> = HashMap::new();
        for row in rows {
            replayed.entry((row.id, row.trial)).or_default().push((row.key, row.answered));
        }
        Self {
            plan,
            examples,
            next_task: 0,
            planned,
            replayed,
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            samples: Vec::with_capacity(planned),
            failed: 0,
        }
    }

    /// The next call to send; begins tasks as long as none is waiting.
    fn next_call(&mut self, on_event: &mut dyn FnMut(&RunEvent<'_>)) -> Result<Option<(usize, Key, Call)>, RunError> {
        while self.waiting.is_empty() && self.next_task < self.planned {
            let index = self.next_task;
            self.next_task += 1;
            // Trial by trial over all examples, so that an early stop has seen every example.
            let count = self.examples.len();
            let trial = self.plan.first_trial + (index / count) as u32;
            let slot = &mut self.examples[index % count];
            // A million examples with their answers are large; what is not needed any more goes.
            let is_last = trial + 1 == self.plan.first_trial + self.plan.asked.trials;
            let example = if is_last { slot.take() } else { slot.clone() };
            let Some(example) = example else { continue };
            let id = example.id.clone();
            let mut task = Task::new(example, trial);
            for (key, answered) in self.replayed.remove(&(id, trial)).unwrap_or_default() {
                task.answer(key, answered);
            }
            self.open.insert(index, task);
            self.advance(index, on_event)?;
        }
        Ok(self.waiting.pop_front())
    }

    /// Says that a call begins, and whose it is.
    fn asks(&self, index: usize, key: &str, call: &Call, on_event: &mut dyn FnMut(&RunEvent<'_>)) -> About {
        let (id, trial) = self.open.get(&index).map_or(("", 0), |task| (task.example.id.as_str(), task.trial));
        on_event(&RunEvent::Asked { id, trial, key, provider: call.provider(), model: call.model(), call });
        About { id: id.to_owned(), trial, key: key.to_owned() }
    }

    /// Ends a run in which too much has failed.
    fn check(&self, limits: Limits) -> Result<(), RunError> {
        if limits.failed.is_some_and(|most| self.failed > most) {
            let (failed, done, planned) = (self.failed, self.samples.len(), self.planned);
            return Err(RunError::TooManyFailed { failed, done, planned });
        }
        Ok(())
    }

    /// Lets a task say what it needs, or finishes it.
    fn advance(&mut self, index: usize, on_event: &mut dyn FnMut(&RunEvent<'_>)) -> Result<(), RunError> {
        let Some(task) = self.open.get_mut(&index) else { return Ok(()) };
        match task.next(self.plan)? {
            Next::Ask(calls) => self.waiting.extend(calls.into_iter().map(|(key, call)| (index, key, call))),
            Next::Done(sample) => {
                on_event(&RunEvent::Finished { id: &sample.id, trial: sample.trial, failed: sample.error.is_some() });
                self.failed += usize::from(sample.error.is_some());
                self.open.remove(&index);
                self.samples.push(*sample);
            }
        }
        Ok(())
    }

    fn answered(
        &mut self,
        index: usize,
        key: Key,
        answered: Answered,
        journal: &mut Journal,
        on_event: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Result<(), RunError> {
        let Some(task) = self.open.get_mut(&index) else { return Ok(()) };
        let row = JournalRow { id: task.example.id.clone(), trial: task.trial, key, answered };
        journal.append(&row)?;
        on_event(&RunEvent::Answered { id: &row.id, trial: row.trial, key: &row.key, answered: &row.answered });
        task.answer(row.key, row.answered);
        self.advance(index, on_event)
    }
}
