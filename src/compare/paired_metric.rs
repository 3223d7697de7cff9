//! One metric of all shared examples, before it is cut into cells.

use rayon::prelude::*;

use super::aggregate::Aggregate;
use super::comparison::{Blocks, MetricSummary};
use super::corpus::PairedSeen;
use super::pairing::{Matched, Pair, Pairing, TrialRange, Use, pair, trials};
use super::side::{MetricValues, Scored};
use crate::stats::proportional_integers;
use crate::stats::trial_permutation::BlockTrials;

/// One metric of all shared examples.
pub(super) struct PairedMetric {
    pub(super) summary: MetricSummary,
    pub(super) pairs: Vec<Pairing>,
    pub(super) has_passes: bool,
    /// Whether the baseline and the head have any score.
    pub(super) scored: Vec<(bool, bool)>,
    /// Every example has one of two values: one trial with a score at an end of the scale, or an aggregate that is 0 or 1.
    pub(super) single_binary: bool,
    /// The change of each pair, positive better, as proportional whole numbers; 0 where unscored.
    pub(super) integers: Vec<i64>,
    /// What becomes of trials.
    pub(super) aggregate: Aggregate,
    /// What an estimate over the whole corpus sees.
    pub(super) seen: Option<PairedSeen>,
    /// Where the sides have different numbers of trials: the scored ones of each example, positive is better.
    trials: Option<Vec<(Vec<f64>, Vec<f64>)>>,
}

impl PairedMetric {
    pub(super) fn new(baseline: &MetricValues, head: &MetricValues, matched: &Matched, tolerance: f64) -> Self {
        let scale = baseline.scale;
        let uses = Use::of(baseline, head, matched);
        let pairs: Vec<Pairing> = matched
            .baseline
            .par_iter()
            .zip(&matched.head)
            .map(|(&b, &h)| pair(baseline.of(b as usize), head.of(h as usize), baseline.aggregate, uses))
            .collect();
        let paired = || {
            pairs.iter().filter_map(|pairing| match pairing {
                Pairing::Paired(pair) => Some(pair),
                Pairing::Unscored | Pairing::NotMeant => None,
            })
        };
        let trials_used = paired().map(Pair::trials).max().unwrap_or(0);
        let any = |metric: &MetricValues, row: u32| metric.of(row as usize).iter().any(Option::is_some);
        let scored =
            matched.baseline.iter().zip(&matched.head).map(|(&b, &h)| (any(baseline, b), any(head, h))).collect();
        let changes: Vec<f64> = pairs
            .iter()
            .map(|pairing| match pairing {
                Pairing::Paired(pair) => scale.direction() * (pair.head - pair.baseline),
                Pairing::Unscored | Pairing::NotMeant => 0.0,
            })
            .collect();
        Self {
            summary: MetricSummary {
                name: baseline.name.clone(),
                scale,
                baseline_trials: trials(baseline, &matched.baseline),
                head_trials: trials(head, &matched.head),
                trials_used,
                tolerance,
            },
            has_passes: baseline.has_passes && head.has_passes,
            single_binary: match baseline.aggregate {
                Aggregate::Mean => uses == Use::Paired && trials_used == 1 && baseline.is_binary() && head.is_binary(),
                aggregate => aggregate.is_binary(),
            },
            aggregate: baseline.aggregate,
            seen: PairedSeen::new(baseline, head, matched),
            integers: proportional_integers(&changes),
            trials: (uses == Use::All).then(|| {
                let values = |metric: &MetricValues, row: u32| {
                    let better = |scored: &Scored| scale.direction() * scored.value / scale.width();
                    metric.of(row as usize).iter().flatten().map(better).collect()
                };
                matched
                    .baseline
                    .iter()
                    .zip(&matched.head)
                    .map(|(&b, &h)| (values(baseline, b), values(head, h)))
                    .collect()
            }),
            scored,
            pairs,
        }
    }

    pub(super) fn warnings(&self, name: &str) -> Vec<String> {
        let (b, h) = (self.summary.baseline_trials, self.summary.head_trials);
        let mut warnings = Vec::new();
        if b != h {
            let range = |r: TrialRange| {
                if r.least == r.most { r.most.to_string() } else { format!("{} to {}", r.least, r.most) }
            };
            let used = if self.trials.is_some() {
                "all are used, and a fall must hold under sign flips and under permuted trials"
            } else {
                "of each example the first min(k, k′) of both are used"
            };
            warnings.push(format!("{name}: {} trials in the baseline, {} in the head; {used}", range(b), range(h)));
        }
        let unscored = self.pairs.iter().filter(|pairing| **pairing == Pairing::Unscored).count();
        if unscored > 0 {
            warnings.push(format!("{name}: {unscored} of {} pairs are unscored and left out", self.pairs.len()));
        }
        warnings
    }

    /// The trials of a slice by block, where the sides have different numbers of them, the head's raised by the tolerance;
    /// of a group's examples with equally many trials the sum of each trial.
    pub(super) fn unequal_trials(&self, members: &[u32], blocks: &Blocks) -> Vec<BlockTrials> {
        let Some(trials) = &self.trials else { return Vec::new() };
        let paired = |example: &&u32| matches!(self.pairs[**example as usize], Pairing::Paired(_));
        let mut found: Vec<BlockTrials> = members
            .iter()
            .filter(paired)
            .map(|&example| {
                let (baseline, mut head) = trials[example as usize].clone();
                for value in &mut head {
                    *value += self.summary.tolerance;
                }
                BlockTrials { block: blocks.of[example as usize], baseline, head }
            })
            .collect();
        if blocks.grouped {
            let structure = |trials: &BlockTrials| (trials.block, trials.baseline.len(), trials.head.len());
            found.sort_by_key(structure);
            found.dedup_by(|later, sum| {
                let same = structure(later) == structure(sum);
                if same {
                    sum.baseline.iter_mut().zip(&later.baseline).for_each(|(sum, value)| *sum += value);
                    sum.head.iter_mut().zip(&later.head).for_each(|(sum, value)| *sum += value);
                }
                same
            });
        }
        found
    }
}
