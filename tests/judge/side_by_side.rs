//! Judges as instruments, from outside: several beside each other, one cache for runs and calibrations, scores by length,
//! and rates corrected by labels.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::project::{PROMPT, Project};
use crate::server::{Asked, Say, Server};

const ANSWERS: usize = 60;

/// Sixty answers; every third one is wrong, and the wrong ones are a little longer.
fn answers() -> Vec<String> {
    let text = |at: usize| {
        if at.is_multiple_of(3) { format!("number {at} is guessed at length") } else { format!("number {at} is known") }
    };
    (0..ANSWERS).map(text).collect()
}

fn is_right(text: &str) -> bool {
    text.contains("known")
}

fn number(text: &str) -> usize {
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The good judge errs on one answer in thirty, the cheap one on one in four.
fn grades(asked: &Asked) -> Say {
    let text = asked.block("ANSWER");
    let every = if asked.body["model"].as_str().unwrap().starts_with("good") { 30 } else { 4 };
    let right = is_right(text) ^ (number(text) % every == 1);
    Say::json(&json!({"reasoning": "r", "grade": if right { "pass" } else { "fail" }}))
}

/// A judge with a price of its own by the name of its model.
fn judge(project: &Project, name: &str, server: &Server) {
    project.judge(name, &server.base_url(), "kind = \"grade\"", "[scale]\nvalues = [\"fail\", \"pass\"]", PROMPT);
}

/// Labels of two raters, who part on two answers.
fn labels(project: &Project, judge: &str, id: impl Fn(usize) -> String, kind: &str) {
    let mut lines = String::new();
    for (at, text) in answers().iter().enumerate() {
        for (rater, shift) in [("ann", false), ("bob", [10, 20].contains(&at))] {
            let label = if is_right(text) ^ shift { "pass" } else { "fail" };
            writeln!(lines, "{}", json!({"id": id(at), "rater": rater, "kind": kind, "label": label})).unwrap();
        }
    }
    project.write(&format!("judges/{judge}/labels/all.jsonl"), &lines);
}

fn project(server: &Server) -> Project {
    let texts = answers();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let scorer = "prices = \"prices.toml\"\n[scorers.quality.judge]\njudge = \"good\"\n\
                  [metrics]\nquality = { scorer = \"quality\", estimate = \"pass_rate\" }\n";
    let prices = "as_of = \"2026-01-01\"\n[models]\n\"good-model-*\" = { input = 10.0, output = 100.0 }\n\
                  \"cheap-model-*\" = { input = 0.1, output = 1.0 }\n";
    let project = Project::new(&texts, "");
    project.write("prices.toml", prices);
    project.settings(scorer);
    judge(&project, "good", server);
    judge(&project, "cheap", server);
    project
}

#[test]
fn judges_are_measured_on_the_same_items_with_what_they_cost() {
    let server = Server::start(grades);
    let project = project(&server);
    let mut items = String::new();
    for (at, text) in answers().iter().enumerate() {
        writeln!(items, "{}", json!({"id": format!("i{at:02}"), "input": "x", "answer": text})).unwrap();
    }
    project.write("judges/good/items.jsonl", &items);
    labels(&project, "good", |at| format!("i{at:02}"), "human");

    let found = project.json(0, &["calibrate", "good", "cheap"]);
    assert_eq!(server.count(), 2 * ANSWERS);
    let dimension = &found["dimensions"][0];
    let judges = dimension["judges"].as_array().unwrap();
    assert_eq!([&judges[0]["judge"], &judges[1]["judge"]], ["good", "cheap"]);
    let kappa = |at: usize| judges[at]["kappa"]["value"].as_f64().unwrap();
    assert!(kappa(0) > 0.8 && kappa(1) < 0.6, "{} {}", kappa(0), kappa(1));
    // 100 tokens in and 10 out: .002 dollars against .00002.
    let cost = |at: usize| judges[at]["mean_cost_usd"].as_f64().unwrap();
    assert!((cost(0) - 0.002).abs() < 1e-9 && (cost(1) - 0.000_02).abs() < 1e-9, "{} {}", cost(0), cost(1));
    assert!(judges.iter().all(|judge| judge["median_latency_ms"].as_f64().unwrap() >= 0.0));
    assert!(judges.iter().all(|judge| judge["agreement"].as_f64().unwrap() > 0.7), "{judges:?}");
    let beside = &dimension["side_by_side"];
    assert_eq!((&beside["criteria"], &beside["items"]), (&json!(["kappa", "cost", "latency"]), &json!(ANSWERS)));
    // One is better, the other is cheaper: no latency can throw either off the front.
    assert_eq!(beside["front"], json!(["good", "cheap"]));
    let difference = &beside["differences"][0];
    assert_eq!((&difference["first"], &difference["second"]), (&json!("good"), &json!("cheap")));
    assert!((difference["difference"].as_f64().unwrap() - (kappa(0) - kappa(1))).abs() < 1e-9, "{difference}");
    assert!(difference["interval"]["low"].as_f64().unwrap() > 0.0 && difference["p_adjusted"].as_f64().unwrap() < 0.05);
    // Each judge has a line of its own, and nobody is asked again.
    assert_eq!(found["lines"].as_array().unwrap().len(), 2);
    for name in ["good", "cheap"] {
        let line: Value = serde_json::from_str(&project.read(format!("judges/{name}/calibrations.jsonl"))).unwrap();
        assert_eq!((&line["judge"], &line["dimensions"]["overall"]["n"]), (&json!(name), &json!(ANSWERS)), "{line}");
    }
    let text = project.ok(&["calibrate", "good", "cheap"]);
    let markdown = project.ok(&["calibrate", "good", "cheap", "--format", "md"]);
    assert_eq!(server.count(), 2 * ANSWERS, "the cache has them all");
    for said in [&text, &markdown] {
        for part in ["judges side by side", "cost a judgement", "002000", "000020", "on the front", "Holm"] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }
    // κ of the good judge is .92 ± .1, and ends at 1 all the same.
    let ends: Vec<f64> = text.split("… ").skip(1).filter_map(|rest| rest.get(..5)?.parse().ok()).collect();
    assert!(ends.contains(&1.0) && ends.iter().all(|&end| end <= 1.0), "{ends:?}\n{text}");
    // A judge of another scale has no place beside them.
    project.judge("other", &server.base_url(), "kind = \"grade\"", "[scale]\nvalues = [1, 2, 3]", PROMPT);
    let (_, stderr) = project.exits(2, &["calibrate", "good", "other"]);
    assert!(stderr.contains("one grades on fail, pass, the other on 1, 2, 3"), "{stderr}");
    let (_, stderr) = project.exits(2, &["calibrate", "good", "good"]);
    assert!(stderr.contains("named twice"), "{stderr}");
}

#[test]
fn what_a_run_asked_is_not_asked_again_by_a_calibration() {
    let server = Server::start(grades);
    let project = project(&server);
    project.ok(&["run"]);
    assert_eq!(server.count(), ANSWERS);
    project.ok(&["label", "export", "latest", "--for", "good", "-n", "60", "--sheet", "sheet.csv"]);
    labels(&project, "good", |at| format!("e{at:02}#1"), "human");
    let found = project.json(0, &["calibrate", "good", "--cache", "ro"]);
    assert_eq!(server.count(), ANSWERS, "the cache has what the run asked");
    assert_eq!(found["dimensions"][0]["judges"][0]["n"], ANSWERS);
    // And so in the other direction.
    project.ok(&["run", "--cache", "ro"]);
}

/// Of an answer that is JSON a scorer may show the judge a part; the items are that part, and the cache has it too.
#[test]
fn a_part_of_an_answer_is_what_people_label_and_judges_see() {
    let server = Server::start(grades);
    let project = project(&server);
    let wrapped: Vec<String> = answers().iter().map(|text| json!({"team": "a", "why": text}).to_string()).collect();
    project.answers("app", &wrapped.iter().map(String::as_str).collect::<Vec<_>>());
    project.settings("[scorers.quality.judge]\njudge = \"good\"\nanswer = \"/why\"\n");
    project.ok(&["run"]);
    project.ok(&["label", "export", "latest", "--for", "good", "-n", "60", "--sheet", "sheet.csv"]);
    let items = project.read("judges/good/items.jsonl");
    let first: Value = serde_json::from_str(items.lines().next().unwrap()).unwrap();
    assert_eq!(first["answer"], "number 0 is guessed at length");
    labels(&project, "good", |at| format!("e{at:02}#1"), "human");
    project.ok(&["calibrate", "good", "--cache", "ro"]);
    assert_eq!(server.count(), ANSWERS);
    let of_run = project.json(0, &["calibrate", "good", "--run", "latest"]);
    assert_eq!(of_run["dimensions"][0]["judges"][0]["n"], ANSWERS);
}

/// A judge that goes by length: it passes what is longer than most.
fn by_length(asked: &Asked) -> Say {
    let text = asked.block("ANSWER");
    let grade = if text.chars().count() > 20 { "pass" } else { "fail" };
    Say::json(&json!({"reasoning": "r", "grade": grade}))
}

#[test]
fn scores_are_shown_by_length() {
    let server = Server::start(by_length);
    let project = project(&server);
    project.ok(&["run"]);
    project.ok(&["baseline", "bless", "latest"]);
    let alone = project.json(0, &["report", "latest"]);
    let profile = &alone["lengths"][0];
    assert_eq!((&profile["scorer"], &profile["judge"]), (&json!("quality"), &json!("good")));
    let buckets = profile["buckets"].as_array().unwrap();
    assert!((2..=5).contains(&buckets.len()), "{profile}");
    let n = |bucket: &Value, side: &str| bucket[side]["n"].as_u64().unwrap();
    assert_eq!(buckets.iter().map(|bucket| n(bucket, "head")).sum::<u64>(), ANSWERS as u64);
    assert_eq!((&buckets[0]["head"]["passed"], &buckets.last().unwrap()["head"]["passed"]), (&json!(0.0), &json!(1.0)));
    assert!(profile["head"]["follows"] == true && profile["head"]["correlation"].as_f64().unwrap() > 0.5, "{profile}");
    assert!(profile.get("baseline").is_none() && buckets[0].get("baseline").is_none());
    // A head that says more about everything.
    let longer: Vec<String> = answers().iter().map(|text| format!("{text}, more or less")).collect();
    project.answers("app", &longer.iter().map(String::as_str).collect::<Vec<_>>());
    project.run(&["check", "--as-of", "2026-11-22"]);
    let verdict = project.json(0, &["report", "latest"]);
    let profile = &verdict["lengths"][0];
    let buckets = profile["buckets"].as_array().unwrap();
    for side in ["baseline", "head"] {
        assert_eq!(buckets.iter().map(|bucket| n(bucket, side)).sum::<u64>(), ANSWERS as u64, "{profile}");
    }
    assert!(n(&buckets[0], "baseline") > n(&buckets[0], "head"), "{profile}");
    for (form, parts) in [
        ("md", ["<details><summary>Scores by length of the answer: quality", "| characters | baseline n |"]),
        ("html", ["Do scores follow length?", "rank correlation of length and score"]),
        ("text", ["the scores of `quality` rise with", "evalgauge judge audit good"]),
    ] {
        let said = project.ok(&["report", "latest", "-f", form]);
        for part in parts {
            assert!(said.contains(part), "{form}: {part}\n{said}");
        }
    }
    // What is decided from is what is shown: the same from `gate`.
    let gated: Value = {
        let (_, stdout, _) = project.run(&["gate", "baseline", "latest", "--format", "json", "--as-of", "2026-11-22"]);
        serde_json::from_str(&stdout).unwrap()
    };
    assert_eq!(gated["lengths"], verdict["lengths"]);
    validates(&verdict);
}

#[test]
fn rates_are_shown_beside_what_labels_make_of_them() {
    let server = Server::start(|asked| {
        // Passes half of what is wrong as well.
        let text = asked.block("ANSWER");
        let pass = is_right(text) || number(text).is_multiple_of(2);
        Say::json(&json!({"reasoning": "r", "grade": if pass { "pass" } else { "fail" }}))
    });
    let project = project(&server);
    project.ok(&["run"]);
    project.ok(&["baseline", "bless", "latest"]);
    project.ok(&["label", "export", "latest", "--for", "good", "-n", "60", "--sheet", "sheet.csv"]);
    labels(&project, "good", |at| format!("e{at:02}#1"), "human");
    project.ok(&["calibrate", "good", "--as-of", "2026-11-22"]);
    project.run(&["check", "--as-of", "2026-11-22"]);
    let verdict = project.json(0, &["report", "latest"]);
    let rates = &verdict["judges"][0]["corrected"];
    for side in ["baseline", "head"] {
        let rate = &rates[side];
        let number = |path: &str| rate.pointer(path).unwrap().as_f64().unwrap();
        // The judge says 50 of 60, people 40 of 60: both corrections come back to that.
        assert!((number("/raw") - 50.0 / 60.0).abs() < 1e-5, "{rate}");
        assert!(
            (number("/corrected") - 2.0 / 3.0).abs() < 0.02 && (number("/ppi/estimate") - 2.0 / 3.0).abs() < 0.02,
            "{rate}"
        );
        for place in ["/interval", "/ppi/interval"] {
            let (low, high) = (number(&format!("{place}/low")), number(&format!("{place}/high")));
            assert!(low < 2.0 / 3.0 && 2.0 / 3.0 < high && high - low < 0.6, "{place} {rate}");
        }
        assert!((0.0..=1.0).contains(&number("/ppi/lambda")), "{rate}");
    }
    for form in ["md", "html", "text"] {
        let said = project.ok(&["report", "latest", "-f", form]);
        for part in ["83.3 %", "PPI++", "wo-source", "66."] {
            assert!(said.contains(part), "{form}: {part}\n{said}");
        }
    }
    validates(&verdict);
    // A record alone shows them too.
    let alone = project.json(0, &["report", "baseline", "--as-of", "2026-11-22"]);
    assert_eq!(alone["corrected"][0]["metric"], "quality", "{alone}");
    assert!(alone["corrected"][0]["corrected"]["ppi"]["estimate"].is_number(), "{alone}");
    let said = project.ok(&["report", "baseline", "--as-of", "2026-11-22", "-f", "md"]);
    assert!(said.contains("| quality | record | 83.3 % |"), "{said}");
    // Several trials of an answer are not independent: nothing is corrected then.
    project.ok(&["run", "--trials", "2"]);
    project.ok(&["baseline", "bless", "latest"]);
    project.run(&["check", "--trials", "2", "--as-of", "2026-11-22"]);
    let verdict = project.json(0, &["report", "latest"]);
    assert!(verdict["judges"][0].get("corrected").is_none(), "{}", verdict["judges"]);
}

#[test]
fn a_mean_of_grades_is_corrected_by_labels_that_are_numbers() {
    // A point too kind to what is wrong.
    let server = Server::start(|asked| {
        Say::json(
            &json!({"reasoning": "r", "grade": if is_right(asked.block("ANSWER")) { 3 } else { 1 + number(asked.block("ANSWER")) % 2 }}),
        )
    });
    let project = project(&server);
    project.judge("good", &server.base_url(), "kind = \"grade\"", "[scale]\nvalues = [0, 1, 2, 3]", PROMPT);
    project.settings("[scorers.quality.judge]\njudge = \"good\"\n[metrics]\nquality = { scorer = \"quality\", estimate = \"mean\" }\n");
    project.ok(&["run"]);
    project.ok(&["baseline", "bless", "latest"]);
    project.ok(&["label", "export", "latest", "--for", "good", "-n", "60", "--sheet", "sheet.csv"]);
    let mut lines = String::new();
    for (at, text) in answers().iter().enumerate() {
        for rater in ["ann", "bob"] {
            let label = if is_right(text) { 3 } else { at % 2 };
            writeln!(
                lines,
                "{}",
                json!({"id": format!("e{at:02}#1"), "rater": rater, "kind": "human", "label": label})
            )
            .unwrap();
        }
    }
    project.write("judges/good/labels/all.jsonl", &lines);
    project.ok(&["calibrate", "good", "--as-of", "2026-11-22"]);
    project.run(&["check", "--as-of", "2026-11-22"]);
    let verdict = project.json(0, &["report", "latest"]);
    let means = &verdict["judges"][0]["predicted"];
    // People: (40·3 + 10·1 + 10·0)/60; the judge a third of a point more.
    let mean = means["head"]["ppi"]["estimate"].as_f64().unwrap();
    assert!((mean - 130.0 / 60.0).abs() < 0.02, "{means}");
    assert!((means["head"]["raw"].as_f64().unwrap() - 150.0 / 60.0).abs() < 1e-5, "{means}");
    assert_eq!(means["is_rate"], false);
    let said = project.ok(&["report", "latest", "-f", "md"]);
    assert!(said.contains("| quality | head | 2.500 | – | 2.16"), "{said}");
    validates(&verdict);
}

/// Holds a verdict against the published schema.
fn validates(verdict: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/verdict.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(verdict).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
