//! A verdict as a block of git trailers, for a commit message: `git interpret-trailers --parse` reads it.

use std::fmt::Write;

use super::text::escape_control;
use crate::compare::OVERALL;
use crate::gate::Verdict;

/// The longest value of a line.
const MOST_CHARACTERS: usize = 400;

/// `Evalgauge-Verdict: pass`, then what was compared and what the metrics came to, a line each.
pub(super) fn trailer(verdict: &Verdict) -> String {
    let mut out = String::new();
    let mut line = |key: &str, value: &str| {
        // Writing to a String cannot fail. A value has no line ends, so it can begin no trailer of its own.
        let _ = writeln!(out, "Evalgauge-{key}: {}", escape_control(value, MOST_CHARACTERS).trim());
    };
    let decision = serde_json::to_value(verdict.decision).ok();
    line("Verdict", decision.as_ref().and_then(|decision| decision.as_str()).unwrap_or_default());
    line("Reason", &verdict.reason);
    for (key, side) in [("Baseline", &verdict.baseline), ("Head", &verdict.head)] {
        line(key, &format!("{} sha256:{}", side.name, side.sha256));
    }
    if let Some(pins) = &verdict.head.pins {
        line("Evalset", &format!("{} sha256:{}", pins.evalset, pins.dataset_sha256));
    }
    for cell in verdict.cells.iter().filter(|cell| cell.slice == OVERALL) {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        line("Metric", &format!("{} {} -> {} (n={})", cell.metric, number(cell.baseline), number(cell.head), cell.n));
    }
    line("As-Of", &verdict.as_of);
    out
}
