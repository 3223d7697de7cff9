//! The candidates, brought to the examples that every one of them has.

use std::path::Path;

use serde::Serialize;

use super::super::aggregate::Aggregate;
use super::super::comparison::Blocks;
use super::super::error::CompareError;
use super::super::measure::{Measure, Measured};
use super::super::pairing::{check_pins, match_ids};
use super::super::side::{Identity, Labels, MetricValues, Side};
use super::super::spending::at_rank;

/// One of several candidates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entrant {
    /// A short name that no other of them has.
    pub label: String,
    /// Who it is.
    pub identity: Identity,
    /// Examples that it has.
    pub examples: u64,
    /// US dollars an answer, where known.
    pub cost: Option<f64>,
    /// Median latency in milliseconds, where known.
    pub latency_p50: Option<f64>,
    /// 95th percentile of the latency in milliseconds, where known.
    pub latency_p95: Option<f64>,
}

/// All candidates on the examples that they share.
pub(super) struct Field {
    pub(super) entrants: Vec<Entrant>,
    /// Without texts; labels and groups are the first one's.
    pub(super) sides: Vec<Side>,
    pub(super) examples: usize,
    pub(super) left_out: u64,
    pub(super) blocks: Blocks,
    block_count: usize,
}

/// All candidates under one metric.
pub(super) struct OneMetric {
    pub(super) sides: Vec<Side>,
    /// Examples that some candidate has no score for.
    pub(super) unscored: u64,
    /// Whether some candidate had trials that another has not, which are left out.
    pub(super) cut: bool,
}

impl Field {
    pub(super) fn new(sides: &[Side]) -> Result<Self, CompareError> {
        let first = &sides[0];
        let mut shared_by = vec![1_usize; first.ids.len()];
        let mut matches = Vec::with_capacity(sides.len());
        for side in sides {
            check_pins(first.identity.pins.as_ref(), side.identity.pins.as_ref())?;
            let matched = match_ids(first, side);
            matched.baseline.iter().for_each(|&row| shared_by[row as usize] += 1);
            matches.push(matched);
        }
        let is_shared = |row: &u32| shared_by[*row as usize] == sides.len() + 1;
        let rows: Vec<u32> = (0..first.ids.len() as u32).filter(is_shared).collect();
        if rows.is_empty() {
            return Err(CompareError::NotComparable("there is no id that all candidates have".to_owned()));
        }
        let mut all: Vec<&str> = sides.iter().flat_map(|side| side.ids.iter()).collect();
        all.sort_unstable();
        all.dedup();
        let labels: Vec<Labels> = first.labels.iter().map(|labels| labels_of_rows(labels, &rows)).collect();
        let groups: Option<Vec<Option<String>>> =
            first.groups.as_ref().map(|groups| rows.iter().map(|&row| groups[row as usize].clone()).collect());
        let mut aligned: Vec<Side> = sides
            .iter()
            .zip(&matches)
            .map(|(side, matched)| {
                let pairs = matched.baseline.iter().zip(&matched.head);
                let own: Vec<u32> = pairs.filter(|(row, _)| is_shared(row)).map(|(_, &own)| own).collect();
                Side { labels: labels.clone(), groups: groups.clone(), ..without_texts(side, &own) }
            })
            .collect();
        meet_opponent(&mut aligned);
        let every_row: Vec<u32> = (0..rows.len() as u32).collect();
        let blocks = Blocks::new(&aligned[0], &every_row);
        let mut distinct = blocks.of.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let names = labels_of(sides);
        Ok(Self {
            entrants: sides.iter().zip(names).map(|(side, label)| entrant(side, label)).collect(),
            sides: aligned,
            examples: rows.len(),
            left_out: (all.len() - rows.len()) as u64,
            block_count: distinct.len(),
            blocks,
        })
    }

    /// The sides with one metric each, its examples unscored wherever any candidate has no score.
    ///
    /// Of anything but a mean over trials, which pairs cut to the trials of both, all candidates keep the trials that every
    /// one has: so the leaderboard is about what the pairs are about.
    pub(super) fn with_metric(&self, name: &str) -> Result<OneMetric, CompareError> {
        let own: Vec<&MetricValues> = self
            .sides
            .iter()
            .map(|side| {
                side.metrics.iter().find(|metric| metric.name == name).ok_or_else(|| {
                    let has: Vec<_> = side.metrics.iter().map(|metric| format!("`{}`", metric.name)).collect();
                    CompareError::Input(format!(
                        "{} has no metric `{name}`; it has {}",
                        side.identity.source,
                        has.join(", ")
                    ))
                })
            })
            .collect::<Result<_, _>>()?;
        if let Some(other) = own.iter().find(|metric| metric.scale != own[0].scale) {
            return Err(CompareError::NotComparable(format!("metric `{}` has several scales", other.name)));
        }
        let is_mean = own.iter().all(|metric| metric.aggregate == Aggregate::Mean && metric.seen.is_none());
        let (metrics, cut) = if is_mean {
            (own.iter().map(|metric| (*metric).clone()).collect(), false)
        } else {
            MetricValues::cut_alike(&own)
        };
        let any_score = |metric: &MetricValues, row: usize| metric.of(row).iter().any(Option::is_some);
        let is_meant = |row: usize| own.iter().any(|metric| !metric.of(row).is_empty());
        let gaps: Vec<usize> = (0..self.examples)
            .filter(|&row| is_meant(row) && !metrics.iter().all(|metric| any_score(metric, row)))
            .collect();
        let only = |(side, metric): (&Side, MetricValues)| Side {
            metrics: vec![metric.without(gaps.iter().copied())],
            ..bare(side)
        };
        Ok(OneMetric { unscored: gaps.len() as u64, cut, sides: self.sides.iter().zip(metrics).map(only).collect() })
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let tables = self.sides.iter().filter(|side| side.identity.pins.is_none()).count();
        if tables > 0 {
            warnings.push(format!(
                "unpinned: {tables} of {} candidates are plain tables, of which it is taken on trust that all saw the same \
                 examples and scorers",
                self.sides.len()
            ));
        }
        if self.left_out > 0 {
            warnings.push(format!(
                "{} examples are left out, since some candidates do not have them; {} are compared",
                self.left_out, self.examples
            ));
        }
        if self.blocks.grouped && self.block_count < 30 {
            let groups = self.block_count;
            warnings.push(format!("only {groups} independent groups: intervals from fewer than 30 are rough"));
        }
        for entrant in self.entrants.iter().filter(|entrant| !entrant.identity.complete) {
            warnings.push(format!("the run {} is not whole; resume it, or merge its shards", entrant.label));
        }
        warnings
    }
}

/// A side without its values.
fn bare(side: &Side) -> Side {
    Side {
        identity: side.identity.clone(),
        ids: side.ids.clone(),
        groups: side.groups.clone(),
        labels: side.labels.clone(),
        metrics: Vec::new(),
        answers: None,
        inputs: None,
        judges: Vec::new(),
        judged_scores: Vec::new(),
        measured: Vec::new(),
    }
}

/// Some examples of a side with their scores, but without what was asked and answered, labels and groups.
fn without_texts(side: &Side, rows: &[u32]) -> Side {
    Side {
        identity: side.identity.clone(),
        ids: rows.iter().map(|&row| side.ids.get(row as usize)).collect(),
        groups: None,
        labels: Vec::new(),
        metrics: side.metrics.iter().map(|metric| metric.of_rows(rows)).collect(),
        answers: None,
        inputs: None,
        judges: Vec::new(),
        judged_scores: Vec::new(),
        measured: Vec::new(),
    }
}

/// The labels of some examples.
pub(super) fn labels_of_rows(labels: &Labels, rows: &[u32]) -> Labels {
    let mut some = Labels::new(labels.key.as_str());
    some.names.clone_from(&labels.names);
    for &row in rows {
        some.push(labels.of(row as usize).iter().copied());
    }
    some
}

/// Where a judge compared the candidates' answers with those of one record that is itself among them, that one's
/// preferences are those of answers compared with themselves: ties.
fn meet_opponent(sides: &mut [Side]) {
    let against = |side: &Side| side.identity.pins.as_ref().and_then(|pins| pins.against.clone());
    let met: Vec<Option<String>> = sides.iter().map(against).collect();
    for (at, side) in sides.iter_mut().enumerate() {
        let own = side.identity.sha256.clone();
        let is_opponent = met.iter().enumerate().any(|(other, met)| other != at && met.as_ref() == Some(&own));
        if is_opponent && let Some(pins) = &mut side.identity.pins {
            // Unless it was compared with a third record: then there are two opponents, and no way to pair.
            if pins.against.is_none() || pins.against.as_ref() == Some(&own) {
                pins.against = Some(own);
                for metric in &mut side.metrics {
                    *metric = metric.with_itself();
                }
            }
        }
    }
}

/// A short name for each: the candidate's, or the file's; of columns of one file, the column's.
fn labels_of(sides: &[Side]) -> Vec<String> {
    let source = sides[0].identity.source.as_str();
    let file = Path::new(source).file_name().map_or_else(String::new, |name| format!("{}:", name.to_string_lossy()));
    let column = |side: &Side| {
        let named = side.identity.candidate.is_none() && side.identity.source == source;
        side.identity.name.strip_prefix(&file).filter(|_| named).map(str::to_owned)
    };
    let columns: Option<Vec<String>> = sides.iter().map(column).collect();
    let own = |side: &Side| side.identity.candidate.as_ref().unwrap_or(&side.identity.name).clone();
    let names = columns.unwrap_or_else(|| sides.iter().map(own).collect());
    let repeated = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let mut unique: Vec<String> = Vec::with_capacity(names.len());
    for (name, side) in names.iter().zip(sides) {
        let mut label = if repeated(name) {
            let other = if side.identity.candidate.is_some() { &side.identity.name } else { &side.identity.source };
            if other == name { name.clone() } else { format!("{name} ({other})") }
        } else {
            name.clone()
        };
        let mut count = 1;
        while unique.contains(&label) {
            count += 1;
            label = format!("{name} #{count}");
        }
        unique.push(label);
    }
    unique
}

fn entrant(side: &Side, label: String) -> Entrant {
    let of = |measure: Measure| side.measured.iter().find(|measured| measured.measure == measure);
    let quantile = |measure: Measure, level: f64| {
        let mut values: Vec<f64> = of(measure)?.values.iter().flatten().copied().collect();
        values.sort_by(f64::total_cmp);
        at_rank(&values, level)
    };
    let mean = |measured: &Measured| {
        let values: Vec<f64> = measured.values.iter().flatten().copied().collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    Entrant {
        label,
        identity: side.identity.clone(),
        examples: side.ids.len() as u64,
        cost: of(Measure::CostPerExample).and_then(mean),
        latency_p50: quantile(Measure::LatencyP50, 0.5),
        latency_p95: quantile(Measure::LatencyP95, 0.95),
    }
}
