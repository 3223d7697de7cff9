//! A run in parts: the parts together are the whole, byte for byte, and no part passes for it.

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness};

const EXAMPLES: usize = 40;

fn examples(count: usize) -> String {
    let line = |i: usize| {
        let labels = json!({"tier": (i % 3).to_string()});
        format!("{}\n", json!({"id": format!("é{i}"), "input": format!("say {i}"), "expected": "ok", "labels": labels}))
    };
    (0..count).map(line).collect()
}

const CONFIG: &str = r#"
evalset   = "set"
candidate = "rules"
trials    = 2

[candidates.rules.keyword]
rules = "rules.toml"

[scorers.right.exact]
"#;

/// Rules that are right about every example but one, and slow nobody down.
const RULES: &str = "default = \"ok\"\n[[rule]]\nany = [\"say 7\"]\nanswer = \"no\"\n";

fn project() -> Harness {
    Harness::new().config(CONFIG).file("rules.toml", RULES).evalset("set", &examples(EXAMPLES))
}

fn shards(project: &Harness, count: usize, arguments: &[&str]) -> Vec<String> {
    let one = |index: usize| {
        let shard = format!("{index}/{count}");
        let made = project.record(&[&["--shard", shard.as_str()], arguments].concat());
        made["path"].as_str().unwrap().to_owned()
    };
    (1..=count).map(one).collect()
}

fn merged(project: &Harness, shards: &[String]) -> Value {
    let names: Vec<&str> = shards.iter().map(String::as_str).collect();
    project.run(&[&["merge", "--format", "json"], &names[..]].concat()).exit(0).json()
}

fn rows(project: &Harness, run: &str) -> String {
    project.run(&["baseline", "bless", run, "--as-of", AS_OF]).exit(0);
    project.read("reports/baseline/set/rules/rows.jsonl")
}

#[test]
fn shards_merge_to_the_bytes_of_an_unsharded_run() {
    let project = project();
    let whole = project.record(&[]);
    let expected = rows(&project, whole["run_id"].as_str().unwrap());
    for count in [1, 3, 16] {
        let mut parts = shards(&project, count, &["--concurrency", "3"]);
        // In any order.
        parts.reverse();
        let made = merged(&project, &parts);
        assert_eq!(made["record_sha256"], whole["record_sha256"], "{count} shards");
        assert_eq!(made["metrics"], whole["metrics"], "{count} shards");
        assert_eq!(rows(&project, made["run_id"].as_str().unwrap()), expected, "{count} shards");
        let manifest: Value =
            serde_json::from_str(&project.read(&format!("{}/manifest.json", made["path"].as_str().unwrap()))).unwrap();
        assert_eq!(manifest["made"]["merged_from"].as_array().unwrap().len(), count);
        assert_eq!(manifest["made"]["state"], "complete");
    }
}

#[test]
fn shards_of_a_selection_merge_to_that_selection() {
    let project = project();
    let selection = ["--filter", "tier=1", "--limit", "9"];
    let whole = project.record(&selection);
    let made = merged(&project, &shards(&project, 4, &selection));
    assert_eq!(made["record_sha256"], whole["record_sha256"]);
    assert_eq!(made["examples"], 9);
}

#[test]
fn shards_are_balanced_and_deterministic() {
    let project = project();
    for _ in 0..2 {
        let sizes: Vec<u64> = (1..=3)
            .map(|index| project.record(&["--shard", &format!("{index}/3")])["examples"].as_u64().unwrap())
            .collect();
        assert_eq!(sizes, [14, 13, 13]);
    }
    let sha = |_| project.record(&["--shard", "2/3"])["record_sha256"].clone();
    let [one, other] = [0, 1].map(sha);
    assert_eq!(one, other);
}

#[test]
fn a_shard_alone_is_no_record_to_decide_about() {
    let project = project();
    project.run(&["run"]).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    // One shard of one is all the examples, and still only a part.
    for shard in ["1/3", "1/1"] {
        let made = project.record(&["--shard", shard]);
        let run = made["run_id"].as_str().unwrap();
        project.run(&["gate", "baseline", run, "--coverage", "0.1"]).exit(5).stdout_has("is not whole");
        project.run(&["gate", run, "reports/baseline/set/rules", "--coverage", "0.1"]).exit(5);
        project.run(&["gate", run, run]).exit(5);
        project.run(&["baseline", "bless", run]).exit(5).stderr_has("merge its shards");
        project.run(&["baseline", "bless", run, "--force"]).exit(5);
        project.run(&["noise", run]).exit(5).stderr_has("is not whole");
    }
    project.run(&["check", "--shard", "1/3"]).exit(2).stderr_has("`check` decides about a whole run");
    project.run(&["run", "--shard", "1/3"]).exit(0).stdout_has("shard 1 of 3, 40 examples in all");
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let project = project();
    let parts = shards(&project, 3, &[]);
    let [one, two, three] = [&parts[0], &parts[1], &parts[2]].map(String::as_str);

    project.run(&["merge", one, three]).exit(5).stderr_has("missing 2/3");
    project
        .run(&["merge", one, two, two, three])
        .exit(4)
        .stderr_has(&format!("shard 2/3 is there twice: {two} and {two}"));
    let whole = project.record(&[]);
    let whole = whole["path"].as_str().unwrap();
    project.run(&["merge", one, two, three, whole]).exit(4).stderr_has(&format!("{whole} is a whole record"));
    project.run(&["merge", one, "no-such-run"]).exit(2).stderr_has("no-such-run");
    project.run(&["merge"]).exit(2);

    let foreign = |arguments: &[&str], what: &str| {
        let made = project.record(&[&["--shard", "3/3"], arguments].concat());
        let path = made["path"].as_str().unwrap().to_owned();
        let said = project.run(&["merge", one, two, &path]).exit(4);
        said.stderr_has(what).stderr_has(one).stderr_has(&path);
    };
    foreign(&["--seed", "8"], "the seeds are 7 and 8");
    foreign(&["--trials", "1"], "they have 2 and 1 trials");
    foreign(&["--limit", "9"], "other examples were chosen");
    let other = project.record(&["--shard", "3/4"]);
    project
        .run(&["merge", one, two, other["path"].as_str().unwrap()])
        .exit(4)
        .stderr_has("one is of 3 shards, the other of 4");

    project.write("rules.toml", RULES.replace("say 7", "say 8"));
    foreign(&[], "the candidate `rules` is not the same in both");
    project.write("rules.toml", RULES);
    project
        .write("evalgauge.toml", CONFIG.replace("[scorers.right.exact]", "[scorers.right.exact]\nignore_case = true"));
    foreign(&[], "the scorers differ");
    project.write("evalgauge.toml", CONFIG);
    project.write("more.jsonl", examples(EXAMPLES + 1));
    project.run(&["evalset", "pin", "set", "--from", "more.jsonl", "--tag", "v2", "--as-of", AS_OF]).exit(0);
    foreign(&[], "the pins are set@v1 and set@v2");
}

#[test]
fn a_refused_merge_leaves_no_run_behind() {
    let project = project();
    let parts = shards(&project, 2, &[]);
    let runs = || std::fs::read_dir(project.path("reports")).unwrap().count();
    let before = runs();
    project.run(&["merge", &parts[0]]).exit(5);
    assert_eq!(runs(), before);
}

#[test]
fn shard_numbers_are_checked() {
    let project = project();
    for shard in ["0/3", "4/3", "1/0", "1", "a/b"] {
        project.run(&["run", "--shard", shard]).exit(2).stderr_has("like 3/16");
    }
    project.run(&["run", "--shard", "41/41"]).exit(2).stderr_has("shard 41/41 is empty: there are 40 examples");
}

#[test]
fn a_changed_shard_is_noticed() {
    let project = project();
    let parts = shards(&project, 2, &[]);
    let manifest = format!("{}/manifest.json", parts[1]);
    let forged = project.read(&manifest).replacen("\"index\": 2", "\"index\": 1", 1);
    project.write(&manifest, forged);
    project.run(&["merge", &parts[0], &parts[1]]).exit(2).stderr_has("the rows have the digest");
}

#[test]
fn a_shard_is_resumed_as_that_shard() {
    let project = project();
    let made = project.record(&["--shard", "1/2"]);
    let run = made["run_id"].as_str().unwrap();
    project.run(&["run", "--resume", run, "--retry-errors", "--shard", "2/2"]).exit(2).stderr_has("another shard");
    project.run(&["run", "--resume", run, "--retry-errors"]).exit(2).stderr_has("another shard");
}
