//! Which worker gets which call.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::super::child::Launch;
use super::super::notice::{Ending, Notice, Notices, present};
use super::super::router::{Answering, Closing, Provider, ProviderError, unfit};
use super::super::spec::CommandSpec;
use super::worker::work;
use crate::call::{Answered, Call};

/// Workers that end so often without one answer from any of them do not speak the protocol.
pub(super) const FRUITLESS: u32 = 5;

/// The longest wait before a worker is started again, and the first one.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Several copies of one program that stay and answer call after call.
pub(in super::super) struct Workers {
    pool: Arc<Pool>,
}

/// What the workers share.
pub(super) struct Pool {
    pub(super) launch: Launch,
    pub(super) timeout: Duration,
    pub(super) start_timeout: Duration,
    pub(super) max_output: usize,
    pub(super) in_flight: usize,
    notices: Notices,
    state: Mutex<State>,
}

/// A call on its way.
pub(super) struct Job {
    /// Stays the same whenever and however often the call is asked.
    pub(super) name: String,
    /// JSON, in one line.
    pub(super) document: String,
    /// 2 when a worker that had been sent it has ended.
    pub(super) attempt: u32,
    /// How often it came back from a worker that had not read it.
    pub(super) unread: u32,
    ending: Ending,
    /// Gone once it is answered.
    reply: Option<oneshot::Sender<Result<Answered, ProviderError>>>,
}

#[derive(Default)]
struct State {
    /// Calls for which no worker has room.
    waiting: VecDeque<Job>,
    seats: Vec<Seat>,
    tasks: Vec<JoinHandle<()>>,
    /// Calls that came without a name of their own.
    nameless: u64,
    closing: bool,
    /// Why nobody can be asked.
    broken: Option<String>,
    has_answered: bool,
    /// Workers that ended since the last answer.
    ended: u32,
    restarts: usize,
    sent_again: usize,
}

/// A worker's place.
struct Seat {
    inbox: VecDeque<Job>,
    /// Calls given and not done.
    load: usize,
    /// Whether it takes calls.
    open: bool,
    wake: Arc<Notify>,
}

impl Job {
    /// Whether its run is ending: then it is not sent any more.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.has_begun()
    }

    /// Gives the answer to who waits for it.
    pub(super) fn settle(&mut self, outcome: Result<Answered, ProviderError>) {
        if let Some(reply) = self.reply.take() {
            // Nobody waits for it after a second interrupt.
            let _ = reply.send(outcome);
        }
    }

    pub(super) fn done(mut self, outcome: Result<Answered, ProviderError>) {
        self.settle(outcome);
    }
}

impl Workers {
    pub(in super::super) fn new(
        spec: &CommandSpec,
        workers: NonZeroUsize,
        root: &Path,
        notices: &Notices,
    ) -> Result<Self, ProviderError> {
        let seat = |_| Seat { inbox: VecDeque::new(), load: 0, open: true, wake: Arc::new(Notify::new()) };
        let seats = (0..workers.get()).map(seat).collect();
        Ok(Self {
            pool: Arc::new(Pool {
                launch: Launch::new(spec, root)?,
                timeout: spec.time_out()?,
                start_timeout: spec.first_time_out()?,
                max_output: usize::try_from(spec.max_output).unwrap_or(usize::MAX),
                in_flight: spec.in_flight.map_or(1, NonZeroUsize::get),
                notices: notices.clone(),
                state: Mutex::new(State { seats, ..State::default() }),
            }),
        })
    }

    async fn answer(&self, document: String) -> Result<Answered, ProviderError> {
        let (reply, answered) = oneshot::channel();
        {
            let mut state = self.pool.state();
            let (name, ending) = present().unwrap_or_else(|| {
                state.nameless += 1;
                (format!("call-{}", state.nameless), Ending::default())
            });
            if state.tasks.is_empty() {
                state.closing = false;
                for seat in &mut state.seats {
                    (seat.load, seat.open) = (0, true);
                    seat.inbox.clear();
                }
                state.tasks =
                    (0..state.seats.len()).map(|seat| tokio::spawn(work(Arc::clone(&self.pool), seat))).collect();
            }
            state.give(Job { name, document, attempt: 1, unread: 0, ending, reply: Some(reply) }, self.pool.in_flight);
        }
        let lost = || ProviderError::Settings("the workers have ended with a call in their hands".to_owned());
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn end(&self) {
        let tasks = {
            let mut state = self.pool.state();
            state.closing = true;
            for seat in &state.seats {
                seat.wake.notify_one();
            }
            std::mem::take(&mut state.tasks)
        };
        for task in tasks {
            // A task that panicked has said so; its child died with it.
            let _ = task.await;
        }
        let mut state = self.pool.state();
        let (restarts, sent_again) = (std::mem::take(&mut state.restarts), std::mem::take(&mut state.sent_again));
        drop(state);
        if restarts > 0 {
            self.pool.notices.tell(Notice::Warning {
                message: format!(
                    "a worker of `{}` ended, or was ended, before its time {restarts} times; {sent_again} calls were sent a \
                     second time",
                    self.pool.launch.name()
                ),
            });
        }
    }
}

impl Provider for Workers {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let Call::Program(program) = call else { return unfit(call) };
        Box::pin(self.answer(program.input.to_string()))
    }

    fn close(&self) -> Closing<'_> {
        Box::pin(self.end())
    }
}

impl State {
    /// Gives a call to the open worker with the fewest, or lets it wait.
    fn give(&mut self, job: Job, in_flight: usize) {
        if let Some(why) = &self.broken {
            let error = ProviderError::Settings(why.clone());
            return job.done(Err(error));
        }
        let free = self.seats.iter_mut().filter(|seat| seat.open && seat.load < in_flight);
        match free.min_by_key(|seat| seat.load) {
            Some(seat) => seat.put(job),
            None => self.waiting.push_back(job),
        }
    }

    /// Gives a worker what waits, as long as it has room.
    fn fill(&mut self, seat: usize, in_flight: usize) {
        let seat = &mut self.seats[seat];
        while seat.open && seat.load < in_flight {
            let Some(job) = self.waiting.pop_front() else { break };
            seat.put(job);
        }
    }
}

impl Seat {
    fn put(&mut self, job: Job) {
        self.load += 1;
        self.inbox.push_back(job);
        self.wake.notify_one();
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What wakes a worker: a call, or the end.
    pub(super) fn wake(&self, seat: usize) -> Arc<Notify> {
        Arc::clone(&self.state().seats[seat].wake)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// The next call for a worker. Those whose run is ending are not sent any more.
    pub(super) fn take(&self, seat: usize) -> Option<Job> {
        let mut state = self.state();
        loop {
            let job = state.seats[seat].inbox.pop_front()?;
            if !job.is_ending() {
                return Some(job);
            }
            state.seats[seat].load -= 1;
            state.fill(seat, self.in_flight);
            job.done(Err(ProviderError::Ending));
        }
    }

    /// A worker has answered a call.
    pub(super) fn answered(&self, seat: usize) {
        let mut state = self.state();
        state.has_answered = true;
        state.ended = 0;
        let seat_state = &mut state.seats[seat];
        // A worker that is closed was given its calls another way.
        if seat_state.open {
            seat_state.load -= 1;
            state.fill(seat, self.in_flight);
        }
    }

    /// Takes a worker out: its calls that were not sent go to others, before all that wait.
    pub(super) fn shut(&self, seat: usize, unread: Vec<Job>) {
        let mut state = self.state();
        state.seats[seat].open = false;
        state.seats[seat].load = 0;
        let inbox = std::mem::take(&mut state.seats[seat].inbox);
        let waiting = std::mem::take(&mut state.waiting);
        for job in unread.into_iter().chain(inbox).chain(waiting) {
            state.give(job, self.in_flight);
        }
    }

    /// Lets a worker take calls again.
    pub(super) fn reopen(&self, seat: usize) {
        let mut state = self.state();
        state.seats[seat].open = true;
        state.fill(seat, self.in_flight);
    }

    /// Notes that a worker's life is over; how long to wait before the next one. Where no worker ever answered, that ends
    /// the run after a few.
    pub(super) fn note_end(&self, why: &str, answers: usize, sent_again: usize) -> Duration {
        let mut state = self.state();
        state.restarts += 1;
        state.sent_again += sent_again;
        if answers > 0 {
            return Duration::ZERO;
        }
        state.ended += 1;
        if !state.has_answered && state.ended >= FRUITLESS {
            let why = format!(
                "`{}` was started as a worker {FRUITLESS} times, and none has answered a call; of the last one: {why}. A \
                 worker reads a line for each call and answers each with a line, until its input ends (docs/providers.md); \
                 a program that answers one call and ends is for `command` without `workers`",
                self.launch.name()
            );
            Self::break_down(&mut state, why);
        }
        let (first, most) = BACK_OFF;
        (first * 2_u32.pow(state.ended.min(8) - 1)).min(most)
    }

    /// Nobody can be asked any more.
    pub(super) fn fail(&self, job: Job, error: ProviderError) {
        let why = error.to_string();
        job.done(Err(error));
        let mut state = self.state();
        Self::break_down(&mut state, why);
    }

    fn break_down(state: &mut State, why: String) {
        let mut jobs = std::mem::take(&mut state.waiting);
        for seat in &mut state.seats {
            jobs.extend(seat.inbox.drain(..));
        }
        for job in jobs {
            job.done(Err(ProviderError::Settings(why.clone())));
        }
        state.broken = Some(why);
    }

    /// Why nobody can be asked, where that is so.
    pub(super) fn broken(&self) -> Option<ProviderError> {
        self.state().broken.clone().map(ProviderError::Settings)
    }
}
