//! The journal: every reply, appended the moment it is there, so that a killed run loses nothing it was given.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::RecordError;
use super::manifest::Asked;
use crate::call::Answered;
use crate::table::{TableError, json_reason};

pub(super) const JOURNAL: &str = "journal.jsonl";

/// How long a reply is in the kernel's hands only, and as long as the disk takes: what a power cut can cost. A killed process costs nothing.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: String,
    started: String,
    /// How many answers (examples times trials) the plan has.
    planned: usize,
    /// SHA-256 over the chosen ids, in order.
    selection_sha256: String,
    asked: Asked,
}

const SCHEMA: &str = "evalgauge.journal/1";

/// One reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalRow {
    /// The example.
    pub id: String,
    /// The trial.
    pub trial: u32,
    /// Which call of that example and trial.
    pub key: String,
    /// The reply and what it took.
    pub answered: Answered,
}

/// What a journal held when it was opened again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// When the run started.
    pub started: String,
    /// The replies, in the order in which they came.
    pub rows: Vec<JournalRow>,
}

/// A journal open for appending, which no other process can open at the same time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    line: Vec<u8>,
    synced: Instant,
    syncer: Syncer,
}

/// Forces what was appended to the disk from a thread of its own: a busy disk takes long, and answers do not wait for it.
#[derive(Debug)]
struct Syncer {
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<Mutex<Option<std::io::Error>>>,
}

impl Syncer {
    fn start(file: &File) -> std::io::Result<Self> {
        let file = file.try_clone()?;
        let failed = Arc::new(Mutex::new(None));
        let told = Arc::clone(&failed);
        let (ask, asked) = sync_channel(1);
        let work = move || {
            while asked.recv().is_ok() {
                if let Err(error) = file.sync_data() {
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        };
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(work)?;
        Ok(Self { ask: Some(ask), thread: Some(thread), failed })
    }

    /// Asks for it; says what went wrong the last time.
    fn sync_soon(&self) -> std::io::Result<()> {
        if let Some(ask) = &self.ask {
            // One that waits already covers what was appended since.
            let _ = ask.try_send(());
        }
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        // The thread holds the file, and with it the lock that keeps other processes out.
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Journal {
    /// Starts a journal in a folder.
    ///
    /// # Errors
    /// When the folder cannot be written, or another process works in it.
    pub fn create(
        folder: &Path,
        asked: &Asked,
        selection_sha256: &str,
        planned: usize,
        started: &str,
    ) -> Result<Self, RecordError> {
        let path = folder.join(JOURNAL);
        let file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(TableError::io(&path))?;
        lock(&file, folder)?;
        let syncer = Syncer::start(&file).map_err(TableError::io(&path))?;
        let mut journal = Self { path, file, line: Vec::new(), synced: Instant::now(), syncer };
        journal.write(&Header {
            schema: SCHEMA.to_owned(),
            started: started.to_owned(),
            planned,
            selection_sha256: selection_sha256.to_owned(),
            asked: asked.clone(),
        })?;
        journal.sync()?;
        Ok(journal)
    }

    /// Opens a journal again to go on. A last line that a killed process left unfinished is cut off.
    ///
    /// # Errors
    /// A journal of another plan, one that is broken before its last line, or one that another process writes.
    pub fn resume(folder: &Path, asked: &Asked, selection_sha256: &str) -> Result<(Self, Replayed), RecordError> {
        let path = folder.join(JOURNAL);
        let mut file = OpenOptions::new().read(true).append(true).open(&path).map_err(TableError::io(&path))?;
        lock(&file, folder)?;
        let (header, rows, whole) = read(&path, &file)?;
        if header.asked != *asked || header.selection_sha256 != selection_sha256 {
            return Err(RecordError::Broken {
                path,
                reason: format!(
                    "this run asked something else ({}); resume it with the configuration it was started with, or start a new run",
                    difference(&header.asked, asked)
                ),
            });
        }
        file.set_len(whole).map_err(TableError::io(&path))?;
        file.seek(SeekFrom::End(0)).map_err(TableError::io(&path))?;
        let syncer = Syncer::start(&file).map_err(TableError::io(&path))?;
        let journal = Self { path, file, line: Vec::new(), synced: Instant::now(), syncer };
        Ok((journal, Replayed { started: header.started, rows }))
    }

    /// How many replies a folder's journal holds, and how many answers were planned.
    ///
    /// # Errors
    /// A journal that is missing or broken.
    pub fn progress(folder: &Path) -> Result<(usize, usize), RecordError> {
        let path = folder.join(JOURNAL);
        let file = File::open(&path).map_err(TableError::io(&path))?;
        let (header, rows, _) = read(&path, &file)?;
        Ok((rows.len(), header.planned))
    }

    /// Appends a reply; when this returns, a kill cannot lose it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn append(&mut self, row: &JournalRow) -> Result<(), RecordError> {
        self.write(row)?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.synced = Instant::now();
            self.syncer.sync_soon().map_err(TableError::io(&self.path))?;
        }
        Ok(())
    }

    /// Makes sure that a power cut cannot lose anything.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&mut self) -> Result<(), RecordError> {
        self.file.sync_data().map_err(TableError::io(&self.path))?;
        self.synced = Instant::now();
        Ok(())
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), RecordError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(RecordError::broken(&self.path))?;
        self.line.push(b'\n');
        // One write a line: a kill leaves whole lines, or one torn at the end.
        Ok(self.file.write_all(&self.line).map_err(TableError::io(&self.path))?)
    }
}

fn lock(file: &File, folder: &Path) -> Result<(), RecordError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(std::fs::TryLockError::WouldBlock) => Err(RecordError::Locked { path: folder.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(TableError::io(folder)(error).into()),
    }
}

/// The header, the rows, and how many bytes are whole lines.
fn read(path: &Path, file: &File) -> Result<(Header, Vec<JournalRow>, u64), RecordError> {
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut header = None;
    let mut rows = Vec::new();
    let (mut whole, mut number) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(TableError::io(path))?;
        if length == 0 {
            break;
        }
        number += 1;
        let broken = |error: serde_json::Error| TableError::Line {
            path: path.to_owned(),
            line: number,
            reason: format!("not a row of a journal: {}", json_reason(&error)),
        };
        let torn = !line.ends_with(b"\n");
        if header.is_none() {
            header = Some(serde_json::from_slice::<Header>(&line).map_err(broken)?);
        } else {
            match serde_json::from_slice(&line) {
                Ok(row) if !torn => rows.push(row),
                // The last line of a killed run: its call is asked again.
                _ if torn => break,
                Err(error) => return Err(broken(error).into()),
                Ok(_) => break,
            }
        }
        whole += length as u64;
    }
    let header = header.ok_or_else(|| RecordError::Broken { path: path.to_owned(), reason: "is empty".to_owned() })?;
    if header.schema != SCHEMA {
        let reason = format!("the format is `{}`; this version reads `{SCHEMA}`", header.schema);
        return Err(RecordError::Broken { path: path.to_owned(), reason });
    }
    Ok((header, rows, whole))
}

/// What two plans differ in, in a few words.
fn difference(before: &Asked, now: &Asked) -> &'static str {
    if before.shard != now.shard {
        "another shard"
    } else if before.dataset != now.dataset {
        "another eval set or selection"
    } else if before.candidate != now.candidate {
        "another candidate"
    } else if before.scorers != now.scorers {
        "other scorers"
    } else if before.trials != now.trials {
        "another number of trials"
    } else if before.seed != now.seed {
        "another seed"
    } else {
        "other examples"
    }
}
