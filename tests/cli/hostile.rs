//! Text from outside stays text: whatever a model, a program or a file says, it is no markup and moves no cursor.

use serde_json::json;

use crate::harness::{AS_OF, Harness};

/// What hostile texts hold: HTML, a table's border, a link, a mention, a colour, a bell, a reversal of direction, a zero-width
/// space, a carriage return, a code fence.
const HOSTILE: &str =
    "<script>alert(1)</script> | [x](javascript:1) @team \u{1b}[31mred\u{7} \u{202e}abc\u{200b} \rover ```\n# head";

/// Characters that must not reach a terminal or a Markdown file.
const FORBIDDEN: [char; 5] = ['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}', '\r'];

#[track_caller]
fn is_harmless(what: &str, text: &str) {
    for c in FORBIDDEN {
        assert!(!text.contains(c), "{what} has {c:?}:\n{}", text.escape_debug());
    }
}

#[track_caller]
fn is_harmless_markdown(text: &str) {
    is_harmless("the Markdown", text);
    for markup in ["<script", "[x](javascript", "@team"] {
        assert!(!text.contains(markup), "{markup}:\n{text}");
    }
    // Every row of a table has as many cells as its heading.
    let mut columns = None;
    for line in text.lines() {
        let cells = line.starts_with('|').then(|| line.matches('|').count());
        assert!(columns.is_none() || cells.is_none() || columns == cells, "{line}\n{text}");
        columns = cells;
    }
    // The only headings are our own.
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.for_each(|heading| assert!(!heading.starts_with("# "), "{heading}"));
}

/// Sixty examples whose ids, inputs, labels and groups are hostile, and a candidate that answers in kind; half of the
/// head's answers are wrong.
fn project() -> Harness {
    let id = |i: usize| format!("{i:02} {HOSTILE}");
    let lines = (0..60).map(|i| {
        json!({"id": id(i), "input": HOSTILE, "expected": HOSTILE, "labels": {"tier": format!("{HOSTILE}{}", i % 2)}})
    });
    let answers = |wrong: fn(usize) -> bool| -> String {
        (0..60)
            .map(|i| {
                let said = if wrong(i) { format!("{HOSTILE}{HOSTILE}") } else { HOSTILE.to_owned() };
                format!("{}\n", json!({"id": id(i), "answer": said}))
            })
            .collect()
    };
    Harness::new()
        .config(
            "evalset = \"s\"\n[candidates.base.replay]\nfile = \"base.jsonl\"\n[candidates.head.replay]\nfile = \"head.jsonl\"\n\
             [scorers.right.exact]\n",
        )
        .file("base.jsonl", answers(|_| false))
        .file("head.jsonl", answers(|i| i % 2 == 0))
        .evalset("s", &lines.map(|line| format!("{line}\n")).collect::<String>())
}

#[test]
fn answers_ids_inputs_and_labels_in_reports() {
    let project = project();
    project.record(&["--candidate", "base"]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let check = |format: &str| {
        project.run(&["check", "--candidate", "head", "--base", "base", "--as-of", AS_OF, "--format", format]).exit(1)
    };
    let text = check("text").stdout_has("alert(1)");
    is_harmless("the report", &text.stdout);
    is_harmless("stderr", &text.stderr);
    is_harmless_markdown(&check("md").stdout_has("alert(1)").stdout);
    // In JSON everything is kept, escaped by JSON itself.
    let json = check("json");
    is_harmless("the JSON", &json.stdout.replace(['\u{202e}', '\u{200b}'], ""));
    assert_eq!(json.json()["flips"]["pass_to_fail"][0]["baseline_answer"], HOSTILE);
    let source = json.json()["head"]["source"].as_str().unwrap().to_owned();
    is_harmless_markdown(&project.read(&format!("{source}/report.md")));
    let compare =
        |format: &str| project.run(&["compare", "reports/baseline/s/base", &source, "--format", format]).exit(0);
    is_harmless("the comparison", &compare("text").stdout);
    is_harmless_markdown(&compare("md").stdout);
}

#[test]
fn what_verbs_print_of_an_eval_set() {
    let project = project();
    is_harmless("evalset show", &project.run(&["evalset", "show"]).exit(0).stdout);
    is_harmless("run", &project.run(&["run", "--candidate", "head"]).exit(0).stdout);
}

#[test]
fn messages_about_hostile_files() {
    let project = Harness::new()
        .file("base.csv", "id,score\na,1\n")
        .file("head.csv", format!("id,score\na,\"{HOSTILE}\"\n"))
        .file("twice.csv", format!("id,score\n\"{HOSTILE}\",1\n\"{HOSTILE}\",1\n"))
        .file("columns.csv", format!("\"{HOSTILE}\",score\na,1\n"))
        .file("s.jsonl", format!("{}\n", json!({HOSTILE: 1})))
        .file("bad.toml", "\"a\\u001b[31m\" = 1\n");
    for (arguments, said) in [
        (&["gate", "base.csv", "head.csv"][..], "expected a number"),
        (&["gate", "base.csv", "twice.csv"], "stands on line"),
        (&["gate", "base.csv", "columns.csv"], "no column `id`"),
        (&["evalset", "pin", "s", "--from", "s.jsonl", "--tag", "v1"], "field `id` is missing"),
        (&["config", "check", "--config", "bad.toml"], "unknown key"),
        (&["gate", "base.csv", "\u{1b}[31m.csv"], "no such file"),
        (&["gate", "base.csv", "\u{1b}[31m"], "no run or record"),
    ] {
        let outcome = project.run(arguments).exit(2).stderr_has(said);
        is_harmless(said, &outcome.stderr);
    }
}

#[test]
fn what_a_program_complains_and_a_line_of_a_megabyte() {
    let complain = "printf '\\033[31mboom\\007' >&2; exit 1";
    let long = "printf '{\"answer\": \"'; head -c 1000000 /dev/zero | tr '\\0' x; printf '\"}'";
    let script = format!("read -r line\nif [ -e broken ]; then {complain}\nelse {long}\nfi\n");
    let lines = (0..8).map(|i| format!("{}\n", json!({"id": format!("e{i}"), "input": "?", "expected": "x"})));
    let project = Harness::new()
        .config(
            "evalset = \"s\"\n[candidates.app.command]\nargv = [\"sh\", \"app.sh\"]\nanswer = \"/answer\"\n\
             [scorers.long.contains]\nall = [\"xxx\"]\n",
        )
        .file("app.sh", script)
        .evalset("s", &lines.collect::<String>());
    assert_eq!(project.record(&[])["metrics"][0]["passed"], 8);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project.write("broken", "");
    for format in ["text", "md"] {
        let outcome = project.run(&["check", "--as-of", AS_OF, "--format", format]).exit(1);
        is_harmless("the report", &outcome.stdout);
        is_harmless("stderr", &outcome.stderr);
        assert!(outcome.stdout.len() < 20_000, "{} bytes", outcome.stdout.len());
        outcome.stdout_has("xxx…").stdout_has("boom");
    }
}
