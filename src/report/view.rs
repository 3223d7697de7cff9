//! What a reader wants to see, in words: shared by the renderers.

use serde::Serialize;

use super::costs::{Cost, costs};
use super::honest::HonestView;
use super::judged::{CorrectedRow, LengthTable, corrected_rows, length_remarks, length_tables};
use super::steps::next_steps;
use super::unit::Unit;
use crate::compare::{
    CORPUS_METHOD, CORPUS_RESAMPLES, CellComparison, Comparison, Flip, Identity, MetricEstimate, MetricSummary,
    OVERALL, Spending, Tests,
};
use crate::gate::{Cell, Decision, RuleOutcome, RuleState, State, Verdict};

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
    /// The interval drawn on the axis of [`View::axis`].
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

/// Everything a report shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// `PASS`, `FAIL`, …; nothing in a comparison.
    pub decision: Option<&'static str>,
    /// Whether the decision lets the change through.
    pub good: bool,
    /// The exit code.
    pub exit_code: u8,
    /// Why, in a sentence.
    pub reason: String,
    /// What to do now.
    pub next_steps: Vec<String>,
    /// Who is compared.
    pub subject: String,
    /// What the table is about: pairs, trials, α.
    pub setting: String,
    /// What fell, the deepest fall first.
    pub regressed: Vec<Regressed>,
    /// The examples behind it, each once: those of the deepest fall first.
    pub broken: Vec<Flip>,
    /// The rules beside the cells, broken ones first.
    pub rules: Vec<RuleRow>,
    /// The metrics of a record alone; empty where two sides are compared.
    pub estimates: Vec<EstimateRow>,
    /// The table of cells.
    pub rows: Vec<Row>,
    /// Cells that are too small to be tested.
    pub small_rows: Vec<Row>,
    /// The ends of the plots' axis.
    pub axis: (String, String),
    /// The heading of the column of p-values.
    pub p_heading: &'static str,
    /// What is undecided, and what would settle it.
    pub undecided: Vec<String>,
    /// How many examples flipped, by class.
    pub flips: Vec<(&'static str, usize)>,
    /// What judged rates and means come to without the judge's known errors.
    pub corrected: Vec<CorrectedRow>,
    /// What judges say by the length of the answer.
    pub lengths: Vec<LengthTable>,
    /// What the answers of either side took; empty where nothing is known.
    pub costs: Vec<Cost>,
    /// The head beside honest baselines.
    pub honest: HonestView,
    /// What to know before trusting the numbers.
    pub warnings: Vec<String>,
    /// Where the numbers come from.
    pub provenance: Vec<(String, String)>,
    /// How they were made.
    pub method: Vec<String>,
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
fn rule_rows(rules: &[RuleOutcome]) -> Vec<RuleRow> {
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

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "PASS",
        Decision::Fail => "FAIL",
        Decision::Inconclusive => "INCONCLUSIVE",
        Decision::Undecidable => "CANNOT DECIDE",
        Decision::Incomplete => "INCOMPLETE",
    }
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

pub(super) fn p_text(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.0001 => "<.0001".to_owned(),
        Some(p) if p >= 0.9995 => "1".to_owned(),
        Some(p) => format!("{p:.4}").trim_start_matches('0').to_owned(),
    }
}

/// One interval drawn on `-reach ..= reach`: `·` is the axis, `│` zero, `┊` minus the margin, `●` the estimate.
fn plot(delta: Option<f64>, ci: Option<(f64, f64)>, margin: Option<f64>, reach: f64) -> String {
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
fn mark(delta: Option<f64>, ci: Option<(f64, f64)>, margin: Option<f64>, reach: f64) -> Option<Mark> {
    let (delta, (low, high)) = (delta?, ci?);
    let at = |value: f64| (value / reach).clamp(-1.0, 1.0);
    let margin = margin.filter(|margin| *margin > 0.0).map(|margin| at(-margin));
    Some(Mark { low: at(low), delta: at(delta), high: at(high), margin })
}

/// A round number that covers every interval, so that plots share one axis.
fn reach(intervals: impl Iterator<Item = (f64, f64)>) -> f64 {
    let most = intervals.fold(0.0_f64, |most, (low, high)| most.max(low.abs()).max(high.abs()));
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0].into_iter().find(|&round| most <= round).unwrap_or(most)
}

pub(super) fn grouped_digits(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn count(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", grouped_digits(n)) }
}

pub(super) fn provenance(label: &str, identity: &Identity) -> (String, String) {
    let mut text = format!("{} · sha256 {}", identity.source, identity.sha256.get(..16).unwrap_or(&identity.sha256));
    if let Some(pins) = &identity.pins {
        text.push_str(&format!(
            " · eval set {} {}",
            pins.evalset,
            pins.dataset_sha256.get(..8).unwrap_or(&pins.dataset_sha256)
        ));
    }
    if let Some(revision) = &identity.git_revision {
        text.push_str(&format!(" · git {revision}"));
    }
    (label.to_owned(), text)
}

impl View {
    /// The view of a verdict.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict) -> Self {
        let metrics = &verdict.metrics;
        let is_tested = |cell: &&Cell| cell.state != State::Shown;
        let reach =
            reach(verdict.cells.iter().filter(is_tested).filter_map(|cell| cell.ci.map(|[low, high]| (low, high))));
        let tested = verdict.cells.iter().filter(is_tested).count();
        let row = |cell: &Cell| verdict_row(cell, Unit::of(metrics, &cell.metric), reach);
        let (small, tested_cells): (Vec<&Cell>, Vec<&Cell>) =
            verdict.cells.iter().partition(|cell| cell.state == State::Shown);
        let mut fallen: Vec<&Cell> = verdict.cells.iter().filter(|cell| cell.state == State::Regressed).collect();
        let depth = |cell: &Cell| {
            let width = metrics.iter().find(|m| m.name == cell.metric).map_or(1.0, |m| m.scale.width());
            cell.delta.unwrap_or(0.0).abs() / width
        };
        fallen.sort_by(|a, b| depth(b).total_cmp(&depth(a)));
        let draws = match verdict.draws {
            0 => "solved exactly".to_owned(),
            draws => format!("{} draws, {} seed {}", grouped_digits(draws.into()), verdict.generator, verdict.seed),
        };
        Self {
            decision: Some(word(verdict.decision)),
            good: verdict.decision == Decision::Pass,
            exit_code: verdict.exit_code,
            reason: verdict.reason.clone(),
            next_steps: next_steps(verdict),
            subject: format!("{} → {}", verdict.baseline.name, verdict.head.name),
            setting: format!(
                "{} · {} · α = {} over {}{}",
                count(verdict.pairs, "pair"),
                count(verdict.trials.into(), "trial"),
                verdict.alpha,
                count(tested as u64, "cell"),
                verdict.looks.map_or_else(String::new, |looks| format!(" · look {} at this set", looks + 1))
            ),
            regressed: fallen.iter().map(|cell| regressed(cell, verdict, row(cell))).collect(),
            broken: broken(&fallen, verdict),
            rules: rule_rows(&verdict.rules),
            estimates: Vec::new(),
            rows: tested_cells.into_iter().map(row).collect(),
            small_rows: small.into_iter().map(row).collect(),
            axis: axis(metrics, reach),
            p_heading: "p adj",
            undecided: verdict.cells.iter().filter_map(|cell| settle(cell, Unit::of(metrics, &cell.metric))).collect(),
            flips: vec![
                ("passed, now fail", verdict.flips.pass_to_fail.len()),
                ("failed, now pass", verdict.flips.fail_to_pass.len()),
                ("pass less often", verdict.flips.wavering_worse.len()),
                ("pass more often", verdict.flips.wavering_better.len()),
            ],
            corrected: corrected_rows(&verdict.judges),
            lengths: length_tables(&verdict.lengths),
            costs: Vec::new(),
            honest: HonestView::new(&verdict.honest_baselines, metrics),
            warnings: [&verdict.warnings[..], &length_remarks(&verdict.lengths)].concat(),
            provenance: vec![
                provenance("baseline", &verdict.baseline),
                provenance("head", &verdict.head),
                ("as of".to_owned(), verdict.as_of.clone()),
            ],
            method: vec![
                format!(
                    "One-sided paired sign-flip test of all {} together (step-down minP, Westfall–Young; {draws}): the chance \
                     that an unchanged system fails any of them is at most {}.",
                    count(tested as u64, "cell"),
                    verdict.alpha
                ),
                "A cell regresses when its adjusted p is at most α and it fell by more than its margin; it is fine when the \
                 one-sided bound of its change lies above minus the margin."
                    .to_owned(),
                format!(
                    "Intervals are 95 %, two-sided: Tango for 0/1 scores of one trial, else t on independent blocks with one \
                     pseudo pair{}.",
                    resampled(verdict.cells.iter().map(|cell| &*cell.method))
                ),
            ],
        }
    }

    /// The view of a comparison, which decides nothing.
    #[must_use]
    pub fn of_comparison(comparison: &Comparison) -> Self {
        let metrics = &comparison.metrics;
        let reach = reach(comparison.cells.iter().filter_map(|cell| cell.ci.map(|ci| (ci.low, ci.high))));
        let trials = metrics.iter().map(|metric| metric.trials_used).max().unwrap_or(0);
        Self {
            decision: None,
            good: true,
            exit_code: 0,
            reason: String::new(),
            next_steps: Vec::new(),
            subject: format!("{} → {}", comparison.baseline.name, comparison.head.name),
            setting: format!("{} · {}", count(comparison.pairs, "pair"), count(trials.into(), "trial")),
            regressed: Vec::new(),
            broken: Vec::new(),
            small_rows: Vec::new(),
            rules: Vec::new(),
            estimates: Vec::new(),
            rows: comparison
                .cells
                .iter()
                .map(|cell| compared_row(cell, Unit::of(metrics, &cell.metric), reach))
                .collect(),
            axis: axis(metrics, reach),
            p_heading: "p",
            undecided: Vec::new(),
            flips: vec![
                ("passed, now fail", comparison.flips.pass_to_fail.len()),
                ("failed, now pass", comparison.flips.fail_to_pass.len()),
                ("pass less often", comparison.flips.wavering_worse.len()),
                ("pass more often", comparison.flips.wavering_better.len()),
            ],
            corrected: Vec::new(),
            lengths: length_tables(&comparison.lengths),
            costs: Vec::new(),
            honest: HonestView::default(),
            warnings: [&comparison.warnings[..], &length_remarks(&comparison.lengths)].concat(),
            provenance: vec![provenance("baseline", &comparison.baseline), provenance("head", &comparison.head)],
            method: vec![format!(
                "p is two-sided and of each cell alone (McNemar's exact test for 0/1 scores of one trial, else t on \
                     blocks{}): evalgauge gate decides over all cells together.",
                resampled(comparison.cells.iter().map(|cell| cell.method))
            )],
        }
    }
}

impl View {
    /// The view of one record alone.
    #[must_use]
    pub fn of_record(
        identity: &Identity,
        estimates: &[MetricEstimate],
        is_share: impl Fn(&str) -> bool,
        examples: u64,
        trials: u32,
    ) -> Self {
        let estimate = |estimate: &MetricEstimate| {
            let unit = Unit::new(is_share(&estimate.metric));
            EstimateRow {
                metric: estimate.metric.clone(),
                estimate: estimate.estimate.to_owned(),
                value: unit.value(estimate.value),
                ci: unit.range(estimate.ci.map(|ci| (ci.low, ci.high))),
                passed: grouped_digits(estimate.passed),
                scored: grouped_digits(estimate.scored),
                unscored: estimate.unscored,
            }
        };
        Self {
            decision: None,
            good: true,
            exit_code: 0,
            reason: String::new(),
            next_steps: Vec::new(),
            subject: identity.name.clone(),
            setting: format!("{} · {}", count(examples, "example"), count(trials.into(), "trial")),
            regressed: Vec::new(),
            broken: Vec::new(),
            rules: Vec::new(),
            estimates: estimates.iter().map(estimate).collect(),
            rows: Vec::new(),
            small_rows: Vec::new(),
            axis: (String::new(), String::new()),
            p_heading: "p",
            undecided: Vec::new(),
            flips: Vec::new(),
            corrected: Vec::new(),
            lengths: Vec::new(),
            costs: Vec::new(),
            honest: HonestView::default(),
            warnings: Vec::new(),
            provenance: vec![provenance("record", identity)],
            method: vec![
                "Intervals are 95 %: Wilson for 0/1 values of examples, else t on examples (or groups); of estimates over the \
                 whole corpus the percentile bootstrap."
                    .to_owned(),
            ],
        }
    }

    /// The view with what the answers of either side took.
    #[must_use]
    pub fn with_costs(mut self, baseline: Option<&Spending>, head: Option<&Spending>) -> Self {
        self.costs = costs(baseline, head);
        self
    }
}

/// What is to be added where an estimate is no mean over examples.
fn resampled<'a>(mut methods: impl Iterator<Item = &'a str>) -> String {
    if methods.any(|method| method == CORPUS_METHOD) {
        format!(
            "; of estimates over the whole corpus a paired bootstrap over blocks, {} resamples",
            grouped_digits(CORPUS_RESAMPLES as u64)
        )
    } else {
        String::new()
    }
}

fn axis(metrics: &[MetricSummary], reach: f64) -> (String, String) {
    let unit = metrics.first().map_or(Unit::new(true), |metric| Unit::of(metrics, &metric.name));
    (unit.signed(-reach), unit.signed(reach))
}

fn n_text(n: u64, blocks: u64) -> String {
    if blocks == n { grouped_digits(n) } else { format!("{} ({})", grouped_digits(n), grouped_digits(blocks)) }
}

fn verdict_row(cell: &Cell, unit: Unit, reach: f64) -> Row {
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

fn compared_row(cell: &CellComparison, unit: Unit, reach: f64) -> Row {
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
fn broken(cells: &[&Cell], verdict: &Verdict) -> Vec<Flip> {
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

fn regressed(cell: &Cell, verdict: &Verdict, row: Row) -> Regressed {
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

fn settle(cell: &Cell, unit: Unit) -> Option<String> {
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
