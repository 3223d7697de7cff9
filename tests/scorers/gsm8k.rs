//! What simple scorers get wrong on real answers, held against a judgement that is known to be right: docs/scorers.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Harness, announce, testdata};

/// The scorers: the name in the table, its settings.
const SCORERS: [(&str, &str); 7] = [
    ("exact", "[scorers.exact.exact]\n"),
    ("numeric", "[scorers.numeric.numeric]\n"),
    ("numeric_first", "[scorers.numeric_first.numeric]\nfind = \"first\"\n"),
    ("numeric_last", "[scorers.numeric_last.numeric]\nfind = \"last\"\n"),
    ("regex", "[scorers.regex.regex]\npattern = 'A: (.+)'\ncapture = 1\nwhich = \"last\"\n"),
    ("regex_digits", "[scorers.regex_digits.regex]\npattern = 'A: \\$?(-?\\d+)'\ncapture = 1\nwhich = \"last\"\n"),
    ("contains", "[scorers.contains.contains]\nall = { expected = \"\" }\n"),
];

const SYSTEMS: [&str; 4] = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"];

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Scores of one system's raw outputs by scorer and example.
fn scores(items: &[Value], runs: &[Value]) -> BTreeMap<(String, String), bool> {
    let mut examples = String::new();
    for item in items {
        writeln!(examples, "{}", json!({"id": item["id"], "input": item["question"], "expected": item["target"]}))
            .unwrap();
    }
    let mut answers = String::new();
    for run in runs {
        writeln!(answers, "{}", json!({"id": run["id"], "answer": run["output"]})).unwrap();
    }
    let scorers: String = SCORERS.iter().map(|(_, settings)| *settings).collect();
    let project = Harness::new().evalset("sums", &examples).file("answers.jsonl", answers);
    project.write(
        "evalgauge.toml",
        format!("evalset = \"sums\"\n[candidates.app.replay]\nfile = \"answers.jsonl\"\n{scorers}"),
    );
    project.run(&["run"]).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let mut scores = BTreeMap::new();
    let mut id = String::new();
    for line in project.read("reports/baseline/sums/app/rows.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(sample) = line.get("sample") {
            sample["id"].as_str().unwrap().clone_into(&mut id);
        }
        if let Some(score) = line.get("score") {
            let scorer = score["scorer"].as_str().unwrap().to_owned();
            scores.insert((scorer, id.clone()), score["passed"].as_bool().unwrap());
        }
    }
    scores
}

#[test]
fn what_each_gets_wrong_is_what_the_page_says() {
    let Some(data) = testdata("gsm8k-solutions", "scorers against is_correct of GSM8K") else { return };
    let items = lines(&data.join("items.jsonl"));
    // By scorer: false passes and false fails.
    let mut wrong: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut answers = 0;
    let mut right = 0;
    for system in SYSTEMS {
        let runs = lines(&data.join(format!("run_{system}.jsonl")));
        let scores = scores(&items, &runs);
        for run in &runs {
            let is_correct = run["is_correct"].as_bool().unwrap();
            answers += 1;
            right += usize::from(is_correct);
            for (scorer, _) in SCORERS {
                let passed = scores[&(scorer.to_owned(), run["id"].as_str().unwrap().to_owned())];
                let counts = wrong.entry(scorer).or_default();
                counts.0 += usize::from(passed && !is_correct);
                counts.1 += usize::from(!passed && is_correct);
            }
        }
    }
    assert_eq!((answers, right), (5276, 2001));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scorers.md")).unwrap();
    let mut missing = String::new();
    for (scorer, _) in SCORERS {
        let (passes, fails) = wrong[scorer];
        let agree = 100.0 * (answers - passes - fails) as f64 / f64::from(answers as u32);
        let row = format!("| `{scorer}` | {passes} | {fails} | {agree:.1} % |");
        announce(&row);
        if !page.contains(&row) {
            writeln!(missing, "docs/scorers.md lacks: {row}").unwrap();
        }
    }
    assert!(missing.is_empty(), "{missing}");
}
