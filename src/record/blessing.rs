//! Why a record is the baseline: who blessed it, when, and from what. Beside its rows, committed with them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::RecordError;
use crate::table::{TableError, write_atomically};

const BLESSING: &str = "blessing.json";
const NOISE: &str = "noise.json";

/// `blessing.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blessing {
    /// Names this format and its version.
    pub schema: String,
    /// The record.
    pub record_sha256: String,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// Who did it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The git revision at which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_revision: Option<String>,
    /// SHA-256 of the gate's policy at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
    /// The pin that the same candidate was blessed on before, where this record carries its history on to a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebased_from: Option<String>,
}

impl Blessing {
    /// The name and version of the format.
    pub const SCHEMA: &'static str = "evalgauge.blessing/1";

    /// Writes the file into a baseline's folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), RecordError> {
        save(&folder.join(BLESSING), self)
    }

    /// Reads the file of a baseline's folder; none in baselines of earlier versions, and in runs.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn load(folder: &Path) -> Result<Option<Self>, RecordError> {
        load(&folder.join(BLESSING))
    }
}

/// How far a cell moves from run to run of an unchanged system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellNoise {
    /// The metric.
    pub metric: String,
    /// The slice.
    pub slice: String,
    /// Examples.
    pub n: usize,
    /// Twice the standard deviation of the difference between two runs, in units of the metric.
    pub floor: f64,
    /// Standard deviation of the part that moves whole runs.
    pub drift_sd: f64,
    /// p of "runs do not move as a whole"; absent without flicker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_p: Option<f64>,
}

/// `noise.json`: the noise floor, from runs of one unchanged candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoiseFloor {
    /// Names this format and its version.
    pub schema: String,
    /// SHA-256 of the pinned file that the runs were made on.
    pub dataset_sha256: String,
    /// The records that it was read from.
    pub records: Vec<String>,
    /// Runs: trials of all records together.
    pub runs: usize,
    /// The cells, metric by metric, `overall` first.
    pub cells: Vec<CellNoise>,
}

impl NoiseFloor {
    /// The name and version of the format.
    pub const SCHEMA: &'static str = "evalgauge.noise/1";

    /// Writes the file into a baseline's folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), RecordError> {
        save(&folder.join(NOISE), self)
    }

    /// Reads the file of a baseline's folder, where it has one.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn load(folder: &Path) -> Result<Option<Self>, RecordError> {
        load(&folder.join(NOISE))
    }
}

fn save(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let mut text = serde_json::to_string_pretty(value).map_err(RecordError::broken(path))?;
    text.push('\n');
    Ok(write_atomically(path, text.as_bytes())?)
}

fn load<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, RecordError> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(RecordError::broken(path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TableError::io(path)(error).into()),
    }
}
