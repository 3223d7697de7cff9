//! What a reader wants to see, in words: shared by the renderers.

mod plot;
mod rows;

use serde::Serialize;

use super::costs::{Cost, costs};
use super::honest::HonestView;
use super::judged::{CorrectedRow, LengthTable, corrected_rows, length_remarks, length_tables};
use super::steps::next_steps;
use super::unit::Unit;
use crate::compare::{CORPUS_METHOD, CORPUS_RESAMPLES, Comparison, Flip, Identity, MetricEstimate, Spending};
use crate::gate::{Cell, Decision, State, Verdict};
use plot::{axis, reach};
use rows::{broken, compared_row, regressed, rule_rows, settle, verdict_row};

pub use rows::{EstimateRow, Regressed, Row, RuleRow};

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

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "PASS",
        Decision::Fail => "FAIL",
        Decision::Inconclusive => "INCONCLUSIVE",
        Decision::Undecidable => "CANNOT DECIDE",
        Decision::Incomplete => "INCOMPLETE",
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
