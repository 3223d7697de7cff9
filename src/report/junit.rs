//! A verdict as test cases, which every CI system shows: one a rule, one a cell.

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::Value;

use super::text::escape_control;
use super::view::{Row, View};
use crate::compare::{Flip, OVERALL};
use crate::gate::{Decision, Verdict};

const TEMPLATE: &str = include_str!("junit.xml.j2");
const MOST_CHARACTERS: usize = 1_000;

#[derive(Serialize)]
struct Case {
    class: String,
    name: String,
    failure: Option<String>,
    skipped: Option<String>,
    body: String,
}

#[derive(Serialize)]
struct Suite {
    name: &'static str,
    cases: Vec<Case>,
    failures: usize,
    skipped: usize,
}

impl Suite {
    fn new(name: &'static str, cases: Vec<Case>) -> Self {
        let failures = cases.iter().filter(|case| case.failure.is_some()).count();
        let skipped = cases.iter().filter(|case| case.skipped.is_some()).count();
        Self { name, cases, failures, skipped }
    }
}

#[derive(Serialize)]
struct Suites {
    name: String,
    tests: usize,
    failures: usize,
    groups: Vec<Suite>,
    properties: Vec<(String, String)>,
}

fn text(text: &str) -> String {
    escape_control(text, MOST_CHARACTERS)
}

/// The rules of the gate as a whole: did a cell regress, was it measurable, complete, decided.
fn rules(verdict: &Verdict) -> Vec<Case> {
    let rules = [
        ("no cell regressed", Decision::Fail),
        ("every metric could be measured", Decision::Undecidable),
        ("the head has every example", Decision::Incomplete),
        ("enough is decided", Decision::Inconclusive),
    ];
    rules
        .into_iter()
        .map(|(name, broken)| Case {
            class: "evalgauge.gate".to_owned(),
            name: name.to_owned(),
            failure: (verdict.decision == broken).then(|| text(&verdict.reason)),
            skipped: None,
            body: String::new(),
        })
        .collect()
}

/// A case a rule of the policy beside the cells.
fn policy(view: &View) -> Vec<Case> {
    view.rules
        .iter()
        .map(|row| Case {
            class: text(&format!("evalgauge.rule.{}", row.rule)),
            name: text(&row.subject),
            failure: row.bad.then(|| text(&row.detail)),
            skipped: row.open.then(|| text(&format!("{}: {}", row.state, row.detail))),
            body: text(&row.detail),
        })
        .collect()
}

fn figures(row: &Row) -> String {
    text(&format!(
        "n {}, baseline {}, head {}, change {} {}, adjusted p {}",
        row.n, row.baseline, row.head, row.delta, row.ci, row.p
    ))
}

/// A case a cell: it fails where the cell regressed, is skipped where nothing could be said, and passes otherwise.
fn cells(view: &View) -> Vec<Case> {
    let rows = view.rows.iter().map(|row| (row, row.open.then(|| row.state.clone())));
    let small = view.small_rows.iter().map(|row| (row, Some("too small to test".to_owned())));
    rows.chain(small)
        .map(|(row, skipped)| {
            let summary = view.regressed.iter().find(|cell| cell.row == *row).map(|cell| text(&cell.summary));
            Case {
                class: text(&format!("evalgauge.{}", row.metric)),
                name: text(&row.slice),
                body: if row.bad { broken(view, row) } else { figures(row) },
                failure: row.bad.then(|| summary.unwrap_or_else(|| figures(row))),
                skipped: skipped.filter(|_| !row.bad).map(|why| format!("{why}: {}", figures(row))),
            }
        })
        .collect()
}

/// The figures of a cell that regressed, and the ids of its examples that broke.
fn broken(view: &View, row: &Row) -> String {
    const MOST: usize = 20;
    let is_in = |flip: &&Flip| {
        let whole = row.slice == OVERALL || flip.slices.contains(&row.slice);
        flip.metric == row.metric && (whole || row.slice.split(',').all(|part| flip.slices.iter().any(|s| s == part)))
    };
    let ids: Vec<String> =
        view.broken.iter().filter(is_in).take(MOST).map(|flip| escape_control(&flip.id, 80)).collect();
    let examples = if ids.is_empty() { String::new() } else { format!("\nexamples that broke: {}", ids.join(", ")) };
    format!("{}{examples}", figures(row))
}

/// The XML text.
///
/// # Errors
/// Never for a verdict; the template is our own and tested.
pub(super) fn junit(verdict: &Verdict, view: &View) -> Result<String, minijinja::Error> {
    let mut suites = vec![Suite::new("gate", rules(verdict))];
    if !view.rules.is_empty() {
        suites.push(Suite::new("rules", policy(view)));
    }
    suites.push(Suite::new("cells", cells(view)));
    let data = Suites {
        name: text(&format!("evalgauge: {}", view.subject)),
        tests: suites.iter().map(|suite| suite.cases.len()).sum(),
        failures: suites.iter().map(|suite| suite.failures).sum(),
        groups: suites,
        properties: view.provenance.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The name's ending turns escaping on.
    environment.add_template("junit.xml", TEMPLATE)?;
    let data: Value = serde_json::to_value(data)
        .map_err(|error| minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))?;
    environment.get_template("junit.xml")?.render(minijinja::value::Serde(&data))
}
