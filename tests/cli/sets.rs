//! Work on eval sets: what they hold, what changed, samples, additions, tables as sources, scoring again, and files that are
//! too large or not what they say.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness};

/// Lines with ids `e000` …, labels with a rare one, and inputs without a common run of five words.
fn lines(count: usize) -> String {
    let line = |n: usize| {
        let words: Vec<String> = (0..30).map(|word| format!("w{}", n * 100 + word)).collect();
        let kind = ["a", "a", "a", "b", "c"][n % 5];
        let rare = if n % 20 == 7 { ", \"safety\": \"injection\"" } else { "" };
        format!(
            "{{\"id\": \"e{n:03}\", \"input\": \"{}\", \"expected\": \"{n}\", \"labels\": {{\"kind\": \"{kind}\"{rare}}}, \
             \"provenance\": \"made\", \"annotated_at\": \"2026-11-{:02}\"}}\n",
            words.join(" "),
            1 + n % 20
        )
    };
    (0..count).map(line).collect()
}

/// Adds a line to a file of the project.
fn append(project: &Harness, name: &str, line: &Value) {
    let text = project.read(name);
    project.write(name, format!("{text}{line}\n"));
}

fn pinned_file(project: &Harness, set: &str, tag: &str) -> String {
    let shown = project.run(&["evalset", "show", &format!("{set}@{tag}"), "--format", "json"]).exit(0).json();
    format!("evalsets/{set}/{}", shown["version"]["file"].as_str().unwrap())
}

#[test]
fn show_says_what_a_set_holds_and_what_it_lacks() {
    let project = Harness::new()
        .config("evalset = \"s\"\n[slices]\ncrossings = [[\"kind\", \"safety\"], [\"kind\", \"length\"]]\n")
        .evalset("s", &lines(100));
    project.write("more.jsonl", project.read("s.jsonl"));
    let first: Value = serde_json::from_str(project.read("s.jsonl").lines().next().unwrap()).unwrap();
    let text = first["input"].as_str().unwrap();
    append(&project, "more.jsonl", &json!({"id": "copy", "input": text, "provenance": {"source": "a log", "day": 3}}));
    let near = text.replace("w29", "other");
    append(&project, "more.jsonl", &json!({"id": "near", "input": near, "annotated_at": "last week"}));
    append(&project, "more.jsonl", &json!({"id": "short", "input": "x", "labels": {"kind": ["a", "b"]}}));
    project.run(&["evalset", "pin", "s", "--from", "more.jsonl", "--tag", "v2", "--as-of", AS_OF]).exit(0);
    let description = project.read("evalsets/s/evalset.toml");
    let quotas = "\n[quotas]\n\"safety=injection\" = 0.05\n\"kind=c\" = 21\n\"kind=a,safety=injection\" = 1\n\"length=0-99\" = 1\n\n[[version]]";
    project.write("evalsets/s/evalset.toml", description.replacen("[[version]]", quotas.trim_start(), 1));
    let sha = project.run(&["evalset", "show", "--format", "json"]).exit(0).json()["version"]["sha256"].clone();
    let look = |candidate: &str, at: &str, sha: &Value| {
        json!({"at": at, "evalset": "s@v2", "dataset_sha256": sha, "candidate": candidate, "run": "r", "record_sha256": at,
               "baseline_sha256": "b", "decision": "pass", "metrics": {}})
    };
    let history = [look("a", "1", &sha), look("a", "2", &sha), look("b", "2", &sha), look("b", "3", &json!("other"))];
    project.write("reports/history.jsonl", history.map(|line| format!("{line}\n")).concat());

    let shown = project.run(&["evalset", "show", "--format", "json", "--as-of", "2026-12-01"]).exit(0).json();
    assert_eq!(shown["labels"], json!({"kind": {"a": 61, "b": 21, "c": 20}, "safety": {"injection": 5}}));
    assert_eq!(shown["labels_missing"], json!({"kind": 2, "safety": 98}));
    assert_eq!((&shown["unlabelled"], &shown["with_expected"]), (&json!(2), &json!(100)));
    assert_eq!(shown["length"]["0-99"], 1);
    assert_eq!(shown["length"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>(), 103);
    // n % 20 == 7 is n % 5 == 2: every rare one is of kind a.
    assert_eq!(shown["crossings"]["kind=a,safety=injection"], 5);
    assert_eq!(shown["crossings"]["kind=b,length=0-99"], 1);
    let quotas = shown["quotas"].as_array().unwrap();
    let quota = |slice: &str| quotas.iter().find(|quota| quota["slice"] == slice).unwrap();
    // 5 % of 103 are six.
    assert_eq!(quota("safety=injection")["wanted"], 6);
    assert_eq!((&quota("safety=injection")["met"], &quota("kind=c")["met"]), (&json!(false), &json!(false)));
    assert_eq!((&quota("kind=a,safety=injection")["met"], &quota("length=0-99")["found"]), (&json!(true), &json!(1)));
    assert_eq!(shown["provenance"], json!({"made": 100, "a log": 1}));
    assert_eq!(shown["without_provenance"], 2);
    let annotated = &shown["annotated"];
    assert_eq!((&annotated["oldest"], &annotated["newest"]), (&json!("2026-11-01"), &json!("2026-11-20")));
    assert_eq!(
        (&annotated["median_days"], &annotated["without"], &annotated["unreadable"]),
        (&json!(21), &json!(2), &json!(1))
    );
    assert_eq!(shown["duplicates"]["named"], json!([{"first": "e000", "second": "copy", "share": 1.0}]));
    // 26 runs of five words each, of which the last differs: 25 of 27.
    assert_eq!(shown["near_duplicates"]["named"], json!([{"first": "e000", "second": "near", "share": 0.9259}]));
    assert_eq!(shown["near_duplicates"]["at_least"], false);
    assert_eq!(shown["looks"], json!({"checks": 3, "candidates": 2, "records": 2, "last": "2"}));

    project
        .run(&["evalset", "show", "--near", "0.95"])
        .exit(0)
        .stdout_has("quota          kind=c: 20 of 21 NOT MET")
        .stdout_has("e000 and copy, 1.00")
        .stdout_has("no pairs that share 0.95")
        .stdout_has("looked at      3 checks of 2 candidates");
    // The quotas stay when another version is pinned.
    project.run(&["evalset", "pin", "s", "--from", "s.jsonl", "--tag", "v3", "--as-of", AS_OF]).exit(0);
    let after = project.read("evalsets/s/evalset.toml");
    assert!(after.contains("\"kind=c\" = 21\n") && after.contains("\"safety=injection\" = 0.05\n"), "{after}");
    for wrong in ["\"kind\" = 3", "\"kind=a\" = 1.5", "\"kind=a\" = \"many\""] {
        project.write("evalsets/s/evalset.toml", after.replacen("[quotas]", &format!("[quotas]\n{wrong}"), 1));
        project.run(&["evalset", "show"]).exit(2).stderr_has("evalset.toml");
    }
}

const RULES: &str =
    "evalset = \"s\"\ncandidate = \"app\"\n[candidates.app.replay]\nfile = \"answers.jsonl\"\n[scorers.right.exact]\n";

/// A project whose candidate is wrong about every tenth example and has no answer to `e003`.
fn with_answers(count: usize) -> Harness {
    let mut answers = String::new();
    for n in (0..count).filter(|n| *n != 3) {
        let answer = if n % 10 == 0 { "wrong".to_owned() } else { n.to_string() };
        writeln!(answers, "{}", json!({"id": format!("e{n:03}"), "answer": answer})).unwrap();
    }
    Harness::new().config(RULES).file("answers.jsonl", answers).evalset("s", &lines(count))
}

#[test]
fn diff_names_what_changed_by_field_and_which_baselines_still_fit() {
    let project = with_answers(40);
    project.run(&["run", "--no-progress"]).exit(0);
    project.run(&["baseline", "bless", "latest", "--as-of", AS_OF]).exit(0);
    let mut after: Vec<Value> =
        project.read("s.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    after.remove(5);
    after[0]["expected"] = json!("zero");
    after[1]["labels"]["kind"] = json!("z");
    after[1]["note"] = json!("new");
    // The order of lines and of fields is no change.
    let Value::Object(first) = after[2].clone() else { panic!() };
    after[2] = first.into_iter().rev().collect();
    after.reverse();
    after.push(json!({"id": "new", "input": "a new one"}));
    project.write("next.jsonl", after.iter().map(|line| format!("{line}\n")).collect::<String>());

    let file = project.run(&["evalset", "diff", "s", "v1", "next.jsonl", "--format", "json"]).exit(0).json();
    assert_eq!((&file["added"]["ids"], &file["removed"]["ids"]), (&json!(["new"]), &json!(["e005"])));
    assert_eq!(file["changed"]["by_field"], json!({"expected": 1, "labels.kind": 1, "note": 1}));
    assert_eq!(file["same"], 37);
    let changed = file["changed"]["examples"].as_array().unwrap();
    assert!(changed.contains(&json!({"id": "e001", "fields": ["labels.kind", "note"]})), "{changed:?}");
    assert_eq!(file["baselines"][0]["comparable"], false);

    project.run(&["evalset", "pin", "s", "--from", "next.jsonl", "--tag", "v2", "--as-of", AS_OF]).exit(0);
    let rebase = "evalgauge baseline rebase --candidate app --evalset s@v2";
    project
        .run(&["evalset", "diff", "s"])
        .exit(0)
        .stdout_has("added    1  new")
        .stdout_has("removed  1  e005")
        .stdout_has("changed  2 (expected 1, labels.kind 1, note 1)")
        .stdout_has(&format!("baseline app is on v1: not comparable with v2; `{rebase}`"));
    // A recording that does not have the new example answers nothing to it, which is a failure and no obstacle.
    project.run(&rebase.split(' ').skip(1).collect::<Vec<_>>()).exit(0);
    project.run(&["evalset", "diff", "s"]).exit(0).stdout_has("baseline app: still comparable");
    project.run(&["evalset", "diff", "s", "v2", "v2"]).exit(0).stdout_has("nothing differs: the same bytes");
    project.run(&["evalset", "diff", "s", "v9"]).exit(2).stderr_has("has no version `v9`").stderr_has("no file either");
    project.run(&["evalset", "diff", "s", "v1", "v1"]).exit(0);
    let file = pinned_file(&project, "s", "v1");
    project.write(&file, project.read(&file).replace("w100 ", "w999 "));
    project.run(&["evalset", "diff", "s", "v1", "v2"]).exit(2).stderr_has("pinned was");
    project.run(&["evalset", "diff", "t"]).exit(2).stderr_has("there is no eval set `t`");
}

#[test]
fn samples_nest_and_are_those_that_a_run_takes() {
    let project = with_answers(100);
    let sample = |size: &str, more: &[&str]| -> Vec<String> {
        let outcome = project.run(&[&["evalset", "sample", "s", size], more].concat()).exit(0);
        outcome.stdout.lines().map(str::to_owned).collect()
    };
    let pinned: Vec<String> = project.read("s.jsonl").lines().map(str::to_owned).collect();
    let (small, large) = (sample("10", &[]), sample("20", &[]));
    assert_eq!((small.len(), large.len()), (10, 20));
    assert!(small.iter().all(|line| large.contains(line)), "the 10 are among the 20");
    assert!(large.iter().all(|line| pinned.contains(line)), "lines are those of the file");
    let order: Vec<usize> = large.iter().map(|line| pinned.iter().position(|own| own == line).unwrap()).collect();
    assert!(order.is_sorted(), "in the order of the file");
    assert_ne!(sample("20", &["--seed", "8"]), large);
    // kind a has 60 of 100, safety 5 of 100.
    let with = |lines: &[String], text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((with(&large, "\"kind\": \"a\""), with(&large, "injection")), (12, 1));

    let record = project.record(&["--sample", "20"]);
    let shown = project.run(&["report", record["path"].as_str().unwrap(), "-f", "csv", "--rows", "examples"]).exit(0);
    let ids: BTreeSet<String> = large
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.iter().all(|id| shown.stdout.contains(id.as_str())), "{ids:?}\n{}", shown.stdout);
    assert_eq!(record["examples"], 20);

    project.run(&["evalset", "sample", "s", "10", "-o", "ten.jsonl"]).exit(0).stderr_has("10 of 100 examples of s@v1");
    assert_eq!(project.read("ten.jsonl").lines().collect::<Vec<_>>(), small);
    assert_eq!(sample("1000", &[]), pinned);
    project.run(&["evalset", "sample", "s", "0"]).exit(2);
}

#[test]
fn failures_of_a_record_become_examples_of_another_set() {
    let project = with_answers(40)
        .evalset("t", "{\"id\": \"own\", \"input\": \"mine\"}\n{\"id\": \"e010\", \"input\": \"other\"}");
    let run = project.record(&[]);
    let add = ["evalset", "add", "t", "--from", "latest", "--failures", "--as-of", AS_OF];
    let added = project.run(&[&add[..], &["--format", "json"]].concat()).exit(0).json();
    assert_eq!(added["added"], json!(["e000", "e003", "e020", "e030"]));
    assert_eq!(added["refused"]["same_id"], json!(["e010"]));
    let working = project.read("evalsets/t/next.jsonl");
    // What it began with stands as it was, also without a line end at its end.
    assert!(working.starts_with("{\"id\": \"own\", \"input\": \"mine\"}\n{\"id\": \"e010\", \"input\": \"other\"}\n"));
    let last: Value = serde_json::from_str(working.lines().nth(3).unwrap()).unwrap();
    assert_eq!((&last["id"], &last["labels"], &last["expected"]), (&json!("e003"), &json!({"kind": "b"}), &json!("3")));
    let provenance = json!({"source": format!("run {}", run["run_id"].as_str().unwrap()), "candidate": "app",
        "evalset": "s@v1", "added": AS_OF, "failed": ["no answer"], "before": "made"});
    assert_eq!(last["provenance"], provenance);
    // Once more: everything is there already, and nothing is written.
    let again = project.run(&add).exit(0).stderr_has("nothing was added").stdout_has("refused    5");
    assert_eq!(project.read("evalsets/t/next.jsonl"), working, "{}", again.stdout);
    let pin = added["next"].as_str().unwrap().replace("TAG", "v2");
    project.run(&pin.split(' ').skip(1).collect::<Vec<_>>()).exit(0).stdout_has("pinned t@v2: 6 examples");
    project.run(&["evalset", "add", "t", "--from", "latest"]).exit(0).stdout_has("added      35");
    project
        .run(&["evalset", "add", "t", "--from", "nothing"])
        .exit(2)
        .stderr_has("there is no run or record `nothing`");
    project.run(&["evalset", "add", "t", "--from", "latest", "--source", "x"]).exit(2).stderr_has("for a file");
}

#[test]
fn a_log_is_added_without_what_must_not_leave_production() {
    let log = "when,question,output,customer\n\
        1,\"My card 4111 1111 1111 1111 was charged, I am ann@shop.example, call +49 30 12345678\",done,c1\n\
        2,\"Server 203.0.113.9 says sk-abcdefghijklmnop1234\",done,c2\n\
        3,\"Server 198.51.100.1 says sk-abcdefghijklmnop9999\",done,c3\n\
        4,\"Order 1234 is late\",done,c1\n";
    let project = Harness::new().file("log.csv", log).evalset("s", &lines(10));
    let add = ["evalset", "add", "s", "--from", "log.csv", "--source", "support chat", "--as-of", AS_OF];
    let json = project.run(&[&add[..], &["--format", "json"]].concat()).exit(0).json();
    assert_eq!(json["redacted"], json!({"api-key": 1, "card": 1, "email": 1, "ip": 1, "phone": 1}));
    assert_eq!(json["left_out"], json!(["output", "when", "customer"]));
    // Without address and key the third is the second.
    assert_eq!(
        (json["added"].as_array().unwrap().len(), json["refused"]["same_input"].as_array().unwrap().len()),
        (3, 1)
    );
    let working = project.read("evalsets/s/next.jsonl");
    let new: Vec<Value> = working.lines().skip(10).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(new[0]["input"], "My card [card] was charged, I am [email], call [phone]");
    assert_eq!(new[1]["input"], "Server [ip] says [api-key]");
    assert_eq!(new[2]["provenance"], json!({"source": "support chat", "added": AS_OF}));
    assert!(new.iter().all(|line| line.get("expected").is_none() && line["id"].as_str().unwrap().starts_with("log-")));
    for secret in ["4111", "ann@", "203.0", "sk-abc", "c1", "done"] {
        assert!(!working.contains(secret), "{secret}");
    }
    // In words every rule is named, also those that found nothing or were not asked.
    std::fs::remove_file(project.path("evalsets/s/next.jsonl")).unwrap();
    project
        .run(&[&add[..], &["--leave", "ip"]].concat())
        .exit(0)
        .stdout_has("redacted   private-key 0, api-key 2, token 0, email 1, iban 0, card 1, ip not looked for, phone 1")
        .stdout_has("left out   `output`, `when`, `customer`")
        .stdout_has("added      4");
    assert!(project.read("evalsets/s/next.jsonl").contains("203.0.113.9"));
    project
        .run(&["evalset", "add", "s", "--from", "log.csv", "--failures"])
        .exit(2)
        .stderr_has("--failures is for a record");
    project
        .run(&["evalset", "add", "s", "--from", "log.csv", "--leave", "names"])
        .exit(2)
        .stderr_has("expected one of");
    project.run(&["evalset", "add", "s", "--from", "log.csv", "--input", "q"]).exit(2).stderr_has("no column `q`");
}

#[test]
fn tables_are_pinned_as_the_lines_that_follow_from_them() {
    let csv = "case;question;gold\n";
    let project = Harness::new().config("evalset = \"c\"\n").file("bad.csv", csv).file(
        "set.csv",
        "nr,frage,gold,sprache,note\na1,\"Wie, bitte?\",ja,de,x\na2,Why?,no,en,\na3,Pourquoi?,,fr,y\n",
    );
    let pin = |from: &str, set: &str, more: &[&str]| {
        project.run(&[&["evalset", "pin", set, "--from", from, "--tag", "v1", "--as-of", AS_OF], more].concat())
    };
    pin("set.csv", "c", &[]).exit(2).stderr_has("which column is the input?").stderr_has("--input-field");
    let columns = ["--input", "frage", "--label", "sprache"];
    pin("set.csv", "c", &columns).exit(0).stdout_has("id         column `nr`").stdout_has("expected   column `gold`");
    let text = project.read(&pinned_file(&project, "c", "v1"));
    let first = json!({"id": "a1", "input": "Wie, bitte?", "expected": "ja", "labels": {"sprache": "de"}, "note": "x"});
    let found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found[0], first);
    assert_eq!(found[2].get("expected"), None, "nobody said what is right");
    project.run(&["evalset", "verify"]).exit(0);
    pin("bad.csv", "d", &[]).exit(2).stderr_has("one column");
    project.write("twice.csv", "id,input\na,x\na,y\n");
    pin("twice.csv", "d", &["--id", "id"]).exit(2).stderr_has("twice.csv:3: ").stderr_has("stands on line 2 already");
    assert!(!project.path("evalsets/d").exists());

    // A Parquet file: the table of a report.
    let answers = with_answers(40);
    answers.run(&["run", "--no-progress"]).exit(0);
    answers.run(&["report", "latest", "-o", "rows.parquet", "--rows", "examples"]).exit(0);
    let pin = ["evalset", "pin", "p", "--from", "rows.parquet", "--tag", "v1", "--id", "id", "--input", "input"];
    let pinned = answers.run(&[&pin[..], &["--format", "json"]].concat()).exit(0).json();
    assert_eq!((&pinned["examples"], &pinned["columns"]["input"]), (&json!(40), &json!("input")));
}

#[test]
fn recorded_answers_are_scored_again_without_a_candidate() {
    // A candidate that can be seen: every call leaves a line.
    let config = |scorers: &str| {
        format!(
            "evalset = \"s\"\ncandidate = \"app\"\ntrials = 2\n[candidates.app.command]\nargv = [\"sh\", \"app.sh\"]\noutput = \"text\"\n{scorers}"
        )
    };
    let exact = "[scorers.right.exact]\n";
    let project = Harness::new()
        .config(config(exact))
        .file("app.sh", "input=$(cat); echo call >> calls; case $input in *w300\\ *) exit 3;; *w500\\ *) echo 5;; *) echo other;; esac\n")
        .evalset("s", &lines(8));
    let run = project.record(&[]);
    assert_eq!(project.read("calls").lines().count(), 16);
    let score = |arguments: &[&str]| project.run(&[&["score", "latest", "--format", "json"], arguments].concat());
    let same = score(&[]).exit(0).stderr_has("no candidate was asked").json();
    assert_eq!(same["record_sha256"], run["record_sha256"], "the same answers and scorers are the same record");
    assert_eq!((&same["failed"], &same["trials"]), (&json!(2), &json!(2)));
    assert_ne!(same["run_id"], run["run_id"]);

    let both = format!("{exact}[scorers.said.contains]\nany = [\"other\"]\n");
    let known = project.run(&["list", "scorers"]).exit(0).stdout;
    assert!(known.contains("contains"), "{known}");
    project.write("evalgauge.toml", config(&both));
    let more = project.run(&["score", run["run_id"].as_str().unwrap(), "--format", "json"]);
    let more = more.exit(0).json();
    let metrics: Vec<&str> =
        more["metrics"].as_array().unwrap().iter().map(|m| m["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["right", "said"]);
    let one =
        project.run(&["score", run["run_id"].as_str().unwrap(), "--scorer", "said", "--format", "json"]).exit(0).json();
    project.write("evalgauge.toml", config(&format!("{both}[scorers.either.any]\nof = [\"right\", \"said\"]\n")));
    let run_id = run["run_id"].as_str().unwrap();
    let either = project.run(&["score", run_id, "--scorer", "either", "--format", "json"]).exit(0).json();
    let either =
        either["metrics"].as_array().unwrap().iter().find(|m| m["metric"] == "either").unwrap()["passed"].clone();
    assert_eq!(either, json!(14), "a combination brings its members along");
    project.write("evalgauge.toml", config(&both));
    project.run(&["run", "--resume", one["run_id"].as_str().unwrap()]).exit(2).stderr_has("has no candidate to ask");
    // Two of the sixteen answers are right, and two are none.
    assert_eq!((&one["metrics"][0]["passed"], one["metrics"].as_array().unwrap().len()), (&json!(12), 1));
    assert_eq!(project.read("calls").lines().count(), 16, "no candidate was asked");
    project.run(&["compare", run["run_id"].as_str().unwrap(), same["run_id"].as_str().unwrap()]).exit(0);
    let manifest = project.read(&format!("reports/{}/manifest.json", one["run_id"].as_str().unwrap()));
    assert!(manifest.contains("scored again from"), "{manifest}");

    project.run(&["score", "latest", "--scorer", "no"]).exit(2).stderr_has("there is no scorer `no`");
    project.run(&["score", "latest", "--against", "baseline"]).exit(2).stderr_has("--against is for");
    project.run(&["score", "gone"]).exit(2).stderr_has("there is no run or record `gone`");
    // Another pin under the same tag: the questions are not those that were answered.
    std::fs::remove_dir_all(project.path("evalsets")).unwrap();
    project.run(&["evalset", "pin", "s", "--from", "s.jsonl", "--tag", "v0", "--as-of", AS_OF]).exit(0);
    project.run(&["score", run["run_id"].as_str().unwrap(), "--no-progress"]).exit(0);
    std::fs::remove_dir_all(project.path("evalsets")).unwrap();
    project.write("s.jsonl", lines(8).replace("w500", "w501"));
    project.run(&["evalset", "pin", "s", "--from", "s.jsonl", "--tag", "v1", "--as-of", AS_OF]).exit(0);
    project.run(&["score", run["run_id"].as_str().unwrap()]).exit(4).stderr_has("no version of that set has it");
}

#[test]
fn view_writes_the_page_of_a_run_and_says_where() {
    let project = with_answers(20);
    project.run(&["view"]).exit(2).stderr_has("no run yet");
    let run = project.record(&[]);
    let page = format!("reports/{}/report.html", run["run_id"].as_str().unwrap());
    assert_eq!(project.run(&["view"]).exit(0).stdout, format!("{page}\n"));
    assert!(project.read(&page).starts_with("<!doctype html>"));
    project.run(&["baseline", "bless", "latest"]).exit(0);
    assert_eq!(project.run(&["view", "baseline"]).exit(0).stdout, "reports/baseline.html\n");
    assert_eq!(project.run(&["view", "latest", "-o", "own.html"]).exit(0).stdout, "own.html\n");
}

#[test]
fn files_that_are_not_what_they_say_are_refused_by_line() {
    let good = "{\"id\": \"a\", \"input\": \"x\"}";
    let other = "{\"id\": \"b\", \"input\": \"y\"}";
    let pin = |bytes: &[u8]| {
        let project = Harness::new().file("s.jsonl", bytes);
        let outcome = project.run(&["evalset", "pin", "s", "--from", "s.jsonl", "--tag", "v1", "--as-of", AS_OF]);
        (project, outcome)
    };
    // What editors of other systems leave is no fault, and the bytes stay.
    let windows = format!("\u{feff}{good}\r\n\r\n{other}\r\n");
    let (project, outcome) = pin(windows.as_bytes());
    outcome.exit(0).stdout_has("2 examples");
    assert_eq!(project.read(&pinned_file(&project, "s", "v1")), windows);
    let sample = project.run(&["evalset", "sample", "s", "2"]).exit(0).stdout;
    assert_eq!(sample, format!("{good}\n{other}\n"));

    let bad = [good.as_bytes(), b"\n{\"id\": \"b\", \"input\": \"\xff\"}\n"].concat();
    pin(&bad).1.exit(2).stderr_has("s.jsonl:2: the bytes are not UTF-8");
    pin(b"").1.exit(2).stderr_has("no examples");
    let (project, outcome) = pin(format!("{good}\n{}", "x".repeat(70 << 20)).as_bytes());
    outcome.exit(2).stderr_has("s.jsonl:2: the line is longer than 64 MiB");
    assert!(!project.path("evalsets").exists(), "nothing is left of it");
    // A long line that is one is taken.
    let long = format!("{{\"id\": \"long\", \"input\": \"{}\"}}\n", "word ".repeat(2 << 20));
    pin(format!("{good}\n{long}{other}\n").as_bytes()).1.exit(0).stdout_has("3 examples");

    // Ids that meet across blocks, and a broken line far behind.
    let many = |extra: &str| {
        let mut text = String::new();
        for n in 0..200_000 {
            writeln!(text, "{{\"id\": \"{n}\", \"input\": \"some input of number {n}\"}}").unwrap();
        }
        text + extra
    };
    let twice = many("{\"id\": 17, \"input\": \"z\"}\n");
    pin(twice.as_bytes()).1.exit(2).stderr_has("s.jsonl:200001: field `id`: the id `17` stands on line 18 already");
    pin(many("{\"id\": \"x\"}\n").as_bytes()).1.exit(2).stderr_has("s.jsonl:200001: field `input` is missing");
    // An edited file is said to be edited, whatever else is wrong with it.
    let (project, outcome) = pin(good.as_bytes());
    outcome.exit(0);
    project.write(&pinned_file(&project, "s", "v1"), "{");
    for verb in [&["evalset", "verify"][..], &["evalset", "show", "s"], &["evalset", "sample", "s", "1"]] {
        project.run(verb).exit(2).stderr_has("SHA-256 is");
    }
}

/// A file of this many lines of a kilobyte, and a description that pins it.
#[cfg(target_os = "linux")]
fn large(project: &Harness, count: usize) {
    let mut text = String::with_capacity(count << 10);
    for n in 0..count {
        let words: String =
            (0..150).fold(String::new(), |words, word| words + &format!("{:x} ", n * 7919 + word * 104_729));
        let words = &words[..words.len().min(880)];
        writeln!(
            text,
            "{{\"id\": \"{n:07}\", \"input\": \"{words}\", \"expected\": {}, \"labels\": {{\"kind\": {}, \"tier\": {}}}}}",
            n % 3,
            n % 7,
            n % 2
        )
        .unwrap();
    }
    project.write("large.jsonl", text);
}

/// Runs the program to its end, which must be good; the most memory it had, in KiB, as the kernel saw it.
#[cfg(target_os = "linux")]
fn peak(project: &Harness, arguments: &[&str]) -> u64 {
    let mut command = project.command(&[&["-j", "2"], arguments].concat());
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        let known = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = known.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.trim().trim_end_matches(" kB").parse().unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(status.success(), "{arguments:?}: {status}");
    assert!(peak > 0, "{arguments:?}: it was never seen");
    peak
}

#[test]
#[cfg(target_os = "linux")]
fn a_large_set_is_never_in_memory_as_a_whole() {
    let project = Harness::new();
    large(&project, 40_000);
    let pin = peak(&project, &["evalset", "pin", "big", "--from", "large.jsonl", "--tag", "v1"]);
    let verify = peak(&project, &["evalset", "verify"]);
    let show = peak(&project, &["evalset", "show", "big"]);
    let sample = peak(&project, &["evalset", "sample", "big", "1000", "-o", "sample.jsonl"]);
    let diff = peak(&project, &["evalset", "diff", "big", "large.jsonl", "v1"]);
    assert_eq!(project.read("sample.jsonl").lines().count(), 1_000);
    // What holds the examples, to tell what the others do not: a run has to.
    let answer = "file = \"sample.jsonl\"\nanswer = \"expected\"\n";
    project
        .write("evalgauge.toml", format!("evalset = \"big\"\n[candidates.a.replay]\n{answer}[scorers.right.exact]\n"));
    let held = peak(&project, &["run", "--no-progress", "--dry-run"]);
    println!("KiB at the peak: pin {pin}, verify {verify}, show {show}, sample {sample}, diff {diff}; held {held}");
    for (verb, peak) in [("pin", pin), ("verify", verify), ("show", show), ("sample", sample), ("diff", diff)] {
        assert!(3 * peak < 2 * held, "{verb} takes {peak} KiB, and holding the set {held}");
    }
}
