//! `judge new`, `show`, `try`, `list judges`.

use serde_json::json;

use crate::project::{PROMPT, Project};
use crate::server::{Say, Server};

#[test]
fn what_new_writes_loads_and_is_never_overwritten() {
    let project = Project::new(&["x"], "[scorers.right.exact]\nexpected = \"/fact\"\n");
    for kind in ["grade", "rubric", "pairwise"] {
        project.ok(&["judge", "new", kind, "--kind", kind]);
        let shown = project.json(0, &["judge", "show", kind]);
        assert_eq!((&shown["kind"], &shown["calibration"]), (&json!(kind), &serde_json::Value::Null));
        assert_eq!(shown["warnings"], json!([]), "{kind}");
        let settings = project.read(format!("judges/{kind}/judge.toml"));
        let (_, stderr) = project.exits(2, &["judge", "new", kind]);
        assert!(stderr.contains("nothing is overwritten"), "{stderr}");
        assert_eq!(project.read(format!("judges/{kind}/judge.toml")), settings);
    }
    let listed = project.ok(&["list", "judges"]);
    assert!(listed.lines().count() == 3 && listed.contains("[pairwise]"), "{listed}");
    project.exits(2, &["judge", "new", "../outside"]);
    assert!(!project.path().join("outside").exists());
}

#[test]
fn a_wrong_judge_is_named_with_its_line() {
    let project = Project::new(&["x"], "[scorers.q.judge]\njudge = \"j\"\n");
    let (_, stderr) = project.exits(2, &["run"]);
    assert!(stderr.contains("there is no judge `j` in judges (there: none)"), "{stderr}");
    let base = "http://127.0.0.1:9/v1";
    for (head, tail, prompt, part) in [
        ("kind = \"grade\"\nreptas = 3", "[scale]\nvalues = [0, 1]", PROMPT, "judge.toml:2: unknown key `reptas`"),
        ("kind = \"grades\"", "[scale]\nvalues = [0, 1]", PROMPT, "judge.toml:1: unknown kind or value `grades`"),
        ("kind = \"grade\"", "modle = \"x\"\n[scale]\nvalues = [0, 1]", PROMPT, "judge.toml:7: unknown key `modle`"),
        ("kind = \"grade\"", "prompt = \"p\"\n[scale]\nvalues = [0, 1]", PROMPT, "which is a candidate's"),
        ("kind = \"grade\"", "", PROMPT, "there is no `[scale]`"),
        (
            "kind = \"grade\"",
            "[scale]\nvalues = [0, 1]",
            "{{ input }} {{ form }}",
            "must show `{{ answer }}` exactly once",
        ),
        (
            "kind = \"grade\"",
            "[scale]\nvalues = [0, 1]",
            "{{ answer }}{{ answer }}",
            "must show `{{ answer }}` exactly once",
        ),
        (
            "kind = \"grade\"",
            "[scale]\nvalues = [0, 1]",
            "{{ answer }} {{ anwser }}",
            "prompt.md.j2:1: there is no variable `anwser`",
        ),
        ("kind = \"grade\"", "[scale]\nvalues = [0, 1]", "{{ answer }", "prompt.md.j2:1"),
    ] {
        project.judge("j", base, head, tail, prompt);
        let (_, stderr) = project.exits(2, &["judge", "show", "j"]);
        assert!(stderr.contains(part), "{part}\n{stderr}");
    }
    project.judge("j", base, "kind = \"grade\"", "[scale]\nvalues = [0, 1]", PROMPT);
    project.settings("[scorers.q.judge]\njudge = \"j\"\ndimension = \"depth\"\n");
    let (_, stderr) = project.exits(2, &["config", "check"]);
    assert!(stderr.contains("the judge `j` has no dimension `depth`; it has overall"), "{stderr}");
}

#[test]
fn known_cases_are_tried() {
    let server = Server::start(|asked| {
        Say::json(&json!({"reasoning": "r", "grade": i32::from(asked.block("ANSWER") != "bad")}))
    });
    let project = Project::new(&["x"], "[scorers.q.judge]\njudge = \"j\"\n");
    let cases = "[scale]\nvalues = [0, 1]\n\
        [[sanity]]\nname = \"good\"\nanswer = \"fine\"\nexpect = { overall = 1 }\n\
        [[sanity]]\nname = \"bad\"\nanswer = \"bad\"\nexpect = { overall = [0] }\n";
    project.judge("j", &server.base_url(), "kind = \"grade\"", cases, PROMPT);
    let tried = project.json(0, &["judge", "try", "j"]);
    assert_eq!(
        (&tried["sanity"]["cases"], &tried["sanity"]["right"], &tried["asked"]),
        (&json!(2), &json!(2), &json!(true))
    );
    let more = format!("{cases}[[sanity]]\nname = \"subtle\"\nanswer = \"looks fine\"\nexpect = {{ overall = 0 }}\n");
    project.judge("j", &server.base_url(), "kind = \"grade\"", &more, PROMPT);
    let (stdout, _) = project.exits(1, &["judge", "try", "j"]);
    assert!(
        stdout.contains("2 of 3 known cases") && stdout.contains("subtle: WRONG: overall is 1, expected 0"),
        "{stdout}"
    );
    // A judge without any is nothing to try.
    project.judge("j", &server.base_url(), "kind = \"grade\"", "[scale]\nvalues = [0, 1]", PROMPT);
    project.exits(2, &["judge", "try", "j"]);
}

/// A program reads no rubric: what a model would need is no warning there.
#[test]
fn a_program_is_not_asked_for_levels() {
    let project = Project::new(&["x"], "[scorers.right.exact]\nexpected = \"/fact\"\n");
    let scale = "[scale]\nvalues = [0, 1]\n";
    project.write("judges/p/judge.toml", &format!("kind = \"grade\"\n[model.command]\nargv = [\"true\"]\n{scale}"));
    project.write("judges/p/prompt.md.j2", PROMPT);
    let shown = project.ok(&["judge", "show", "p"]);
    assert!(!shown.contains("warning:"), "{shown}");
    project.judge("m", "http://127.0.0.1:9/v1", "kind = \"grade\"", scale, PROMPT);
    let shown = project.ok(&["judge", "show", "m"]);
    assert!(shown.contains("warning: judge `m`: the levels of `overall` are not described"), "{shown}");
}

#[test]
fn show_says_which_calibration_counts() {
    let project = Project::new(&["x"], "[scorers.right.exact]\nexpected = \"/fact\"\n");
    project.ok(&["judge", "new", "j"]);
    assert!(project.ok(&["judge", "show", "j"]).contains("calibration none: it may decide nothing"));
    // What a real line comes to is in `shipped`.
    project.write("judges/j/calibrations.jsonl", "{\"date\": \"2026-01-01\", \"licence\": \"none\"}\n");
    let (_, stderr) = project.exits(2, &["judge", "show", "j"]);
    assert!(stderr.contains("calibrations.jsonl:1: no calibration"), "{stderr}");
}
