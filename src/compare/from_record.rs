//! A side from a record.

use std::collections::BTreeMap;

use super::error::CompareError;
use super::estimate::{Estimate, Needs};
use super::length::judged_scores;
use super::metric::{MetricSpec, default_metrics};
use super::side::{Answers, Identity, JudgedBy, Labels, MetricValues, Pins, SeenTrials, Side};
use crate::evalset::LabelValue;
use crate::record::{RunRecord, Sample, ScorerId, State};
use crate::score::{ScoreRow, Status, Value};
use crate::table::{Category, Text};

/// The side that a record is, under some metrics. `source` is where it was read from.
///
/// # Errors
/// A metric over a scorer or part that the record has no scores of.
pub fn side_of_record(
    record: &RunRecord,
    source: &str,
    metrics: &BTreeMap<String, MetricSpec>,
) -> Result<Side, CompareError> {
    let mut side = numbers_of_record(record, source, metrics)?;
    let examples = record.samples.chunk_by(|a, b| a.id == b.id);
    side.inputs = examples.clone().map(|trials| trials[0].input.clone()).collect();
    side.judged_scores = judged_scores(record);
    side.answers = Some(examples.map(|trials| Answers { texts: trials.iter().map(answer_text).collect() }).collect());
    Ok(side)
}

/// The same without what was asked and answered: enough for estimates, and of a million examples a fraction of the memory.
///
/// # Errors
/// As [`side_of_record`].
pub fn numbers_of_record(
    record: &RunRecord,
    source: &str,
    metrics: &BTreeMap<String, MetricSpec>,
) -> Result<Side, CompareError> {
    let manifest = &record.manifest;
    let asked = &manifest.asked;
    let judges = judges_of(record, metrics);
    let examples: Vec<&[Sample]> = record.samples.chunk_by(|a, b| a.id == b.id).collect();
    let metrics = metrics.iter().map(|(name, spec)| values(record, source, name, spec, &examples));
    let groups = record.samples.iter().any(|sample| sample.group.is_some());
    Ok(Side {
        identity: Identity {
            name: manifest.made.run_id.clone(),
            source: source.to_owned(),
            sha256: manifest.record_sha256.clone(),
            candidate: Some(asked.candidate.name.clone()),
            git_revision: manifest.made.git_revision.clone(),
            pins: Some(Pins {
                evalset: asked.dataset.evalset.clone(),
                dataset_sha256: asked.dataset.sha256.clone(),
                scorers: asked.scorers.iter().map(|(name, id)| (name.clone(), id.digest.clone())).collect(),
                against: asked.against.clone(),
            }),
            complete: manifest.made.state == State::Complete,
        },
        ids: examples.iter().map(|trials| trials[0].id.as_str()).collect::<Text>(),
        groups: groups.then(|| examples.iter().map(|trials| trials[0].group.clone()).collect()),
        labels: labels(&examples),
        metrics: metrics.collect::<Result<_, _>>()?,
        answers: None,
        inputs: None,
        judges,
        judged_scores: Vec::new(),
        measured: Vec::new(),
    })
}

/// The metrics whose scorers are judges; without any metric, those of [`default_metrics`].
#[must_use]
pub fn judges_of(record: &RunRecord, metrics: &BTreeMap<String, MetricSpec>) -> Vec<JudgedBy> {
    let every;
    let metrics = if metrics.is_empty() {
        every = default_metrics(record);
        &every
    } else {
        metrics
    };
    let judged = |(name, spec): (&String, &MetricSpec)| {
        let judge = record.manifest.asked.scorers.get(&spec.scorer)?.judge.clone()?;
        // A scorer of all dimensions has a part each; one of a single dimension has only that.
        let dimension = if judge.dimension == "*" && !spec.part.is_empty() { &spec.part } else { &judge.dimension };
        let dimension = if dimension == "*" { "overall".to_owned() } else { dimension.clone() };
        let is_mean = spec.estimate == Estimate::Mean;
        // A mean of names or of right and wrong counts those that pass.
        let is_number = is_mean && !judge_gives_names(record, spec);
        Some(JudgedBy {
            metric: name.clone(),
            dimension,
            is_pass_rate: spec.estimate == Estimate::PassRate || is_mean && !is_number,
            is_mean_grade: is_number,
            judge,
        })
    };
    metrics.iter().filter_map(judged).collect()
}

/// Whether what a scorer gives are names, or right and wrong.
fn judge_gives_names(record: &RunRecord, spec: &MetricSpec) -> bool {
    let rows = record.samples.iter().flat_map(|sample| &sample.scores);
    let value =
        rows.filter(|row| row.scorer == spec.scorer && row.part == spec.part).find_map(|row| row.value.as_ref());
    matches!(value, Some(Value::Bool(_) | Value::Label(_)))
}

/// The answer, or what stands in its place.
fn answer_text(sample: &Sample) -> String {
    match (&sample.answer, &sample.error) {
        (Some(answer), _) => answer.clone(),
        (None, Some(error)) => format!("(failed: {error})"),
        (None, None) => String::new(),
    }
}

fn values(
    record: &RunRecord,
    source: &str,
    name: &str,
    spec: &MetricSpec,
    examples: &[&[Sample]],
) -> Result<MetricValues, CompareError> {
    let scorers = &record.manifest.asked.scorers;
    let scorer = scorers.get(&spec.scorer).ok_or_else(|| {
        let has: Vec<_> = scorers.keys().map(|name| format!("`{name}`")).collect();
        CompareError::Input(format!(
            "metric `{name}` is over scorer `{}`, which did not score {source}; there are {}",
            spec.scorer,
            has.join(", ")
        ))
    })?;
    spec.check(None).map_err(|reason| CompareError::Input(format!("metric `{name}`: {reason}")))?;
    let wrong =
        |example: &str, reason: String| CompareError::Input(format!("metric `{name}`: example `{example}`: {reason}"));
    let mut values = MetricValues::new(name, spec.scale(scorer.scale), true);
    values.estimate = spec.estimate;
    values.label.clone_from(&spec.label);
    values.aggregate = spec.aggregate();
    values.tie = tie(spec, scorer);
    let mut seen = SeenTrials::default();
    let mut labels = Category::default();
    let (mut any, mut confidences, mut measured) = (false, 0_usize, 0_usize);
    for trials in examples {
        let rows: Vec<&ScoreRow> = trials
            .iter()
            .filter_map(|sample| sample.scores.iter().find(|row| row.scorer == spec.scorer && row.part == spec.part))
            .collect();
        any |= !rows.is_empty();
        confidences += rows.iter().filter(|row| row.confidence.is_some()).count();
        measured += rows.iter().filter(|row| row.value.is_some()).count();
        let mut scored = Vec::with_capacity(rows.len());
        for row in rows {
            scored.push(spec.value(row).map_err(|reason| wrong(&trials[0].id, reason))?);
            if spec.estimate.is_corpus() {
                seen.trials.push(spec.seen(row, &mut labels).map_err(|reason| wrong(&trials[0].id, reason))?);
            }
        }
        values.push(scored);
    }
    if !any {
        return Err(CompareError::Input(format!(
            "metric `{name}`: scorer `{}` has no part `{}`",
            spec.scorer, spec.part
        )));
    }
    if spec.estimate.needs() == Needs::Confidences && confidences == 0 && measured > 0 {
        let reason = spec.estimate.misfit(&format!("scorer `{}`", spec.scorer));
        return Err(CompareError::Input(format!("metric `{name}`: {reason}")));
    }
    if spec.estimate.is_corpus() {
        seen.labels = labels.names;
        values.seen = Some(seen);
    }
    Ok(values)
}

/// What a tie counts, where the scorer is a judge that compares two answers.
fn tie(spec: &MetricSpec, scorer: &ScorerId) -> Option<f64> {
    scorer.judge.as_ref().filter(|_| scorer.scale.low < 0.0 && scorer.scale.high == 1.0)?;
    let row = ScoreRow {
        scorer: spec.scorer.clone(),
        part: spec.part.clone(),
        value: Some(Value::Preference(0)),
        passed: Some(true),
        status: Status::Scored,
        confidence: None,
        expected: None,
        relevance: None,
        reason: None,
        marks: Vec::new(),
    };
    spec.value(&row).ok().flatten().map(|scored| scored.value)
}

fn labels(examples: &[&[Sample]]) -> Vec<Labels> {
    let mut keys: Vec<&String> = examples.iter().flat_map(|trials| trials[0].labels.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| {
            let mut labels = Labels::new(key.as_str());
            let mut dictionary = Category::default();
            for trials in examples {
                let values = trials[0].labels.get(key);
                let codes: Vec<u32> =
                    values.into_iter().flat_map(LabelValue::iter).map(|value| dictionary.code(value)).collect();
                labels.push(codes);
            }
            labels.names = dictionary.names;
            labels
        })
        .collect()
}
