//! A judge of a project: its items, labels, recorded judgements, and what is kept of a calibration.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bench::{Bench, Ran};

const SETTINGS: &str = r#"
kind = "rubric"
about = "whether a note is backed by its source"
overall = "min"
[model.openai]
model = "judge-model-2026-08-01"
params = { temperature = 0 }
[scale]
values = [0, 1, 2]
[[dimension]]
name = "evidence"
about = "is it backed"
[[dimension]]
name = "clarity"
about = "is it clear"
"#;

const PROMPT: &str = "Grade it.\n{{ input }}\n{{ answer }}\n{{ form }}\n";

/// A project with a judge, 60 items and the labels of two raters, who disagree on every tenth item.
fn project() -> Bench {
    let bench = Bench::new();
    let (mut items, mut labels) = (String::new(), String::new());
    for item in 0..60 {
        let tier = if item % 4 == 0 { "hard" } else { "easy" };
        let line = json!({
            "id": format!("it-{item:02}#1"), "input": format!("note {item}"), "answer": "<b>done</b>",
            "labels": {"difficulty": tier},
        });
        let _ = writeln!(items, "{line}");
        for (rater, shift) in [("ann", 0), ("bob", usize::from(item % 10 == 0))] {
            let label = (item + shift) % 3;
            let line = json!({
                "id": format!("it-{item:02}#1"), "rater": rater, "kind": "human", "dimension": "evidence", "label": label,
            });
            let _ = writeln!(labels, "{line}");
        }
    }
    bench
        .file("judges/notes/judge.toml", SETTINGS)
        .file("judges/notes/prompt.md.j2", PROMPT)
        .file("judges/notes/items.jsonl", items)
        .file("judges/notes/labels/both.jsonl", labels);
    bench.file("grades.jsonl", grades(6));
    bench
}

/// The judge's grades: the truth, but for every n-th item.
fn grades(every: usize) -> String {
    let line = |item: usize| {
        let grade = if item % every == 1 { (item + 2) % 3 } else { item % 3 };
        let object = json!({
            "id": format!("it-{item:02}#1"), "dimension": "evidence", "grade": grade, "rationale": format!("because {item}"),
        });
        format!("{object}\n")
    };
    (0..60).map(line).collect()
}

fn calibrate(bench: &Bench, rest: &[&str]) -> Ran {
    bench.run(&[&["calibrate", "notes", "--judgements", "grades.jsonl", "--format", "json"], rest].concat())
}

fn object(ran: &Ran) -> Value {
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

const LINES: &str = "judges/notes/calibrations.jsonl";

#[test]
fn a_calibration_leaves_one_line() {
    let bench = project();
    let found = object(&calibrate(&bench, &[]));
    let own = &found["dimensions"][0]["judges"][0];
    assert_eq!(found["dimensions"][0]["scale"]["labels"], json!(["0", "1", "2"]));
    assert_eq!(own["licence"]["basis"], "smaller_of_two");
    let slices: Vec<&Value> = own["slices"].as_array().unwrap().iter().map(|slice| &slice["slice"]).collect();
    assert_eq!(slices, ["difficulty=easy", "difficulty=hard"]);
    let worst = &own["disagreements"][0];
    assert!(worst["rationale"].as_str().unwrap().starts_with("because "), "{worst}");
    assert_eq!(worst["shown"][1], json!(["answer", "<b>done</b>"]));
    let text = bench.read(LINES);
    assert_eq!(text.matches('\n').count(), 1);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["date"], &line["judge"]), (&"2026-11-21".into(), &"notes".into()));
    assert_eq!(line["digests"]["model"], "judge-model-2026-08-01");
    let kept = &line["dimensions"]["evidence"];
    assert_eq!((&kept["coefficient"], &kept["n"]), (&"quadratic".into(), &60.into()));
    assert_eq!(kept["raters"][0], json!({"name": "ann", "kind": "human", "n": 60}));
    assert_eq!(kept["licence"]["allows"], own["licence"]["allows"]);
    // The same again is the same, and no second line.
    let again = object(&calibrate(&bench, &[]));
    assert_eq!(again, found);
    assert_eq!(bench.read(LINES), text);
    // A judge that moved is drift, on another day another line.
    bench.file("grades.jsonl", grades(2));
    let moved = bench.run(&["calibrate", "notes", "--judgements", "grades.jsonl", "--format", "json"]);
    let moved = object(&moved);
    assert!(bench.read(LINES).starts_with(&text), "lines are only appended");
    assert_eq!(bench.read(LINES).matches('\n').count(), 2);
    let drift = &moved["drift"][0];
    assert_eq!((&drift["changed"], &drift["same_data"]), (&Value::Null, &true.into()));
    assert!(drift["change"].as_f64().unwrap() < 0.0);
    // Another prompt is another judge.
    bench.file("judges/notes/prompt.md.j2", format!("Be strict.\n{PROMPT}")).file("grades.jsonl", grades(6));
    let new = object(&calibrate(&bench, &[]));
    assert_eq!(new["drift"][0]["changed"], "prompt");
    assert_eq!(new["history"].as_array().unwrap().len(), 3);
    let shown = bench.run(&["calibrate", "notes", "--judgements", "grades.jsonl"]);
    assert!(
        shown.stdout.contains("since the last calibration") && shown.stdout.contains("History"),
        "{}",
        shown.stdout
    );
}

#[test]
fn what_does_not_fit_the_judge_is_refused_with_its_line() {
    let known = project();
    let label = |id: &str, dimension: &str, label: Value| {
        let line = json!({"id": id, "rater": "cy", "kind": "human", "dimension": dimension, "label": label});
        format!("{}{line}\n", known.read("judges/notes/labels/both.jsonl").lines().next().unwrap().to_owned() + "\n")
    };
    for (text, part) in [
        (label("it-99#1", "evidence", json!(1)), "cy.jsonl:2: field `id`: unknown item `it-99#1`"),
        (label("it-01#1", "style", json!(1)), "cy.jsonl:2: field `dimension`: judge `notes` has no dimension `style`"),
        (label("it-01#1", "evidence", json!(3)), "cy.jsonl:2: field `label`: the label `3` is not on the scale"),
        (label("it-01#1", "evidence", json!("good")), "the label `good` is not on the scale"),
    ] {
        let bench = project();
        std::fs::remove_file(bench.path("judges/notes/labels/both.jsonl")).unwrap();
        bench.file("judges/notes/labels/cy.jsonl", text);
        let ran = calibrate(&bench, &[]);
        assert_eq!(ran.exit, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(part) && ran.stderr.contains("hint: "), "{part}: {}", ran.stderr);
        assert!(!bench.path(LINES).exists(), "nothing is kept of what was refused");
    }
    let bench = project();
    bench.file("grades.jsonl", "{\"id\": \"it-77#1\", \"dimension\": \"evidence\", \"grade\": 1}\n");
    let ran = calibrate(&bench, &[]);
    assert!(
        ran.exit == 2 && ran.stderr.contains("grades.jsonl:1: field `id`: unknown item `it-77#1`"),
        "{}",
        ran.stderr
    );
    let ran = bench.run(&["calibrate", "other"]);
    assert!(ran.exit == 2 && ran.stderr.contains("`other`") && ran.stderr.contains("notes"), "{}", ran.stderr);
    std::fs::remove_dir_all(bench.path("judges/notes/labels")).unwrap();
    let ran = calibrate(&bench, &[]);
    assert!(ran.exit == 2 && ran.stderr.contains("label export notes"), "{}", ran.stderr);
}

#[test]
fn grades_that_could_not_be_read_are_counted() {
    let bench = project();
    let lines: String = grades(6)
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let mut object: Value = serde_json::from_str(line).unwrap();
            match at {
                0 => object["grade"] = Value::Null,
                1 => object["grade"] = json!(7),
                2 => return String::new(),
                _ => {}
            }
            format!("{object}\n")
        })
        .collect();
    bench.file("grades.jsonl", lines);
    let found = object(&calibrate(&bench, &[]));
    let own = &found["dimensions"][0]["judges"][0];
    assert_eq!((&own["unparsed"]["n"], &own["unparsed"]["of"], &own["not_judged"]), (&2.into(), &59.into(), &1.into()));
    assert_eq!(own["n"], 57);
    assert_eq!(own["unparsed"]["off_scale"], json!([["7", 1]]));
}

#[test]
fn a_sheet_goes_out_blind_and_comes_back() {
    let bench = project();
    std::fs::remove_dir_all(bench.path("judges/notes/labels")).unwrap();
    let out = |seed: &str| {
        let ran = bench.run(&["label", "export", "notes", "-n", "50", "--seed", seed]);
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        ran.stdout
    };
    let sheet = out("7");
    assert_eq!(sheet, out("7"));
    assert_ne!(sheet, out("8"));
    let mut rows = sheet.lines();
    assert_eq!(rows.next(), Some("id,input,answer,evidence,clarity,rationale"));
    let ids: Vec<&str> = rows.map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(ids.len(), 50);
    assert!(!ids.is_sorted(), "shuffled");
    assert!(!sheet.contains("hard") && !sheet.contains("easy"), "blind");
    let filled = |shift: usize| -> String {
        let mut text = "id,input,answer,evidence,clarity,rationale\n".to_owned();
        for (at, id) in ids.iter().enumerate() {
            let _ = writeln!(text, "{id},x,y,{},,{}", (at + shift) % 3, if at == 0 { "seen" } else { "" });
        }
        text
    };
    bench.file("filled.csv", filled(0));
    let import = |rater: &str, kind: &str, more: &[&str]| {
        let base = ["label", "import", "notes", "filled.csv", "--rater", rater, "--kind", kind, "--format", "json"];
        bench.run(&[&base, more].concat())
    };
    let found = object(&import("ann", "human", &[]));
    assert_eq!((&found["added"], &found["missing"]), (&50.into(), &50.into()));
    assert_eq!(object(&import("ann", "human", &[]))["unchanged"], 50);
    object(&import("bot", "stand-in", &[]));
    let first = bench.read("judges/notes/labels/ann.jsonl");
    let line: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let expected = json!({"id": ids[0], "rater": "ann", "kind": "human", "dimension": "evidence", "label": 0, "rationale": "seen"});
    assert_eq!(line, expected);
    // Other labels of the same rater are not slipped in.
    bench.file("filled.csv", filled(1));
    let ran = import("ann", "human", &[]);
    assert!(ran.exit == 2 && ran.stderr.contains("filled.csv:2") && ran.stderr.contains("--replace"), "{}", ran.stderr);
    assert_eq!(bench.read("judges/notes/labels/ann.jsonl"), first);
    assert_eq!(object(&import("ann", "human", &["--replace"]))["replaced"], 50);
    let found = object(&calibrate(&bench, &[]));
    assert_eq!(found["dimensions"][0]["judges"][0]["licence"]["stand_in"], true);
    for (text, part) in [
        ("id,evidence\nit-99#1,1\n", "filled.csv:2: field `id`: unknown item `it-99#1`"),
        ("id,evidence\nit-01#1,5\n", "filled.csv:2: field `evidence`: the label `5` is not on the scale"),
        ("id,evidence\nit-01#1,1\nit-01#1,1\n", "filled.csv:3: field `id`: `it-01#1` stands on line 2 already"),
        ("id,style\nit-01#1,1\n", "no column is a dimension of judge `notes`"),
        ("id,evidence,style\nit-01#1,1,1\n", "column `style` is no dimension"),
        ("id,evidence\nit-01#1,\n", "no label in it"),
    ] {
        bench.file("filled.csv", text);
        let ran = import("cy", "human", &[]);
        assert!(ran.exit == 2 && ran.stderr.contains(part) && ran.stderr.contains("hint: "), "{part}: {}", ran.stderr);
        assert!(!bench.path("judges/notes/labels/cy.jsonl").exists());
    }
    let ran = import("../cy", "human", &[]);
    assert!(ran.exit == 2 && ran.stderr.contains("cannot be the name of a file"), "{}", ran.stderr);
}

/// Answers of a run become items of a judge, and the run's grades are calibrated against labels of just these answers.
#[test]
fn a_run_gives_items_and_grades() {
    let bench = Bench::new();
    let mut examples = String::new();
    for item in 0..60 {
        let line =
            json!({"id": format!("e{item:02}"), "input": format!("say {}", item % 2), "expected": {"answer": "1"}});
        let _ = writeln!(examples, "{line}");
    }
    bench
        .file("set.jsonl", examples)
        .file(
            "answers.jsonl",
            (0..60)
                .map(|item| format!("{}\n", json!({"id": format!("e{item:02}"), "answer": (item % 2).to_string()})))
                .collect::<String>(),
        )
        .file(
            "evalgauge.toml",
            "evalset = \"tiny\"\ncandidate = \"old\"\n[candidates.old.replay]\nfile = \"answers.jsonl\"\n\
             [scorers.graded.exact]\n",
        )
        .file(
            "judges/pairs/judge.toml",
            "kind = \"grade\"\n[model.command]\nargv = [\"true\"]\n[scale]\nvalues = [0, 1]\n",
        )
        .file("judges/pairs/prompt.md.j2", PROMPT);
    for line in ["evalset pin tiny --from set.jsonl --tag v1", "run --no-progress"] {
        let ran = bench.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.exit, 0, "{line}: {}", ran.stderr);
    }
    let ran = bench.run(&["label", "export", "latest", "--for", "pairs", "-n", "60", "--sheet", "sheet.jsonl"]);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let items = bench.read("judges/pairs/items.jsonl");
    assert_eq!(items.lines().count(), 60);
    let first: Value = serde_json::from_str(items.lines().next().unwrap()).unwrap();
    assert_eq!((&first["id"], &first["input"], &first["answer"]), (&"e00#1".into(), &"say 0".into(), &"0".into()));
    // Again: nothing new, and the same sheet.
    let sheet = bench.read("sheet.jsonl");
    bench.run(&["label", "export", "latest", "--for", "pairs", "-n", "60", "--sheet", "sheet.jsonl"]);
    assert_eq!((bench.read("sheet.jsonl"), bench.read("judges/pairs/items.jsonl")), (sheet.clone(), items));
    for rater in ["ann", "bob"] {
        let filled: String = sheet
            .lines()
            .map(|line| {
                let mut object: Value = serde_json::from_str(line).unwrap();
                object["overall"] = object["answer"].clone();
                format!("{object}\n")
            })
            .collect();
        bench.file("filled.jsonl", filled);
        let ran = bench.run(&["label", "import", "pairs", "filled.jsonl", "--rater", rater, "--kind", "human"]);
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
    }
    let ran = bench.run(&["calibrate", "pairs", "--run", "latest"]);
    assert!(
        ran.exit == 2 && ran.stderr.contains("no scorer `pairs`") && ran.stderr.contains("graded"),
        "{}",
        ran.stderr
    );
    let ran = bench.run(&["calibrate", "pairs", "--run", "latest", "--scorer", "graded", "--format", "json"]);
    let found = object(&ran);
    let own = &found["dimensions"][0]["judges"][0];
    assert_eq!(own["licence"]["items"], 60, "{own}");
}

/// Without recorded grades the judge itself is asked: here a program that looks for a word.
#[test]
#[cfg(unix)]
fn the_judge_itself_is_asked() {
    let bench = Bench::new();
    let (mut items, mut labels) = (String::new(), String::new());
    for item in 0..60 {
        let good = item % 3 != 0;
        let answer = if item == 59 {
            "odd"
        } else if good {
            "done"
        } else {
            "failed"
        };
        let _ = writeln!(items, "{}", json!({"id": format!("i{item:02}"), "input": "x", "answer": answer}));
        for rater in ["ann", "bob"] {
            // Raters differ from the word on two items.
            let label = if good ^ [7, 9].contains(&item) { "pass" } else { "fail" };
            let line = json!({"id": format!("i{item:02}"), "rater": rater, "kind": "stand-in", "label": label});
            let _ = writeln!(labels, "{line}");
        }
    }
    bench
        .file("judges/words/items.jsonl", items)
        .file("judges/words/labels/both.jsonl", labels)
        .file("judges/words/prompt.md.j2", PROMPT)
        .file(
            "judges/words/judge.toml",
            "kind = \"grade\"\n[model.command]\nargv = [\"sh\", \"judge.sh\"]\n[scale]\nvalues = [\"fail\", \"pass\"]\n",
        )
        .file(
            "judge.sh",
            "read -r line\ncase \"$line\" in\n*'\"answer\":\"done\"'*) grade=pass ;;\n*'\"answer\":\"odd\"'*) \
             grade=perhaps ;;\n*) grade=fail ;;\nesac\n\
             printf '{\"answer\": {\"reasoning\": \"the word says so\", \"grade\": \"%s\"}}\\n' \"$grade\"\n",
        );
    let ran = bench.run(&["calibrate", "words", "--format", "json"]);
    let found = object(&ran);
    let own = &found["dimensions"][0]["judges"][0];
    assert_eq!((&own["n"], &own["unparsed"]["n"]), (&59.into(), &1.into()), "{own}");
    assert_eq!((&own["licence"]["allows"], &own["licence"]["stand_in"]), (&"absolute".into(), &true.into()));
    assert_eq!(own["disagreement_count"], 2);
    assert_eq!(own["disagreements"][0]["rationale"], "the word says so");
    assert_eq!(own["against_consensus"]["pass_fail"]["table"]["false_pass"], 1);
    let line: Value = serde_json::from_str(&bench.read("judges/words/calibrations.jsonl")).unwrap();
    assert_eq!(line["grades"]["source"], "the judge, asked");
    assert_eq!(line["digests"]["model"], "command");
    // The same judge asked again is the same calibration.
    object(&bench.run(&["calibrate", "words", "--format", "json"]));
    assert_eq!(bench.read("judges/words/calibrations.jsonl").lines().count(), 1);
}
