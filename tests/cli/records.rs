//! The path pin → run → bless → check, with every kind of candidate and scorer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::Digest;

use crate::harness::{AS_OF, Harness, testdata};

/// Forty orders: how many items, which desk, and a word that a polite answer has.
pub fn orders() -> String {
    (0..40)
        .map(|i| {
            let desk = ["books", "toys"][i % 2];
            let line = json!({
                "id": format!("o{i:02}"),
                "input": {"text": format!("order {i} for {desk}"), "count": i},
                "expected": {"desk": desk, "count": i, "must_contain": ["thanks", desk]},
                "labels": {"desk": desk, "size": if i < 20 { "small" } else { "large" }},
            });
            format!("{line}\n")
        })
        .collect()
}

/// What a candidate answers that is right about everything but the listed orders.
fn answer(i: usize, wrong: &[usize]) -> Value {
    let desk = if wrong.contains(&i) { "garden" } else { ["books", "toys"][i % 2] };
    json!({"desk": desk, "count": format!("{i}.0"), "say": format!("thanks, the {desk} desk has it")})
}

fn recording(wrong: &[usize]) -> String {
    let line = |i: usize| format!("{}\n", json!({"id": format!("o{i:02}"), "said": answer(i, wrong).to_string()}));
    (0..40).map(line).collect()
}

pub const SCORERS: &str = r#"
[scorers.desk.label]
answer   = "/desk"
expected = "/desk"
labels   = ["books", "toys", "garden"]

[scorers.same.exact]
answer   = "/desk"
expected = "/desk"

[scorers.count.numeric]
answer   = "/count"
expected = "/count"

[scorers.polite.contains]
answer = "/say"
all    = { expected = "/must_contain" }
"#;

const CANDIDATES: &str = r#"
evalset   = "orders"
candidate = "recorded"

[candidates.recorded.replay]
file   = "recorded.jsonl"
answer = "said"

[candidates.worse.replay]
file   = "worse.jsonl"
answer = "said"

[candidates.program.command]
argv   = ["sh", "answer.sh"]
answer = "/answer"

[candidates.rules.keyword]
rules = "rules.toml"
"#;

/// Reads the document `{"id":"o07","trial":0,"input":{"text":…,"count":7}}` and answers with plain tools.
const PROGRAM: &str = r#"read -r line
count=${line##*\"count\":}; count=${count%%\}*}
desk=books; [ $((count % 2)) = 1 ] && desk=toys
printf '{"answer": {"desk": "%s", "count": %s, "say": "thanks from %s"}, "more": 1}\n' $desk $count $desk
"#;

const RULES: &str = r#"
[default]
desk = "books"
say  = "thanks, books"

[[rule]]
any    = ["toys"]
answer = { desk = "toys", say = "the toys desk" }
"#;

/// The orders with four candidates and four scorers.
pub fn project() -> Harness {
    Harness::new()
        .config(format!("{CANDIDATES}{SCORERS}"))
        .file("recorded.jsonl", recording(&[3]))
        .file("worse.jsonl", recording(&[3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23]))
        .file("answer.sh", PROGRAM)
        .file("rules.toml", RULES)
        .evalset("orders", &orders())
}

/// How many scores passed, by metric.
fn passed(record: &Value) -> BTreeMap<&str, u64> {
    let metrics = record["metrics"].as_array().unwrap().iter();
    metrics.map(|metric| (metric["metric"].as_str().unwrap(), metric["passed"].as_u64().unwrap())).collect()
}

#[test]
fn every_candidate_is_scored_by_every_scorer() {
    let project = project();
    for (candidate, desk, count, polite) in
        [("recorded", 39, 40, 39), ("worse", 29, 40, 29), ("program", 40, 40, 40), ("rules", 40, 0, 20)]
    {
        let record = project.record(&["--candidate", candidate]);
        let expected = BTreeMap::from([("desk", desk), ("same", desk), ("count", count), ("polite", polite)]);
        assert_eq!(passed(&record), expected, "{candidate}");
        assert_eq!((&record["examples"], &record["failed"]), (&json!(40), &json!(0)), "{candidate}");
    }
}

#[test]
fn bless_then_check_passes_and_a_worse_candidate_fails() {
    let project = project();
    let check = |more: &[&str]| project.run(&[&["check", "--format", "json", "--as-of", AS_OF], more].concat());
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let shown = project.run(&["baseline", "show", "--format", "json"]).exit(0).json();
    assert_eq!(shown["path"], "reports/baseline/orders/recorded");

    let same = check(&[]).exit(0).names(&[]).json();
    assert!(same["cells"].as_array().unwrap().iter().all(|cell| cell["state"] == "same"), "{same}");

    let worse = check(&["--candidate", "worse", "--base", "recorded", "--margin", "0.05"]).exit(1);
    let worse = worse.names(&["overall", "desk=toys", "size=small"]).json();
    assert_eq!(worse["baseline"]["candidate"], "recorded");
    assert_eq!(worse["head"]["candidate"], "worse");
    let broken: Vec<_> = worse["flips"]["pass_to_fail"].as_array().unwrap().iter().map(|flip| &flip["id"]).collect();
    assert!(broken.contains(&&json!("o05")) && !broken.contains(&&json!("o03")), "{broken:?}");

    // The same words are on disk.
    let folder = worse["head"]["source"].as_str().unwrap();
    let on_disk: Value = serde_json::from_str(&project.read(&format!("{folder}/verdict.json"))).unwrap();
    assert_eq!(on_disk, worse);
    let report = project.read(&format!("{folder}/report.md"));
    assert!(report.contains("FAIL") && report.contains("desk=toys") && report.contains("o05"), "{report}");

    // And `gate` says the same of the two records.
    let gate = ["gate", "reports/baseline/orders/recorded", folder, "--margin", "0.05", "--format", "json"];
    let gate = project.run(&[&gate[..], &["--as-of", AS_OF]].concat()).exit(1).json();
    // But for how often the set was looked at, which only a check counts.
    let mut decided = worse.clone();
    assert_eq!(decided.as_object_mut().unwrap().remove("looks"), Some(json!(1)));
    assert_eq!(gate, decided);
}

#[test]
fn the_digest_of_a_record_does_not_depend_on_how_it_was_made() {
    let project = project();
    let one = project.record(&["--candidate", "program", "--concurrency", "1"]);
    let many = project.record(&["--candidate", "program", "--concurrency", "16"]);
    assert_eq!(one["record_sha256"], many["record_sha256"]);
    assert_ne!(one["run_id"], many["run_id"]);
    assert_ne!(one["record_sha256"], project.record(&["--candidate", "program", "--seed", "8"])["record_sha256"]);
    assert_ne!(one["record_sha256"], project.record(&["--candidate", "recorded"])["record_sha256"]);
}

#[test]
fn the_rows_of_a_baseline_have_the_digest_of_its_record() {
    let project = project();
    let record = project.record(&[]);
    project.run(&["baseline", "bless", record["run_id"].as_str().unwrap()]).exit(0);
    let rows = project.read("reports/baseline/orders/recorded/rows.jsonl");
    let digest: String = sha2::Sha256::digest(&rows).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(record["record_sha256"], digest);
    // One line for what was asked, then one an answer and one a score.
    assert_eq!(rows.lines().count(), 1 + 40 * (1 + 4));

    // A changed row is found.
    let changed = rows.replacen("\"passed\":false", "\"passed\":true", 1);
    assert_ne!(rows, changed);
    project.write("reports/baseline/orders/recorded/rows.jsonl", changed);
    project.run(&["check"]).exit(2).stderr_has("somebody changed one of them");
}

#[test]
fn some_examples_only() {
    let project = project();
    let count = |more: &[&str]| project.record(more)["examples"].as_u64().unwrap();
    assert_eq!(count(&["--limit", "7"]), 7);
    assert_eq!(count(&["--filter", "desk=toys"]), 20);
    assert_eq!(count(&["--filter", "desk=toys", "--filter", "size=large"]), 10);
    assert_eq!(count(&["--filter", "size=small", "--limit", "5"]), 5);
    assert_eq!(count(&["--id", "o03", "--id", "o39"]), 2);
    project.run(&["run", "--id", "o99"]).exit(2).stderr_has("no example `o99`");
    project.run(&["run", "--filter", "desk=garden"]).exit(2).stderr_has("leaves no example");
}

#[test]
fn part_of_a_set_is_not_taken_for_all_of_it() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.run(&["check", "--limit", "30"]).exit(5).stdout_has("the head lacks 10 of the baseline's 40 examples");
}

#[test]
fn trials_are_runs_of_the_whole_set() {
    // The third trial of every order says nothing.
    let lines = |trial: usize| {
        (0..40).map(move |i| {
            let said = if trial == 2 { Value::Null } else { json!(answer(i, &[]).to_string()) };
            format!("{}\n", json!({"id": format!("o{i:02}"), "trial": trial, "said": said}))
        })
    };
    let project = project().file("recorded.jsonl", (0..3).flat_map(lines).collect::<String>());
    let config =
        project.read("evalgauge.toml").replacen("answer = \"said\"", "answer = \"said\"\ntrial = \"trial\"", 1);
    let project = project.config(config);
    let two = project.record(&["--trials", "2"]);
    assert_eq!((&two["trials"], &two["failed"], passed(&two)["desk"]), (&json!(2), &json!(0), 80));
    let three = project.record(&["--trials", "3"]);
    assert_eq!((&three["trials"], &three["failed"], passed(&three)["desk"]), (&json!(3), &json!(40), 80));
    // An answer that is not there is a failure, not a gap.
    let desk = &three["metrics"].as_array().unwrap().iter().find(|metric| metric["metric"] == "desk").unwrap();
    assert_eq!((&desk["scored"], &desk["unscored"]), (&json!(120), &json!(0)));
}

#[test]
fn a_pin_is_kept_and_verified() {
    let project = project();
    project.run(&["evalset", "verify"]).exit(0).stdout_has("orders@v1: 40 examples");
    let shown = project.run(&["evalset", "show", "--format", "json"]).exit(0).json();
    assert_eq!(shown["labels"]["desk"], json!({"books": 20, "toys": 20}));
    let file = format!("evalsets/orders/{}", shown["version"]["file"].as_str().unwrap());
    assert!(file.starts_with("evalsets/orders/v1_2026-11-21_"), "{file}");
    assert_eq!(project.read(&file), orders());

    // A second version becomes the current one; the first can still be named.
    project.write("more.jsonl", format!("{}{{\"id\": \"o40\", \"input\": \"x\"}}\n", orders()));
    project.run(&["evalset", "pin", "orders", "--from", "more.jsonl", "--tag", "v2", "--as-of", AS_OF]).exit(0);
    project.run(&["evalset", "show", "orders"]).exit(0).stdout_has("orders@v2 of 2026-11-21: 41 examples (40 with");
    project.run(&["evalset", "show", "orders@v1"]).exit(0).stdout_has("orders@v1 of 2026-11-21: 40 examples");
    project
        .run(&["evalset", "pin", "orders", "--from", "more.jsonl", "--tag", "v1"])
        .exit(2)
        .stderr_has("choose another");
}

#[test]
fn settings_print_back_what_they_are() {
    let project = project();
    let printed = project.run(&["config", "show"]).exit(0).stdout;
    let again = Harness::new().config(&printed).run(&["config", "show"]).exit(0).stdout;
    assert_eq!(printed, again);
    let ok = project.run(&["config", "check"]).exit(0);
    ok.stdout_has("ok: eval set orders@v1, candidates program, recorded, rules, worse, 40 answers a run");
}

#[test]
fn the_latest_run_is_the_one_started_last() {
    let project = project();
    for candidate in ["worse", "program", "recorded", "rules", "recorded"] {
        let record = project.record(&["--candidate", candidate, "--limit", "1"]);
        let shown = project.run(&["baseline", "bless", "latest", "--format", "json"]).exit(0).json();
        assert_eq!(shown["manifest"]["made"]["run_id"], record["run_id"]);
    }
}

#[test]
fn the_answers_to_grade_school_problems() {
    let Some(folder) = testdata("gsm8k-solutions", "pin and replay of gsm8k") else { return };
    let models =
        [("6b_finetuning", 286), ("6b_verification", 515), ("175b_finetuning", 458), ("175b_verification", 742)];
    let candidates: String = models
        .iter()
        .map(|(model, _)| {
            let file = folder.join(format!("run_{model}.jsonl"));
            format!("[candidates.{model}.replay]\nfile = {:?}\n", file.display().to_string())
        })
        .collect();
    let project = Harness::new().config(format!("evalset = \"gsm8k\"\n{candidates}[scorers.right.numeric]\n"));
    let items = folder.join("items.jsonl");
    let fields = ["--input-field", "question", "--expected-field", "target", "--label-field", "steps_slice"];
    let pin = ["evalset", "pin", "gsm8k", "--from", items.to_str().unwrap(), "--tag", "v1", "--as-of", AS_OF];
    project.run(&[&pin[..], &fields].concat()).exit(0).stdout_has("1319 examples");
    let mut runs = BTreeMap::new();
    for (model, right) in models {
        let record = project.record(&["--candidate", model]);
        assert_eq!(passed(&record), BTreeMap::from([("right", right)]), "{model}");
        assert_eq!(record["examples"], 1319);
        runs.insert(model, record["run_id"].as_str().unwrap().to_owned());
    }
    // The gate says of the records what it says of the table of right and wrong.
    let gate = ["gate", &runs["6b_verification"], &runs["175b_finetuning"], "--format", "json", "--as-of", AS_OF];
    let verdict = project.run(&gate).exit(1).names(&["overall", "steps_slice=2"]).json();
    assert_eq!(verdict["cells"][0]["delta"], json!(-0.043_214_6));
}
