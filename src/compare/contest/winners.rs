//! Who wins which slice, where anybody does.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::super::comparison::{CellComparison, CompareOptions, Comparison, IntervalMethod, compare};
use super::super::error::CompareError;
use super::super::side::Side;
use super::super::slices::OVERALL;
use super::ContestOptions;
use super::pair::{options_of, p_of};
use crate::stats::multiplicity::{Adjustment, adjust};

/// One slice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SliceWinner {
    /// The slice.
    pub slice: String,
    /// Examples that every candidate has a score for.
    pub n: u64,
    /// The estimate of each candidate, in their order.
    pub values: Vec<Option<f64>>,
    /// The candidates with the best estimate.
    pub best: Vec<usize>,
    /// The largest p of the best against any other (so of "another is as good"), adjusted over all slices (Holm); none where
    /// several share the best estimate.
    pub p_adjusted: Option<f64>,
    /// The best, where that p is at most α; otherwise nobody wins.
    pub winner: Option<usize>,
}

/// The winners of all slices but `overall` with enough examples, and how many slices have not enough; `alone` is every
/// candidate beside itself.
///
/// That the best of several is really the best is told by its p against every other, each two-sided, without a correction for
/// having been picked (Gutmann & Maymin 1987); over the slices Holm's correction is made.
pub(super) fn winners(
    sides: &[Side],
    alone: &[Comparison],
    options: &ContestOptions,
) -> Result<(Vec<SliceWinner>, u64), CompareError> {
    let direction = sides[0].metrics[0].scale.direction();
    let (mut found, mut small) = (Vec::new(), 0);
    for (at, cell) in alone[0].cells.iter().enumerate().filter(|(_, cell)| cell.slice != OVERALL) {
        if cell.n < options.min_n.max(1) {
            small += 1;
            continue;
        }
        let values: Vec<Option<f64>> = alone.iter().map(|side| side.cells[at].baseline).collect();
        let most = values.iter().flatten().map(|value| direction * value).fold(f64::NEG_INFINITY, f64::max);
        let is_best = |value: &Option<f64>| value.is_some_and(|value| direction * value == most);
        let best = (0..values.len()).filter(|&candidate| is_best(&values[candidate])).collect();
        found.push(SliceWinner { slice: cell.slice.clone(), n: cell.n, values, best, p_adjusted: None, winner: None });
    }
    let mut leaders: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for slice in &found {
        if let Some(leader) = only_best(slice) {
            leaders.entry(leader).or_default().insert(&slice.slice);
        }
    }
    let against = p_of_leaders(sides, &leaders, options)?;
    // Which slices have a leader is seen in the data, so those without one count among the slices too.
    let largest = |slice: &SliceWinner| -> f64 {
        let Some(leader) = only_best(slice) else { return 1.0 };
        let others = (0..sides.len()).filter(|&other| other != leader).map(|other| {
            against.get(&(leader, other)).and_then(|slices| slices.get(&slice.slice)).copied().unwrap_or(1.0)
        });
        others.fold(0.0, f64::max)
    };
    let p: Vec<f64> = found.iter().map(largest).collect();
    if !p.is_empty() {
        let adjusted = adjust(&p, Adjustment::Holm)
            .map_err(|source| CompareError::Statistic { what: "p of all slices".to_owned(), source })?;
        for (slice, p) in found.iter_mut().zip(adjusted) {
            let leader = only_best(slice);
            slice.p_adjusted = leader.map(|_| p);
            slice.winner = leader.filter(|_| p <= options.alpha.get());
        }
    }
    Ok((found, small))
}

fn only_best(slice: &SliceWinner) -> Option<usize> {
    match slice.best[..] {
        [only] => Some(only),
        _ => None,
    }
}

/// A p by slice.
type BySlice = BTreeMap<String, f64>;

/// The p of every leader against every other candidate, in the slices that it leads; 1 where the two alone, who may count
/// other trials than an estimate does, do not differ in the leader's favour.
fn p_of_leaders(
    sides: &[Side],
    leaders: &BTreeMap<usize, BTreeSet<&str>>,
    options: &ContestOptions,
) -> Result<BTreeMap<(usize, usize), BySlice>, CompareError> {
    let direction = sides[0].metrics[0].scale.direction();
    let settings = CompareOptions { interval: IntervalMethod::Auto, ..options_of(options, options.slices.clone()) };
    let others = |leader: usize| (0..sides.len()).filter(move |&other| other != leader);
    let places: Vec<(usize, usize, &BTreeSet<&str>)> =
        leaders.iter().flat_map(|(&leader, slices)| others(leader).map(move |other| (leader, other, slices))).collect();
    places
        .into_par_iter()
        .map(|(leader, other, led)| {
            let compared = compare(&sides[leader], &sides[other], &settings)?;
            let led = compared.cells.iter().filter(|cell| led.contains(cell.slice.as_str()));
            let p = |cell: &CellComparison| {
                let is_worse = cell.delta.is_some_and(|delta| direction * delta < 0.0);
                if is_worse { p_of(&cell.evidence, options.seed).0 } else { 1.0 }
            };
            let slices = led.map(|cell| (cell.slice.clone(), p(cell))).collect();
            Ok(((leader, other), slices))
        })
        .collect()
}
