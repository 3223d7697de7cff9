//! A record as files: manifest and Parquet of a run, manifest and rows of a baseline.

use std::collections::HashMap;
use std::path::Path;

use super::canonical::{Line, record_sha256};
use super::error::RecordError;
use super::manifest::Manifest;
use super::measures;
use super::sample::{Judging, RunRecord, Sample};
use crate::call::{Finish, Source, Usage};
use crate::evalset::Labels;
use crate::score::{ScoreRow, Status, Value};
use crate::table::{
    Field, Frame, TableError, column_names, for_each_line, json_reason, read_frame, write_atomically, write_frames,
};

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const ROWS: &str = "rows.jsonl";
/// Answers whose columns are in memory at once.
const PART: usize = 1 << 16;
const SAMPLES: &str = "samples.parquet";
const SCORES: &str = "scores.parquet";

/// Writes `manifest.json`, `samples.parquet` and `scores.parquet` into a folder. The manifest comes last: a folder
/// without one holds no record.
///
/// # Errors
/// When a file cannot be written.
pub fn save(folder: &Path, record: &RunRecord) -> Result<(), RecordError> {
    // A part at a time: the columns of a million answers beside the answers would be half as much again.
    let parts = || record.samples.chunks(PART);
    let (samples, scores) = rayon::join(
        || write_frames(&folder.join(SAMPLES), samples_frame(&[]), parts().map(samples_frame)),
        || write_frames(&folder.join(SCORES), scores_frame(&[]), parts().map(scores_frame)),
    );
    samples?;
    scores?;
    write_manifest(folder, &record.manifest)
}

pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), RecordError> {
    let path = folder.join(MANIFEST);
    let mut text = serde_json::to_string_pretty(manifest).map_err(RecordError::broken(&path))?;
    text.push('\n');
    Ok(write_atomically(&path, text.as_bytes())?)
}

/// Reads a record from a folder and checks that its rows have the digest that its manifest names.
///
/// # Errors
/// A file that is missing or broken, or rows that were changed.
pub fn load(folder: &Path) -> Result<RunRecord, RecordError> {
    let path = folder.join(MANIFEST);
    let text = std::fs::read_to_string(&path).map_err(TableError::io(&path))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(RecordError::broken(&path))?;
    if manifest.schema != Manifest::SCHEMA {
        let reason = format!("the format is `{}`; this version reads `{}`", manifest.schema, Manifest::SCHEMA);
        return Err(RecordError::Broken { path, reason });
    }
    let rows = folder.join(ROWS);
    let samples = if rows.is_file() {
        let mut samples = read_rows(&rows, &manifest)?;
        measures::read(folder, &mut samples)?;
        samples
    } else {
        read_parquet(folder)?
    };
    let found = record_sha256(&manifest.asked, &samples).map_err(RecordError::broken(folder))?;
    if found != manifest.record_sha256 {
        return Err(RecordError::Changed { path: folder.to_owned(), said: manifest.record_sha256, found });
    }
    Ok(RunRecord { manifest, samples })
}

fn read_rows(path: &Path, manifest: &Manifest) -> Result<Vec<Sample>, RecordError> {
    let mut samples: Vec<Sample> = Vec::new();
    for_each_line(path, |number, text| {
        let broken = |reason: String| TableError::Line { path: path.to_owned(), line: number, reason };
        match serde_json::from_str(text)
            .map_err(|error| broken(format!("not a row of a record: {}", json_reason(&error))))?
        {
            Line::Asked(asked) if *asked == manifest.asked => {}
            Line::Asked(_) => return Err(broken("what was asked differs from the manifest".to_owned()).into()),
            Line::Sample(sample) => samples.push(sample),
            Line::Score(score) => match samples.last_mut() {
                Some(sample) => {
                    // Most answers have one or two scores; room for four would be most of a record's memory.
                    sample.scores.reserve_exact(1);
                    sample.scores.push(score);
                }
                None => return Err(broken("a score stands before the first answer".to_owned()).into()),
            },
        }
        Ok::<(), RecordError>(())
    })?;
    Ok(samples)
}

fn samples_frame(samples: &[Sample]) -> Frame {
    let text = |get: &dyn Fn(&Sample) -> Option<String>| Field::Text(samples.iter().map(get).collect());
    let integer = |get: &dyn Fn(&Sample) -> Option<i64>| Field::Integer(samples.iter().map(get).collect());
    let number = |get: &dyn Fn(&Sample) -> Option<f64>| Field::Number(samples.iter().map(get).collect());
    Frame::default()
        .with("id", text(&|s| Some(s.id.clone())))
        .with("trial", integer(&|s| Some(s.trial.into())))
        .with("answer", text(&|s| s.answer.clone()))
        .with("error", text(&|s| s.error.clone()))
        .with("labels", text(&|s| serde_json::to_string(&s.labels).ok()))
        .with("group", text(&|s| s.group.clone()))
        .with("input", text(&|s| s.input.clone()))
        .with("latency_ms", number(&|s| s.latency_ms))
        .with("attempts", integer(&|s| Some(s.attempts.into())))
        .with("source", text(&|s| Some(s.source.map(Source::name).unwrap_or_default().to_owned())))
        .with("input_tokens", integer(&|s| s.usage.map(|u| u.input_tokens as i64)))
        .with("output_tokens", integer(&|s| s.usage.map(|u| u.output_tokens as i64)))
        .with("cost_usd", number(&|s| s.cost_usd))
        .with("finish", text(&|s| s.finish.map(|finish| finish.name().to_owned())))
        .with("judge_calls", integer(&|s| s.judging.as_ref().map(|j| j.calls.into())))
        .with("judge_latency_ms", number(&|s| s.judging.as_ref().map(|j| j.latency_ms)))
        .with("judge_input_tokens", integer(&|s| s.judging.as_ref()?.usage.map(|u| u.input_tokens as i64)))
        .with("judge_output_tokens", integer(&|s| s.judging.as_ref()?.usage.map(|u| u.output_tokens as i64)))
        .with("judge_cost_usd", number(&|s| s.judging.as_ref()?.cost_usd))
}

type Pair<'a> = (&'a Sample, &'a ScoreRow);

fn scores_frame(samples: &[Sample]) -> Frame {
    let rows: Vec<Pair<'_>> =
        samples.iter().flat_map(|sample| sample.scores.iter().map(move |score| (sample, score))).collect();
    let text = |get: &dyn Fn(&Pair<'_>) -> Option<String>| Field::Text(rows.iter().map(get).collect());
    Frame::default()
        .with("id", text(&|(sample, _)| Some(sample.id.clone())))
        .with("trial", Field::Integer(rows.iter().map(|(sample, _)| Some(sample.trial.into())).collect()))
        .with("scorer", text(&|(_, score)| Some(score.scorer.clone())))
        .with("part", text(&|(_, score)| Some(score.part.clone())))
        .with(
            "value",
            Field::Number(rows.iter().map(|(_, score)| score.value.as_ref().and_then(Value::as_number)).collect()),
        )
        .with(
            "label",
            text(&|(_, score)| match &score.value {
                Some(Value::Label(label)) => Some(label.clone()),
                _ => None,
            }),
        )
        .with(
            "binary",
            Field::Bool(rows.iter().map(|(_, score)| Some(matches!(score.value, Some(Value::Bool(_))))).collect()),
        )
        .with("passed", Field::Bool(rows.iter().map(|(_, score)| score.passed).collect()))
        .with("status", text(&|(_, score)| Some(score.status.name().to_owned())))
        .with("reason", text(&|(_, score)| score.reason.clone()))
        .with("confidence", Field::Number(rows.iter().map(|(_, score)| score.confidence).collect()))
        .with("expected", text(&|(_, score)| score.expected.clone()))
        .with(
            "ranked",
            text(&|(_, score)| match &score.value {
                Some(Value::Ranked(ids)) => serde_json::to_string(ids).ok(),
                _ => None,
            }),
        )
        .with(
            "relevance",
            text(&|(_, score)| score.relevance.as_ref().and_then(|grades| serde_json::to_string(grades).ok())),
        )
        .with(
            "preference",
            Field::Bool(
                rows.iter().map(|(_, score)| Some(matches!(score.value, Some(Value::Preference(_))))).collect(),
            ),
        )
        .with("marks", text(&|(_, score)| (!score.marks.is_empty()).then(|| score.marks.join(" "))))
}

/// Columns of a frame, taken in the order in which they were asked for.
struct Columns {
    path: std::path::PathBuf,
    fields: std::vec::IntoIter<(String, Field)>,
}

impl Columns {
    fn read(path: std::path::PathBuf, names: &[&str]) -> Result<Self, RecordError> {
        let frame = read_frame(&path, names)?;
        Ok(Self { path, fields: frame.fields.into_iter() })
    }

    fn wrong(&self) -> RecordError {
        RecordError::Broken { path: self.path.clone(), reason: "a column has an unexpected type".to_owned() }
    }

    fn texts(&mut self) -> Result<Vec<Option<String>>, RecordError> {
        match self.fields.next() {
            Some((_, Field::Text(values))) => Ok(values),
            _ => Err(self.wrong()),
        }
    }

    fn integers(&mut self) -> Result<Vec<Option<i64>>, RecordError> {
        match self.fields.next() {
            Some((_, Field::Integer(values))) => Ok(values),
            _ => Err(self.wrong()),
        }
    }

    fn numbers(&mut self) -> Result<Vec<Option<f64>>, RecordError> {
        match self.fields.next() {
            Some((_, Field::Number(values))) => Ok(values),
            _ => Err(self.wrong()),
        }
    }

    fn bools(&mut self) -> Result<Vec<Option<bool>>, RecordError> {
        match self.fields.next() {
            Some((_, Field::Bool(values))) => Ok(values),
            _ => Err(self.wrong()),
        }
    }
}

fn read_parquet(folder: &Path) -> Result<Vec<Sample>, RecordError> {
    let path = folder.join(SAMPLES);
    let names = [
        "id",
        "trial",
        "answer",
        "error",
        "labels",
        "group",
        "input",
        "latency_ms",
        "attempts",
        "source",
        "input_tokens",
        "output_tokens",
        "cost_usd",
    ];
    let mut columns = Columns::read(path.clone(), &names)?;
    let (ids, trials) = (columns.texts()?, columns.integers()?);
    let (mut answers, mut errors, mut labels, mut groups, mut inputs) =
        (columns.texts()?, columns.texts()?, columns.texts()?, columns.texts()?, columns.texts()?);
    let (latencies, attempts, sources) = (columns.numbers()?, columns.integers()?, columns.texts()?);
    let (input_tokens, output_tokens, costs) = (columns.integers()?, columns.integers()?, columns.numbers()?);
    // Records of earlier versions do not have it.
    let finishes = if column_names(&path)?.iter().any(|name| name == "finish") {
        Columns::read(path.clone(), &["finish"])?.texts()?
    } else {
        vec![None; ids.len()]
    };
    let mut samples = Vec::with_capacity(ids.len());
    let mut place = HashMap::with_capacity(ids.len());
    let mut shared: HashMap<String, Labels> = HashMap::new();
    for (row, id) in ids.into_iter().enumerate() {
        let id = id.ok_or_else(|| RecordError::Broken { path: path.clone(), reason: "a row has no id".to_owned() })?;
        let trial = trials[row].unwrap_or_default() as u32;
        place.insert((id.clone(), trial), row);
        let text = labels[row].take().unwrap_or_else(|| "{}".to_owned());
        let labels = if let Some(labels) = shared.get(&text) {
            labels.clone()
        } else {
            let labels: Labels = serde_json::from_str(&text).map_err(RecordError::broken(&path))?;
            shared.insert(text, labels.clone());
            labels
        };
        samples.push(Sample {
            id,
            trial,
            answer: answers[row].take(),
            error: errors[row].take(),
            labels,
            group: groups[row].take(),
            input: inputs[row].take(),
            latency_ms: latencies[row],
            attempts: attempts[row].unwrap_or_default() as u32,
            source: sources[row].as_deref().and_then(Source::from_name),
            usage: input_tokens[row].zip(output_tokens[row]).map(|(input, output)| Usage {
                input_tokens: input as u64,
                output_tokens: output as u64,
                ..Usage::default()
            }),
            cost_usd: costs[row],
            finish: finishes[row].as_deref().and_then(Finish::from_name),
            judging: None,
            scores: Vec::new(),
        });
    }
    add_judging(&path, &mut samples)?;
    add_scores(folder, &mut samples, &place)?;
    Ok(samples)
}

fn add_scores(folder: &Path, samples: &mut [Sample], place: &HashMap<(String, u32), usize>) -> Result<(), RecordError> {
    let path = folder.join(SCORES);
    let names = ["id", "trial", "scorer", "part", "value", "label", "binary", "passed", "status", "reason"];
    let mut columns = Columns::read(path.clone(), &names)?;
    let (mut ids, trials, mut scorers, mut parts) =
        (columns.texts()?, columns.integers()?, columns.texts()?, columns.texts()?);
    let (values, mut labels, binary, passed) =
        (columns.numbers()?, columns.texts()?, columns.bools()?, columns.bools()?);
    let (statuses, mut reasons) = (columns.texts()?, columns.texts()?);
    let mut later = Later::read(&path, ids.len())?;
    let mut marks = marks(&path, ids.len())?;
    for row in 0..ids.len() {
        let broken = |reason: &str| RecordError::Broken { path: path.clone(), reason: format!("row {row}: {reason}") };
        let key = (ids[row].take().unwrap_or_default(), trials[row].unwrap_or_default() as u32);
        let sample = place.get(&key).ok_or_else(|| broken("a score without an answer"))?;
        let status = statuses[row].as_deref().and_then(Status::from_name).ok_or_else(|| broken("unknown status"))?;
        let json = |error: serde_json::Error| broken(&error.to_string());
        let ranked = later.ranked[row].take().map(|ids| serde_json::from_str(&ids)).transpose().map_err(json)?;
        let relevance = later.relevance[row].take().map(|ids| serde_json::from_str(&ids)).transpose().map_err(json)?;
        let value = match (labels[row].take(), values[row]) {
            _ if ranked.is_some() => ranked.map(Value::Ranked),
            (Some(label), _) => Some(Value::Label(label)),
            (None, Some(value)) if later.preference[row] == Some(true) => Some(Value::Preference(value as i8)),
            (None, Some(value)) if binary[row] == Some(true) => Some(Value::Bool(value > 0.5)),
            (None, Some(value)) => Some(Value::Number(value)),
            (None, None) => None,
        };
        samples[*sample].scores.push(ScoreRow {
            scorer: scorers[row].take().unwrap_or_default(),
            part: parts[row].take().unwrap_or_default(),
            value,
            passed: passed[row],
            status,
            confidence: later.confidence[row],
            expected: later.expected[row].take(),
            relevance,
            reason: reasons[row].take(),
            marks: marks[row].take().map_or_else(Vec::new, |marks| marks.split(' ').map(str::to_owned).collect()),
        });
    }
    Ok(())
}

/// What judging took; records of earlier versions do not say.
fn add_judging(path: &Path, samples: &mut [Sample]) -> Result<(), RecordError> {
    const NAMES: [&str; 5] =
        ["judge_calls", "judge_latency_ms", "judge_input_tokens", "judge_output_tokens", "judge_cost_usd"];
    if !column_names(path)?.iter().any(|name| name == NAMES[0]) {
        return Ok(());
    }
    let mut columns = Columns::read(path.to_owned(), &NAMES)?;
    let (calls, latencies) = (columns.integers()?, columns.numbers()?);
    let (input, output, costs) = (columns.integers()?, columns.integers()?, columns.numbers()?);
    for (row, sample) in samples.iter_mut().enumerate() {
        sample.judging = calls[row].map(|calls| {
            Box::new(Judging {
                calls: calls as u32,
                latency_ms: latencies[row].unwrap_or_default(),
                usage: input[row].zip(output[row]).map(|(input, output)| Usage {
                    input_tokens: input as u64,
                    output_tokens: output as u64,
                    ..Usage::default()
                }),
                cost_usd: costs[row],
            })
        });
    }
    Ok(())
}

/// The marks of scores, a blank between two; records of earlier versions have none.
fn marks(path: &Path, rows: usize) -> Result<Vec<Option<String>>, RecordError> {
    if column_names(path)?.iter().any(|name| name == "marks") {
        return Columns::read(path.to_owned(), &["marks"])?.texts();
    }
    Ok(vec![None; rows])
}

/// The columns that records of earlier versions do not have.
struct Later {
    confidence: Vec<Option<f64>>,
    expected: Vec<Option<String>>,
    ranked: Vec<Option<String>>,
    relevance: Vec<Option<String>>,
    preference: Vec<Option<bool>>,
}

impl Later {
    const NAMES: [&str; 5] = ["confidence", "expected", "ranked", "relevance", "preference"];

    fn read(path: &Path, rows: usize) -> Result<Self, RecordError> {
        let has = column_names(path)?;
        if !Self::NAMES.iter().all(|name| has.iter().any(|has| has == name)) {
            return Ok(Self {
                confidence: vec![None; rows],
                expected: vec![None; rows],
                ranked: vec![None; rows],
                relevance: vec![None; rows],
                preference: vec![None; rows],
            });
        }
        let mut columns = Columns::read(path.to_owned(), &Self::NAMES)?;
        Ok(Self {
            confidence: columns.numbers()?,
            expected: columns.texts()?,
            ranked: columns.texts()?,
            relevance: columns.texts()?,
            preference: columns.bools()?,
        })
    }
}
