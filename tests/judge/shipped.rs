//! The judge of rules that ships, on the rationales that ship: what it earns, and what the gate makes of that.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::project::Project;

const AS_OF: [&str; 2] = ["--as-of", "2026-11-22"];
const LINES: &str = "judges/rationale-rules/calibrations.jsonl";

/// A judge that takes length for quality.
const BY_LENGTH: &str = r#"#!/bin/sh
LC_ALL=C exec awk '{ match($0, /"rationale\\":\\"[^"\\]*/); grade = RLENGTH > 180 ? 3 : 0 }
END { printf "{\"reasoning\":\"%d\",\"evidence\":%d,\"correctness\":%d,\"usefulness\":%d,\"overall\":%d}", RLENGTH, grade, grade, grade, grade }'
"#;

/// A copy of what ships, without the calibration: nothing is written into the repository.
fn copy() -> Project {
    let project = Project::new(&["x"], "");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["evalsets/incident-triage", "judges/rationale-quality", "judges/rationale-rules", "judged.toml"] {
        copy_all(&root.join(name), &project.path().join(name));
    }
    fs::remove_file(project.path().join(LINES)).unwrap();
    project.ok(&with(&["run"]));
    project.ok(&with(&["baseline", "bless", "latest"]));
    project
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        copy_all(&from.join(&name), &to.join(&name));
    }
}

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["-c", "judged.toml"], &AS_OF].concat()
}

/// `check` of the recorded answers, and of the ones whose rationales are one phrase: both exit codes, and what was said.
fn both(project: &Project, codes: (i32, i32)) -> (String, String) {
    let same = project.exits(codes.0, &with(&["check"])).0;
    let worse = project.exits(codes.1, &with(&["check", "--candidate", "recorded-worse", "--base", "recorded"])).0;
    (same, worse)
}

fn stand_ins(project: &Project, count: bool) {
    let settings = project.read("judged.toml");
    let (other, this) = (format!("allow_stand_in = {}", !count), format!("allow_stand_in = {count}"));
    project.write("judged.toml", &settings.replace(&other, &this));
}

fn overall(calibration: &Value) -> &Value {
    let dimensions = calibration["dimensions"].as_array().unwrap();
    dimensions.iter().find(|found| found["dimension"] == "overall").unwrap()
}

#[test]
fn a_judge_of_rules_earns_a_licence_of_stand_ins_and_the_gate_takes_it_only_where_it_is_allowed() {
    let project = copy();
    // Nobody held it against labels: it decides nothing, neither that all is well nor that something fell.
    for said in <[String; 2]>::from(both(&project, (4, 4))) {
        assert!(said.contains("`evalgauge calibrate rationale-rules`"), "{said}");
    }
    let calibration = project.json(0, &with(&["calibrate", "rationale-rules"]));
    let licence = &overall(&calibration)["judges"][0]["licence"];
    assert_eq!((&licence["stand_in"], &licence["basis"]), (&json!(true), &json!("smaller_of_two")), "{licence}");
    let kappa = licence["kappa"].as_f64().unwrap();
    assert!((0.7..0.85).contains(&kappa), "{licence}");
    assert_eq!(licence["items"], 60);
    // The repository says that they count here.
    let (same, worse) = both(&project, (0, 1));
    assert!(same.contains("judge `rationale-rules` (overall) may be used for"), "{same}");
    assert!(worse.contains("REGRESSED"), "{worse}");
    // Without that they do not.
    stand_ins(&project, false);
    for said in <[String; 2]>::from(both(&project, (4, 4))) {
        assert!(
            said.contains("its labels are from stand-ins, not people") && said.contains("allow_stand_in"),
            "{said}"
        );
        assert!(said.contains("`evalgauge label serve rationale-rules`"), "{said}");
    }
    stand_ins(&project, true);
    // A licence ages,
    let late = [&["check", "-c", "judged.toml"], &["--as-of", "2027-02-21"][..]].concat();
    let (said, _) = project.exits(4, &late);
    assert!(said.contains("90 days") && said.contains("`evalgauge calibrate rationale-rules`"), "{said}");
    // and is of this very judge: an edited rule is another one, also to the baseline.
    let rules = project.read("judges/rationale-rules/grade.awk");
    project.write("judges/rationale-rules/grade.awk", &format!("{rules}\n# edited\n"));
    project.exits(4, &with(&["check"]));
    project.ok(&with(&["run"]));
    project.ok(&with(&["baseline", "bless", "latest"]));
    let (said, _) = project.exits(4, &with(&["check"]));
    assert!(said.contains("judge's licence") && said.contains("`evalgauge calibrate rationale-rules`"), "{said}");
}

#[test]
fn a_judge_that_agrees_with_nobody_can_neither_pass_nor_fail_a_gate() {
    let project = copy();
    project.write("judges/rationale-rules/grade.sh", BY_LENGTH);
    project.ok(&with(&["run"]));
    project.ok(&with(&["baseline", "bless", "latest"]));
    let calibration = project.json(0, &with(&["calibrate", "rationale-rules"]));
    let licence = &overall(&calibration)["judges"][0]["licence"];
    assert_eq!(licence["allows"], "none", "{licence}");
    // It sees every rationale fall from 3 to 0, and is not believed.
    let (_, worse) = both(&project, (4, 4));
    assert!(
        worse.contains("may be used for nothing") && worse.contains("`evalgauge calibrate rationale-rules`"),
        "{worse}"
    );
    assert!(!worse.contains("REGRESSED"), "{worse}");
}

#[test]
fn an_edited_program_is_another_judge_also_without_a_version() {
    let project = copy();
    let settings = project.read("judges/rationale-rules/judge.toml");
    let without: String =
        settings.lines().filter(|line| !line.starts_with("version")).flat_map(|line| [line, "\n"]).collect();
    project.write("judges/rationale-rules/judge.toml", &without);
    let digest = || project.json(0, &with(&["judge", "show", "rationale-rules"]))["model_sha256"].clone();
    let before = digest();
    project.write("judges/rationale-rules/grade.sh", BY_LENGTH);
    assert_ne!(digest(), before);
}

#[test]
fn the_calibrations_that_ship_are_of_the_judges_that_ship() {
    let project = copy();
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(LINES)).unwrap();
    project.write(LINES, &kept);
    project.ok(&with(&["check"]));
    let shown = project.ok(&with(&["judge", "show", "rationale-rules"]));
    assert!(
        shown.contains("overall: absolute thresholds and comparisons, κ 0.77 on 60 items, by stand-ins"),
        "{shown}"
    );
    let late = project.ok(&["judge", "show", "rationale-rules", "-c", "judged.toml", "--as-of", "2027-02-21"]);
    assert!(late.contains("overall: nothing: calibrated on 2026-11-22, 91 days before"), "{late}");
    // The same again is the same line: rules, items and labels are those that were measured.
    project.ok(&with(&["calibrate", "rationale-rules"]));
    assert_eq!(project.read(LINES), kept, "calibrate `rationale-rules` again and commit the line that it adds");
}
