//! A pass, a fail and an inconclusive decision in every form that is text, and the published schema.

use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness, csv};
use crate::{report, text_of};

/// Two hundred scores in two tiers; those that fail are listed by number.
fn tiers(fails: impl Fn(usize) -> bool) -> String {
    csv("id,tier,score", (0..200).map(|i| format!("e{i:03},{},{}", 1 + i % 2, u8::from(!fails(i)))))
}

/// A project with the verdicts of a pass, a fail, and an inconclusive gate.
fn decided() -> Harness {
    let project = Harness::new();
    for (name, base, head, more, exit) in [
        ("pass", tiers(|i| i % 10 == 3), tiers(|i| i % 10 == 3 && i != 13), &[][..], 0),
        ("fail", tiers(|i| i % 10 == 3), tiers(|i| i % 10 == 3 && i != 13 || i % 6 == 1), &[], 1),
        (
            "inconclusive",
            tiers(|i| i % 5 == 3),
            tiers(|i| i % 5 == 3 && i % 7 != 0 || i % 17 == 1),
            &["--fail-undecided"],
            3,
        ),
    ] {
        project.write("base.csv", base);
        project.write("head.csv", head);
        let gate = ["gate", "base.csv", "head.csv", "--slice", "tier", "--as-of", AS_OF, "--reports", name];
        project.run(&[&gate, more].concat()).exit(exit);
    }
    project
}

/// The page without style and script, which are the same in all.
fn body(page: &str) -> String {
    let from = page.find("<body>").unwrap();
    let to = page.find("<script").unwrap_or(page.len());
    page[from..to].lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_form_of_every_decision() {
    let project = decided();
    for name in ["pass", "fail", "inconclusive"] {
        for form in ["text", "md", "html", "json", "junit", "csv", "trailer"] {
            let bytes = report(&project, &[&format!("{name}/verdict.json")], form);
            let text = text_of(&bytes);
            let text = if form == "html" { body(&text) } else { text };
            insta::assert_snapshot!(format!("{name}_{form}"), text);
        }
        // What `gate` wrote beside the verdict is what `report` makes of it.
        for (file, form) in
            [("report.md", "md"), ("report.html", "html"), ("verdict.json", "json"), ("junit.xml", "junit")]
        {
            let written = std::fs::read(project.path(&format!("{name}/{file}"))).unwrap();
            let again = report(&project, &[&format!("{name}/verdict.json")], form);
            assert_eq!(text_of(&written), text_of(&again), "{name}/{file}");
        }
    }
}

/// The schema with nothing allowed that it does not name, so that a new field must be described.
pub fn closed(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            fields.values_mut().for_each(closed);
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

#[test]
fn the_schema_describes_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/verdict.schema.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema itself");
    closed(&mut schema);
    let schema = jsonschema::validator_for(&schema).unwrap();
    let is_valid = |what: &str, text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {}", errors.join("\n"));
        value
    };
    let project = decided();
    for name in ["pass", "fail", "inconclusive"] {
        is_valid(name, &project.read(&format!("{name}/verdict.json")));
    }
    // Of records, with answers and pins.
    let records = crate::project(&(0..80).map(|i| format!("plain {i}")).collect::<Vec<_>>());
    let folder = crate::check(&records);
    let mut verdict = is_valid("records", &records.read(&format!("{folder}/verdict.json")));
    // And it refuses what is none.
    verdict["cells"][0]["state"] = json!("wonderful");
    assert!(!schema.is_valid(&verdict));
    verdict["cells"][0]["state"] = json!("fine");
    verdict["more"] = json!(1);
    assert!(!schema.is_valid(&verdict));
}

#[test]
fn a_report_is_found_by_every_name_and_written_by_the_ending_of_its_file() {
    let project = crate::project(&(0..80).map(|i| format!("plain {i}")).collect::<Vec<_>>());
    let folder = crate::check(&project);
    let id = folder.trim_start_matches("reports/");
    let page = project.read(&format!("{folder}/report.html"));
    for name in [id, folder.as_str(), "latest", &format!("{folder}/verdict.json")] {
        project.run(&["report", name, "-o", "r.html"]).exit(0);
        assert_eq!(project.read("r.html"), page, "{name}");
    }
    for (file, start) in
        [("r.md", "## ❌ FAIL"), ("r.json", "{\n"), ("r.xml", "<?xml"), ("r.csv", "metric,slice,n"), ("r.txt", "FAIL")]
    {
        project.run(&["report", "latest", "-o", file]).exit(0);
        assert!(project.read(file).starts_with(start), "{file}");
    }
    project.run(&["report", "latest", "-o", "r.parquet"]).exit(0);
    assert!(std::fs::read(project.path("r.parquet")).unwrap().starts_with(b"PAR1"));
    // What is asked for by name goes before the ending.
    project.run(&["report", "latest", "-f", "trailer", "-o", "message.txt"]).exit(0);
    assert!(project.read("message.txt").starts_with("Evalgauge-Verdict: fail\n"));

    // A record without a verdict, and the same against a baseline.
    project
        .run(&["report", "reports/baseline/s/base", "-f", "md"])
        .exit(0)
        .stdout_has("## Record")
        .stdout_has("| right |");
    project.run(&["report", "reports/baseline/s/base", "-f", "junit"]).exit(2).stderr_has("there is none here");
    project.run(&["report", id, "--base", "base", "--as-of", AS_OF]).exit(0).stdout_has("FAIL");
    project.run(&["report", id, "--base", "base", "--as-of", AS_OF, "--margin", "1"]).exit(0).stdout_has("PASS");
    // Without the records there is still the verdict.
    std::fs::rename(project.path(&folder), project.path("gone")).unwrap();
    project.run(&["report", "gone/verdict.json", "-f", "md"]).exit(0).stdout_has("FAIL").stderr_has("not here");
}

#[test]
fn what_a_report_refuses() {
    let project = Harness::new()
        .file("no.json", "{\"schema\": 1}")
        .file("broken.json", "{")
        .table("base.csv", tiers(|i| i % 10 == 3))
        .table("head.csv", tiers(|i| i % 10 == 3));
    for (arguments, said) in [
        (&["report", "no.json"][..], "no.json: not a verdict"),
        (&["report", "broken.json"], "broken.json: not a verdict"),
        (&["report", "nothing.json"], "no run or record `nothing.json`"),
        (&["report", "latest"], "no run yet"),
        (&["report", "no.json", "--margin", "0.1"], "name the baseline with --base"),
        (&["gate", "base.csv", "head.csv", "-f", "parquet"], "name a file with --output"),
        (&["compare", "base.csv", "head.csv", "-f", "trailer"], "trailer shows a decision"),
        (&["list", "metrics", "-f", "html"], "this verb makes none"),
    ] {
        project.run(arguments).exit(2).stderr_has(said);
    }
    let other = "{\"schema\": \"evalgauge.verdict/9\"";
    project.run(&["gate", "base.csv", "head.csv", "--as-of", AS_OF, "-o", "v.json"]).exit(0);
    let verdict = project.read("v.json").replacen("{\n  \"schema\": \"evalgauge.verdict/1\"", other, 1);
    project.write("v9.json", verdict);
    project.run(&["report", "v9.json"]).exit(2).stderr_has("this version reads `evalgauge.verdict/1`");
}
