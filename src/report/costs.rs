//! Cost and latency of either side, in words.

use serde::Serialize;

use super::view::grouped_digits;
use crate::compare::Spending;

/// One figure, of either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// What it is.
    pub what: &'static str,
    /// Of the baseline.
    pub baseline: String,
    /// Of the head.
    pub head: String,
}

fn dollars(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 { format!("${value:.6}") } else { format!("${value:.2}") }
}

fn milliseconds(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.1} s", value / 1000.0),
        value if value >= 10.0 => format!("{value:.0} ms"),
        value => format!("{value:.1} ms"),
    }
}

/// The figures that either side knows. A blessed baseline keeps answers and scores, not what they took.
pub(super) fn costs(baseline: Option<&Spending>, head: Option<&Spending>) -> Vec<Cost> {
    type Figure = fn(&Spending) -> Option<String>;
    let figures: [(&'static str, Figure); 9] = [
        ("answers", |s| Some(grouped_digits(s.answers))),
        ("failed answers", |s| Some(grouped_digits(s.failed))),
        ("asked now, not from the cache", |s| s.live.map(grouped_digits)),
        ("cost", |s| s.cost_usd.map(dollars)),
        ("cost an answer", |s| s.cost_usd.filter(|_| s.answers > 0).map(|cost| dollars(cost / s.answers as f64))),
        ("tokens in", |s| s.input_tokens.map(grouped_digits)),
        ("tokens out", |s| s.output_tokens.map(grouped_digits)),
        ("latency, median", |s| s.latency_p50.map(milliseconds)),
        ("latency, 95th percentile", |s| s.latency_p95.map(milliseconds)),
    ];
    let length: (&'static str, Figure) = ("characters an answer", |s| s.answer_length.map(|n| format!("{n:.0}")));
    if baseline.is_none() && head.is_none() {
        return Vec::new();
    }
    figures
        .into_iter()
        .chain([length])
        .filter_map(|(what, figure)| {
            let (before, now) = (baseline.and_then(figure), head.and_then(figure));
            let unknown = || "–".to_owned();
            (before.is_some() || now.is_some()).then(|| Cost {
                what,
                baseline: before.unwrap_or_else(unknown),
                head: now.unwrap_or_else(unknown),
            })
        })
        .collect()
}
