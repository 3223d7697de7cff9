//! The life of one child.

use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep_until, timeout};

use super::super::child::{Group, SHOWN, ending};
use super::super::router::ProviderError;
use super::calls::{Calls, Heard};
use super::pool::{Job, Pool};
use super::worker::Worker;
use crate::call::{CallFailure, FailureKind};

/// How long a worker may take to end once its input has.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait for what a worker that has ended leaves behind.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Bytes of a worker's complaints that are kept.
const COMPLAINTS: usize = 8 * SHOWN;

/// What is waiting to be written; no more calls are put beside so much.
const BUFFER: usize = 1 << 18;

/// A child at work.
pub(super) struct Session {
    child: Child,
    group: Group,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// The end of what it said to people.
    complaints: Vec<u8>,
    calls: Calls,
}

/// Why a child is no more.
pub(super) enum Stopped {
    /// The pool is closed.
    Closed,
    /// It ended, or was ended.
    Ended {
        /// In words.
        why: String,
        /// Calls that it answered in its life.
        answers: usize,
        /// Calls that it has not read.
        unread: Vec<Job>,
        /// Calls that it may have carried out.
        suspects: Vec<Job>,
    },
}

/// Why a child is to be no more.
enum Break {
    /// It has ended, or does not read or write any more.
    Gone,
    /// A call took too long, and nothing else came either.
    Stuck(String),
    /// It does not keep to the protocol.
    Breach(CallFailure),
}

/// What happens next.
enum Event {
    Read(std::io::Result<usize>),
    Wrote(std::io::Result<usize>),
    Told(usize),
    Exited,
    Late,
    Woken,
    /// What has ended said nothing more for a while.
    Silent,
}

impl Session {
    pub(super) fn start(pool: &Pool) -> Result<Self, ProviderError> {
        let mut child = pool.launch.start()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let group = Group(child.id());
        let calls = Calls::new(pool.timeout, pool.start_timeout, pool.max_output);
        Ok(Self { child, group, stdin, stdout, stderr, complaints: Vec::new(), calls })
    }

    /// Lets the child work until it ends, or the pool is closed.
    pub(super) async fn run(mut self, worker: &mut Worker, first: Job) -> Stopped {
        self.calls.push(first);
        match self.converse(worker).await {
            None => {
                self.leave().await;
                Stopped::Closed
            }
            Some(reason) => self.bury(reason).await,
        }
    }

    /// Hands calls over and takes replies in; `None` when the pool is closed.
    async fn converse(&mut self, worker: &mut Worker) -> Option<Break> {
        let mut timer = pin!(sleep_until(Instant::now() + self.calls.longest()));
        let mut silence = pin!(sleep_until(Instant::now()));
        let mut told = vec![0; 4096];
        // What it started may hold its output open.
        let mut has_exited = false;
        loop {
            self.fill(worker);
            if self.calls.is_empty() && worker.pool.is_closing() {
                return None;
            }
            if self.calls.is_cut_off() {
                return Some(Break::Gone);
            }
            if let Some(deadline) = self.calls.deadline().filter(|deadline| *deadline < timer.deadline()) {
                timer.as_mut().reset(deadline);
            }
            let (stdin, stdout, stderr) = (&mut self.stdin, &mut self.stdout, &mut self.stderr);
            let (to_write, to_read) = self.calls.buffers();
            let can_write = !to_write.is_empty();
            let has_stderr = stderr.is_some();
            let event = tokio::select! {
                // First what ends it: a worker that never stops talking must not put that off.
                biased;
                () = &mut timer => Event::Late,
                () = worker.wake.notified() => Event::Woken,
                read = async { match stdout { Some(out) => out.read_buf(to_read).await, None => Ok(0) } } => Event::Read(read),
                wrote = async { match stdin { Some(input) => input.write(to_write).await, None => Ok(0) } }, if can_write => {
                    Event::Wrote(wrote)
                }
                count = async { match stderr { Some(errors) => errors.read(&mut told).await, None => Ok(0) } }, if has_stderr => {
                    Event::Told(count.unwrap_or(0))
                }
                _ = self.child.wait(), if !has_exited => Event::Exited,
                () = &mut silence, if has_exited => Event::Silent,
            };
            match event {
                Event::Read(Ok(1..)) => {
                    let heard = self.calls.hear(|| worker.answered());
                    if let Heard::Breach(failure) = heard {
                        return Some(Break::Breach(failure));
                    }
                }
                Event::Read(_) | Event::Silent => return Some(Break::Gone),
                Event::Wrote(Ok(count @ 1..)) => self.calls.wrote(count),
                Event::Wrote(_) => self.calls.cut_off(),
                Event::Told(0) => self.stderr = None,
                Event::Told(count) => self.note(&told[..count]),
                Event::Exited => {
                    has_exited = true;
                    silence.as_mut().reset(Instant::now() + LAST_WORDS);
                }
                Event::Late => {
                    if let Some(why) = self.calls.expire(Instant::now()) {
                        return Some(Break::Stuck(why));
                    }
                    let next = self.calls.deadline().unwrap_or_else(|| Instant::now() + self.calls.longest());
                    timer.as_mut().reset(next);
                }
                Event::Woken if worker.pool.is_closing() => return None,
                Event::Woken => {}
            }
        }
    }

    /// Takes as many calls as there is room for.
    fn fill(&mut self, worker: &mut Worker) {
        if self.calls.is_empty()
            && self.calls.hears()
            && let Some(job) = worker.next_alone()
        {
            self.calls.push(job);
        }
        while self.calls.can_take(BUFFER)
            && let Some(job) = worker.next_more()
        {
            self.calls.push(job);
        }
    }

    fn note(&mut self, said: &[u8]) {
        self.complaints.extend_from_slice(said);
        let more = self.complaints.len().saturating_sub(COMPLAINTS);
        self.complaints.drain(..more);
    }

    /// An orderly end: its input ends, and so should it. With calls that nobody waits for any more, at once.
    async fn leave(mut self) {
        if self.calls.is_empty() {
            self.stdin = None;
            let (mut stdout, mut stderr) = (self.stdout.take(), self.stderr.take());
            // It must not wait for somebody to read.
            let drain = async {
                tokio::join!(drain(stdout.as_mut()), drain(stderr.as_mut()));
            };
            let _ = timeout(GRACE, async { tokio::join!(self.child.wait(), drain) }).await;
        }
        self.group.end();
        // Where there are no groups.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }

    /// Ends the child for certain, and sorts what it leaves.
    async fn bury(mut self, reason: Break) -> Stopped {
        let ended = match reason {
            // What has closed its output is about to end.
            Break::Gone => timeout(LAST_WORDS, self.child.wait()).await.ok(),
            Break::Stuck(_) | Break::Breach(_) => None,
        };
        self.group.end();
        // Where there are no groups.
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
        if let Some(mut stderr) = self.stderr.take() {
            let mut said = Vec::new();
            let _ = timeout(LAST_WORDS, stderr.read_to_end(&mut said)).await;
            self.note(&said);
        }
        let failure = match (reason, ended) {
            (Break::Breach(failure), _) => failure,
            (Break::Stuck(why), _) => CallFailure::new(FailureKind::Timeout, why),
            (Break::Gone, Some(Ok(status))) => {
                CallFailure::new(FailureKind::Crash, format!("{}{}", ending(status), self.last_words()))
            }
            (Break::Gone, _) => {
                let why = format!("the worker closed its input or output, and did not end{}", self.last_words());
                CallFailure::new(FailureKind::Crash, why)
            }
        };
        let is_breach = failure.kind != FailureKind::Crash && failure.kind != FailureKind::Timeout;
        let why = failure.message.clone();
        let answers = self.calls.answers();
        let (unread, suspects) = self.calls.sorted(unread_bytes(self.stdin.as_ref()), &failure, is_breach);
        Stopped::Ended { why, answers, unread, suspects }
    }

    /// The end of what it said to people, for the end of a sentence.
    fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.complaints);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let count = line.chars().count();
        match count {
            0 => String::new(),
            _ if count > SHOWN => format!(": …{}", line.chars().skip(count - SHOWN).collect::<String>()),
            _ => format!(": {line}"),
        }
    }
}

async fn drain(from: Option<&mut (impl AsyncReadExt + Unpin)>) {
    let Some(from) = from else { return };
    let mut buffer = vec![0; 4096];
    while let Ok(1..) = from.read(&mut buffer).await {}
}

/// Bytes that were written for a child and that nobody has read; for certain once it has ended. Only Linux tells.
#[cfg(target_os = "linux")]
fn unread_bytes(stdin: Option<&ChildStdin>) -> u64 {
    stdin.and_then(|stdin| rustix::io::ioctl_fionread(stdin).ok()).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn unread_bytes(_: Option<&ChildStdin>) -> u64 {
    0
}
