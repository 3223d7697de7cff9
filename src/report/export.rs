//! Cells and examples as tables.

use super::examples::{Example, Examples, Outcome, Said};
use super::{Report, Rows, Subject};
use crate::table::{Field, Frame};

/// The table that an export holds.
pub(super) fn table(report: &Report, rows: Rows) -> Frame {
    match (rows, &report.subject) {
        (Rows::Examples, _) => examples(&report.examples()),
        (Rows::Cells, Subject::Verdict(verdict)) => cells_of_verdict(&verdict.cells),
        (Rows::Cells, Subject::Comparison(comparison)) => cells_of_comparison(&comparison.cells),
        (Rows::Cells, Subject::Record(alone)) => metrics(&alone.metrics),
    }
}

/// Columns of one kind of row.
struct Columns<'a, T> {
    rows: Vec<&'a T>,
    frame: Frame,
}

impl<'a, T> Columns<'a, T> {
    fn new(rows: impl IntoIterator<Item = &'a T>) -> Self {
        Self { rows: rows.into_iter().collect(), frame: Frame::default() }
    }

    fn with(mut self, name: &str, field: impl FnOnce(&[&'a T]) -> Field) -> Self {
        self.frame = self.frame.with(name, field(&self.rows));
        self
    }

    fn text(self, name: &str, of: impl Fn(&T) -> Option<String>) -> Self {
        self.with(name, |rows| Field::Text(rows.iter().map(|row| of(row)).collect()))
    }

    fn number(self, name: &str, of: impl Fn(&T) -> Option<f64>) -> Self {
        self.with(name, |rows| Field::Number(rows.iter().map(|row| of(row)).collect()))
    }

    fn count(self, name: &str, of: impl Fn(&T) -> Option<u64>) -> Self {
        self.with(name, |rows| Field::Integer(rows.iter().map(|row| of(row).map(|n| n as i64)).collect()))
    }
}

fn cells_of_verdict(cells: &[crate::gate::Cell]) -> Frame {
    Columns::new(cells)
        .text("metric", |cell| Some(cell.metric.clone()))
        .text("slice", |cell| Some(cell.slice.clone()))
        .count("n", |cell| Some(cell.n))
        .count("blocks", |cell| Some(cell.blocks))
        .number("baseline", |cell| cell.baseline)
        .number("head", |cell| cell.head)
        .number("delta", |cell| cell.delta)
        .number("ci_low", |cell| cell.ci.map(|[low, _]| low))
        .number("ci_high", |cell| cell.ci.map(|[_, high]| high))
        .number("p", |cell| cell.p)
        .number("p_adjusted", |cell| cell.p_adjusted)
        .number("margin", |cell| Some(cell.margin))
        .number("lower", |cell| cell.lower)
        .count("needed_n", |cell| cell.needed_n)
        .number("noise_floor", |cell| cell.noise_floor)
        .text("state", |cell| serde_json::to_value(cell.state).ok().and_then(|state| state.as_str().map(str::to_owned)))
        .text("note", |cell| cell.note.clone())
        .frame
}

fn cells_of_comparison(cells: &[crate::compare::CellComparison]) -> Frame {
    Columns::new(cells)
        .text("metric", |cell| Some(cell.metric.clone()))
        .text("slice", |cell| Some(cell.slice.clone()))
        .count("n", |cell| Some(cell.n))
        .count("blocks", |cell| Some(cell.blocks))
        .count("unscored", |cell| Some(cell.unscored))
        .number("baseline", |cell| cell.baseline)
        .number("head", |cell| cell.head)
        .number("delta", |cell| cell.delta)
        .number("ci_low", |cell| cell.ci.map(|ci| ci.low))
        .number("ci_high", |cell| cell.ci.map(|ci| ci.high))
        .frame
}

fn metrics(metrics: &[crate::compare::MetricEstimate]) -> Frame {
    Columns::new(metrics)
        .text("metric", |metric| Some(metric.metric.clone()))
        .text("estimate", |metric| Some(metric.estimate.to_owned()))
        .number("value", |metric| metric.value)
        .number("ci_low", |metric| metric.ci.map(|ci| ci.low))
        .number("ci_high", |metric| metric.ci.map(|ci| ci.high))
        .count("passed", |metric| Some(metric.passed))
        .count("scored", |metric| Some(metric.scored))
        .count("unscored", |metric| Some(metric.unscored))
        .frame
}

/// One example under one metric.
struct Line<'a> {
    example: &'a Example,
    metric: &'a str,
    outcome: &'a Outcome,
}

fn examples(examples: &Examples) -> Frame {
    let lines: Vec<Line<'_>> = examples
        .lines
        .iter()
        .flat_map(|example| {
            let named = examples.metrics.iter().zip(&example.outcomes);
            named.filter_map(move |(metric, outcome)| {
                Some(Line { example, metric: &metric.name, outcome: outcome.as_ref()? })
            })
        })
        .collect();
    let before = |line: &Line<'_>| line.outcome.baseline.clone();
    let passed = |said: &Said| u64::from(said.passes.passed);
    let trials = |said: &Said| u64::from(said.passes.trials);
    Columns::new(&lines)
        .text("id", |line| Some(line.example.id.clone()))
        .text("metric", |line| Some(line.metric.to_owned()))
        .text("change", |line| Some(line.outcome.change.name().to_owned()))
        .count("baseline_passes", |line| before(line).as_ref().map(passed))
        .count("baseline_trials", |line| before(line).as_ref().map(trials))
        .count("head_passes", |line| Some(passed(&line.outcome.head)))
        .count("head_trials", |line| Some(trials(&line.outcome.head)))
        .text("baseline_value", |line| before(line).and_then(|said| said.value))
        .text("head_value", |line| line.outcome.head.value.clone())
        .text("expected", |line| line.outcome.expected.clone())
        .text("reason", |line| line.outcome.head.reason.clone())
        .text("input", |line| line.example.input.clone())
        .text("baseline_answer", |line| line.example.baseline.first().cloned())
        .text("head_answer", |line| line.example.head.first().cloned())
        .text("labels", |line| serde_json::to_string(&line.example.labels).ok())
        .text("group", |line| line.example.group.clone())
        .number("latency_ms", |line| line.example.latency_ms)
        .number("cost_usd", |line| line.example.cost_usd)
        .frame
}
