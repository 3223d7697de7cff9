//! `batches.json`: the batches that a run handed over. It is on the disk before a batch is on its way, so that a killed run
//! finds its batches again and hands none over twice.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::RecordError;
use crate::table::{TableError, write_atomically};

const BATCHES: &str = "batches.json";

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchState {
    /// It may have been handed over, or not: it has no id yet.
    Submitting,
    /// The vendor has it.
    Open,
    /// Its results are fetched.
    Done,
}

/// One batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEntry {
    /// Ours alone; the vendor keeps it where it can.
    pub nonce: String,
    /// The vendor's id of it.
    pub id: Option<String>,
    /// How far it is.
    pub state: BatchState,
    /// When it was handed over, in seconds since 1970.
    pub since: i64,
    /// How many calls it holds.
    pub calls: usize,
    /// The keys of its calls; when it is done, of those that brought no answer.
    pub keys: Vec<String>,
}

/// What the batches that are done took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BatchSpent {
    /// US dollars, of calls whose price is known.
    pub usd: f64,
    /// Tokens.
    pub tokens: u64,
    /// Calls.
    pub requests: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Content {
    schema: String,
    spent: BatchSpent,
    batches: Vec<BatchEntry>,
}

const SCHEMA: &str = "evalgauge.batches/1";

/// The batches of a run. Who has its journal has it alone.
#[derive(Debug)]
pub struct BatchLedger {
    path: PathBuf,
    content: Content,
}

impl BatchLedger {
    /// The batches of a run's folder; none where there is no such file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(BATCHES);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let content = Content { schema: SCHEMA.to_owned(), spent: BatchSpent::default(), batches: Vec::new() };
                return Ok(Self { path, content });
            }
            Err(error) => return Err(TableError::io(&path)(error).into()),
        };
        let content: Content = serde_json::from_str(&text).map_err(RecordError::broken(&path))?;
        if content.schema != SCHEMA {
            let reason = format!("the format is `{}`; this version reads `{SCHEMA}`", content.schema);
            return Err(RecordError::Broken { path, reason });
        }
        Ok(Self { path, content })
    }

    /// All batches, in the order in which they were handed over.
    #[must_use]
    pub fn batches(&self) -> &[BatchEntry] {
        &self.content.batches
    }

    /// What the batches that are done took.
    #[must_use]
    pub const fn spent(&self) -> BatchSpent {
        self.content.spent
    }

    /// Whether there is a batch whose results are not fetched.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.content.batches.iter().any(|batch| batch.state != BatchState::Done)
    }

    /// The ids of all batches.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.content.batches.iter().filter_map(|batch| batch.id.clone()).collect()
    }

    /// Notes that a batch is about to be handed over; on the disk when this returns.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn submitting(&mut self, nonce: &str, since: i64, keys: Vec<String>) -> Result<(), RecordError> {
        let (nonce, calls) = (nonce.to_owned(), keys.len());
        self.content.batches.push(BatchEntry { nonce, id: None, state: BatchState::Submitting, since, calls, keys });
        self.save()
    }

    /// Notes the id of a batch.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn submitted(&mut self, nonce: &str, id: &str) -> Result<(), RecordError> {
        if let Some(batch) = self.of(nonce) {
            (batch.id, batch.state) = (Some(id.to_owned()), BatchState::Open);
        }
        self.save()
    }

    /// Forgets a batch that never arrived, or was not taken.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn forget(&mut self, nonce: &str) -> Result<(), RecordError> {
        self.content.batches.retain(|batch| batch.nonce != nonce);
        self.save()
    }

    /// Notes that everything of a batch is fetched: what it took, and which calls it did not answer.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn done(&mut self, nonce: &str, spent: BatchSpent, unanswered: Vec<String>) -> Result<(), RecordError> {
        if let Some(batch) = self.of(nonce) {
            (batch.state, batch.keys) = (BatchState::Done, unanswered);
        }
        let all = &mut self.content.spent;
        all.usd += spent.usd;
        all.tokens += spent.tokens;
        all.requests += spent.requests;
        self.save()
    }

    fn of(&mut self, nonce: &str) -> Option<&mut BatchEntry> {
        self.content.batches.iter_mut().find(|batch| batch.nonce == nonce)
    }

    fn save(&self) -> Result<(), RecordError> {
        let mut text = serde_json::to_string_pretty(&self.content).map_err(RecordError::broken(&self.path))?;
        text.push('\n');
        write_atomically(&self.path, text.as_bytes())?;
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            // Its name too has to be on the disk before the batch is on its way.
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(TableError::io(folder))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = BatchLedger::open(folder.path()).unwrap();
        assert!(!ledger.is_open() && ledger.batches().is_empty());
        let keys = || vec!["k1".to_owned(), "k2".to_owned()];
        ledger.submitting("n1", 7, keys()).unwrap();
        ledger.submitting("n2", 8, keys()).unwrap();
        ledger.submitted("n1", "batch_1").unwrap();
        let again = BatchLedger::open(folder.path()).unwrap();
        assert_eq!((again.batches(), again.is_open()), (ledger.batches(), true));
        assert_eq!(again.batches()[1].state, BatchState::Submitting);
        assert_eq!(again.ids(), ["batch_1"]);
        ledger.forget("n2").unwrap();
        let spent = BatchSpent { usd: 0.5, tokens: 10, requests: 2 };
        ledger.done("n1", spent, vec!["k2".to_owned()]).unwrap();
        let again = BatchLedger::open(folder.path()).unwrap();
        assert_eq!((again.is_open(), again.spent()), (false, spent));
        assert_eq!((again.batches()[0].calls, &again.batches()[0].keys[..]), (2, &["k2".to_owned()][..]));
        std::fs::write(folder.path().join(BATCHES), "{").unwrap();
        assert!(BatchLedger::open(folder.path()).is_err());
    }
}
