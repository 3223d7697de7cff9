//! Blessed records: small, sorted text that diffs well in git.

use std::path::{Path, PathBuf};

use super::canonical::canonical_text;
use super::error::RecordError;
use super::files::{ROWS, write_manifest};
use super::measures;
use super::sample::RunRecord;
use crate::table::write_atomically;

/// Where the baseline of a candidate on an eval set is kept.
#[must_use]
pub fn baseline_folder(reports: &Path, evalset: &str, candidate: &str) -> PathBuf {
    reports.join("baseline").join(evalset).join(candidate)
}

/// Makes a record the baseline of its candidate: `manifest.json`, `rows.jsonl`, whose SHA-256 is the record's digest,
/// and `measures.jsonl`, what the answers took.
///
/// # Errors
/// When the files cannot be written.
pub fn bless(reports: &Path, record: &RunRecord) -> Result<PathBuf, RecordError> {
    let asked = &record.manifest.asked;
    let folder = baseline_folder(reports, &asked.dataset.evalset, &asked.candidate.name);
    let rows = canonical_text(asked, &record.samples).map_err(RecordError::broken(&folder))?;
    write_atomically(&folder.join(ROWS), &rows)?;
    measures::write(&folder, &record.samples)?;
    write_manifest(&folder, &record.manifest)?;
    Ok(folder)
}
