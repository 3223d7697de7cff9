//! What the answers of a blessed record took: beside its rows, since it has no part in the record's digest.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::RecordError;
use super::sample::Sample;
use crate::call::{Finish, Usage};
use crate::table::{TableError, for_each_line, json_reason, write_atomically};

pub(super) const MEASURES: &str = "measures.jsonl";

/// What one answer took.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    id: String,
    trial: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finish: Option<Finish>,
}

/// Writes the file.
pub(super) fn write(folder: &Path, samples: &[Sample]) -> Result<(), RecordError> {
    let path = folder.join(MEASURES);
    let mut text = Vec::new();
    for sample in samples {
        let line = Line {
            id: sample.id.clone(),
            trial: sample.trial,
            // A tenth of a millisecond is more than anybody acts on, and keeps the file small.
            latency_ms: sample.latency_ms.map(|latency| (latency * 10.0).round() / 10.0),
            cost_usd: sample.cost_usd,
            usage: sample.usage,
            finish: sample.finish,
        };
        serde_json::to_writer(&mut text, &line).map_err(RecordError::broken(&path))?;
        text.push(b'\n');
    }
    Ok(write_atomically(&path, &text)?)
}

/// Fills in what the file says; without the file nothing is known.
pub(super) fn read(folder: &Path, samples: &mut [Sample]) -> Result<(), RecordError> {
    let path = folder.join(MEASURES);
    if !path.is_file() {
        return Ok(());
    }
    let place: HashMap<(String, u32), usize> =
        samples.iter().enumerate().map(|(at, sample)| ((sample.id.clone(), sample.trial), at)).collect();
    for_each_line(&path, |number, text| {
        let line: Line = serde_json::from_str(text).map_err(|error| TableError::Line {
            path: path.clone(),
            line: number,
            reason: format!("not what an answer took: {}", json_reason(&error)),
        })?;
        if let Some(&at) = place.get(&(line.id, line.trial)) {
            let sample = &mut samples[at];
            (sample.latency_ms, sample.cost_usd) = (line.latency_ms, line.cost_usd);
            (sample.usage, sample.finish) = (line.usage, line.finish);
        }
        Ok::<(), RecordError>(())
    })
}
