//! The one thread of a process that writes: it takes all answers that wait into one transaction.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use tokio::sync::oneshot;

use super::connection::{explain, insert, now};
use super::entry::{COLUMNS, Entry, Packer, Unpacker, answer_of};
use super::error::CacheError;
use crate::call::Answered;

/// Answers in one transaction at the most.
const MOST: usize = 1024;

/// Entries that were used, before that is written down in between; the rest is written at the end.
const MOST_USED: usize = 50_000;

/// What the thread is asked to do.
pub(super) enum Job {
    /// Keep an answer.
    Put(Put),
    /// Remember that the entry with this id was used.
    Used(i64),
}

/// An answer to keep.
pub(super) struct Put {
    pub(super) entry: Entry,
    /// Whether it takes the place of what is there.
    pub(super) replace: bool,
    /// Told when it is on the disk.
    pub(super) done: oneshot::Sender<Result<Stored, CacheError>>,
}

/// How an answer was kept.
#[derive(Debug)]
pub(super) enum Stored {
    /// As it is.
    New,
    /// Another process was quicker; this is what is kept.
    Taken(Box<Answered>),
}

/// What the thread owns.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) packer: Packer,
    pub(super) unpacker: Unpacker,
    pub(super) used: BTreeSet<i64>,
}

impl Writer {
    /// Works until nobody can ask any more.
    pub(super) fn work(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut puts = Vec::new();
            self.sort(first, &mut puts);
            // What came while the last transaction was written goes into this one: the slower the disk, the larger the
            // groups.
            while puts.len() < MOST
                && let Ok(job) = jobs.try_recv()
            {
                self.sort(job, &mut puts);
            }
            if !puts.is_empty() {
                self.keep(puts);
            }
            if self.used.len() >= MOST_USED {
                self.write_used();
            }
        }
        self.write_used();
    }

    fn sort(&mut self, job: Job, puts: &mut Vec<Put>) {
        match job {
            Job::Put(put) => puts.push(put),
            Job::Used(id) => {
                self.used.insert(id);
            }
        }
    }

    /// Commits answers together and then, not before, says so.
    fn keep(&mut self, puts: Vec<Put>) {
        match self.commit(&puts) {
            Ok(stored) => {
                for (put, stored) in puts.into_iter().zip(stored) {
                    // A call that nobody waits for any more is kept all the same.
                    let _ = put.done.send(Ok(stored));
                }
            }
            Err(error) => {
                for put in puts {
                    let _ = put.done.send(Err(error.clone()));
                }
            }
        }
    }

    fn commit(&mut self, puts: &[Put]) -> Result<Vec<Stored>, CacheError> {
        let Self { path, connection, packer, unpacker, .. } = self;
        let sql = |error: rusqlite::Error| explain(path, &error);
        // Packed before the lock is taken, which other processes wait for.
        let packed: Vec<_> = puts
            .iter()
            .map(|put| packer.pack(&put.entry))
            .collect::<Result<_, _>>()
            .map_err(CacheError::unusable(path))?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        let mut stored = Vec::with_capacity(puts.len());
        for (put, packed) in puts.iter().zip(&packed) {
            if insert(&transaction, packed, put.replace).map_err(sql)? {
                stored.push(Stored::New);
                continue;
            }
            // The record of this run and the cache must agree, so the answer that is kept is the one that counts.
            let taken = transaction
                .prepare_cached(&format!("SELECT {COLUMNS} FROM answer WHERE key = ?1"))
                .and_then(|mut select| {
                    select.query_row([&put.entry.key.0[..]], |row| Ok(unpacker.unpack(row))).optional()
                })
                .map_err(sql)?;
            let taken = taken.and_then(|row| answer_of(&row.ok()?.entry.text).ok());
            stored.push(if let Some(answered) = taken {
                Stored::Taken(Box::new(answered))
            } else {
                // Broken.
                insert(&transaction, packed, true).map_err(sql)?;
                Stored::New
            });
        }
        transaction.commit().map_err(sql)?;
        Ok(stored)
    }

    /// Writes down what was used. Only `gc --unused` wants to know, so that a failure is not worth a word.
    fn write_used(&mut self) {
        let used = std::mem::take(&mut self.used);
        if used.is_empty() {
            return;
        }
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut update = transaction.prepare_cached("UPDATE answer SET used = ?2 WHERE id = ?1")?;
                let now = now();
                for id in used {
                    update.execute([id, now])?;
                }
            }
            transaction.commit()
        };
        let _ = write(&mut self.connection);
    }
}
