//! The life of a baseline: blessed with reasons, shown, aged, carried to a new pin; noise floor and history.

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness};

const CONFIG: &str = r#"
evalset   = "sums"
candidate = "calc"

[candidates.calc.replay]
file   = "calc.jsonl"
answer = "said"

[candidates.flaky.replay]
file   = "flaky.jsonl"
answer = "said"
trial  = "trial"

[scorers.right.exact]
expected = ""
"#;

fn examples(count: usize) -> String {
    let line =
        |i: usize| json!({"id": format!("s{i:02}"), "input": format!("{i} + 1"), "expected": (i + 1).to_string()});
    (0..count).map(|i| format!("{}\n", line(i))).collect()
}

/// What a candidate answers, wrong where it says so, in each of some trials.
fn recording(trials: u32, wrong: impl Fn(usize, u32) -> bool) -> String {
    let line = |i: usize, trial: u32| {
        let said = if wrong(i, trial) { "?".to_owned() } else { (i + 1).to_string() };
        format!("{}\n", json!({"id": format!("s{i:02}"), "trial": trial, "said": said}))
    };
    (0..60).flat_map(|i| (0..trials).map(move |trial| (i, trial))).map(|(i, trial)| line(i, trial)).collect()
}

fn project() -> Harness {
    Harness::new()
        .config(CONFIG)
        .file("calc.jsonl", recording(1, |i, _| i % 10 == 0))
        .file("flaky.jsonl", recording(3, |i, trial| (i + trial as usize).is_multiple_of(3)))
        .evalset("sums", &examples(40))
}

fn check(project: &Harness) -> Value {
    project.run(&["check", "--format", "json", "--as-of", AS_OF]).json()
}

#[test]
fn who_and_why_is_kept_with_the_baseline() {
    let project = project();
    project.record(&[]);
    let why = ["baseline", "bless", "latest", "--why", "the first", "--by", "Ada", "--as-of", AS_OF];
    project.run(&why).exit(0).stdout_has("blessed on 2026-11-21 by Ada: the first");
    project.run(&["baseline", "show"]).exit(0).stdout_has("by Ada: the first");
    let kept: Value = serde_json::from_str(&project.read("reports/baseline/sums/calc/blessing.json")).unwrap();
    let record: Value = serde_json::from_str(&project.read("reports/baseline/sums/calc/manifest.json")).unwrap();
    assert_eq!((kept["why"].as_str(), &kept["record_sha256"]), (Some("the first"), &record["record_sha256"]));
    // Latencies are beside the rows, which keep their digest.
    assert!(project.read("reports/baseline/sums/calc/measures.jsonl").contains("\"latency_ms\""));
}

#[test]
fn a_failed_check_is_no_baseline_unless_told() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.write("calc.jsonl", recording(1, |i, _| i % 2 == 0));
    assert_eq!(check(&project)["decision"], "fail");
    project
        .run(&["baseline", "bless", "latest"])
        .exit(2)
        .stderr_has("the check of this run says `fail`")
        .stderr_has("--force");
    project.run(&["baseline", "bless", "latest", "--force", "--why", "new scope"]).exit(0);
}

#[test]
fn an_old_baseline_and_another_policy_are_warnings() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest", "--as-of", "2026-11-01"]).exit(0);
    assert_eq!(check(&project)["warnings"], json!([]));
    let late = project.run(&["check", "--format", "json", "--as-of", "2026-12-25"]).json();
    assert!(late["warnings"].to_string().contains("54 days old"), "{}", late["warnings"]);
    project.run(&["baseline", "age", "--as-of", "2026-11-20"]).exit(0).stdout_has("19 days old\n");
    let aged = project.run(&["baseline", "age", "--days", "7", "--as-of", "2026-11-20", "--format", "json"]).json();
    assert_eq!((&aged["days"], &aged["stale"]), (&json!(19), &json!(true)));

    project.write("evalgauge.toml", format!("{CONFIG}\n[gate]\nalpha = 0.04\n"));
    let changed = check(&project);
    assert!(changed["warnings"].to_string().contains("the policy is not the one"), "{}", changed["warnings"]);
    assert_eq!(changed["policy_sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn every_check_is_a_look_and_the_best_of_many_is_lucky() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    for (look, wrong) in [(0, 5), (1, 7), (2, 40)] {
        project.write("calc.jsonl", recording(1, |i, _| i % wrong == 1));
        let verdict = check(&project);
        assert_eq!(verdict["looks"], look);
    }
    assert_eq!(project.read("reports/history.jsonl").lines().count(), 3);
    let blessed = project.run(&["baseline", "bless", "latest"]).exit(0);
    assert!(blessed.stderr.contains("blessed because it scored best is lucky"), "{}", blessed.stderr);
    // The worst of them is nobody's luck.
    let worst = project.read("reports/history.jsonl").lines().next().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["run"].as_str().unwrap().to_owned()
    });
    let blessed = project.run(&["baseline", "bless", &worst.unwrap(), "--force"]).exit(0);
    assert!(!blessed.stderr.contains("lucky"), "{}", blessed.stderr);

    let broken = format!("{}not a line\n", project.read("reports/history.jsonl"));
    project.write("reports/history.jsonl", broken);
    project.run(&["check"]).exit(2).stderr_has("history.jsonl:4");
}

#[test]
fn a_baseline_is_carried_to_a_new_pin() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.run(&["baseline", "rebase"]).exit(2).stderr_has("already");
    project.write("more.jsonl", examples(60));
    project.run(&["evalset", "pin", "sums", "--from", "more.jsonl", "--tag", "v2"]).exit(0);
    project.run(&["check"]).exit(4).stderr_has("eval set");
    project.run(&["baseline", "rebase"]).exit(0).stdout_has("rebased calc on sums@v2 (60 examples");
    project.run(&["baseline", "show", "--format", "json"]).exit(0).stdout_has("\"rebased_from\": \"sums@v1\"");
    project.run(&["check"]).exit(0);

    // Another candidate under the old name is no bridge.
    project.write("most.jsonl", examples(50));
    project.run(&["evalset", "pin", "sums", "--from", "most.jsonl", "--tag", "v3"]).exit(0);
    project.write("evalgauge.toml", CONFIG.replacen("calc.jsonl", "flaky.jsonl", 1));
    project.run(&["baseline", "rebase"]).exit(4).stderr_has("not what it was");
}

#[test]
fn the_noise_floor_stands_beside_every_delta() {
    let project = project();
    let flaky = ["run", "--candidate", "flaky", "--trials", "3"];
    project.run(&flaky).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let noise = project.run(&["noise", "latest", "--format", "json"]).exit(0).json();
    assert_eq!(noise["runs"], 3);
    let overall = &noise["cells"][0];
    assert_eq!((overall["slice"].as_str(), overall["n"].as_u64()), (Some("overall"), Some(40)));
    assert!(overall["floor"].as_f64().unwrap() > 0.0);
    let check = ["check", "--candidate", "flaky", "--trials", "3", "--format", "json"];
    let verdict = project.run(&check).json();
    assert_eq!(verdict["cells"][0]["noise_floor"], overall["floor"]);
    let narrow = project.run(&[&check[..], &["--margin", "0.0001"]].concat()).json();
    assert!(narrow["warnings"].to_string().contains("below the noise floor"), "{}", narrow["warnings"]);

    // Asked to, it runs the candidate itself.
    project.run(&["noise", "--candidate", "flaky"]).exit(0).stdout_has("3 runs of one candidate");
    // One trial of one run, and a run beside itself, say nothing.
    project.run(&["run"]).exit(0);
    project.run(&["noise", "latest"]).exit(2).stderr_has("one run says nothing");
    project.run(&["noise", "latest", "latest"]).exit(2).stderr_has("named twice");
    // Another candidate is no noise.
    let first = std::fs::read_dir(project.path("reports")).unwrap().map(|entry| entry.unwrap().file_name());
    let first = first.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with("-flaky")).min().unwrap();
    project.run(&["noise", &first, "latest"]).exit(4).stderr_has("another candidate");
}
