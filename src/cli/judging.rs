//! What judging a run took and showed, and what pairwise judges compare with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::failure::Failure;
use super::output::Output;
use super::run::shown;
use super::source::baseline_record;
use crate::config::Project;
use crate::gate::Exit;
use crate::record::{Judging, RunRecord, load};
use crate::run::{Against, LoadedJudge};
use crate::score::{ScoreRow, Status, mark};

/// What is asked for.
pub(super) struct AgainstAsked<'a> {
    /// The record that was typed.
    pub(super) named: Option<&'a str>,
    /// The baseline, where it is at hand.
    pub(super) baseline: Option<&'a RunRecord>,
    pub(super) evalset: &'a str,
    pub(super) candidate: &'a str,
}

/// The answers that pairwise judges compare with: those of the record that was named, else of the baseline. Without
/// either nothing is compared: every preference is a tie, which is what a first baseline needs.
pub(super) fn against(
    project: &Project,
    judges: &BTreeMap<String, LoadedJudge>,
    asked: &AgainstAsked<'_>,
    output: &Output,
) -> Result<Option<Against>, Failure> {
    if !judges.values().any(|loaded| loaded.judge.is_pairwise()) {
        return match asked.named {
            None => Ok(None),
            Some(_) => Err(Failure::input("--against is for scorers with a pairwise judge; there is none".to_owned())),
        };
    }
    if let Some(name) = asked.named.filter(|name| *name != "baseline") {
        return Ok(Some(Against::new(&load(&project.store().find(name)?)?)));
    }
    if let Some(baseline) = asked.baseline {
        return Ok(Some(Against::new(baseline)));
    }
    match baseline_record(project, None, asked.evalset, asked.candidate) {
        Ok((record, folder)) => {
            output.note(&format!("compared with the baseline, {}", shown(&folder)));
            Ok(Some(Against::new(&record)))
        }
        Err(failure) if failure.exit == Exit::Undecidable && asked.named.is_none() => {
            output.note(
                "warning: there is no baseline to compare with: pairwise judges compare each answer with itself, a tie; \
                 name a record with --against",
            );
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// What judging took and showed, over a whole record.
#[derive(Serialize)]
pub(super) struct JudgingSum {
    /// Calls of judges; those from the cache with the figures of the original call.
    #[serde(flatten)]
    took: Judging,
    scorers: BTreeMap<String, JudgedSum>,
}

/// Of one scorer.
#[derive(Serialize, Default)]
struct JudgedSum {
    judge: String,
    /// Answers that were judged.
    judged: usize,
    /// Answers of which no grade could be had.
    unscored: usize,
    /// Answers that try to steer the judge.
    steers: usize,
    /// Of a panel: answers whose members disagree about some part.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<usize>,
    /// Of a comparison: answers where the order decided, and their share, the noise floor.
    #[serde(skip_serializing_if = "Option::is_none")]
    flips: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flip_rate: Option<f64>,
}

impl JudgingSum {
    /// `None` without judges.
    pub(super) fn of(record: &RunRecord) -> Option<Self> {
        let mut took = Judging::default();
        for judging in record.samples.iter().filter_map(|sample| sample.judging.as_deref()) {
            took.calls += judging.calls;
            took.latency_ms += judging.latency_ms;
            took.usage = took.usage.map_or(judging.usage, |sum| Some(sum + judging.usage.unwrap_or_default()));
            took.cost_usd = match (took.cost_usd, judging.cost_usd) {
                (None, None) => None,
                (sum, more) => Some(sum.unwrap_or(0.0) + more.unwrap_or(0.0)),
            };
        }
        let mut scorers = BTreeMap::new();
        for (name, id) in &record.manifest.asked.scorers {
            let Some(judge) = &id.judge else { continue };
            scorers.insert(name.clone(), judged(record, name, &judge.name, &judge.kind));
        }
        (!scorers.is_empty()).then_some(Self { took, scorers })
    }

    pub(super) fn text(&self) -> String {
        let cost = self.took.cost_usd.map_or_else(String::new, |usd| format!(", {usd:.4} USD"));
        let seconds = self.took.latency_ms / 1e3;
        let mut text = format!("judging took {} calls, {seconds:.1} s{cost}\n", self.took.calls);
        for (scorer, sum) in &self.scorers {
            let mut remarks = vec![format!("{} judged", sum.judged)];
            if sum.unscored > 0 {
                remarks.push(format!("{} unscored", sum.unscored));
            }
            if let (Some(flips), Some(rate)) = (sum.flips, sum.flip_rate) {
                remarks.push(format!("{flips} flips (noise floor {:.1} %)", 100.0 * rate));
            }
            if let Some(split) = sum.split {
                remarks.push(format!("{split} with members that disagree"));
            }
            if sum.steers > 0 {
                remarks.push(format!("{} answers try to steer the judge", sum.steers));
            }
            text.push_str(&format!("  {scorer:<20} by {}: {}\n", sum.judge, remarks.join(", ")));
        }
        text
    }
}

fn judged(record: &RunRecord, scorer: &str, judge: &str, kind: &str) -> JudgedSum {
    let mut sum = JudgedSum { judge: judge.to_owned(), ..JudgedSum::default() };
    let mut flips = 0;
    let mut split = 0;
    for sample in &record.samples {
        let rows: Vec<&ScoreRow> = sample.scores.iter().filter(|row| row.scorer == scorer).collect();
        let has = |name: &str| usize::from(rows.iter().any(|row| row.marks.iter().any(|mark| mark == name)));
        sum.judged += usize::from(rows.iter().any(|row| row.status == Status::Scored));
        sum.unscored += usize::from(rows.iter().any(|row| row.status == Status::Unscored));
        sum.steers += has(mark::STEERS);
        flips += has(mark::FLIP);
        split += has(mark::SPLIT);
    }
    let is_comparison = kind == "pairwise" || flips > 0;
    sum.flips = is_comparison.then_some(flips);
    sum.flip_rate = (is_comparison && sum.judged > 0).then(|| flips as f64 / sum.judged as f64);
    sum.split = (kind == "panel").then_some(split);
    sum
}
