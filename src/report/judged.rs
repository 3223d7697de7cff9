//! What judges say, and what to make of it, in words: corrected rates, and scores by the length of the answer.

use serde::Serialize;

use super::view::{View, grouped_digits};
use crate::compare::{BucketScores, LengthProfile, LengthTrend};
use crate::gate::{CorrectedMetric, CorrectedRate, JudgeStanding, Predicted, PredictedMean};
use crate::stats::Interval;

/// Which of two corrections to read.
pub(super) const CORRECTED: &str = "Two-source: the judge's error rates, from the labels, are taken out of what it said here; \
     it holds where the judge errs here as on the labelled items. PPI++: the labels' mean, sharpened by what the judge said \
     here; it holds where the labelled items are a sample of answers like these.";

/// A judged rate or mean of one side, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CorrectedRow {
    /// The metric.
    pub metric: String,
    /// `baseline`, `head` or `record`.
    pub side: &'static str,
    /// What the judge said.
    pub raw: String,
    /// Without the judge's error rates, by the two-source interval.
    pub corrected: String,
    /// By PPI++.
    pub ppi: String,
}

impl CorrectedRow {
    /// The whole in a line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}, {}: {}; two-source {}; PPI++ {}", self.metric, self.side, self.raw, self.corrected, self.ppi)
    }
}

fn percent(value: f64) -> String {
    format!("{:.1} %", 100.0 * value)
}

fn three(value: f64) -> String {
    format!("{value:.3}").replace('-', "−")
}

/// An estimate with its interval.
fn with_ends(value: f64, ends: Interval, is_share: bool) -> String {
    if is_share {
        format!("{} [{:.1}, {:.1}]", percent(value), 100.0 * ends.low, 100.0 * ends.high)
    } else {
        format!("{} [{}, {}]", three(value), three(ends.low), three(ends.high))
    }
}

fn predicted(found: Option<Predicted>, is_share: bool) -> String {
    found.map_or_else(|| "–".to_owned(), |found| with_ends(found.estimate, found.interval, is_share))
}

fn rate(metric: &str, side: &'static str, rate: CorrectedRate) -> CorrectedRow {
    CorrectedRow {
        metric: metric.to_owned(),
        side,
        raw: percent(rate.raw),
        corrected: with_ends(rate.corrected, rate.interval, true),
        ppi: predicted(rate.ppi, true),
    }
}

fn mean(metric: &str, side: &'static str, mean: PredictedMean, is_rate: bool) -> CorrectedRow {
    CorrectedRow {
        metric: metric.to_owned(),
        side,
        raw: if is_rate { percent(mean.raw) } else { three(mean.raw) },
        corrected: "–".to_owned(),
        ppi: predicted(Some(mean.ppi), is_rate),
    }
}

/// The metrics of a record alone.
pub(super) fn corrected_rows_alone(metrics: &[CorrectedMetric]) -> Vec<CorrectedRow> {
    let row = |one: &CorrectedMetric| match (one.corrected, one.predicted) {
        (Some(found), _) => Some(rate(&one.metric, "record", found)),
        (None, Some(found)) => Some(mean(&one.metric, "record", found, one.is_rate)),
        (None, None) => None,
    };
    metrics.iter().filter_map(row).collect()
}

/// Both sides of every metric whose judge was held against labels.
pub(super) fn corrected_rows(standings: &[JudgeStanding]) -> Vec<CorrectedRow> {
    let mut rows = Vec::new();
    for standing in standings {
        let metric = &standing.metric;
        if let Some(rates) = standing.corrected {
            rows.push(rate(metric, "baseline", rates.baseline));
            rows.push(rate(metric, "head", rates.head));
        }
        if let Some(means) = standing.predicted {
            rows.push(mean(metric, "baseline", means.baseline, means.is_rate));
            rows.push(mean(metric, "head", means.head, means.is_rate));
        }
    }
    rows
}

/// A bucket of lengths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LengthRow {
    /// From so many characters to so many.
    pub length: String,
    /// Number, mean and share of passes of the baseline, then of the head; of a record alone only its own.
    pub cells: Vec<String>,
}

/// What one judge says by length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LengthTable {
    /// The scorer and its part.
    pub scorer: String,
    /// The judge.
    pub judge: String,
    /// What the cells of a row are.
    pub head: Vec<String>,
    /// Shortest first.
    pub rows: Vec<LengthRow>,
    /// The rank correlation of length and score.
    pub correlation: String,
}

fn name(profile: &LengthProfile) -> String {
    if profile.part.is_empty() { profile.scorer.clone() } else { format!("{}/{}", profile.scorer, profile.part) }
}

/// The trends of a profile and what they are over.
fn trends(profile: &LengthProfile) -> Vec<(&'static str, LengthTrend)> {
    let of_head = if profile.baseline.is_some() { "head" } else { "record" };
    let trends = [("baseline", profile.baseline), (of_head, Some(profile.head)), ("change", profile.change)];
    trends.into_iter().filter_map(|(what, trend)| Some((what, trend?))).collect()
}

fn trend_text(trend: &LengthTrend) -> String {
    let Some(value) = trend.correlation else { return "–".to_owned() };
    let ends = trend.interval.map_or_else(String::new, |ends| format!(" [{:.2}, {:.2}]", ends.low, ends.high));
    format!("{value:.2}{ends}").replace('-', "−")
}

/// One table a judged scorer and part.
pub(super) fn length_tables(profiles: &[LengthProfile]) -> Vec<LengthTable> {
    let cells = |scores: &BucketScores| {
        let known = |value: Option<f64>, text: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), text);
        vec![grouped_digits(scores.n), known(scores.mean, three), known(scores.passed, percent)]
    };
    let table = |profile: &LengthProfile| {
        let sides: &[&str] = if profile.baseline.is_some() { &["baseline ", "head "] } else { &[""] };
        let head = sides.iter().flat_map(|side| ["n", "mean", "passed"].map(|what| format!("{side}{what}")));
        let row = |bucket: &crate::compare::LengthBucket| LengthRow {
            length: if bucket.from < bucket.to {
                format!("{:.0} to {:.0}", bucket.from, bucket.to)
            } else {
                format!("{:.0}", bucket.to)
            },
            cells: bucket.baseline.iter().chain([&bucket.head]).flat_map(cells).collect(),
        };
        let correlations = trends(profile).into_iter().map(|(what, trend)| format!("{what} {}", trend_text(&trend)));
        LengthTable {
            scorer: name(profile),
            judge: profile.judge.clone(),
            head: head.collect(),
            rows: profile.buckets.iter().map(row).collect(),
            correlation: correlations.collect::<Vec<_>>().join(", "),
        }
    };
    profiles.iter().filter(|profile| !profile.buckets.is_empty()).map(table).collect()
}

/// A sentence for every judge whose scores follow length. Longer answers may be better: what follows is not yet bias.
pub(super) fn length_remarks(profiles: &[LengthProfile]) -> Vec<String> {
    let remark = |profile: &LengthProfile| {
        let (what, trend) = trends(profile).into_iter().find(|(_, trend)| trend.follows)?;
        let direction = if trend.correlation.unwrap_or(0.0) > 0.0 { "rise" } else { "fall" };
        let over = match what {
            "change" => "answers that became longer than those of the baseline".to_owned(),
            "record" => "the length of the answer".to_owned(),
            side => format!("the length of the {side}'s answer"),
        };
        Some(format!(
            "the scores of `{}` {direction} with {over} (rank correlation {}, n = {}): longer answers may be other answers, \
             or judge `{}` goes by length; `evalgauge judge audit {} --only length,verbosity` tells which",
            name(profile),
            trend_text(&trend),
            trend.n,
            profile.judge,
            profile.judge
        ))
    };
    profiles.iter().filter_map(remark).collect()
}

impl View {
    /// The view of a record alone with what its judges say by length, and what their rates come to.
    #[must_use]
    pub fn with_judges(mut self, lengths: &[LengthProfile], corrected: &[CorrectedMetric]) -> Self {
        self.lengths = length_tables(lengths);
        self.warnings.extend(length_remarks(lengths));
        self.corrected = corrected_rows_alone(corrected);
        self
    }
}
