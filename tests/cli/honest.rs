//! Honest baselines: what they learn, what they must not see, and how they stand beside a candidate.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness};

/// Twelve tickets for three desks; each desk has words of its own. `g` is a conversation in which one word stands in both turns.
const TICKETS: &str = r#"{"id": "a1", "input": {"text": "printer jam on floor two"}, "expected": {"desk": "hardware", "urgent": false}}
{"id": "a2", "input": {"text": "printer has no toner"}, "expected": {"desk": "hardware", "urgent": false}}
{"id": "a3", "input": {"text": "screen of the printer is dark"}, "expected": {"desk": "hardware", "urgent": true}}
{"id": "a4", "input": {"text": "keyboard lost a key"}, "expected": {"desk": ["hardware", "travel"], "urgent": false}}
{"id": "b1", "input": {"text": "password expired again"}, "expected": {"desk": "access", "urgent": true}}
{"id": "b2", "input": {"text": "password reset mail never came"}, "expected": {"desk": "access", "urgent": false}}
{"id": "b3", "input": {"text": "badge and password do not work"}, "expected": {"desk": "access", "urgent": true}}
{"id": "c1", "input": {"text": "hotel in Lisbon is booked twice"}, "expected": {"desk": "travel", "urgent": false}}
{"id": "c2", "input": {"text": "flight to Lisbon was cancelled"}, "expected": {"desk": "travel", "urgent": true}}
{"id": "c3", "input": {"text": "xylophone"}, "expected": {"desk": "travel", "urgent": false}}
{"id": "g1", "input": {"text": "quokka one"}, "expected": {"desk": "travel", "urgent": false}, "group": "g"}
{"id": "g2", "input": {"text": "quokka two"}, "expected": {"desk": "access", "urgent": false}, "group": "g"}
"#;

const SETTINGS: &str = r#"
evalset   = "tickets"
candidate = "recorded"

[candidates.recorded.replay]
file = "recorded.jsonl"

[candidates.common.majority]
learn  = "/desk"
answer = "/desk"

[candidates.similar.nearest]
learn = { "/desk" = "/desk", "/more/urgent" = "/urgent" }

[candidates.lot.random]
learn  = "/desk"
answer = "/desk"

[candidates.even.random]
learn  = "/desk"
answer = "/desk"
draw   = "uniform"
seed   = 3

[scorers.desk.label]
answer   = "/desk"
expected = "/desk"
labels   = ["hardware", "access", "travel"]

[metrics]
desk = { scorer = "desk", estimate = "pass_rate" }
"#;

fn project() -> Harness {
    let right = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let desk = &line["expected"]["desk"];
        let desk = desk.as_str().unwrap_or("hardware");
        format!("{}\n", json!({"id": line["id"], "answer": json!({"desk": desk}).to_string()}))
    };
    Harness::new()
        .config(SETTINGS)
        .file("recorded.jsonl", TICKETS.lines().map(right).collect::<String>())
        .evalset("tickets", TICKETS)
}

/// The answer to every ticket, as `id answer`.
fn answers(project: &Harness, arguments: &[&str]) -> Vec<String> {
    let record = project.record(arguments);
    let journal = project.read(&format!("{}/journal.jsonl", record["path"].as_str().unwrap()));
    let mut answers: Vec<String> = journal
        .lines()
        .skip(1)
        .map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let said = row["answered"]["reply"].as_object().unwrap().values().next_back().unwrap().clone();
            format!("{} {said}", row["id"].as_str().unwrap())
        })
        .collect();
    answers.sort();
    answers
}

fn has(answers: &[String], wanted: &str) {
    assert!(answers.iter().any(|answer| answer == wanted), "no `{wanted}` in {answers:#?}");
}

#[test]
fn majority_leaves_out_who_is_asked_and_gives_ties_to_the_first_name() {
    let project = project();
    let found = answers(&project, &["--candidate", "common"]);
    // Right for five tickets: travel (with a4). Four: hardware, access. Without c1: four each, and the first name is access.
    has(&found, r#"a1 {"desk":"travel"}"#);
    has(&found, r#"c1 {"desk":"access"}"#);
    // Its group goes too: without g1 and g2 travel has four, hardware four, access three.
    has(&found, r#"g1 {"desk":"hardware"}"#);
    has(&found, r#"g2 {"desk":"hardware"}"#);
}

#[test]
fn nearest_never_sees_the_example_nor_its_group() {
    let project = project();
    let found = answers(&project, &["--candidate", "similar"]);
    // `printer` and `screen of the` lead to other printers; of the two without more in common, the shorter text.
    has(&found, r#"a2 {"desk":"hardware","more":{"urgent":false}}"#);
    has(&found, r#"b2 {"desk":"access","more":{"urgent":true}}"#);
    // The other turn shares `quokka`; it is left out, and of what is left no ticket shares a word: the most common answer.
    has(&found, r#"g1 {"desk":"hardware","more":{"urgent":false}}"#);
    // Of several right answers the first one counts.
    has(&found, r#"c3 {"desk":"access","more":{"urgent":false}}"#);
}

#[test]
fn a_lot_is_the_same_every_time_and_another_with_another_seed() {
    let project = project();
    let once = answers(&project, &["--candidate", "lot"]);
    assert_eq!(once, answers(&project, &["--candidate", "lot", "--concurrency", "1", "--seed", "99"]));
    let part = answers(&project, &["--candidate", "lot", "--id", "c2", "--id", "a1"]);
    assert!(part.iter().all(|answer| once.contains(answer)), "a part of the set is asked as the whole is");
    let even = answers(&project, &["--candidate", "even"]);
    project.write("evalgauge.toml", SETTINGS.replace("seed   = 3", "seed   = 4"));
    assert_ne!(even, answers(&project, &["--candidate", "even"]));
    let trials = project.record(&["--candidate", "lot", "--trials", "8"]);
    let passed = trials["metrics"][0]["passed"].as_u64().unwrap();
    assert!(passed > 0 && passed < 96 && !passed.is_multiple_of(8), "trials draw anew: {passed}");
}

/// Settings with one more candidate that learns from a file.
fn learning_from(file: &str, more: &str) -> String {
    format!("{SETTINGS}\n[candidates.filed.nearest]\nlearn = \"/desk\"\nanswer = \"/desk\"\nfrom = \"{file}\"\n{more}")
}

#[test]
fn a_file_that_shares_examples_with_the_set_is_refused_and_they_are_named() {
    let project = project();
    let run = ["run", "--candidate", "filed"];
    let line = |id: &str, text: &str| format!("{}\n", json!({"id": id, "input": text, "expected": {"desk": "travel"}}));
    project.write("evalgauge.toml", learning_from("old.jsonl", ""));
    project.write("old.jsonl", line("x1", "train to Lisbon") + &line("a1", "something else") + &line("c3", "more"));
    project.run(&run).exit(2).stderr_has("2 ids: `a1`, `c3`").stderr_has("leave `from` out");
    // The same text under another id, spaced in another way.
    project.write("old.jsonl", line("x1", "train to Lisbon") + &line("x2", " password  expired\nagain"));
    project.run(&run).exit(2).stderr_has("1 input: `x2` (that of `b1`)");
    project.run(&["config", "check"]).exit(2).stderr_has("x2");
    // The same words about another number are another input.
    let order = |id: &str, count: u32| {
        format!("{}\n", json!({"id": id, "input": {"text": "order", "count": count}, "expected": {"desk": "travel"}}))
    };
    let orders = Harness::new()
        .config("evalset = \"orders\"\n[candidates.filed.majority]\nlearn = \"/desk\"\nfrom = \"old.jsonl\"\n[scorers.desk.exact]\nexpected = \"/desk\"\n")
        .evalset("orders", &(order("a", 1) + &order("b", 2)));
    orders.write("old.jsonl", order("x", 3));
    orders.run(&["run"]).exit(0).stdout_has("2 of 2 passed");
    orders.write("old.jsonl", order("x", 2));
    orders.run(&["run"]).exit(2).stderr_has("1 input: `x` (that of `b`)");
    project.write("old.jsonl", line("x1", "train to Lisbon"));
    has(&answers(&project, &["--candidate", "filed"]), r#"a1 {"desk":"travel"}"#);
}

#[test]
fn a_table_is_learned_from_by_its_columns() {
    let project = project();
    let csv =
        "ticket,words,desk\nx1,printer on fire,hardware\nx2,password forgotten,access\nx3,seat to Lisbon,travel\n";
    project.write("old.csv", csv);
    let columns = "columns = { id = \"ticket\", input = \"words\" }";
    project.write("evalgauge.toml", learning_from("old.csv", columns));
    let found = answers(&project, &["--candidate", "filed"]);
    for wanted in [r#"a1 {"desk":"hardware"}"#, r#"b1 {"desk":"access"}"#, r#"c2 {"desk":"travel"}"#] {
        has(&found, wanted);
    }
    let manifest = |project: &Harness| -> Value {
        let path = project.record(&["--candidate", "filed"])["path"].as_str().unwrap().to_owned();
        serde_json::from_str(&project.read(&format!("{path}/manifest.json"))).unwrap()
    };
    let before = manifest(&project)["asked"]["candidate"]["digest"].clone();
    assert_eq!(before, manifest(&project)["asked"]["candidate"]["digest"]);
    project.write("old.csv", format!("{csv}x4,key,hardware\n"));
    assert_ne!(
        before,
        manifest(&project)["asked"]["candidate"]["digest"],
        "what it learned from is part of what it is"
    );
    project.write("old.csv", "ticket,words,desk\nx1,a,b\nx1,c,d\n");
    project.run(&["run", "--candidate", "filed"]).exit(2).stderr_has("old.csv:3").stderr_has("stands twice");
    project.write("evalgauge.toml", learning_from("old.csv", ""));
    project.run(&["run", "--candidate", "filed"]).exit(2).stderr_has("`id`");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let project = project();
    for (kind, settings, says) in [
        ("majority", "learn = \"desk\"", "expected a place in `expected`"),
        ("majority", "learn = \"/nothing\"", "no example of eval set `tickets` has a value at /nothing"),
        ("majority", "learn = {}", "`learn` is empty"),
        ("majority", "learn = { \"/a\" = \"/desk\", \"/a/b\" = \"/urgent\" }", "/a/b lies in /a"),
        ("majority", "learn = { \"/a\" = \"/desk\" }\nanswer = \"/b\"", "leave `answer` out"),
        ("majority", "learn = \"/desk\"\nk1 = 2", "k1"),
        ("majority", "learn = \"/desk\"\ncolumns = { id = \"x\" }", "name it with `from`"),
        ("nearest", "learn = \"/desk\"\nb = 2.0", "between 0 and 1"),
        ("nearest", "learn = \"/desk\"\nfrom = \"none.jsonl\"", "none.jsonl"),
        ("random", "learn = \"/desk\"\ndraw = \"fair\"", "`fair`"),
    ] {
        project.write("evalgauge.toml", format!("{SETTINGS}\n[candidates.odd.{kind}]\n{settings}\n"));
        project.run(&["run", "--candidate", "odd"]).exit(2).stderr_has(says);
    }
}

/// A project whose candidate is blessed, and its check.
fn checked(project: &Harness, more: &[&str]) -> Value {
    project.run(&[&["check", "--format", "json", "--as-of", AS_OF], more].concat()).exit(0).json()
}

#[test]
fn check_sets_them_beside_the_candidate_and_decides_the_same() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let without = checked(&project, &[]);
    assert!(without.get("honest_baselines").is_none());
    let with = checked(&project, &["--baselines"]);
    for field in ["decision", "reason", "cells", "regressed", "undecided", "warnings", "policy_sha256"] {
        assert_eq!(without[field], with[field], "{field}");
    }
    let honest = with["honest_baselines"].as_array().unwrap();
    let names: Vec<&str> = honest.iter().map(|it| it["name"].as_str().unwrap()).collect();
    // The kinds as the scorer suggests, and the project's own candidates of such kinds.
    assert_eq!(names, ["random", "majority", "nearest", "common", "even", "lot", "similar"]);
    let score = |name: &str| &honest.iter().find(|it| it["name"] == name).unwrap()["scores"][0];
    assert_eq!(score("majority"), score("common"), "the scorer's places are what the settings say");
    assert_eq!(score("majority")["head"], 1.0);
    assert_eq!(score("majority")["standing"], "beats");
    assert_eq!(score("majority")["n"], 12);
    // Its record is a record like any other.
    let source = honest[1]["source"].as_str().unwrap();
    project.run(&["report", source, "-f", "md"]).exit(0).stdout_has("| desk |");
    let compared = project.run(&["compare", source, "latest", "--format", "json"]).exit(0).json();
    assert_eq!(compared["cells"][0]["delta"], score("majority")["delta"]);

    // Every form of the report says it, and so do those that are made later.
    let folder = with["head"]["source"].as_str().unwrap();
    let page = project.read(&format!("{folder}/report.html"));
    assert!(
        page.contains("Does it beat an afternoon’s rules?") && page.contains("the candidate (100.0 %) does NOT beat")
    );
    let markdown = project.read(&format!("{folder}/report.md"));
    assert!(markdown.contains("### Does it beat an afternoon's rules?") && markdown.contains("| desk | majority "));
    for (form, text) in [("md", &markdown), ("html", &page)] {
        assert_eq!(&project.run(&["report", folder, "-f", form]).exit(0).stdout, text, "{form}");
    }
    project
        .run(&["report", &format!("{folder}/verdict.json")])
        .exit(0)
        // Some of twelve against twelve: better, and perhaps by chance.
        .stdout_has("desk: the candidate (100.0 %) does NOT beat an afternoon's rules: ")
        .stdout_has(" of 7 the hardest to beat)")
        .stdout_has("majority (each example left out)");
    project
        .run(&["check", "--baselines=majority", "--as-of", AS_OF])
        .exit(0)
        .stdout_has("desk: the candidate (100.0 %) beats an afternoon's rules by +");
}

#[test]
fn no_service_is_asked_for_their_scores() {
    // It would count every call.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/score", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut received) = (stream.unwrap(), Vec::new());
            while !received.windows(2).any(|two| two == b"}}") {
                let mut buffer = [0; 4096];
                match stream.read(&mut buffer).unwrap() {
                    0 => break,
                    count => received.extend_from_slice(&buffer[..count]),
                }
            }
            counted.fetch_add(1, Ordering::SeqCst);
            let said = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"score\":1}";
            let _ = stream.write_all(said.as_bytes());
        }
    });
    let project = project();
    let settings =
        SETTINGS.replace("[metrics]", "[metrics]\ntone = { scorer = \"tone\" }\nboth = { scorer = \"both\" }");
    let scorers = format!("[scorers.tone.http]\nurl = \"{url}\"\n[scorers.both.mean]\nof = [\"desk\", \"tone\"]\n");
    project.write("evalgauge.toml", format!("{settings}\n{scorers}"));
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.run(&["check", "--as-of", AS_OF]).exit(0);
    let before = asked.load(Ordering::SeqCst);
    assert!(before > 0, "the candidate's answers are scored by it");
    project
        .run(&["check", "--baselines=majority", "--as-of", AS_OF])
        .exit(0)
        .stderr_has("honest baselines are not sent to a service that scores: `both`, `tone` left out")
        .stdout_has("an afternoon's rules");
    // The same answers of the candidate are in the cache; whatever is not is its twelve.
    assert!(asked.load(Ordering::SeqCst) <= before + 12, "{before}, then {asked:?}");
}

#[test]
fn a_candidate_that_is_no_better_is_told_so() {
    let project = project();
    project.record(&["--candidate", "common"]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let common = ["check", "--candidate", "common", "--as-of", AS_OF];
    let of = |names: &str| project.run(&[&common[..], &[names]].concat()).exit(0);
    of("--baselines=similar").stdout_has("does NOT beat an afternoon's rules").stdout_has("similar");
    // It is not set beside itself.
    let said = of("--baselines=common,majority");
    assert!(!said.stdout.contains("common ("), "{}", said.stdout);
    for (names, says) in [
        ("--baselines=recorded", "candidate `recorded` is no honest baseline: its kind is `replay`"),
        (
            "--baselines=nobody",
            "there is no honest baseline `nobody`; there are: `random`, `majority`, `nearest`, `common`",
        ),
    ] {
        project.run(&[&common[..], &[names]].concat()).exit(2).stderr_has(says);
    }
    // The settings may name them; nothing is asked without the flag.
    project.write("evalgauge.toml", format!("baselines = [\"similar\"]\n{SETTINGS}"));
    let named = project.run(&[&common[..], &["--baselines", "--format", "json"]].concat()).exit(0).json();
    assert_eq!(named["honest_baselines"].as_array().unwrap().len(), 1);
    assert!(!project.run(&common).exit(0).stdout.contains("afternoon"));
    project.write("evalgauge.toml", format!("baselines = [\"recorded\"]\n{SETTINGS}"));
    project.run(&common).exit(2).stderr_has("`baselines`: `recorded`");
}

#[test]
fn a_file_that_saw_the_questions_stops_a_check_before_anything_is_asked() {
    let project = project();
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let runs = || std::fs::read_dir(project.path("reports")).unwrap().count();
    let before = runs();
    project.write("evalgauge.toml", learning_from("tickets.jsonl", ""));
    project.run(&["check", "--baselines=filed", "--as-of", AS_OF]).exit(2).stderr_has("12 ids: `a1`, `a2`");
    assert_eq!(runs(), before);
}

#[test]
fn without_a_scorer_that_says_what_is_right_there_is_nothing_to_learn() {
    let settings = "evalset = \"tickets\"\n[candidates.recorded.replay]\nfile = \"recorded.jsonl\"\n\
                    [scorers.words.contains]\nany = [\"access\"]\n";
    let project = project();
    project.write("evalgauge.toml", settings);
    project.record(&[]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let said = project.run(&["check", "--baselines", "--as-of", AS_OF]).exit(0);
    let said = said.stderr_has("no `majority`: no scorer of the kinds label, exact or numeric says what to learn");
    assert!(!said.stdout.contains("afternoon"), "{}", said.stdout);
}
