//! How far each cell moves from run to run of one unchanged system.

use super::aggregate::Aggregate;
use super::error::CompareError;
use super::side::{MetricValues, Side};
use super::slices::{SliceKeys, slices};
use crate::record::CellNoise;
use crate::stats::run_noise::run_noise;

/// The noise of every cell, from sides of the same candidate: each trial of each side is a run of its own.
///
/// Only metrics that are means over examples have a floor here; an example that any run has no score for is left out. Cells
/// with fewer than two examples have none.
///
/// # Errors
/// Sides of different examples, fewer than two runs, or a label key that the sides do not have.
pub fn noise_floor(sides: &[Side], keys: &SliceKeys) -> Result<(usize, Vec<CellNoise>), CompareError> {
    let Some(first) = sides.first() else {
        return Err(CompareError::Input("the noise floor needs a record".to_owned()));
    };
    if let Some(other) = sides.iter().find(|side| !side.ids.iter().eq(first.ids.iter())) {
        return Err(CompareError::NotComparable(format!(
            "{} and {} hold other examples; the noise floor is of one set",
            first.identity.name, other.identity.name
        )));
    }
    let rows: Vec<u32> = (0..first.ids.len() as u32).collect();
    let slices = slices(first, &rows, keys).map_err(CompareError::Input)?;
    let (mut cells, mut most) = (Vec::new(), 0);
    for (at, metric) in first.metrics.iter().enumerate().filter(|(_, metric)| is_mean(metric)) {
        // One list a run: the value of every example, where it has one.
        let mut runs: Vec<Vec<Option<f64>>> = Vec::new();
        for side in sides {
            let values = &side.metrics[at];
            let trials = rows.iter().map(|&row| values.of(row as usize).len()).max().unwrap_or(0);
            for trial in 0..trials {
                let value = |&row: &u32| Some(values.of(row as usize).get(trial).copied().flatten()?.value);
                runs.push(rows.iter().map(value).collect());
            }
        }
        if runs.len() < 2 {
            return Err(CompareError::Input(format!(
                "metric `{}`: one run says nothing about noise; give two records, or one with several trials",
                metric.name
            )));
        }
        most = most.max(runs.len());
        for slice in &slices {
            let whole: Vec<u32> = slice
                .members
                .iter()
                .copied()
                .filter(|&row| runs.iter().all(|run| run[row as usize].is_some()))
                .collect();
            let of_run =
                |run: &Vec<Option<f64>>| whole.iter().filter_map(|&row| run[row as usize]).collect::<Vec<f64>>();
            let values: Vec<Vec<f64>> = runs.iter().map(of_run).collect();
            let Ok(noise) = run_noise(&values) else { continue };
            cells.push(CellNoise {
                metric: metric.name.clone(),
                slice: slice.name.clone(),
                n: whole.len(),
                floor: noise.floor,
                drift_sd: noise.drift_sd,
                drift_p: noise.drift_p,
            });
        }
    }
    Ok((most, cells))
}

fn is_mean(metric: &MetricValues) -> bool {
    metric.seen.is_none() && metric.aggregate == Aggregate::Mean
}
