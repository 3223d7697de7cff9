//! Several candidates in every form that they have, and the published schema.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::{are_twins, strings};

/// Sixty examples of twelve kinds with a score of four candidates, named by these texts.
fn table(names: &[String], kinds: &[String]) -> String {
    let line = |i: usize| {
        let mut row = json!({"id": format!("e{i}"), "labels": {"kind": kinds[i % kinds.len()]}});
        for (at, name) in names.iter().enumerate() {
            row[name.as_str()] = json!(u8::from((i * 7 + at * i) % 5 < 3 + at % 2));
        }
        format!("{row}\n")
    };
    (0..60).map(line).collect()
}

fn form(names: &[String], kinds: &[String], form: &str) -> Vec<u8> {
    let project = Harness::new().file("t.jsonl", table(names, kinds));
    let mut arguments =
        vec!["compare".to_owned(), "t.jsonl".into(), "-f".into(), form.into(), "--min-n".into(), "3".into()];
    arguments.extend(names.iter().map(|name| format!("--column={name}")));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    project.run(&arguments).exit(0).stdout.into_bytes()
}

#[test]
fn hostile_names_and_labels_stay_text() {
    let hostile = strings::hostile();
    // An argument holds no NUL and no megabyte; as labels such texts come too.
    let (names, mut kinds): (Vec<&String>, Vec<&String>) =
        hostile.iter().partition(|text| !text.contains('\0') && text.len() < 10_000);
    kinds.extend(names.iter().rev());
    let rounds = names.len().div_ceil(4).min(kinds.len() / 12);
    assert!(rounds >= 20, "{rounds}");
    let numbered = |texts: &[&String]| -> Vec<String> {
        texts.iter().enumerate().map(|(at, text)| format!("{at} {text}")).collect()
    };
    let plain = |count: usize| (0..count).map(|at| format!("{at} plain")).collect::<Vec<_>>();
    let harmless = ["text", "md", "html"].map(|shape| (shape, form(&plain(4), &plain(12), shape)));
    for round in 0..rounds {
        let named: Vec<&String> = (0..4).map(|at| names[(4 * round + at) % names.len()]).collect();
        let (mean, labels) = (numbered(&named), numbered(&kinds[12 * round..12 * (round + 1)]));
        for (shape, twin) in &harmless {
            are_twins(&format!("round {round}, {shape}"), shape, &form(&mean, &labels, shape), twin);
        }
    }
}

#[test]
fn the_schema_describes_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/compare.schema.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema itself");
    crate::shown::closed(&mut schema);
    let schema = jsonschema::validator_for(&schema).unwrap();
    let names: Vec<String> = (0..4).map(|at| format!("c{at}")).collect();
    let kinds: Vec<String> = (0..4).map(|at| format!("k{at}")).collect();
    let project = Harness::new()
        .config("[gate.guard]\nlatency_p95 = { max_increase = \"20%\" }\n")
        .file("t.jsonl", table(&names, &kinds))
        .file("a.csv", "id,score,cost_usd,latency_ms\na,0.5,0.1,20\nb,0.25,0.1,30\nc,1,0.2,10\n")
        .file("b.csv", "id,score,cost_usd,latency_ms\na,0.75,0.1,20\nb,0.5,0.1,30\nc,,0.2,10\n");
    let columns: Vec<String> = names.iter().map(|name| format!("--column={name}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    for arguments in [
        [&["compare", "t.jsonl", "--min-n", "3"][..], &columns].concat(),
        [&["compare", "t.jsonl", "--min-n", "3", "--holdout", "0.4"][..], &columns].concat(),
        [&["compare", "t.jsonl", "--holdout", "kind=k1", "--margin", "0"][..], &columns].concat(),
        vec!["compare", "a.csv", "b.csv", "a.csv"],
        vec!["compare", "a.csv", "a.csv", "--leaderboard"],
    ] {
        let mut result = project.run(&[&arguments[..], &["-f", "json"]].concat()).exit(0).json();
        let errors: Vec<String> =
            schema.iter_errors(&result).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{arguments:?}: {}", errors.join("\n"));
        // And it refuses what is none.
        result["replace"]["answers"][0]["answer"] = json!("certainly");
        assert!(!schema.is_valid(&result));
    }
}
