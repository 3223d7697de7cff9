//! Input that is wrong: the exit code, and a message that says where and what to do.

use std::fmt::Write;

use serde_json::json;

use crate::harness::{AS_OF, Harness, csv};
use crate::records::project;

/// Runs each list of arguments in its project, checks the exit code and that `--format json` says the same in one object,
/// and tells all of it for a snapshot.
fn stories(cases: &[(&str, Harness, &[&str], i32)]) -> String {
    let mut stories = String::new();
    for (what, project, arguments, exit) in cases {
        let outcome = project.run(arguments).exit(*exit);
        assert!(!outcome.stderr.contains("panicked"), "{what}: {}", outcome.stderr);
        let _ = writeln!(stories, "# {what}\n{}", outcome.story(arguments));

        let as_json = project.run(&[arguments, &["--format", "json"][..]].concat()).exit(*exit).json();
        assert_eq!(as_json["exit_code"], json!(exit), "{what}");
        if as_json["schema"] == "evalgauge.error/1" {
            assert!(outcome.stderr.contains(as_json["error"].as_str().unwrap()), "{what}: {as_json}");
            assert!(outcome.stdout.is_empty(), "{what}: {}", outcome.stdout);
        }
    }
    stories
}

/// Sixty examples that all pass.
fn fine() -> String {
    csv("id,score", (0..60).map(|i| format!("e{i},1")))
}

fn against_fine(head: impl AsRef<[u8]>) -> Harness {
    Harness::new().table("base.csv", fine()).table("head.csv", head)
}

const GATE: &[&str] = &["gate", "base.csv", "head.csv"];
const GATE_LINES: &[&str] = &["gate", "base.csv", "head.jsonl"];

#[test]
fn tables() {
    let lines = |text: &str| Harness::new().table("base.csv", fine()).table("head.jsonl", text);
    let told = stories(&[
        ("no such file", Harness::new(), GATE, 2),
        ("an unknown format", Harness::new().file("a.txt", "x").file("b.txt", "x"), &["gate", "a.txt", "b.txt"], 2),
        ("an empty file", against_fine(""), GATE, 2),
        ("a header alone", against_fine("id,score\n"), GATE, 2),
        ("no column of scores", against_fine("id,grade\ne1,1\n"), GATE, 2),
        ("a cell too many", against_fine("id,score\ne1,1\ne2,1,1\n"), GATE, 2),
        ("a score that is no number", against_fine("id,score\ne1,1\ne2,good\n"), GATE, 2),
        ("NaN", against_fine("id,score\ne1,1\ne2,NaN\n"), GATE, 2),
        ("infinity", against_fine("id,score\ne1,1\ne2,1\ne3,-inf\n"), GATE, 2),
        ("infinity as JSON", lines("{\"id\":\"e1\",\"score\":1}\n{\"id\":\"e2\",\"score\":1e999}\n"), GATE_LINES, 2),
        ("NaN as JSON", lines("{\"id\":\"e1\",\"score\":NaN}\n"), GATE_LINES, 2),
        ("a score outside the scale", against_fine("id,score\ne1,1\ne2,3\n"), GATE, 2),
        ("no id", against_fine("id,score\ne1,1\n,1\n"), GATE, 2),
        ("an id that stands twice", against_fine("id,score\ne1,1\ne2,1\ne1,0\n"), GATE, 2),
        ("bytes that are no text", against_fine(b"id,score\ne1,1\n\xff\xfe,1\n"), GATE, 2),
        ("a line cut short", lines("{\"id\":\"e1\",\"score\":1}\n{\"id\":\"e2\",\"sco"), GATE_LINES, 2),
        ("a line that is no object", lines("[1, 2]\n"), GATE_LINES, 2),
        ("an unknown slice", against_fine(fine()), &["gate", "base.csv", "head.csv", "--slice", "tier"], 2),
        ("no id in common", against_fine(fine().replace('e', "f").replacen("scorf", "score", 1)), GATE, 4),
        ("missing examples", against_fine(csv("id,score", (0..57).map(|i| format!("e{i},1")))), GATE, 5),
        ("an impossible margin", against_fine(fine()), &["gate", "base.csv", "head.csv", "--margin", "5"], 2),
        ("an impossible alpha", against_fine(fine()), &["gate", "base.csv", "head.csv", "--alpha", "0"], 2),
        (
            "an interval for other data",
            against_fine(csv("id,score", (0..60).map(|i| format!("e{i},0.5")))),
            &["compare", "base.csv", "head.csv", "--interval", "tango"],
            2,
        ),
        (
            "a damaged Parquet file",
            Harness::new().table("base.csv", fine()).file("head.parquet", "PAR1 nonsense PAR1"),
            &["gate", "base.csv", "head.parquet"],
            2,
        ),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn usage() {
    // The parser of arguments ends before the format of the output is known, so there is text only.
    for (arguments, said) in [
        (&["gat", "base.csv", "head.csv"][..], "a similar subcommand exists: 'gate'"),
        (&["gate", "base.csv"], "<HEAD>"),
        (&["gate", "base.csv", "head.csv", "--as-of", "tomorrow"], "--as-of"),
        (&["gate", "base.csv", "head.csv", "--scale", "3,0"], "expected two numbers, the lower first, like 0,3"),
        (&["gate", "base.csv", "head.csv", "--threads", "0"], "--threads"),
        (&[], "Usage: evalgauge"),
    ] {
        Harness::new().run(arguments).exit(2).stderr_has(said);
    }
    Harness::new().run(&["--version"]).exit(0).stdout_has("evalgauge ");
    Harness::new().run(&["--help"]).exit(0).stdout_has("Exit codes: 0 pass · 1 regression · 2 usage");
}

#[test]
fn trials_that_are_not_the_same_number() {
    let trials = |k: usize| csv("id,trial,score", (0..60).flat_map(|i| (0..k).map(move |t| format!("e{i},{t},1"))));
    let project = Harness::new().table("base.csv", trials(3)).table("head.csv", trials(2));
    let verdict = project.gate(&[]).exit(0).json();
    assert_eq!(verdict["trials"], 2);
    let warnings = verdict["warnings"].to_string();
    assert!(warnings.contains("3 trials in the baseline, 2 in the head"), "{warnings}");
    assert!(warnings.contains("all are used"), "{warnings}");
}

#[test]
fn every_decision_has_its_exit_code() {
    // Thirty examples are too few for a margin of 5 points.
    let small = |failing: usize| csv("id,score", (0..30).map(|i| format!("e{i},{}", u8::from(i >= failing))));
    let open = Harness::new().table("base.csv", small(1)).table("head.csv", small(2));
    let decision = |arguments: &[&str], exit: i32| open.gate(arguments).exit(exit).json()["decision"].clone();
    assert_eq!(decision(&[], 0), "pass");
    assert_eq!(decision(&["--fail-undecided"], 3), "inconclusive");
    assert_eq!(decision(&["--mode", "non-inferiority"], 3), "inconclusive");
    open.write("head.csv", small(12));
    assert_eq!(decision(&[], 1), "fail");
    assert_eq!(decision(&["--mode", "non-inferiority"], 1), "fail");
    // Scores that are not there: the instrument failed, not the system.
    open.write("head.csv", small(1).replace("e20,1", "e20,").replace("e21,1", "e21,"));
    assert_eq!(decision(&[], 4), "undecidable");
    open.write("head.csv", small(1).lines().take(20).map(|line| format!("{line}\n")).collect::<String>());
    assert_eq!(decision(&[], 5), "incomplete");
    // The first of several that stands: what is missing could hide anything.
    open.write("head.csv", small(12).lines().take(28).map(|line| format!("{line}\n")).collect::<String>());
    let verdict = open.gate(&[]).exit(5).json();
    assert_eq!(verdict["decision"], "incomplete");
    assert!(verdict["warnings"].to_string().contains("regressed: overall"), "{}", verdict["warnings"]);
}

const PIN: &[&str] = &["evalset", "pin", "s", "--from", "s.jsonl", "--tag", "v1", "--as-of", AS_OF];

#[test]
fn eval_sets() {
    let one = "{\"id\":\"a\",\"input\":\"x\"}\n";
    let pin = |text: &str| Harness::new().file("s.jsonl", text);
    let pinned = || Harness::new().config("evalset = \"s\"\n").evalset("s", one);
    let edited = pinned();
    let shown = edited.run(&["evalset", "show", "--format", "json"]).exit(0).json();
    edited.write(&format!("evalsets/s/{}", shown["version"]["file"].as_str().unwrap()), one.replace('x', "y"));
    let gone = pinned();
    std::fs::remove_file(gone.path(&format!("evalsets/s/{}", shown["version"]["file"].as_str().unwrap()))).unwrap();
    let told = stories(&[
        ("a line that is not JSON", pin(&format!("{one}{{\"id\": \"b\", \"input\": }}\n")), PIN, 2),
        ("a line that is no object", pin(&format!("{one}\"b\"\n")), PIN, 2),
        ("no id", pin(&format!("{one}\n{{\"name\":\"b\",\"input\":\"x\"}}\n")), PIN, 2),
        ("an id of the wrong kind", pin("{\"id\":[1],\"input\":\"x\"}\n"), PIN, 2),
        ("no input", pin("{\"id\":\"a\",\"question\":\"x\"}\n"), PIN, 2),
        ("an input of the wrong kind", pin("{\"id\":\"a\",\"input\":3}\n"), PIN, 2),
        ("labels of the wrong kind", pin("{\"id\":\"a\",\"input\":\"x\",\"labels\":{\"tier\":{}}}\n"), PIN, 2),
        ("an id that stands twice", pin(&format!("{one}{one}")), PIN, 2),
        ("bytes that are no text", Harness::new().file("s.jsonl", b"{\"id\":\"a\",\"input\":\"\xff\"}\n"), PIN, 2),
        ("an empty set", pin("\n\n"), PIN, 2),
        ("no such file", Harness::new(), PIN, 2),
        ("a name that is no folder", pin(one), &["evalset", "pin", "../s", "--from", "s.jsonl", "--tag", "v1"], 2),
        ("a tag that is taken", pinned(), PIN, 2),
        ("an edited file", edited, &["evalset", "verify"], 2),
        ("a lost file", gone, &["evalset", "verify"], 2),
        ("an unknown set", pinned(), &["evalset", "show", "t"], 2),
        ("an unknown version", pinned(), &["evalset", "show", "s@v9"], 2),
        ("no set named", Harness::new(), &["evalset", "show"], 2),
        ("nothing to verify", Harness::new(), &["evalset", "verify"], 2),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn settings() {
    let check: &[&str] = &["config", "check"];
    let with = |before: &str, after: &str| {
        let project = project();
        let text = project.read("evalgauge.toml");
        assert!(text.contains(before), "{before}");
        project.config(text.replacen(before, after, 1))
    };
    let told = stories(&[
        ("no settings", Harness::new(), check, 2),
        ("an unknown key", with("candidate = \"recorded\"", "candidat = \"recorded\""), check, 2),
        ("an unknown key inside", with("argv   =", "argvs  ="), check, 2),
        ("an unknown kind of candidate", with("recorded.replay", "recorded.reply"), check, 2),
        ("an unknown kind of scorer", with("desk.label", "desk.lable"), check, 2),
        ("a value of the wrong kind", with("candidate = \"recorded\"", "candidate = 3"), check, 2),
        ("no TOML", with("candidate = \"recorded\"", "candidate = \"recorded"), check, 2),
        ("an unknown candidate", with("candidate = \"recorded\"", "candidate = \"recorder\""), check, 2),
        ("no such candidate", project(), &["run", "--candidate", "recorder"], 2),
        ("an unknown eval set", with("evalset   = \"orders\"", "evalset = \"order\""), check, 2),
        ("a missing recording", with("worse.jsonl", "worst.jsonl"), check, 2),
        ("a missing column", with("answer = \"said\"", "answer = \"says\""), check, 2),
        ("no JSON pointer", with("answer   = \"/desk\"", "answer = \"desk\""), check, 2),
        ("no labels", with("labels   = [\"books\", \"toys\", \"garden\"]", "labels = []"), check, 2),
        ("nothing to look for", with("all    = { expected = \"/must_contain\" }", ""), check, 2),
        (
            "an unknown scorer in a metric",
            with("[scorers.desk.label]", "[metrics]\nm = { scorer = \"desc\" }\n[scorers.desk.label]"),
            check,
            2,
        ),
        (
            "an unknown metric in the gate",
            with("[scorers.desk.label]", "[gate]\nmetrics = [\"desc\"]\n[scorers.desk.label]"),
            check,
            2,
        ),
        (
            "a margin of no cell",
            with("[scorers.desk.label]", "[gate.margin]\nhard = 0.1\n[scorers.desk.label]"),
            check,
            2,
        ),
        ("no trials", with("candidate = \"recorded\"", "candidate = \"recorded\"\ntrials = 0"), check, 2),
        ("a time-out of nothing", with("argv   =", "timeout = 0.0\nargv   ="), check, 2),
        ("no program", with("argv   = [\"sh\", \"answer.sh\"]", "argv = []"), check, 2),
        (
            "a program that is not there",
            with("[\"sh\", \"answer.sh\"]", "[\"./no-such-program\"]"),
            &["run", "--candidate", "program", "--quiet"],
            2,
        ),
        (
            "a rule that matches everything",
            project().file("rules.toml", "default = \"a\"\n[[rule]]\nanswer = \"b\"\n"),
            check,
            2,
        ),
        (
            "an unknown key in a rule",
            project().file("rules.toml", "default = \"a\"\n[[rule]]\nanny = [\"x\"]\nanswer = \"b\"\n"),
            check,
            2,
        ),
        (
            "a missing template variable",
            with("argv   =", "prompt = \"p.j2\"\nargv   =").file("p.j2", "Order:\n{{ text }} of {{ custmer }}\n"),
            check,
            2,
        ),
        (
            "a broken template",
            with("argv   =", "prompt = \"p.j2\"\nargv   =").file("p.j2", "Order:\n{{ text \n"),
            check,
            2,
        ),
        ("a missing template", with("argv   =", "prompt = \"p.j2\"\nargv   ="), check, 2),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn records() {
    let other_set = || {
        let project = project();
        project.record(&[]);
        project.run(&["baseline", "bless", "latest"]).exit(0);
        project.write("more.jsonl", format!("{}{{\"id\":\"o40\",\"input\":\"x\"}}\n", crate::records::orders()));
        project.run(&["evalset", "pin", "orders", "--from", "more.jsonl", "--tag", "v2", "--as-of", AS_OF]).exit(0);
        project
    };
    let other_scorer = || {
        let project = project();
        project.record(&[]);
        project.run(&["baseline", "bless", "latest"]).exit(0);
        let text = project.read("evalgauge.toml").replace("\"garden\"", "\"tools\"");
        project.config(text)
    };
    let damaged = || {
        let project = project();
        project.record(&[]);
        project.run(&["baseline", "bless", "latest"]).exit(0);
        let rows = project.read("reports/baseline/orders/recorded/rows.jsonl");
        project.file("reports/baseline/orders/recorded/rows.jsonl", &rows[..rows.len() / 2])
    };
    let finished = || {
        let project = project();
        project.record(&["--quiet"]);
        project
    };
    let told = stories(&[
        ("no baseline", project(), &["check"], 4),
        ("no baseline to show", project(), &["baseline", "show"], 4),
        ("no run yet", project(), &["baseline", "bless", "latest"], 2),
        ("an unknown run", project(), &["baseline", "bless", "20260101T000000Z-recorded"], 2),
        ("an unknown run to compare with", project(), &["gate", "yesterday", "today"], 2),
        ("an unknown baseline", project(), &["check", "--base", "yesterday"], 2),
        ("a baseline of another version of the set", other_set(), &["check", "--quiet"], 4),
        ("a baseline of other scorers", other_scorer(), &["check", "--quiet"], 4),
        ("a damaged baseline", damaged(), &["check", "--quiet"], 2),
        ("nothing to resume", project(), &["run", "--resume"], 2),
        ("no such run to resume", project(), &["run", "--resume", "yesterday"], 2),
        ("a record against a table", finished().table("t.csv", fine()), &["gate", "latest", "t.csv"], 4),
    ]);
    insta::assert_snapshot!(told);
}

/// What the program under test does wrong, and what the record says of it.
const FAULTS: [(&str, &str, &str); 10] = [
    ("ends with a code", "echo 'no such desk' >&2; exit 3", "the program ended with code 3: no such desk"),
    ("ends by a signal", "kill -SEGV $$", "the program was ended by signal 11"),
    ("prints garbage", "echo 'Sure! Here is'", "the output is not JSON"),
    ("prints two answers", "echo '{\"answer\":1}{\"answer\":2}'", "the output is not JSON"),
    ("prints bytes that are no text", "printf '\\377\\376'", "the output is not UTF-8"),
    ("prints nothing", ":", "the program printed nothing"),
    ("prints an empty answer", "echo '{\"answer\": \" \"}'", "the answer is empty"),
    ("answers elsewhere", "echo '{\"reply\": \"x\"}'", "the output has nothing at /answer"),
    ("hangs", "sleep 600", "no answer within 1 s"),
    ("prints 50 MB", "head -c 50000000 /dev/zero", "the program printed more than 1048576 bytes"),
];

#[test]
fn a_candidate_that_fails_has_failed_the_example() {
    let lines: String = (0..=FAULTS.len())
        .map(|i| format!("{}\n", json!({"id": format!("e{i:02}"), "input": "?", "expected": "yes"})))
        .collect();
    let cases: String =
        FAULTS.iter().enumerate().map(|(i, (_, does, _))| format!("*'\"id\":\"e{i:02}\"'*) {does} ;;\n")).collect();
    // The last example is answered well, although the program does not read its input.
    let script = format!("read -r line\ncase $line in\n{cases}*) echo '{{\"answer\": \"yes\"}}' ;;\nesac\n");
    let project = Harness::new()
        .config(
            "evalset = \"s\"\n[candidates.app.command]\nargv = [\"sh\", \"app.sh\"]\nanswer = \"/answer\"\ntimeout = 1.0\n\
             [scorers.right.exact]\n",
        )
        .file("app.sh", script)
        .evalset("s", &lines);
    let record = project.record(&[]);
    assert_eq!(record["failed"], FAULTS.len());
    let metric = &record["metrics"][0];
    assert_eq!(
        (&metric["scored"], &metric["unscored"], &metric["passed"]),
        (&json!(FAULTS.len() + 1), &json!(0), &json!(1))
    );

    // Bless, since the rows of a baseline are text.
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let rows = project.read("reports/baseline/s/app/rows.jsonl");
    for (i, (what, _, says)) in FAULTS.iter().enumerate() {
        let start = format!("{{\"sample\":{{\"id\":\"e{i:02}\"");
        let at = rows.lines().position(|line| line.starts_with(&start)).unwrap();
        let mut lines = rows.lines().skip(at).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let sample = lines.next().unwrap()["sample"].clone();
        let error = sample["error"].as_str().unwrap_or_else(|| panic!("{what}: {sample}"));
        assert!(error.contains(says), "{what}: {error}");
        assert_eq!(sample["answer"], serde_json::Value::Null, "{what}");
        let score = lines.next().unwrap()["score"].clone();
        assert_eq!((&score["value"], &score["passed"]), (&json!(false), &json!(false)), "{what}");
        assert_eq!(score["status"], "candidate_error", "{what}");
    }
}

#[test]
fn an_unanswered_recording_is_a_failed_example() {
    let project = project();
    let recorded = project.read("recorded.jsonl");
    project.write("recorded.jsonl", recorded.lines().take(35).map(|line| format!("{line}\n")).collect::<String>());
    assert_eq!(project.record(&[])["failed"], 5);
}
