//! Intervals drawn on an axis that they share, as characters and as numbers.

use serde::Serialize;

use super::super::unit::Unit;
use crate::compare::MetricSummary;

/// Characters of an interval plot.
const PLOT_WIDTH: usize = 25;

/// An interval on the plots' axis, where the ends are −1 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mark {
    /// The lower end.
    pub low: f64,
    /// The estimate.
    pub delta: f64,
    /// The upper end.
    pub high: f64,
    /// Minus the margin, or plus it where less is better.
    pub margin: Option<f64>,
}

/// One interval drawn on `-reach ..= reach`: `·` is the axis, `│` zero, `┊` minus the margin, `●` the estimate.
pub(super) fn plot(delta: Option<f64>, ci: Option<(f64, f64)>, margin: Option<f64>, reach: f64) -> String {
    let (Some(delta), Some((low, high))) = (delta, ci) else { return String::new() };
    let at = |value: f64| {
        let share = f64::midpoint((value / reach).clamp(-1.0, 1.0), 1.0);
        (share * (PLOT_WIDTH - 1) as f64).round() as usize
    };
    let mut cells = ['·'; PLOT_WIDTH];
    cells[at(0.0)] = '│';
    if let Some(margin) = margin.filter(|margin| *margin > 0.0) {
        cells[at(-margin)] = '┊';
    }
    cells[at(low)..=at(high)].fill('─');
    cells[at(low)] = '├';
    cells[at(high)] = '┤';
    cells[at(delta)] = '●';
    cells.iter().collect()
}

/// The same as numbers.
pub(super) fn mark(delta: Option<f64>, ci: Option<(f64, f64)>, margin: Option<f64>, reach: f64) -> Option<Mark> {
    let (delta, (low, high)) = (delta?, ci?);
    let at = |value: f64| (value / reach).clamp(-1.0, 1.0);
    let margin = margin.filter(|margin| *margin > 0.0).map(|margin| at(-margin));
    Some(Mark { low: at(low), delta: at(delta), high: at(high), margin })
}

/// A round number that covers every interval, so that plots share one axis.
pub(super) fn reach(intervals: impl Iterator<Item = (f64, f64)>) -> f64 {
    let most = intervals.fold(0.0_f64, |most, (low, high)| most.max(low.abs()).max(high.abs()));
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0].into_iter().find(|&round| most <= round).unwrap_or(most)
}

pub(super) fn axis(metrics: &[MetricSummary], reach: f64) -> (String, String) {
    let unit = metrics.first().map_or(Unit::new(true), |metric| Unit::of(metrics, &metric.name));
    (unit.signed(-reach), unit.signed(reach))
}
