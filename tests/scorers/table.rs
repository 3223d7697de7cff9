//! The table of `rows.rs`, run through the program.
//!
//! A row is an example of its own with a scorer of its own, so one run scores them all. A kind that `list scorers` names and
//! that has no rows, or lacks an edge, fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::echo::Echo;
use crate::harness::Harness;
use crate::rows::Want::{Failed, Is, Nothing, Share, Unscored};
use crate::rows::{EDGES, Edge, Row, Want, models, recorded};

/// Kinds that need more than a table row, and the tests that show them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("judge", include_str!("../judge/kinds.rs")),
    ("command", include_str!("../cli/program_scorers.rs")),
    ("http", include_str!("../cli/program_scorers.rs")),
];

/// Runs rows and holds every score to what the row says; `input` makes an example's input.
fn scored(project: &Harness, rows: &[Row], settings: &str, input: &dyn Fn(&Row) -> Value) {
    let (mut examples, mut answers, mut config) = (String::new(), String::new(), settings.to_owned());
    for (at, row) in rows.iter().enumerate() {
        let name = format!("r{at:03}");
        let mut example = json!({"id": name, "input": input(row), "labels": {"row": name}});
        if !row.expected.is_null() {
            example["expected"] = row.expected.clone();
        }
        writeln!(examples, "{example}").unwrap();
        writeln!(answers, "{}", json!({"id": name, "answer": row.answer})).unwrap();
        let when = format!("when = {{ row = \"{name}\" }}\n");
        let own = row.settings.replace('@', &name);
        writeln!(config, "[scorers.{name}.{}]\n{when}{own}", row.kind).unwrap();
        for (suffix, kind, settings) in &row.members {
            writeln!(config, "[scorers.{name}{suffix}.{kind}]\n{when}{settings}").unwrap();
        }
    }
    // An example must be scored by something, also one about which its own scorer says nothing.
    config.push_str("[scorers.zz.length]\nmin = 0\n");
    project.write("answers.jsonl", answers);
    project.write("rows.jsonl", examples);
    project.write("evalgauge.toml", config);
    project.write("schema.json", r#"{"properties": {"t": {"type": "string"}}}"#);
    project.run(&["evalset", "pin", "rows", "--from", "rows.jsonl", "--tag", "v1"]).exit(0);
    project.run(&["run", "--format", "json"]).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let record = project.read("reports/baseline/rows/app/rows.jsonl");
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for line in record.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(score) = line.get("score").filter(|score| score["scorer"] != "zz") {
            assert!(found.insert(score["scorer"].as_str().unwrap().to_owned(), score.clone()).is_none());
        }
    }
    let mut wrong = String::new();
    for (at, row) in rows.iter().enumerate() {
        let score = found.get(&format!("r{at:03}"));
        if !agrees(score, &row.want) {
            let answer: String = row.answer.to_string().chars().take(80).collect();
            writeln!(
                wrong,
                "{} {:?} {:?} {answer}: expected {:?}, found {score:?}",
                row.kind, row.edge, row.settings, row.want
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn agrees(score: Option<&Value>, want: &Want) -> bool {
    let Some(score) = score else { return *want == Nothing };
    let is = |status: &str, value: &Value, passed: bool| {
        let near = match (score["value"].as_f64(), value.as_f64()) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-12,
            _ => score["value"] == *value,
        };
        score["status"] == status && near && score["passed"] == passed
    };
    match want {
        Is(right) => is("scored", &json!(right), *right),
        Share(share, passed) => is("scored", &json!(share), *passed),
        Want::Value(value, passed) => is("scored", value, *passed),
        Failed => {
            // The worst of its kind: never what a turned-around score would make of it.
            let worst = [json!(false), json!(0.0), json!(""), json!([]), json!({"preference": -1})];
            score["status"] == "candidate_error" && score["passed"] == false && worst.contains(&score["value"])
        }
        Unscored => {
            score["status"] == "unscored"
                && score["value"].is_null()
                && score["passed"].is_null()
                && score["reason"].is_string()
        }
        Nothing => false,
    }
}

#[test]
fn every_scorer_says_what_the_table_says() {
    let settings = "evalset = \"rows\"\n[candidates.app.replay]\nfile = \"answers.jsonl\"\n";
    scored(&Harness::new(), &recorded(), settings, &|_| json!("?"));
}

#[test]
fn what_only_models_give_is_scored_too() {
    let echo = Echo::start();
    let settings = format!(
        "evalset = \"rows\"\nprices = \"prices.toml\"\n[candidates.app.openai]\nmodel = \"m\"\nbase_url = \"{}\"\nprompt = \"p.j2\"\n",
        echo.base_url()
    );
    let project = Harness::new().file("p.j2", "{{ input }}").file("prices.toml", crate::echo::PRICES);
    scored(&project, &models(), &settings, &|row| json!(row.answer.to_string()));
}

#[test]
fn every_listed_scorer_has_rows_for_every_edge() {
    let listed = Harness::new().run(&["list", "scorers", "--format", "json"]).exit(0).json();
    let listed: BTreeSet<&str> =
        listed["entries"].as_array().unwrap().iter().map(|kind| kind["name"].as_str().unwrap()).collect();
    let mut rows: BTreeMap<&str, BTreeSet<Edge>> = BTreeMap::new();
    for row in recorded().into_iter().chain(models()) {
        rows.entry(row.kind).or_default().insert(row.edge);
    }
    for (kind, elsewhere) in ELSEWHERE {
        assert!(elsewhere.contains(&format!(".{kind}]")), "{kind} is not shown where the table says");
        rows.insert(kind, EDGES.into());
    }
    let lacking: Vec<String> = listed
        .iter()
        .flat_map(|kind| {
            EDGES
                .iter()
                .filter(|edge| !rows.get(kind).is_some_and(|has| has.contains(edge)))
                .map(move |edge| format!("{kind}: {edge:?}"))
        })
        .collect();
    assert!(lacking.is_empty(), "rows are missing for {}", lacking.join(", "));
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), listed, "rows of kinds that are not listed");
}
