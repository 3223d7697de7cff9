//! A side from a record.

use std::collections::BTreeMap;

use super::error::CompareError;
use super::metric::MetricSpec;
use super::side::{Answers, Identity, Labels, MetricValues, Pins, Side};
use crate::evalset::LabelValue;
use crate::record::{RunRecord, Sample, State};
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
    let manifest = &record.manifest;
    let asked = &manifest.asked;
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
            }),
            complete: manifest.made.state == State::Complete,
        },
        ids: examples.iter().map(|trials| trials[0].id.as_str()).collect::<Text>(),
        groups: groups.then(|| examples.iter().map(|trials| trials[0].group.clone()).collect()),
        labels: labels(&examples),
        metrics: metrics.collect::<Result<_, _>>()?,
        answers: Some(
            examples.iter().map(|trials| Answers { texts: trials.iter().map(answer_text).collect() }).collect(),
        ),
        inputs: examples.iter().map(|trials| trials[0].input.clone()).collect(),
    })
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
    let mut values = MetricValues::new(name, spec.scale(scorer.scale), true);
    let mut any = false;
    for trials in examples {
        let rows = trials
            .iter()
            .filter_map(|sample| sample.scores.iter().find(|row| row.scorer == spec.scorer && row.part == spec.part));
        let rows: Vec<_> = rows.map(|row| spec.value(row)).collect();
        any |= !rows.is_empty();
        values.push(rows);
    }
    if any {
        Ok(values)
    } else {
        Err(CompareError::Input(format!("metric `{name}`: scorer `{}` has no part `{}`", spec.scorer, spec.part)))
    }
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
