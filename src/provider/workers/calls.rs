//! The calls that one child has: what was written of them, what came back, how long they may take.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::line::{self, Said};
use super::pool::{FRUITLESS, Job};
use crate::call::{Answered, CallFailure, FailureKind, Reply};

/// Bytes that were written, and are kept before others, at the most.
const WRITTEN: usize = 1 << 16;

/// The calls of a child's life.
pub(super) struct Calls {
    /// Those without an answer, in the order in which they were sent.
    open: VecDeque<Open>,
    /// Lines to be written, and how much of them was.
    out: Vec<u8>,
    at: usize,
    /// Bytes that were made into lines, and those that were written, in all.
    made: u64,
    written: u64,
    /// What was read and is no whole line yet; so much of it holds no end of a line.
    input: Vec<u8>,
    searched: usize,
    answers: usize,
    last_answer: Option<Instant>,
    /// Whether it has answered a later call before an earlier one: then it works on several at once.
    mixes: bool,
    /// Whether it takes no more input.
    is_deaf: bool,
    timeout: Duration,
    start_timeout: Duration,
    max_line: usize,
}

struct Open {
    job: Job,
    /// Where its line begins and ends among all bytes.
    start: u64,
    end: u64,
    sent: Instant,
    /// Whether its time is over; its answer may come yet and is not wanted.
    is_late: bool,
}

/// What came of what was read.
pub(super) enum Heard {
    Fine,
    /// Something that is no reply.
    Breach(CallFailure),
}

impl Calls {
    pub(super) const fn new(timeout: Duration, start_timeout: Duration, max_line: usize) -> Self {
        Self {
            open: VecDeque::new(),
            out: Vec::new(),
            at: 0,
            made: 0,
            written: 0,
            input: Vec::new(),
            searched: 0,
            answers: 0,
            last_answer: None,
            mixes: false,
            is_deaf: false,
            timeout,
            start_timeout,
            max_line,
        }
    }

    /// Takes a call to be written.
    pub(super) fn push(&mut self, job: Job) {
        if self.at == self.out.len() {
            self.out.clear();
            self.at = 0;
        } else if self.at >= WRITTEN {
            // A call is nearly always half written where many are on their way.
            self.out.drain(..self.at);
            self.at = 0;
        }
        let (start, before) = (self.made, self.out.len());
        line::write(&mut self.out, &job.name, job.attempt, &job.document);
        self.made += (self.out.len() - before) as u64;
        self.open.push_back(Open { job, start, end: self.made, sent: Instant::now(), is_late: false });
    }

    /// Whether nothing is waited for, be it late.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether more calls can be put beside those there are.
    pub(super) fn can_take(&self, most: usize) -> bool {
        !self.open.is_empty() && !self.is_deaf && self.out.len() - self.at < most
    }

    /// What is to be written, and where to read to.
    pub(super) fn buffers(&mut self) -> (&[u8], &mut Vec<u8>) {
        let to_write = if self.is_deaf { &[][..] } else { &self.out[self.at..] };
        self.input.reserve(1 << 14);
        (to_write, &mut self.input)
    }

    pub(super) fn wrote(&mut self, count: usize) {
        self.at += count;
        self.written += count as u64;
    }

    /// The child does not take any more input.
    pub(super) fn cut_off(&mut self) {
        self.is_deaf = true;
    }

    /// Whether it takes no more input, and has nothing to answer either.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_deaf && self.open.iter().all(|call| call.start >= self.written || call.is_late)
    }

    /// Whether it takes calls.
    pub(super) const fn hears(&self) -> bool {
        !self.is_deaf
    }

    pub(super) const fn answers(&self) -> usize {
        self.answers
    }

    /// The longest that anything may take.
    pub(super) fn longest(&self) -> Duration {
        self.timeout.max(self.start_timeout)
    }

    /// When the first of the calls is late. A child that answers in order is at work on the oldest one alone, and has it
    /// since it answered the one before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let oldest = self.open.iter().find(|call| !call.is_late)?;
        let limit = if self.answers == 0 { self.start_timeout } else { self.timeout };
        let since = match self.last_answer {
            Some(answer) if !self.mixes => oldest.sent.max(answer),
            _ => oldest.sent,
        };
        Some(since + limit)
    }

    /// Fails what is late; why the child is to be ended, where it is.
    pub(super) fn expire(&mut self, now: Instant) -> Option<String> {
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= now) {
            let limit = if self.answers == 0 { self.start_timeout } else { self.timeout };
            let place = self.open.iter().position(|call| !call.is_late)?;
            let why = format!("no answer within {} s", limit.as_secs_f64());
            let failure = || Reply::Failed(CallFailure::new(FailureKind::Timeout, why.clone()));
            let is_alone = self.open.iter().filter(|call| !call.is_late).count() == 1;
            if self.mixes && !is_alone {
                // The others are being worked on; this one keeps its place with the child.
                let call = &mut self.open[place];
                call.is_late = true;
                let took = (now - call.sent).as_secs_f64() * 1e3;
                let attempt = call.job.attempt;
                call.job.settle(Ok(answered(failure(), took, attempt)));
                continue;
            }
            let call = self.open.remove(place)?;
            let took = (deadline.min(now) - call.sent).as_secs_f64() * 1e3;
            let attempt = call.job.attempt;
            call.job.done(Ok(answered(failure(), took, attempt)));
            return Some(why);
        }
        None
    }

    /// Reads the whole lines there are.
    pub(super) fn hear(&mut self, mut on_answer: impl FnMut()) -> Heard {
        let mut input = std::mem::take(&mut self.input);
        let mut from = 0;
        let mut breach = None;
        while let Some(length) = input[self.searched.max(from)..].iter().position(|&byte| byte == b'\n') {
            let end = self.searched.max(from) + length;
            let line = input[from..end].trim_ascii();
            from = end + 1;
            if line.len() > self.max_line {
                breach = Some(self.too_long());
                break;
            }
            if line.is_empty() {
                continue;
            }
            match line::read(line).and_then(|said| self.take(said)) {
                Ok(()) => on_answer(),
                Err(why) => {
                    breach = Some(CallFailure::new(FailureKind::Garbage, why));
                    break;
                }
            }
        }
        input.drain(..from);
        self.searched = input.len();
        if breach.is_none() && input.len() > self.max_line {
            breach = Some(self.too_long());
        }
        self.input = input;
        breach.map_or(Heard::Fine, Heard::Breach)
    }

    fn too_long(&self) -> CallFailure {
        let what = format!(
            "the worker printed a line of more than {} bytes; `max_output` says how long one may be",
            self.max_line
        );
        CallFailure::new(FailureKind::TooLarge, what)
    }

    /// Gives an answer to who waits for it.
    fn take(&mut self, said: Said) -> Result<(), String> {
        let Some(place) = self.open.iter().position(|call| call.job.name == said.call) else {
            return Err(format!(
                "the worker answered a call `{}`, which it was not sent, or has answered already; `call` must come back as \
                 it was sent",
                said.call
            ));
        };
        self.mixes |= place > 0;
        let now = Instant::now();
        self.last_answer = Some(now);
        self.answers += 1;
        if let Some(call) = self.open.remove(place)
            && !call.is_late
        {
            let reply = said.outcome.map_or_else(Reply::Failed, Reply::Output);
            let attempt = call.job.attempt;
            call.job.done(Ok(answered(reply, (now - call.sent).as_secs_f64() * 1e3, attempt)));
        }
        Ok(())
    }

    /// Sorts what a child that has ended leaves: calls that it has not read, and those that it may have carried out. A call
    /// that it had alone and that broke the protocol has failed, and so has one that is with a child at its end for the
    /// second time. `in_pipe` are the bytes that were written and not read.
    pub(super) fn sorted(self, in_pipe: u64, failure: &CallFailure, is_breach: bool) -> (Vec<Job>, Vec<Job>) {
        let read = self.written.saturating_sub(in_pipe);
        let (mut unread, mut suspects) = (Vec::new(), Vec::new());
        let failed = |job: Job, what: String| {
            let attempt = job.attempt;
            let failure = CallFailure::new(failure.kind, what);
            job.done(Ok(answered(Reply::Failed(failure), 0.0, attempt)));
        };
        // A line may be whole without its end.
        let was_read = |call: &Open| call.end - 1 <= read;
        let had = self.open.iter().filter(|call| !call.is_late && was_read(call)).count();
        for call in self.open.into_iter().filter(|call| !call.is_late) {
            let is_read = was_read(&call);
            let mut job = call.job;
            if !is_read {
                job.unread += 1;
                if job.attempt > 1 {
                    suspects.push(job);
                } else if job.unread > FRUITLESS {
                    failed(job, format!("no worker reads this call; of the last one: {}", failure.message));
                } else {
                    unread.push(job);
                }
            } else if job.attempt > 1 {
                failed(
                    job,
                    format!("{} (with this call alone; a worker that had it before has ended too)", failure.message),
                );
            } else if is_breach && had == 1 {
                failed(job, failure.message.clone());
            } else {
                job.attempt = 2;
                suspects.push(job);
            }
        }
        (unread, suspects)
    }
}

fn answered(reply: Reply, latency_ms: f64, attempts: u32) -> Answered {
    Answered { attempts, ..Answered::live(reply, latency_ms, None) }
}
