//! `manifest.json`: the identity of a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::score::{JudgeId, Scale};

/// The pinned data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetId {
    /// The eval set's name.
    pub evalset: String,
    /// Its version.
    pub tag: String,
    /// SHA-256 of the pinned file.
    pub sha256: String,
    /// How many of its examples were chosen.
    pub examples: usize,
}

/// The system under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateId {
    /// Its name in the config.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// SHA-256 over its settings and the files that decide its answers.
    pub digest: String,
    /// SHA-256 of its prompt template with the engine's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_sha256: Option<String>,
}

/// A scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorerId {
    /// Its kind.
    pub kind: String,
    /// The version of the kind's code.
    pub version: u32,
    /// SHA-256 over kind, version and settings.
    pub digest: String,
    /// The range of its values.
    pub scale: Scale,
    /// The judge behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgeId>,
}

/// Which part of a whole a record is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardId {
    /// Which part, from 1.
    pub index: u32,
    /// How many parts there are.
    pub count: u32,
    /// How many examples the whole has.
    pub examples: usize,
    /// SHA-256 over the ids of the whole, in order.
    pub selection_sha256: String,
}

/// What was asked: the stable part of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The pinned data.
    pub dataset: DatasetId,
    /// The system under test.
    pub candidate: CandidateId,
    /// The scorers by name.
    pub scorers: BTreeMap<String, ScorerId>,
    /// Trials of every example.
    pub trials: u32,
    /// The seed.
    pub seed: u64,
    /// The digest of the record whose answers pairwise judges compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// The part of a whole that this is; absent in whole records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardId>,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Every planned example and trial has a row.
    Complete,
    /// It ended before that, or is only a part.
    Incomplete,
}

/// How it went: the volatile part of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The run's id, the name of its folder.
    pub run_id: String,
    /// The version of evalgauge.
    pub tool: String,
    /// The git revision of the project, where it is a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_revision: Option<String>,
    /// Whether there were changes that are not committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_dirty: Option<bool>,
    /// When it started, UTC.
    pub started: String,
    /// When the record was closed, UTC.
    pub finished: String,
    /// How far it came.
    pub state: State,
    /// What a reader should know before trusting it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The runs that were merged into this record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<String>,
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Names this format and its version.
    pub schema: String,
    /// SHA-256 of the stable part in canonical form.
    pub record_sha256: String,
    /// What was asked.
    pub asked: Asked,
    /// How it went.
    pub made: Made,
}

impl Manifest {
    /// The name and version of the format.
    pub const SCHEMA: &'static str = "evalgauge.record/1";
}
