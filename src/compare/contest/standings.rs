//! One metric of all candidates: the table, whether they differ at all, every pair, the winners of slices.

use rayon::prelude::*;
use serde::Serialize;

use super::super::comparison::{CompareOptions, Comparison, IntervalMethod, compare};
use super::super::error::CompareError;
use super::super::side::{MetricValues, Side};
use super::super::slices::OVERALL;
use super::super::spending::{CostQuality, pareto_front};
use super::ContestOptions;
use super::entrants::{Field, OneMetric};
use super::omnibus::{Omnibus, omnibus};
use super::pair::{Pairwise, options_of, pairs};
use super::strengths::{Strengths, strengths};
use super::winners::{SliceWinner, winners};
use crate::score::Scale;
use crate::stats::Interval;

/// One candidate under one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The place of the candidate.
    pub candidate: usize,
    /// 1 plus the number of candidates with a better estimate.
    pub rank: u64,
    /// The estimate.
    pub value: Option<f64>,
    /// Its interval.
    pub ci: Option<Interval>,
    /// The adjusted p of its difference from the first of the table; none for that one.
    pub p_first: Option<f64>,
    /// Whether it belongs to those that cannot be told from the first of the table: α is not met, or the pair's difference
    /// does not point the way that the table does.
    pub among_first: bool,
    /// Whether no candidate is both better and cheaper; none where a cost is unknown.
    pub on_front: Option<bool>,
}

/// Everything about one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standings {
    /// The metric.
    pub metric: String,
    /// What is estimated.
    pub estimate: &'static str,
    /// Its scale.
    pub scale: Scale,
    /// Examples that every candidate has a score for.
    pub n: u64,
    /// Independent blocks among them.
    pub blocks: u64,
    /// Examples that some candidate has no score for; they are left out of everything here.
    pub unscored: u64,
    /// The test of "all are alike".
    pub omnibus: Option<Omnibus>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_omnibus: Option<String>,
    /// The candidates, the best first.
    pub table: Vec<Standing>,
    /// Every pair.
    pub pairs: Vec<Pairwise>,
    /// Who wins which slice.
    pub slices: Vec<SliceWinner>,
    /// Slices with fewer examples than asked for.
    pub small_slices: u64,
    /// Strengths from a judge's preferences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strengths: Option<Strengths>,
}

impl Standings {
    /// The candidate that is better than every other, each difference holding among all pairs.
    #[must_use]
    pub fn winner(&self) -> Option<usize> {
        let first = self.table.first()?;
        self.table[1..].iter().all(|other| !other.among_first).then_some(first.candidate)
    }

    /// The pair of two candidates, in either order.
    #[must_use]
    pub fn pair(&self, one: usize, other: usize) -> Option<&Pairwise> {
        let (first, second) = (one.min(other), one.max(other));
        self.pairs.iter().find(|pair| (pair.first, pair.second) == (first, second))
    }
}

/// One metric of all candidates, and what a reader should know of it.
pub(super) fn standings(
    field: &Field,
    name: &str,
    options: &ContestOptions,
) -> Result<(Standings, Vec<String>), CompareError> {
    let OneMetric { sides, unscored, cut } = field.with_metric(name)?;
    let metric = &sides[0].metrics[0];
    let mut warnings = Vec::new();
    if unscored > 0 {
        warnings.push(format!(
            "{name}: {unscored} of {} examples are left out, since a candidate has no score there",
            field.examples
        ));
    }
    if cut {
        warnings.push(format!(
            "{name}: the candidates have different numbers of trials; of each example the first that all of them have are used"
        ));
    }
    let alone = estimates(&sides, options)?;
    let overall = |candidate: usize| alone[candidate].cells.iter().find(|cell| cell.slice == OVERALL);
    let (n, blocks) = overall(0).map_or((0, 0), |cell| (cell.n, cell.blocks));
    let fought = strengths(&sides, &field.entrants, options.alpha);
    let mut found = Standings {
        metric: name.to_owned(),
        estimate: metric.estimate.name(),
        scale: metric.scale,
        n,
        blocks,
        unscored,
        omnibus: None,
        no_omnibus: None,
        table: Vec::new(),
        pairs: Vec::new(),
        slices: Vec::new(),
        small_slices: 0,
        strengths: fought,
    };
    if one_opponent(&sides) {
        let (paired, said) = pairs(&sides, options)?;
        found.pairs = paired;
        warnings.extend(said);
        let values: Vec<&MetricValues> = sides.iter().map(|side| &side.metrics[0]).collect();
        match omnibus(&values, &field.blocks, options.seed) {
            Ok(test) => found.omnibus = Some(test),
            Err(why) => found.no_omnibus = Some(why),
        }
        (found.slices, found.small_slices) = winners(&sides, &alone, options)?;
    } else {
        let why = "the judge compared the candidates with different records, so that only strengths can be told";
        found.no_omnibus = Some(format!("none: {why}"));
        warnings.push(format!("{name}: {why}"));
    }
    let values: Vec<_> = (0..sides.len()).map(|at| overall(at).map(|cell| (cell.baseline, cell.baseline_ci))).collect();
    found.table = table(&found, &values, field, options);
    Ok((found, warnings))
}

/// Each candidate beside itself: its estimates and their intervals, overall and by slice.
fn estimates(sides: &[Side], options: &ContestOptions) -> Result<Vec<Comparison>, CompareError> {
    // The interval of a difference of nothing from nothing is not looked at.
    let settings = CompareOptions { interval: IntervalMethod::Auto, ..options_of(options, options.slices.clone()) };
    sides.par_iter().map(|side| compare(side, side, &settings)).collect()
}

/// Whether all preferences of a judge are against one and the same record, so that they can be paired.
fn one_opponent(sides: &[Side]) -> bool {
    let met = |side: &Side| side.identity.pins.as_ref().and_then(|pins| pins.against.clone());
    sides[0].metrics[0].tie.is_none() || sides.iter().all(|side| met(side) == met(&sides[0]))
}

fn table(
    found: &Standings,
    values: &[Option<(Option<f64>, Option<Interval>)>],
    field: &Field,
    options: &ContestOptions,
) -> Vec<Standing> {
    let direction = found.scale.direction();
    let value = |candidate: usize| values[candidate].and_then(|(value, _)| value);
    // What has no estimate comes last.
    let quality = |candidate: usize| value(candidate).map_or(f64::NEG_INFINITY, |value| direction * value);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| quality(*b).total_cmp(&quality(*a)).then(a.cmp(b)));
    let first = order[0];
    let points: Option<Vec<CostQuality>> = order
        .iter()
        .map(|&at| {
            let entrant = &field.entrants[at];
            Some(CostQuality { name: entrant.label.clone(), cost: entrant.cost?, quality: value(at)? })
        })
        .collect();
    let front = points.map(|points| pareto_front(&points, found.scale.higher_is_better));
    order
        .iter()
        .enumerate()
        .map(|(place, &candidate)| {
            let pair = if candidate == first { None } else { found.pair(first, candidate) };
            // A pair may count other trials than an estimate alone does.
            let is_worse = |pair: &Pairwise| {
                let sign = if pair.first == first { -direction } else { direction };
                pair.delta.is_some_and(|delta| sign * delta > 0.0)
            };
            let told = pair.is_some_and(|pair| pair.p_adjusted <= options.alpha.get() && is_worse(pair));
            Standing {
                candidate,
                rank: 1 + order.iter().filter(|&&other| quality(other) > quality(candidate)).count() as u64,
                value: value(candidate),
                ci: values[candidate].and_then(|(_, ci)| ci),
                p_first: pair.map(|pair| pair.p_adjusted),
                among_first: !told,
                on_front: front.as_ref().map(|front| front[place]),
            }
        })
        .collect()
}
