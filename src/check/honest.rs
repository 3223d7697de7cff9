//! The head beside an honest baseline.

use std::collections::BTreeMap;

use super::decide::{CheckError, RecordSource};
use crate::compare::{
    CellComparison, CompareOptions, IntervalMethod, MetricSpec, OVERALL, SliceKeys, Tolerances, compare, side_of_record,
};
use crate::gate::{HonestScore, Standing};
use crate::stats::{Alpha, Interval};

/// Compares the head with a baseline under some metrics, over all examples together.
///
/// # Errors
/// Records that answer different questions, or that a metric does not fit.
pub fn beside(
    baseline: RecordSource<'_>,
    head: RecordSource<'_>,
    metrics: &BTreeMap<String, MetricSpec>,
    seed: u64,
) -> Result<Vec<HonestScore>, CheckError> {
    let side = |from: RecordSource<'_>| side_of_record(from.record, from.source, metrics);
    let (baseline, head) = (side(baseline)?, side(head)?);
    let options = CompareOptions {
        slices: SliceKeys { keys: Some(Vec::new()), crossings: Vec::new() },
        metrics: Vec::new(),
        interval: IntervalMethod::Auto,
        alpha: Alpha::FIVE_PERCENT,
        tolerances: Tolerances::default(),
        watched: Vec::new(),
        seed,
    };
    let comparison = compare(&baseline, &head, &options)?;
    let is_up = |metric: &str| {
        comparison.metrics.iter().find(|known| known.name == metric).is_none_or(|known| known.scale.higher_is_better)
    };
    let overall = comparison.cells.iter().filter(|cell| cell.slice == OVERALL);
    Ok(overall.map(|cell| score(cell, is_up(&cell.metric))).collect())
}

fn score(cell: &CellComparison, higher_is_better: bool) -> HonestScore {
    let ends = |interval: Option<Interval>| interval.map(|interval| [interval.low, interval.high]);
    let better = |(low, high): (f64, f64)| if higher_is_better { (low, high) } else { (-high, -low) };
    let standing = match cell.ci.map(|ci| better((ci.low, ci.high))) {
        Some((low, _)) if low > 0.0 => Standing::Beats,
        Some((_, high)) if high < 0.0 => Standing::Loses,
        _ => Standing::Open,
    };
    HonestScore {
        metric: cell.metric.clone(),
        n: cell.n,
        baseline: cell.baseline,
        baseline_ci: ends(cell.baseline_ci),
        head: cell.head,
        head_ci: ends(cell.head_ci),
        delta: cell.delta,
        ci: ends(cell.ci),
        method: cell.method.to_owned(),
        standing,
    }
}
