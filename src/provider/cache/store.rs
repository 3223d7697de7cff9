//! The store of answers.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use tokio::sync::oneshot;

use super::connection::{explain, now, open_to_read, open_to_write};
use super::entry::{Broken, COLUMNS, Entry, Packer, Unpacker, answer_of};
use super::error::CacheError;
use super::flight::Flights;
use super::key::CacheKey;
use super::shared::Shared;
use super::writer::{Job, Put, Stored, Writer};
use crate::call::Answered;

/// How old the note of the last use may be before a hit renews it: replays do not write.
const USED_WITHIN: i64 = 24 * 3600 * 1000;

/// Warnings that are kept; the rest is only counted.
const MOST_WARNINGS: usize = 50;

/// A store of answers: one SQLite file with a write-ahead log, which several processes may use at once.
///
/// An answer is durable before it is used. One thread writes; it takes all answers that wait into one transaction, and
/// whoever waits is told after the commit. The log is forced to the disk with every commit (`synchronous = FULL`): what
/// was acknowledged survives a killed process, a crashed system and a power cut, as far as the disk keeps the promise
/// of `fsync`. What was not acknowledged is there wholly or not at all.
///
/// The store must not be on a network disk, where a write-ahead log does not work.
pub struct Store {
    path: PathBuf,
    reader: Mutex<Reader>,
    writer: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    pub(super) flights: Flights,
    /// What was asked anew by this process, in the mode that asks everything anew.
    pub(super) refreshed: Mutex<HashSet<CacheKey>>,
    pub(super) counts: Counts,
    warnings: Mutex<Vec<String>>,
    shared: Option<Arc<dyn Shared>>,
    /// Failures in a row.
    shared_failures: AtomicU64,
    /// All of them, and what the first one was.
    shared_trouble: Mutex<Option<(u64, String)>>,
}

struct Reader {
    connection: Connection,
    unpacker: Unpacker,
    /// `SELECT … WHERE key = ?1`
    select: String,
}

/// What a look into the store brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Nothing is kept.
    Nothing,
    /// The answer, as it was when it was live.
    Answer(Box<Answered>),
    /// Something is kept that cannot be used.
    Broken(Broken),
}

/// What happened, as counters.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) stored: AtomicU64,
    pub(super) corrupted: AtomicU64,
    pub(super) coalesced: AtomicU64,
    pub(super) overtaken: AtomicU64,
    pub(super) shared: AtomicU64,
}

impl Counts {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a store did for this process so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CacheReport {
    /// Calls that were answered from the store.
    pub hits: u64,
    /// Calls that the store had no answer to.
    pub misses: u64,
    /// Answers that were put into it.
    pub stored: u64,
    /// Entries that were broken.
    pub corrupted: u64,
    /// Calls that got the answer to an equal one in flight.
    pub coalesced: u64,
    /// Answers that gave way to those of another process, which was quicker.
    pub overtaken: u64,
    /// Answers that came from the shared cache.
    pub shared: u64,
}

impl Store {
    /// Opens a store; makes it, private to its owner, where there is none.
    ///
    /// # Errors
    /// A file that is something else or cannot be written.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let unusable = || CacheError::unusable(path);
        let writer = Writer {
            path: path.to_owned(),
            connection: open_to_write(path)?,
            packer: Packer::new().map_err(unusable())?,
            unpacker: Unpacker::new().map_err(unusable())?,
            used: BTreeSet::new(),
        };
        let (sender, jobs) = mpsc::channel();
        let mut store = Self::with_reader(path)?;
        let thread = std::thread::Builder::new().name("cache".to_owned()).spawn(move || writer.work(&jobs));
        store.thread = Some(thread.map_err(unusable())?);
        store.writer = Some(sender);
        Ok(store)
    }

    /// Opens a store that must be there, and never writes to it.
    ///
    /// # Errors
    /// A file that is missing, something else, or cannot be read.
    pub fn open_read_only(path: &Path) -> Result<Self, CacheError> {
        Self::with_reader(path)
    }

    fn with_reader(path: &Path) -> Result<Self, CacheError> {
        Ok(Self {
            path: path.to_owned(),
            reader: Mutex::new(Reader {
                connection: open_to_read(path)?,
                unpacker: Unpacker::new().map_err(CacheError::unusable(path))?,
                select: format!("SELECT {COLUMNS} FROM answer WHERE key = ?1"),
            }),
            writer: None,
            thread: None,
            flights: Flights::default(),
            refreshed: Mutex::default(),
            counts: Counts::default(),
            warnings: Mutex::default(),
            shared: None,
            shared_failures: AtomicU64::new(0),
            shared_trouble: Mutex::default(),
        })
    }

    /// With a cache that others share, asked where this one has no answer.
    #[must_use]
    pub fn with_shared(mut self, shared: Arc<dyn Shared>) -> Self {
        self.shared = Some(shared);
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is kept under a key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, key: &CacheKey) -> Result<Found, CacheError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let Reader { connection, unpacker, select } = &mut *reader;
        let row = connection
            .prepare_cached(select)
            .and_then(|mut select| select.query_row([&key.0[..]], |row| Ok(unpacker.unpack(row))).optional())
            .map_err(|error| explain(&self.path, &error))?;
        drop(reader);
        let unpacked = match row {
            None => return Ok(Found::Nothing),
            Some(Err(broken)) => return Ok(Found::Broken(broken)),
            Some(Ok(unpacked)) => unpacked,
        };
        if let Some(writer) = &self.writer
            && now() - unpacked.used > USED_WITHIN
        {
            // The thread is only gone when the process ends.
            let _ = writer.send(Job::Used(unpacked.id));
        }
        Ok(match answer_of(&unpacked.entry.text) {
            Ok(answered) => Found::Answer(Box::new(answered)),
            Err(reason) => Found::Broken(Broken { key: key.to_string(), reason }),
        })
    }

    /// Whether an answer is kept under a key; does not look whether it is whole.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn holds(&self, key: &CacheKey) -> Result<bool, CacheError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader
            .connection
            .prepare_cached("SELECT 1 FROM answer WHERE key = ?1")
            .and_then(|mut select| select.exists([&key.0[..]]))
            .map_err(|error| explain(&self.path, &error))
    }

    /// Keeps an entry; done when it is durable.
    pub(super) async fn put(&self, entry: Entry, replace: bool) -> Result<Stored, CacheError> {
        let gone = || CacheError::unusable(&self.path)("its writer is gone");
        let writer = self.writer.as_ref().ok_or_else(|| CacheError::unusable(&self.path)("opened for reading only"))?;
        let (done, stored) = oneshot::channel();
        writer.send(Job::Put(Put { entry, replace, done })).map_err(|_| gone())?;
        stored.await.map_err(|_| gone())?
    }

    /// What the store did so far.
    #[must_use]
    pub fn report(&self) -> CacheReport {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheReport {
            hits: read(&self.counts.hits),
            misses: read(&self.counts.misses),
            stored: read(&self.counts.stored),
            corrupted: read(&self.counts.corrupted),
            coalesced: read(&self.counts.coalesced),
            overtaken: read(&self.counts.overtaken),
            shared: read(&self.counts.shared),
        }
    }

    /// What people should hear of, once. The shared cache is one line, however often it failed.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        let trouble = self.shared_trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((failures, first)) = trouble {
            let left = if self.shared().is_none() { "; it was left alone after that" } else { "" };
            let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times, first") };
            warnings.push(format!("the shared cache failed {times}: {first}{left}"));
        }
        warnings
    }

    pub(super) fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < MOST_WARNINGS {
            warnings.push(warning);
        }
    }

    /// The shared cache, as long as it works.
    pub(super) fn shared(&self) -> Option<&dyn Shared> {
        self.shared.as_deref().filter(|_| self.shared_failures.load(Ordering::Relaxed) < super::shared::PATIENCE)
    }

    /// Whether it was opened for writing.
    pub(super) const fn can_write(&self) -> bool {
        self.writer.is_some()
    }

    /// Notes whether the shared cache worked. It is a help: when it does not, the run goes on without it.
    pub(super) fn shared_result<T>(&self, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => {
                self.shared_failures.store(0, Ordering::Relaxed);
                Some(value)
            }
            Err(reason) => {
                self.shared_failures.fetch_add(1, Ordering::Relaxed);
                let mut trouble = self.shared_trouble.lock().unwrap_or_else(PoisonError::into_inner);
                trouble.get_or_insert((0, reason)).0 += 1;
                None
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Without a sender the thread finishes what waits, writes down what was used, and ends.
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
