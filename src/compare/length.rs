//! Scores of judges by the length of the answer: shown, never decided on.
//!
//! Judges are known to take length for quality. A rule that scores does not see length, or it is what the rule is about,
//! so only judged scorers are looked at.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::pairing::Matched;
use crate::record::{RunRecord, Sample};
use crate::score::{ScoreRow, Status, Value};
use crate::stats::correlation::spearman;
use crate::stats::{Alpha, Interval};

/// The most buckets.
const MOST_BUCKETS: usize = 5;
/// Fewer examples say nothing about a correlation.
const FEWEST: usize = 10;
/// From this rank correlation on scores are said to follow length, where its interval leaves no doubt about the sign.
const FOLLOWS: f64 = 0.3;

/// One example: how long its answers are, and what a judge says of them; means over its trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedExample {
    /// Characters.
    length: f64,
    score: f64,
    /// Share of trials that pass.
    passed: f64,
}

/// What a judge said of the answers of a side.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedScores {
    scorer: String,
    part: String,
    judge: String,
    /// Examples in the side's order; `None` without an answer, or without a score.
    examples: Vec<Option<JudgedExample>>,
}

/// The examples of a bucket, of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BucketScores {
    /// How many.
    pub n: u64,
    /// Their mean score; none of no example.
    pub mean: Option<f64>,
    /// Their share of passes.
    pub passed: Option<f64>,
}

/// Answers of about one length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LengthBucket {
    /// Characters of the shortest.
    pub from: f64,
    /// Characters of the longest.
    pub to: f64,
    /// The baseline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BucketScores>,
    /// The head's, or those of the only side.
    pub head: BucketScores,
}

/// How far scores rise with length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LengthTrend {
    /// Examples.
    pub n: u64,
    /// Spearman's rank correlation of length and score; none where either does not vary.
    pub correlation: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
    /// Whether it is at least .3 either way, on ten examples or more, with an interval that leaves out 0.
    pub follows: bool,
}

/// The scores of one judged scorer, and part of it, by the length of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LengthProfile {
    /// The scorer.
    pub scorer: String,
    /// The part; empty for the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// The judge behind it.
    pub judge: String,
    /// Shortest first.
    pub buckets: Vec<LengthBucket>,
    /// Over the baseline's answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<LengthTrend>,
    /// Over the head's answers, or those of the only side.
    pub head: LengthTrend,
    /// Between the two sides: does the score rise where the answer became longer?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<LengthTrend>,
}

/// What the judges said of the answers of a record, by scorer and part.
pub(super) fn judged_scores(record: &RunRecord) -> Vec<JudgedScores> {
    let judged = record.manifest.asked.scorers.iter().filter_map(|(name, id)| Some((name, id.judge.as_ref()?)));
    judged
        .flat_map(|(scorer, judge)| {
            let rows = record.samples.iter().flat_map(|sample| &sample.scores).filter(|row| row.scorer == *scorer);
            let parts: BTreeSet<&str> = rows.map(|row| row.part.as_str()).collect();
            let of = |part: &str| JudgedScores {
                scorer: scorer.clone(),
                part: part.to_owned(),
                judge: judge.name.clone(),
                examples: record
                    .samples
                    .chunk_by(|a, b| a.id == b.id)
                    .map(|trials| example(trials, scorer, part))
                    .collect(),
            };
            parts.into_iter().map(of).collect::<Vec<_>>()
        })
        .collect()
}

fn example(trials: &[Sample], scorer: &str, part: &str) -> Option<JudgedExample> {
    let scored = |sample: &Sample| {
        let length = sample.answer.as_ref()?.chars().count() as f64;
        let row = sample.scores.iter().find(|row| row.scorer == scorer && row.part == part)?;
        Some((length, score(row)?, f64::from(u8::from(row.passed == Some(true)))))
    };
    let known: Vec<(f64, f64, f64)> = trials.iter().filter_map(scored).collect();
    let mean = |of: fn(&(f64, f64, f64)) -> f64| known.iter().map(of).sum::<f64>() / known.len() as f64;
    (!known.is_empty()).then(|| JudgedExample {
        length: mean(|one| one.0),
        score: mean(|one| one.1),
        passed: mean(|one| one.2),
    })
}

/// A score as a number; names count 1 where they pass.
fn score(row: &ScoreRow) -> Option<f64> {
    if row.status != Status::Scored && row.value.is_none() {
        return None;
    }
    Some(match row.value.as_ref()? {
        Value::Number(number) => *number,
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Preference(side) => f64::from(*side),
        Value::Label(_) | Value::Ranked(_) => f64::from(u8::from(row.passed == Some(true))),
    })
}

/// The scores of a record alone, by length.
#[must_use]
pub fn lengths(record: &RunRecord) -> Vec<LengthProfile> {
    judged_scores(record).iter().map(|head| profile(None, head, &[])).collect()
}

/// The scores of both sides, by length.
pub(super) fn lengths_of_both(
    baseline: &[JudgedScores],
    head: &[JudgedScores],
    matched: &Matched,
) -> Vec<LengthProfile> {
    let pairs: Vec<(usize, usize)> =
        matched.baseline.iter().zip(&matched.head).map(|(&b, &h)| (b as usize, h as usize)).collect();
    let other = |head: &JudgedScores| baseline.iter().find(|one| one.scorer == head.scorer && one.part == head.part);
    head.iter().map(|head| profile(other(head), head, &pairs)).collect()
}

fn profile(baseline: Option<&JudgedScores>, head: &JudgedScores, pairs: &[(usize, usize)]) -> LengthProfile {
    let known = |side: &JudgedScores| side.examples.iter().flatten().copied().collect::<Vec<_>>();
    let (before, now) = (baseline.map(known), known(head));
    let both = |pair: &(usize, usize)| Some((baseline?.examples[pair.0]?, head.examples[pair.1]?));
    let changes: Vec<(f64, f64)> = pairs
        .iter()
        .filter_map(both)
        .map(|(before, now)| (now.length - before.length, now.score - before.score))
        .collect();
    LengthProfile {
        scorer: head.scorer.clone(),
        part: head.part.clone(),
        judge: head.judge.clone(),
        buckets: buckets(before.as_deref(), &now),
        baseline: before.as_deref().map(over),
        head: over(&now),
        change: baseline.map(|_| trend(&changes)),
    }
}

/// Buckets between the quintiles of the lengths of both sides together.
///
/// Fixed limits would put every label of a classifier into one bucket and every essay into another. Limits of either side
/// alone would hide what a change of length does: the longest fifth would be the longest fifth on both sides, however much
/// longer it became. Equal lengths are never torn apart, so there may be fewer than five buckets.
fn buckets(baseline: Option<&[JudgedExample]>, head: &[JudgedExample]) -> Vec<LengthBucket> {
    let mut pooled: Vec<f64> = baseline.unwrap_or_default().iter().chain(head).map(|one| one.length).collect();
    pooled.sort_unstable_by(f64::total_cmp);
    let n = pooled.len();
    let mut ends: Vec<f64> = (1..=MOST_BUCKETS)
        .filter_map(|k| pooled.get((k * n).div_ceil(MOST_BUCKETS).checked_sub(1)?).copied())
        .collect();
    ends.dedup();
    let mut low = f64::NEG_INFINITY;
    ends.into_iter()
        .map(|to| {
            let first = pooled.partition_point(|&length| length <= low);
            let of = |side: &[JudgedExample]| {
                let inside: Vec<&JudgedExample> =
                    side.iter().filter(|one| low < one.length && one.length <= to).collect();
                let mean = |of: fn(&JudgedExample) -> f64| {
                    (!inside.is_empty()).then(|| inside.iter().map(|one| of(one)).sum::<f64>() / inside.len() as f64)
                };
                BucketScores { n: inside.len() as u64, mean: mean(|one| one.score), passed: mean(|one| one.passed) }
            };
            let bucket = LengthBucket { from: pooled[first], to, baseline: baseline.map(of), head: of(head) };
            low = to;
            bucket
        })
        .collect()
}

fn over(examples: &[JudgedExample]) -> LengthTrend {
    trend(&examples.iter().map(|one| (one.length, one.score)).collect::<Vec<_>>())
}

fn trend(pairs: &[(f64, f64)]) -> LengthTrend {
    let (lengths, scores): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let found = spearman(&lengths, &scores, Alpha::FIVE_PERCENT).ok();
    let follows = found.as_ref().is_some_and(|found| {
        // A perfect order has no interval.
        let is_sure = found.interval.map_or(found.coefficient.abs() > 0.99, |interval| !interval.contains(0.0));
        pairs.len() >= FEWEST && found.coefficient.abs() >= FOLLOWS && is_sure
    });
    LengthTrend {
        n: pairs.len() as u64,
        correlation: found.as_ref().map(|found| found.coefficient),
        interval: found.and_then(|found| found.interval),
        follows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(examples: &[(u32, f64)]) -> JudgedScores {
        let one = |&(length, score): &(u32, f64)| {
            Some(JudgedExample { length: f64::from(length), score, passed: f64::from(u8::from(score > 0.5)) })
        };
        let (scorer, part, judge) = ("s".to_owned(), String::new(), "j".to_owned());
        JudgedScores { scorer, part, judge, examples: examples.iter().map(one).collect() }
    }

    fn sizes(profile: &LengthProfile) -> Vec<(f64, f64, u64)> {
        profile.buckets.iter().map(|bucket| (bucket.from, bucket.to, bucket.head.n)).collect()
    }

    #[test]
    fn buckets_are_fifths_and_equal_lengths_stay_together() {
        let ten: Vec<(u32, f64)> = (1..=10).map(|length| (length, f64::from(length) / 10.0)).collect();
        let found = profile(None, &side(&ten), &[]);
        assert_eq!(sizes(&found), [(1.0, 2.0, 2), (3.0, 4.0, 2), (5.0, 6.0, 2), (7.0, 8.0, 2), (9.0, 10.0, 2)]);
        assert_eq!(found.buckets[4].head, BucketScores { n: 2, mean: Some(0.95), passed: Some(1.0) });
        assert!(found.head.follows && found.change.is_none() && found.baseline.is_none());
        let alike = profile(None, &side(&[(7, 0.0), (7, 1.0), (7, 1.0), (9, 1.0)]), &[]);
        assert_eq!(sizes(&alike), [(7.0, 7.0, 3), (9.0, 9.0, 1)]);
        let nothing = profile(None, &side(&[]), &[]);
        assert!(nothing.buckets.is_empty() && nothing.head.correlation.is_none() && !nothing.head.follows);
    }

    #[test]
    fn limits_are_those_of_both_sides() {
        let short: Vec<(u32, f64)> = (1..=10).map(|length| (length, 0.5)).collect();
        let long: Vec<(u32, f64)> = (1..=10).map(|length| (length + 100, 1.0)).collect();
        let pairs: Vec<(usize, usize)> = (0..10).map(|at| (at, at)).collect();
        let found = profile(Some(&side(&short)), &side(&long), &pairs);
        let n = |at: usize| (found.buckets[at].baseline.map(|scores| scores.n), found.buckets[at].head.n);
        assert_eq!((n(0), n(4)), ((Some(4), 0), (Some(0), 4)));
        assert_eq!(found.buckets[0].head.mean, None);
        assert_eq!(found.buckets.iter().map(|bucket| bucket.head.n).sum::<u64>(), 10);
        // Neither side varies in itself, and every answer became as much longer.
        assert!([found.baseline.unwrap(), found.head, found.change.unwrap()].iter().all(|trend| !trend.follows));
    }

    #[test]
    fn a_trend_needs_size_and_number() {
        let pairs = |n: u32, noise: f64| -> Vec<(f64, f64)> {
            (0..n).map(|i| (f64::from(i), f64::from(i) + noise * f64::from(i * 7919 % 101))).collect()
        };
        assert!(trend(&pairs(40, 0.0)).follows && trend(&pairs(40, 0.1)).follows);
        assert!(!trend(&pairs(9, 0.0)).follows, "nine examples");
        assert!(!trend(&pairs(40, 100.0)).follows, "noise");
        let falling: Vec<(f64, f64)> = pairs(40, 0.1).iter().map(|&(x, y)| (x, -y)).collect();
        assert!(trend(&falling).follows && trend(&falling).correlation.unwrap() < -0.5);
    }
}
