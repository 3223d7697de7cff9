//! Bringing two sides together: the same examples, the same number of trials.

use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// One metric of one shared example: what becomes of the trials that are used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) baseline: f64,
    pub(super) head: f64,
    pub(super) baseline_trials: Trials,
    pub(super) head_trials: Trials,
}

impl Pair {
    /// The fewer trials of both sides.
    pub(super) fn trials(&self) -> u32 {
        self.baseline_trials.used.min(self.head_trials.used)
    }
}

/// The trials of one side that are used; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Trials {
    pub(super) used: u32,
    pub(super) passed: u32,
}

impl Trials {
    /// Adds a trial, and gives its value.
    fn add(&mut self, scored: Scored) -> f64 {
        self.used += 1;
        self.passed += u32::from(scored.passed);
        scored.value
    }

    pub(super) const fn all_passed(self) -> bool {
        self.passed == self.used
    }
}

/// Which trials of an example are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The first `min(k, k′)` of both sides, without those (on both sides) that either side has no score for.
    Paired,
    /// All that have a score: the sides have different numbers of trials, and the metric is a mean over them.
    All,
}

impl Use {
    /// What a metric does with its trials.
    pub(super) fn of(baseline: &MetricValues, head: &MetricValues, matched: &Matched) -> Self {
        let differ = |(&b, &h): (&u32, &u32)| {
            let (b, h) = (baseline.of(b as usize).len(), head.of(h as usize).len());
            // An example without any trial is one that the metric is not about, or that is unscored.
            b != h && b > 0 && h > 0
        };
        let is_mean = baseline.aggregate == Aggregate::Mean && baseline.seen.is_none();
        if is_mean && matched.baseline.iter().zip(&matched.head).any(differ) { Self::All } else { Self::Paired }
    }
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

/// Pairs the trials of one example.
///
/// The trials that are used on either side become one value by `aggregate`; with fewer than it needs the pair is unscored.
pub(super) fn pair(baseline: &[Option<Scored>], head: &[Option<Scored>], aggregate: Aggregate, trials: Use) -> Pairing {
    if baseline.is_empty() && head.is_empty() {
        return Pairing::NotMeant;
    }
    let (mut of_baseline, mut of_head) = (Trials::default(), Trials::default());
    let (mut b_sum, mut h_sum) = (0.0, 0.0);
    match trials {
        Use::Paired => {
            for (b, h) in baseline.iter().zip(head).filter_map(|(b, h)| Some(((*b)?, (*h)?))) {
                b_sum += of_baseline.add(b);
                h_sum += of_head.add(h);
            }
        }
        Use::All => {
            b_sum = baseline.iter().flatten().map(|&b| of_baseline.add(b)).sum();
            h_sum = head.iter().flatten().map(|&h| of_head.add(h)).sum();
        }
    }
    if of_baseline.used == 0 || of_head.used == 0 {
        return Pairing::Unscored;
    }
    let pair = Pair {
        baseline: b_sum / f64::from(of_baseline.used),
        head: h_sum / f64::from(of_head.used),
        baseline_trials: of_baseline,
        head_trials: of_head,
    };
    if aggregate != Aggregate::Mean {
        let values = |pick: fn(&Scored, &Scored) -> f64| -> Vec<f64> {
            baseline.iter().zip(head).filter_map(|(b, h)| Some(pick(b.as_ref()?, h.as_ref()?))).collect()
        };
        let of_baseline = aggregate.of(&values(|b, _| b.value), of_baseline.passed);
        let of_head = aggregate.of(&values(|_, h| h.value), of_head.passed);
        return match of_baseline.zip(of_head) {
            Some((baseline, head)) => Pairing::Paired(Pair { baseline, head, ..pair }),
            None => Pairing::Unscored,
        };
    }
    Pairing::Paired(pair)
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
        let Pairing::Paired(pair) = pair(&b, &h, Aggregate::Mean, Use::Paired) else { panic!() };
        assert_eq!((pair.trials(), pair.baseline, pair.head), (2, 0.5, 0.0));
    }

    #[test]
    fn unequal_trials_are_all_used_where_the_metric_is_their_mean() {
        let side = |values: &[Option<f64>], aggregate: Aggregate| {
            let mut metric = MetricValues::new("m", crate::score::Scale::UNIT, true);
            metric.aggregate = aggregate;
            metric.push(trials(values));
            metric
        };
        let matched = Matched { baseline: vec![0], head: vec![0], only_baseline: Vec::new(), only_head: Vec::new() };
        let outcome = |aggregate: Aggregate| {
            let (b, h) = (side(&[Some(1.0)], aggregate), side(&[Some(0.0), None, Some(1.0)], aggregate));
            let uses = Use::of(&b, &h, &matched);
            let Pairing::Paired(pair) = pair(b.of(0), h.of(0), aggregate, uses) else { panic!() };
            (uses, pair.trials(), pair.head_trials, pair.head)
        };
        assert_eq!(outcome(Aggregate::Mean), (Use::All, 1, Trials { used: 2, passed: 1 }, 0.5));
        assert_eq!(outcome(Aggregate::Median), (Use::Paired, 1, Trials { used: 1, passed: 0 }, 0.0));
        let equal = (side(&[Some(1.0), None], Aggregate::Mean), side(&[Some(0.0), Some(0.0)], Aggregate::Mean));
        assert_eq!(Use::of(&equal.0, &equal.1, &matched), Use::Paired);
    }

    #[test]
    fn both_sides_are_cut_to_one_number_of_trials_before_they_become_a_value() {
        let (b, h) = (trials(&[Some(1.0), Some(0.0), Some(1.0)]), trials(&[Some(0.0), Some(1.0)]));
        let Pairing::Paired(both) = pair(&b, &h, Aggregate::PassHatK(1), Use::Paired) else { panic!() };
        assert_eq!((both.trials(), both.baseline, both.head), (2, 0.5, 0.5));
        assert_eq!(pair(&b, &trials(&[None, Some(1.0)]), Aggregate::PassAtK(2), Use::Paired), Pairing::Unscored);
    }

    #[test]
    fn nothing_scored_is_unscored_and_nothing_at_all_is_not_meant() {
        for uses in [Use::Paired, Use::All] {
            let of = |b: &[Option<f64>], h: &[Option<f64>]| pair(&trials(b), &trials(h), Aggregate::Mean, uses);
            assert_eq!(of(&[None], &[Some(1.0)]), Pairing::Unscored);
            assert_eq!(of(&[], &[Some(1.0)]), Pairing::Unscored);
            assert_eq!(of(&[], &[]), Pairing::NotMeant);
        }
    }
}
