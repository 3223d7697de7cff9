//! The record of a run: what was asked, answered and scored (stable), and how it went (volatile).
//!
//! `record_sha256` is the SHA-256 of the stable part in a canonical text form, which is also what a committed baseline
//! consists of: `sha256sum rows.jsonl` gives the same digest. It does not depend on Parquet bytes, concurrency, resumption
//! or the order in which answers came.

mod baseline;
mod batches;
mod blessing;
mod canonical;
mod error;
mod files;
mod history;
mod journal;
mod manifest;
mod measures;
mod merge;
mod sample;
mod store;

pub use baseline::{baseline_folder, bless};
pub use batches::{BatchEntry, BatchLedger, BatchSpent, BatchState};
pub use blessing::{Blessing, CellNoise, NoiseFloor};
pub use canonical::{canonical_text, record_sha256};
pub use error::RecordError;
pub use files::{load, save};
pub use history::{HISTORY, HistoryLine, history, remember};
pub use journal::{Journal, JournalRow, Replayed};
pub use manifest::{Asked, CandidateId, DatasetId, Made, Manifest, ScorerId, ShardId, State};
pub use merge::{Part, merge};
pub use sample::{Judging, RunRecord, Sample, shown_input};
pub use store::{RunFolder, Store};
