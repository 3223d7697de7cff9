//! `reports/history.jsonl`: one line a check, so that trends, and how often a set was looked at, are known.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::RecordError;
use crate::table::{TableError, for_each_line, json_reason};

/// The file's name, in the folder of all runs.
pub const HISTORY: &str = "history.jsonl";

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// When, UTC.
    pub at: String,
    /// The git revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The eval set with its tag.
    pub evalset: String,
    /// SHA-256 of the pinned file.
    pub dataset_sha256: String,
    /// The candidate.
    pub candidate: String,
    /// The run.
    pub run: String,
    /// Digest of its record.
    pub record_sha256: String,
    /// Digest of the baseline's record.
    pub baseline_sha256: String,
    /// What the gate said.
    pub decision: String,
    /// The slices that regressed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regressed: Vec<String>,
    /// Estimates over the whole set.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// SHA-256 of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
}

/// Appends a line: one write, so that checks at the same time do not mix.
///
/// # Errors
/// When the file cannot be written.
pub fn remember(reports: &Path, line: &HistoryLine) -> Result<(), RecordError> {
    let path = reports.join(HISTORY);
    let mut text = serde_json::to_vec(line).map_err(RecordError::broken(&path))?;
    text.push(b'\n');
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(TableError::io(&path))?;
    Ok(file.write_all(&text).map_err(TableError::io(&path))?)
}

/// All lines, oldest first; none where there is no file.
///
/// # Errors
/// A line that is none of a history, by its number.
pub fn history(reports: &Path) -> Result<Vec<HistoryLine>, RecordError> {
    let path = reports.join(HISTORY);
    let mut lines = Vec::new();
    if !path.is_file() {
        return Ok(lines);
    }
    for_each_line(&path, |number, text| {
        lines.push(serde_json::from_str(text).map_err(|error| TableError::Line {
            path: path.clone(),
            line: number,
            reason: format!("not a line of the history of checks: {}", json_reason(&error)),
        })?);
        Ok::<(), RecordError>(())
    })?;
    Ok(lines)
}
