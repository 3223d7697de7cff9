//! The lines of a report: what is said of each cell, metric and rule.

use serde::Serialize;

use super::super::unit::Unit;
use super::plot::{Mark, mark, plot};
use super::{grouped_digits, p_text};
use crate::compare::{CellComparison, Flip, OVERALL, Tests};
use crate::gate::{Cell, RuleOutcome, RuleState, State, Verdict};

/// One line of the table of cells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The metric.
    pub metric: String,
    /// The slice.
    pub slice: String,
    /// Pairs, and independent blocks where those are fewer.
    pub n: String,
    /// The baseline's estimate.
    pub baseline: String,
    /// The head's estimate.
    pub head: String,
    /// The difference.
    pub delta: String,
    /// Its interval.
    pub ci: String,
    /// The interval drawn on the axis of [`View::axis`](super::View::axis).
    pub plot: String,
    /// The same as numbers.
    pub mark: Option<Mark>,
    /// The p that matters here.
    pub p: String,
    /// The state, or nothing in a comparison.
    pub state: String,
    /// Whether the row is the reason for a failure.
    pub bad: bool,
    /// Whether it is neither shown to be fine nor shown to have fallen.
    pub open: bool,
}

/// A regressed cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regressed {
    /// `metric @ slice`.
    pub name: String,
    /// Its line in the table.
    pub row: Row,
    /// The margin.
    pub margin: String,
    /// From, to, by how much, how sure.
    pub summary: String,
    /// How many of its examples broke.
    pub broke: usize,
    /// How many went the other way.
    pub recovered: usize,
}

/// One metric of a record alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EstimateRow {
    /// The metric.
    pub metric: String,
    /// What is estimated.
    pub estimate: String,
    /// Its value.
    pub value: String,
    /// Its interval.
    pub ci: String,
    /// How many scores passed.
    pub passed: String,
    /// How many there are.
    pub scored: String,
    /// How many could not be measured.
    pub unscored: u64,
}

/// A rule beside the cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleRow {
    /// The kind of rule.
    pub rule: &'static str,
    /// What it is about.
    pub subject: String,
    /// Where it stands.
    pub state: &'static str,
    /// Whether it speaks against the change.
    pub bad: bool,
    /// Whether nothing could be said.
    pub open: bool,
    /// Why.
    pub detail: String,
}

impl RuleRow {
    /// The whole in a line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}: {}: {}: {}", self.state, self.rule, self.subject, self.detail)
    }
}

/// What is broken first, then what is open; otherwise in the order of the policy.
pub(super) fn rule_rows(rules: &[RuleOutcome]) -> Vec<RuleRow> {
    let mut rows: Vec<RuleRow> = rules
        .iter()
        .map(|outcome| RuleRow {
            rule: outcome.rule.name(),
            subject: outcome.subject.clone(),
            state: outcome.state.name(),
            bad: outcome.state == RuleState::Broken,
            open: matches!(outcome.state, RuleState::Open | RuleState::Unmeasured),
            detail: outcome.detail.clone(),
        })
        .collect();
    rows.sort_by_key(|row| (!row.bad, !row.open));
    rows
}

const fn state_word(state: State) -> &'static str {
    match state {
        State::Regressed => "REGRESSED",
        State::WorseSmall => "worse, within margin",
        State::Fine => "fine",
        State::Undecided => "undecided",
        State::Untestable => "untestable",
        State::Same => "same answers",
        State::Accepted => "regressed, accepted",
        State::Shown => "shown only",
    }
}

fn n_text(n: u64, blocks: u64) -> String {
    if blocks == n { grouped_digits(n) } else { format!("{} ({})", grouped_digits(n), grouped_digits(blocks)) }
}

pub(super) fn verdict_row(cell: &Cell, unit: Unit, reach: f64) -> Row {
    let ci = cell.ci.map(|[low, high]| (low, high));
    Row {
        metric: cell.metric.clone(),
        slice: cell.slice.clone(),
        n: n_text(cell.n, cell.blocks),
        baseline: unit.value(cell.baseline),
        head: unit.value(cell.head),
        delta: unit.change(cell.delta),
        ci: unit.interval(ci),
        plot: plot(cell.delta, ci, Some(cell.margin), reach),
        mark: mark(cell.delta, ci, Some(cell.margin), reach),
        p: p_text(cell.p_adjusted),
        state: state_word(cell.state).to_owned(),
        bad: cell.state == State::Regressed,
        open: matches!(cell.state, State::Undecided | State::Untestable),
    }
}

pub(super) fn compared_row(cell: &CellComparison, unit: Unit, reach: f64) -> Row {
    let ci = cell.ci.map(|ci| (ci.low, ci.high));
    Row {
        metric: cell.metric.clone(),
        slice: cell.slice.clone(),
        n: n_text(cell.n, cell.blocks),
        baseline: unit.value(cell.baseline),
        head: unit.value(cell.head),
        delta: unit.change(cell.delta),
        ci: unit.interval(ci),
        plot: plot(cell.delta, ci, None, reach),
        mark: mark(cell.delta, ci, None, reach),
        p: p_text(cell.tests.map(|tests| match tests {
            Tests::McNemar { mcnemar_exact, .. } => mcnemar_exact,
            Tests::T { t } => t,
        })),
        state: String::new(),
        bad: false,
        open: false,
    }
}

/// Whether a flip is one of a cell's examples.
fn is_in(flip: &Flip, cell: &Cell) -> bool {
    let has_all_parts = || cell.slice.split(',').all(|part| flip.slices.iter().any(|slice| slice == part));
    flip.metric == cell.metric && (cell.slice == OVERALL || flip.slices.contains(&cell.slice) || has_all_parts())
}

/// The examples that got worse in any of the cells, each once.
pub(super) fn broken(cells: &[&Cell], verdict: &Verdict) -> Vec<Flip> {
    let mut found: Vec<&Flip> = Vec::new();
    for cell in cells {
        let worse = verdict.flips.pass_to_fail.iter().chain(&verdict.flips.wavering_worse);
        for flip in worse.filter(|flip| is_in(flip, cell)) {
            if !found.iter().any(|known| std::ptr::eq(*known, flip)) {
                found.push(flip);
            }
        }
    }
    found.into_iter().cloned().collect()
}

pub(super) fn regressed(cell: &Cell, verdict: &Verdict, row: Row) -> Regressed {
    let unit = Unit::of(&verdict.metrics, &cell.metric);
    let margin = unit.signed(cell.margin).trim_start_matches('+').to_owned();
    let count = |flips: [&Vec<Flip>; 2]| flips.into_iter().flatten().filter(|flip| is_in(flip, cell)).count();
    Regressed {
        name: cell.name(),
        row,
        summary: format!(
            "{} → {}, {} {} of n = {}, adjusted p {}, margin {}",
            unit.value(cell.baseline),
            unit.value(cell.head),
            unit.change(cell.delta),
            unit.interval(cell.ci.map(|[low, high]| (low, high))),
            grouped_digits(cell.n),
            p_text(cell.p_adjusted),
            margin
        ),
        margin,
        broke: count([&verdict.flips.pass_to_fail, &verdict.flips.wavering_worse]),
        recovered: count([&verdict.flips.fail_to_pass, &verdict.flips.wavering_better]),
    }
}

pub(super) fn settle(cell: &Cell, unit: Unit) -> Option<String> {
    if !matches!(cell.state, State::Undecided | State::Untestable) {
        return None;
    }
    let mut text = format!(
        "{}: change {} {}, margin {}",
        cell.name(),
        unit.change(cell.delta),
        unit.interval(cell.ci.map(|[low, high]| (low, high))),
        unit.signed(cell.margin).trim_start_matches('+')
    );
    if let Some(note) = &cell.note {
        text.push_str(&format!("; {note}"));
    }
    if let Some(needed) = cell.needed_n {
        text.push_str(&format!(
            "; if nothing changed, about {} examples (now {}), or more trials, would show it",
            grouped_digits(needed),
            grouped_digits(cell.n)
        ));
    } else if cell.margin == 0.0 {
        text.push_str("; a margin of 0 can never be shown to hold, look at the flips");
    }
    Some(text)
}
