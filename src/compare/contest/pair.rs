//! Two of several candidates: wins, ties, losses, the difference with its interval, and a p that holds among all pairs.

use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::super::comparison::{CellComparison, CellEvidence, CompareOptions, Comparison, Tolerances, compare};
use super::super::error::CompareError;
use super::super::side::Side;
use super::super::slices::SliceKeys;
use super::ContestOptions;
use crate::stats::multiplicity::{Adjustment, adjust};
use crate::stats::nonparametric::{paired_permutation, paired_permutation_exact};
use crate::stats::sign_flip::{self, Changes, Recompute};
use crate::stats::step_down::Draws;
use crate::stats::trial_permutation;
use crate::stats::{Alpha, Interval};

/// Draws of a test that is not solved exactly: the smallest p is 1 in 10,001.
const DRAWS: u32 = 10_000;
/// Draws that are enough where they say that nothing is there.
const FIRST_DRAWS: u64 = 500;
/// That is: a p above this. What is called different below it was always drawn in full.
const NOTHING: f64 = 0.25;
/// Up to here all sign patterns are gone through.
const MOST_ENUMERATED: usize = 16;
/// The widest distribution that is convolved: there may be 190 pairs.
const MOST_STEPS: u64 = 4_000_000;

/// Two candidates under one metric; positive is better for the second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pairwise {
    /// The place of the first candidate.
    pub first: usize,
    /// The place of the second candidate.
    pub second: usize,
    /// Examples that count.
    pub n: u64,
    /// Independent blocks among them: groups, or examples.
    pub blocks: u64,
    /// Blocks on which the second is better; unknown of an estimate over the whole corpus.
    pub wins: Option<u64>,
    /// Blocks on which they are alike.
    pub ties: Option<u64>,
    /// Blocks on which the second is worse.
    pub losses: Option<u64>,
    /// Second minus first, in units of the metric.
    pub delta: Option<f64>,
    /// Its interval.
    pub ci: Option<Interval>,
    /// How `ci` was made.
    pub method: &'static str,
    /// The test of no difference.
    pub test: &'static str,
    /// Its two-sided p.
    pub p: f64,
    /// The same, adjusted over all pairs of the metric (Holm).
    pub p_adjusted: f64,
    /// Whether `p_adjusted` is at most α.
    pub differs: bool,
}

/// The settings of one comparison of two.
pub(super) fn options_of(contest: &ContestOptions, slices: SliceKeys) -> CompareOptions {
    CompareOptions {
        slices,
        metrics: Vec::new(),
        interval: contest.interval,
        alpha: contest.alpha,
        tolerances: Tolerances::default(),
        watched: Vec::new(),
        seed: contest.seed,
    }
}

/// All pairs of sides with one metric each, and what `compare` warned of between the first and each other.
pub(super) fn pairs(sides: &[Side], options: &ContestOptions) -> Result<(Vec<Pairwise>, Vec<String>), CompareError> {
    let no_slices = SliceKeys { keys: Some(Vec::new()), crossings: Vec::new() };
    let settings = options_of(options, no_slices);
    let places: Vec<(usize, usize)> =
        (0..sides.len()).flat_map(|first| (first + 1..sides.len()).map(move |second| (first, second))).collect();
    let found: Vec<(Pairwise, Vec<String>)> = places
        .into_par_iter()
        .map(|(first, second)| {
            let Comparison { cells, warnings, .. } = compare(&sides[first], &sides[second], &settings)?;
            let cell = cells.first().ok_or_else(|| CompareError::Input("a metric without any cell".to_owned()))?;
            Ok((pairwise(first, second, cell, options), warnings))
        })
        .collect::<Result<_, CompareError>>()?;
    let mut warnings: Vec<String> = Vec::new();
    let (mut pairs, said): (Vec<Pairwise>, Vec<Vec<String>>) = found.into_iter().unzip();
    // What concerns all of them was said once; left are different numbers of trials.
    for warning in pairs.iter().zip(said).filter(|(pair, _)| pair.first == 0).flat_map(|(_, said)| said) {
        if warning.contains(" trials in the baseline") && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    let p: Vec<f64> = pairs.iter().map(|pair| pair.p).collect();
    let adjusted = adjust(&p, Adjustment::Holm)
        .map_err(|source| CompareError::Statistic { what: "p of all pairs".to_owned(), source })?;
    for (pair, adjusted) in pairs.iter_mut().zip(adjusted) {
        pair.p_adjusted = adjusted;
        pair.differs = adjusted <= options.alpha.get();
    }
    Ok((pairs, warnings))
}

fn pairwise(first: usize, second: usize, cell: &CellComparison, options: &ContestOptions) -> Pairwise {
    let evidence = &cell.evidence;
    let (p, test) = p_of(evidence, options.seed);
    let counted = evidence.corpus.is_none();
    let count = |wanted: fn(i64) -> bool| evidence.moved.iter().filter(|(_, change)| wanted(*change)).count() as u64;
    let (wins, losses) = (count(|change| change > 0), count(|change| change < 0));
    Pairwise {
        first,
        second,
        n: cell.n,
        blocks: cell.blocks,
        wins: counted.then_some(wins),
        ties: counted.then(|| cell.blocks.saturating_sub(wins + losses)),
        losses: counted.then_some(losses),
        delta: cell.delta,
        ci: cell.ci,
        method: cell.method,
        test,
        p,
        p_adjusted: 1.0,
        differs: false,
    }
}

/// A change with its sign turned.
#[derive(Debug)]
struct Turned(Arc<dyn Recompute>);

impl Recompute for Turned {
    fn change(&self, exchanged: &[u32]) -> f64 {
        -self.0.change(exchanged)
    }
}

/// The two-sided p of "no difference" and the test that it is of: McNemar's exact test for 0/1 scores of one trial
/// without groups, else sign flips of whole blocks.
pub(super) fn p_of(evidence: &CellEvidence, seed: u64) -> (f64, &'static str) {
    if let Some(table) = evidence.table {
        return (table.mcnemar_exact(), "mcnemar-exact");
    }
    let (p, test) = match evidence.changes() {
        Changes::Sum(changes) => of_sums(&changes, seed),
        Changes::Recomputed { blocks, by } => {
            let gains = evidence.mean_change().is_some_and(|change| change > 0.0);
            let by: Arc<dyn Recompute> = if gains { Arc::new(Turned(by)) } else { by };
            (doubled(one_sided(Changes::Recomputed { blocks, by }, seed, DRAWS)), "sign-flip")
        }
    };
    if evidence.unequal_trials.is_empty() {
        return (p, test);
    }
    // With different numbers of trials neither test is valid alone; the larger p of both is.
    (p.max(of_trials(evidence, seed)), "sign-flip and permuted trials")
}

fn of_sums(changes: &[(u32, i64)], seed: u64) -> (f64, &'static str) {
    let differences: Vec<f64> = changes.iter().map(|&(_, change)| change as f64).collect();
    if differences.is_empty() {
        return (1.0, "sign-flip-exact");
    }
    if differences.len() <= MOST_ENUMERATED {
        return (paired_permutation_exact(&differences).unwrap_or(1.0), "sign-flip-exact");
    }
    let width = changes.iter().fold(0_u64, |sum, (_, change)| sum.saturating_add(change.unsigned_abs()));
    if width.saturating_mul(changes.len() as u64) <= MOST_STEPS {
        // The distribution of flipped sums is symmetric, so the tail of a gain is that of the loss with its signs turned.
        let gains = changes.iter().map(|&(_, change)| change).sum::<i64>() > 0;
        let turned = changes.iter().map(|&(block, change)| (block, if gains { -change } else { change })).collect();
        return (doubled(one_sided(Changes::Sum(turned), seed, 1)), "sign-flip-exact");
    }
    let drawn = |draws: u64| paired_permutation(&differences, draws, seed).map_or(1.0, |test| test.p);
    let first = drawn(FIRST_DRAWS);
    (if first > NOTHING { first } else { drawn(DRAWS.into()) }, "sign-flip")
}

fn doubled(p: Option<f64>) -> f64 {
    p.map_or(1.0, |p| (2.0 * p).min(1.0))
}

/// The p of a loss, of one change alone.
fn one_sided(changes: Changes, seed: u64, draws: u32) -> Option<f64> {
    let cell = sign_flip::Cell { changes, weight: 1.0, decisive: false };
    let draws = Draws { seed, step: draws, cap: draws, alpha: Alpha::FIVE_PERCENT.get() };
    sign_flip::test_family(&[cell], draws).cells[0].p
}

fn of_trials(evidence: &CellEvidence, seed: u64) -> f64 {
    let gains = evidence.mean_change().is_some_and(|change| change > 0.0);
    let mut trials = evidence.unequal_trials.clone();
    if gains {
        for block in &mut trials {
            block.baseline.iter_mut().chain(&mut block.head).for_each(|value| *value = -*value);
        }
    }
    let cell = trial_permutation::Cell { trials, weight: 1.0, decisive: false };
    let draws = Draws { seed, step: DRAWS, cap: DRAWS, alpha: Alpha::FIVE_PERCENT.get() };
    doubled(trial_permutation::test_family(&[cell], draws).cells[0].p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::BlockMoments;

    fn evidence(changes: impl IntoIterator<Item = i64>) -> CellEvidence {
        let mut change = BlockMoments::default();
        let mut moved = Vec::new();
        for (block, step) in changes.into_iter().enumerate() {
            change.push(step as f64 / 10.0, 1.0);
            if step != 0 {
                moved.push((block as u32, step));
            }
        }
        CellEvidence { change, moved, ..CellEvidence::default() }
    }

    #[test]
    fn turning_the_sides_around_changes_no_p() {
        for changes in [
            vec![3, 1, 4, -1, 5, 0, 2, 6],
            (0..60).map(|i| i % 7 - 2).collect(),
            (0..300_i64).map(|i| (i * i) % 100_003 - 40_000).collect(),
        ] {
            let (p, test) = p_of(&evidence(changes.iter().copied()), 7);
            let (turned, same) = p_of(&evidence(changes.iter().map(|change| -change)), 7);
            assert_eq!((p, test), (turned, same));
            assert!(p > 0.0 && p <= 1.0);
        }
    }

    #[test]
    fn the_ways_to_a_p_agree() {
        // Of 1s only, sign flips are the sign test: 14 of 18.
        let changes: Vec<i64> = (0..18).map(|i| if i < 14 { 1 } else { -1 }).collect();
        let (p, test) = p_of(&evidence(changes.iter().copied()), 7);
        let exact = crate::stats::nonparametric::sign_test(14, 4);
        assert!((p - exact).abs() < 1e-12 && test == "sign-flip-exact", "{p} {exact} {test}");
        let differences: Vec<f64> = changes.iter().map(|&change| change as f64).collect();
        assert!((paired_permutation_exact(&differences).unwrap() - exact).abs() < 1e-12);
        assert_eq!(p_of(&evidence([0, 0, 0]), 7).0, 1.0);
    }
}
