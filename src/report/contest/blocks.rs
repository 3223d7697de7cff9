//! What a report of several candidates says, in the order in which it says it.

use serde::Serialize;

use super::super::charts::{Scatter, scatter};
use super::super::details::Candidates;
use super::super::unit::Unit;
use super::super::view::{grouped_digits, p_text, provenance};
use super::ContestReport;
use super::tables;
use crate::compare::{CostQuality, Entrant, Omnibus, Standings};
use crate::gate::{Replace, Replacement, Selection};

/// A piece of a report.
#[derive(Debug, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(super) enum Block {
    /// The answer in a sentence.
    Answer { text: String, tone: &'static str },
    /// A heading.
    Heading { text: String },
    /// A sentence.
    Text { text: String },
    /// Things in a list; `folded` ones are for those who ask.
    List { title: String, items: Vec<String>, folded: bool },
    /// A table; its first `texts` columns are text, the others numbers.
    Table { title: String, head: Vec<String>, texts: usize, rows: Vec<Row> },
    /// Cost against quality; only a page draws it.
    Scatter { drawing: Scatter },
}

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    /// Whether the line is to stand out, and how.
    pub(super) tone: &'static str,
}

impl Row {
    pub(super) fn new(cells: Vec<String>, tone: &'static str) -> Self {
        Self { cells, tone }
    }
}

pub(super) fn texts(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

pub(super) fn unit(standings: &Standings) -> Unit {
    Unit::new(standings.scale.low == 0.0 && standings.scale.high == 1.0)
}

/// Who is compared, in a line.
pub(super) fn title(report: &ContestReport) -> String {
    let contest = &report.contest;
    format!(
        "{} candidates on {} examples, baseline {}",
        contest.candidates.len(),
        grouped_digits(contest.examples),
        report.name(0)
    )
}

/// The whole report.
pub(super) fn blocks(report: &ContestReport) -> Vec<Block> {
    let mut out = vec![answer(report)];
    replacing(report, &mut out);
    for standings in &report.contest.metrics {
        metric(report, standings, &mut out);
    }
    if !report.contest.warnings.is_empty() {
        out.push(Block::List { title: "Warnings".into(), items: report.contest.warnings.clone(), folded: false });
    }
    out.push(Block::List { title: "Method".into(), items: method(report), folded: true });
    let line = |entrant: &Entrant| {
        let (name, text) = provenance(&entrant.label, &entrant.identity);
        format!("{name}: {text}")
    };
    let items = report.contest.candidates.iter().map(line).collect();
    out.push(Block::List { title: "Provenance".into(), items, folded: true });
    out
}

/// The candidates that may replace the baseline, those with the better estimates first.
fn allowed(report: &ContestReport) -> Vec<&Replacement> {
    let mut may: Vec<&Replacement> =
        report.replace.answers.iter().filter(|answer| answer.answer == Replace::May).collect();
    let place = |candidate: usize| {
        report.contest.metrics.first().and_then(|first| first.table.iter().position(|row| row.candidate == candidate))
    };
    may.sort_by_key(|answer| place(answer.candidate));
    may
}

fn answer(report: &ContestReport) -> Block {
    let may = allowed(report);
    let names: Vec<&str> = may.iter().map(|answer| report.name(answer.candidate)).collect();
    let baseline = report.name(0);
    if names.is_empty() {
        let text = format!("None of them is shown to be able to replace {baseline}.");
        return Block::Answer { text, tone: "open" };
    }
    Block::Answer { text: format!("May replace {baseline}: {}.", names.join(", ")), tone: "good" }
}

fn replacing(report: &ContestReport, out: &mut Vec<Block>) {
    out.push(Block::Text { text: selection(report) });
    let rows = report.replace.answers.iter().map(|answer| tables::replacement(report, answer)).collect();
    let head = texts(&["candidate", "answer", "hardest cell", "n", "Δ", "interval", "margin", "p", "p adj."]);
    out.push(Block::Table { title: format!("May it replace {}", report.name(0)), head, texts: 3, rows });
    let reasons: Vec<String> = report
        .replace
        .answers
        .iter()
        .flat_map(|answer| answer.reasons.iter().map(|why| format!("{}: {why}", report.name(answer.candidate))))
        .collect();
    if !reasons.is_empty() {
        out.push(Block::List { title: "In the way".into(), items: reasons, folded: false });
    }
}

/// How it was allowed for that the candidates are many.
fn selection(report: &ContestReport) -> String {
    let alpha = report.replace.alpha;
    match &report.replace.selection {
        Selection::Holm { candidates: 1 } => {
            format!("One candidate, so that nothing was selected: one test at α = {alpha}.")
        }
        Selection::Holm { candidates } => format!(
            "Corrected for the selection among {candidates} candidates: Holm's adjustment over all of them, so that any of \
             those named may be taken. That one is named that falls beyond a margin has a chance of at most {alpha}; cells \
             without a margin are looked at, not tested. The estimate of the best of several is too high on average."
        ),
        Selection::Holdout { held_out, picked, metric, picking, checking } => format!(
            "Checked on a holdout: {} was picked by {metric} on {} examples, and asked about on {} others ({held_out}) that \
             played no part in picking it: one test at α = {alpha}, without a correction. What follows \
             the answer is about the examples for picking.",
            report.name(*picked),
            grouped_digits(*picking),
            grouped_digits(*checking)
        ),
    }
}

fn omnibus_text(test: &Omnibus) -> String {
    let p = p_text(Some(test.p));
    match (test.df, test.draws) {
        (Some(df), _) => {
            format!(
                "Do they differ at all? Cochran's Q = {:.3}, {df} degrees of freedom, p {}.",
                test.statistic,
                is(&p)
            )
        }
        (None, draws) => format!(
            "Do they differ at all? Scores shuffled within examples (or groups): Q = {:.3}, p {} from {} draws.",
            test.statistic,
            is(&p),
            grouped_digits(draws.unwrap_or(0))
        ),
    }
}

/// `= .0123`, or `< .0001`.
fn is(p: &str) -> String {
    p.strip_prefix('<').map_or_else(|| format!("= {p}"), |p| format!("< {p}"))
}

fn metric(report: &ContestReport, standings: &Standings, out: &mut Vec<Block>) {
    let blocks = if standings.blocks < standings.n {
        format!(" in {} groups", grouped_digits(standings.blocks))
    } else {
        String::new()
    };
    out.push(Block::Heading { text: format!("{} ({})", standings.metric, standings.estimate) });
    let test = standings.omnibus.as_ref().map_or_else(
        || format!("Do they differ at all? Test: {}.", standings.no_omnibus.as_deref().unwrap_or("none")),
        omnibus_text,
    );
    out.push(Block::Text {
        text: format!("{test} {} examples{blocks} with a score of every candidate.", grouped_digits(standings.n)),
    });
    out.push(Block::Text { text: leader(report, standings) });
    out.push(tables::leaderboard(report, standings));
    if let Some(drawing) = drawing(report, standings) {
        out.push(Block::Scatter { drawing });
    }
    if !standings.pairs.is_empty() {
        if report.contest.candidates.len() <= tables::WIDEST_MATRIX {
            out.push(tables::matrix(report, standings));
        }
        out.push(tables::pairs(report, standings));
    }
    if !standings.slices.is_empty() {
        out.push(tables::slices(report, standings));
    }
    if standings.small_slices > 0 {
        let count = standings.small_slices;
        out.push(Block::Text { text: format!("{count} slices are too small to name a winner.") });
    }
    if let Some(strengths) = &standings.strengths {
        tables::strengths(strengths, out);
    }
}

/// Who leads, and whether anybody can say so.
fn leader(report: &ContestReport, standings: &Standings) -> String {
    let Some(first) = standings.table.first().filter(|first| first.value.is_some()) else {
        return "No candidate has an estimate.".to_owned();
    };
    let name = report.name(first.candidate);
    if standings.pairs.is_empty() {
        return format!("{name} has the best estimate.");
    }
    if standings.winner().is_some() {
        return format!("{name} is better than every other.");
    }
    let others: Vec<&str> =
        standings.table[1..].iter().filter(|row| row.among_first).map(|row| report.name(row.candidate)).collect();
    format!("No winner: {name} has the best estimate, but it cannot be told from {}.", others.join(", "))
}

fn drawing(report: &ContestReport, standings: &Standings) -> Option<Scatter> {
    let points: Vec<CostQuality> = standings
        .table
        .iter()
        .filter_map(|row| {
            let entrant = report.contest.candidates.get(row.candidate)?;
            Some(CostQuality { name: entrant.label.clone(), cost: entrant.cost?, quality: row.value? })
        })
        .collect();
    let unit = unit(standings);
    Candidates::new(&standings.metric, unit.is_percent(), standings.scale.higher_is_better, points)
        .map(|candidates| scatter(&candidates))
}

fn method(report: &ContestReport) -> Vec<String> {
    let (contest, replace) = (&report.contest, &report.replace);
    let tests: Vec<&str> =
        contest.metrics.iter().flat_map(|metric| metric.pairs.iter().map(|pair| pair.test)).collect();
    let mut lines = vec![
        "Only examples that every candidate has, and of a metric only those that every candidate has a score for."
            .to_owned(),
        format!(
            "Intervals of {} % each. Estimates: Wilson for 0/1 scores of one trial without groups, else t on groups or \
             examples. Differences: {}.",
            (100.0 * (1.0 - contest.alpha) * 1e6).round() / 1e6,
            contest.metrics.iter().flat_map(|metric| &metric.pairs).map(|pair| pair.method).next().unwrap_or("none")
        ),
    ];
    if tests.contains(&"mcnemar-exact") {
        lines.push("p of a pair: McNemar's exact test, two-sided.".to_owned());
    }
    if tests.iter().any(|test| test.starts_with("sign-flip")) {
        lines.push(
            "p of a pair: sign flips of whole groups or examples, two-sided; exact where that is feasible, else 10,000 draws (500 where these say p > .25)."
                .to_owned(),
        );
    }
    lines.push(format!(
        "p adj. of pairs: Holm over all pairs of a metric: the chance that any pair of equals is called different is at most \
         {}, for each metric. The test of all at once is a summary; no pair depends on it.",
        contest.alpha
    ));
    if contest.metrics.iter().any(|metric| !metric.slices.is_empty()) {
        lines.push(
            "Winner of a slice: the best estimate, where its largest p against any other (Gutmann & Maymin 1987), adjusted \
             over all slices of the metric (Holm), is at most α; otherwise no winner is shown."
                .to_owned(),
        );
    }
    lines.push(format!(
        "May replace: in every tested cell of {} the one-sided bound of the change lies above minus the margin; p is the \
         largest over the cells, each the level at which the bound meets its margin. Every rule of the policy holds{}.",
        replace.metrics.join(", "),
        if replace.guard_rails == 0 {
            "; it has no guard rails".to_owned()
        } else {
            format!(
                "; {} guard rails at {} together, divided by the number of candidates",
                replace.guard_rails, replace.guard_alpha
            )
        }
    ));
    lines.push(format!("Seed {}.", contest.seed));
    lines
}
