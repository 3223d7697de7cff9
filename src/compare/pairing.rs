//! Bringing two sides together: the same examples, the same number of trials.

use serde::Serialize;

use super::aggregate::Aggregate;
use super::error::CompareError;
use super::side::{MetricValues, Pins, Scored, Side};

/// The examples that both sides have, and those that only one has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matched {
    /// Row of each shared example in the baseline.
    pub(super) baseline: Vec<u32>,
    /// Row of each shared example in the head.
    pub(super) head: Vec<u32>,
    pub(super) only_baseline: Vec<u32>,
    pub(super) only_head: Vec<u32>,
}

/// Merges two ascending lists of ids.
pub(super) fn match_ids(baseline: &Side, head: &Side) -> Matched {
    let mut matched =
        Matched { baseline: Vec::new(), head: Vec::new(), only_baseline: Vec::new(), only_head: Vec::new() };
    let (mut b, mut h) = (0, 0);
    while b < baseline.ids.len() && h < head.ids.len() {
        match baseline.ids.get(b).as_bytes().cmp(head.ids.get(h).as_bytes()) {
            std::cmp::Ordering::Equal => {
                matched.baseline.push(b as u32);
                matched.head.push(h as u32);
                b += 1;
                h += 1;
            }
            std::cmp::Ordering::Less => {
                matched.only_baseline.push(b as u32);
                b += 1;
            }
            std::cmp::Ordering::Greater => {
                matched.only_head.push(h as u32);
                h += 1;
            }
        }
    }
    matched.only_baseline.extend(b as u32..baseline.ids.len() as u32);
    matched.only_head.extend(h as u32..head.ids.len() as u32);
    matched
}

/// Refuses two sides whose pins differ.
pub(super) fn check_pins(baseline: Option<&Pins>, head: Option<&Pins>) -> Result<(), CompareError> {
    let (Some(baseline), Some(head)) = (baseline, head) else { return Ok(()) };
    let refuse = |what: String| Err(CompareError::NotComparable(what));
    if baseline.dataset_sha256 != head.dataset_sha256 {
        return refuse(format!(
            "the baseline was made on eval set `{}` with SHA-256 {}, the head on `{}` with {}; run both on one pin",
            baseline.evalset,
            short(&baseline.dataset_sha256),
            head.evalset,
            short(&head.dataset_sha256)
        ));
    }
    for (name, digest) in &baseline.scorers {
        match head.scorers.get(name) {
            None => {
                return refuse(format!("the head was not scored by `{name}`; score it again with one configuration"));
            }
            Some(other) if other != digest => {
                return refuse(format!(
                    "scorer `{name}` is not the same on both sides (digest {} and {}); score both with one configuration",
                    short(digest),
                    short(other)
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// How many trials an example has, over all examples of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TrialRange {
    /// The fewest.
    pub least: usize,
    /// The most.
    pub most: usize,
}

pub(super) fn trials(metric: &MetricValues, rows: &[u32]) -> TrialRange {
    let lengths = || rows.iter().map(|&row| metric.of(row as usize).len());
    TrialRange { least: lengths().min().unwrap_or(0), most: lengths().max().unwrap_or(0) }
}

/// One metric of one shared example: what becomes of the trials that are used on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) baseline: f64,
    pub(super) head: f64,
    /// How many trials a side; at least 1.
    pub(super) trials: u32,
    /// How many trials passed on either side.
    pub(super) baseline_passes: u32,
    pub(super) head_passes: u32,
}

/// What became of an example under one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pairing {
    /// It has a score on both sides.
    Paired(Pair),
    /// One side or both have none.
    Unscored,
    /// The metric does not apply to it.
    NotMeant,
}

/// Pairs the trials of one example: the first `min(k, k′)` of both sides, leaving out a trial (on both sides) that either
/// side has no score for.
///
/// The trials that are left on either side become one value by `aggregate`; with fewer than it needs the pair is unscored.
pub(super) fn pair(baseline: &[Option<Scored>], head: &[Option<Scored>], aggregate: Aggregate) -> Pairing {
    if baseline.is_empty() && head.is_empty() {
        return Pairing::NotMeant;
    }
    let mut pair = Pair { baseline: 0.0, head: 0.0, trials: 0, baseline_passes: 0, head_passes: 0 };
    for (b, h) in baseline.iter().zip(head).filter_map(|(b, h)| Some(((*b)?, (*h)?))) {
        pair.baseline += b.value;
        pair.head += h.value;
        pair.trials += 1;
        pair.baseline_passes += u32::from(b.passed);
        pair.head_passes += u32::from(h.passed);
    }
    if pair.trials == 0 {
        return Pairing::Unscored;
    }
    if aggregate != Aggregate::Mean {
        let values = |pick: fn(&Scored, &Scored) -> f64| -> Vec<f64> {
            baseline.iter().zip(head).filter_map(|(b, h)| Some(pick(b.as_ref()?, h.as_ref()?))).collect()
        };
        let of_baseline = aggregate.of(&values(|b, _| b.value), pair.baseline_passes);
        let of_head = aggregate.of(&values(|_, h| h.value), pair.head_passes);
        return match of_baseline.zip(of_head) {
            Some((baseline, head)) => Pairing::Paired(Pair { baseline, head, ..pair }),
            None => Pairing::Unscored,
        };
    }
    let trials = f64::from(pair.trials);
    Pairing::Paired(Pair { baseline: pair.baseline / trials, head: pair.head / trials, ..pair })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(values: &[Option<f64>]) -> Vec<Option<Scored>> {
        values.iter().map(|value| value.map(|value| Scored { value, passed: value >= 1.0 })).collect()
    }

    #[test]
    fn an_unscored_trial_takes_its_partner_along() {
        let (b, h) = (trials(&[Some(1.0), None, Some(0.0)]), trials(&[Some(0.0), Some(1.0), Some(0.0)]));
        let Pairing::Paired(pair) = pair(&b, &h, Aggregate::Mean) else { panic!() };
        assert_eq!((pair.trials, pair.baseline, pair.head), (2, 0.5, 0.0));
    }

    #[test]
    fn unequal_trials_use_the_first_of_both() {
        let Pairing::Paired(pair) = pair(&trials(&[Some(1.0)]), &trials(&[Some(0.0), Some(1.0)]), Aggregate::Mean)
        else {
            panic!()
        };
        assert_eq!((pair.trials, pair.head), (1, 0.0));
    }

    #[test]
    fn both_sides_are_cut_to_one_number_of_trials_before_they_become_a_value() {
        let (b, h) = (trials(&[Some(1.0), Some(0.0), Some(1.0)]), trials(&[Some(0.0), Some(1.0)]));
        let Pairing::Paired(both) = pair(&b, &h, Aggregate::PassHatK(1)) else { panic!() };
        assert_eq!((both.trials, both.baseline, both.head), (2, 0.5, 0.5));
        assert_eq!(pair(&b, &trials(&[None, Some(1.0)]), Aggregate::PassAtK(2)), Pairing::Unscored);
    }

    #[test]
    fn nothing_scored_is_unscored_and_nothing_at_all_is_not_meant() {
        assert_eq!(pair(&trials(&[None]), &trials(&[Some(1.0)]), Aggregate::Mean), Pairing::Unscored);
        assert_eq!(pair(&trials(&[]), &trials(&[Some(1.0)]), Aggregate::Mean), Pairing::Unscored);
        assert_eq!(pair(&[], &[], Aggregate::Mean), Pairing::NotMeant);
    }
}
