//! The formats of reports from outside: what other programs read out of them, whatever a model, a label or a file says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::format_collect, reason = "test program")]
#![allow(dead_code, reason = "the harness is shared with other test programs")]

#[path = "../cli/harness.rs"]
mod harness;
mod parsers;
mod several;
mod shown;
mod strings;

use std::collections::{BTreeSet, HashMap};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use harness::{AS_OF, Harness, announce};

/// Forms that are text, by name.
const FORMS: [&str; 7] = ["text", "md", "html", "json", "junit", "csv", "trailer"];

/// A report in a form, as bytes.
fn report(project: &Harness, arguments: &[&str], form: &str) -> Vec<u8> {
    let mut command = project.command(&["report", "-q", "--as-of", AS_OF, "-f", form]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?} {form}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What moves a cursor, hides, or turns around must not be in what people read.
#[track_caller]
fn is_visible(what: &str, text: &str) {
    let found = text.chars().find(|&c| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    });
    assert_eq!(found, None, "{what}");
}

/// The same elements, or the ones that differ.
#[track_caller]
fn same(what: &str, hostile: &parsers::Elements, harmless: &parsers::Elements) {
    let names = hostile.keys().chain(harmless.keys());
    let differ: BTreeSet<_> = names.filter(|name| hostile.get(*name) != harmless.get(*name)).collect();
    let said = |name: &&String| format!("{name}: {:?} for {:?}", hostile.get(*name), harmless.get(*name));
    assert!(differ.is_empty(), "{what}: {}", differ.iter().map(said).collect::<Vec<_>>().join(", "));
}

/// Both texts, of hostile and of harmless data, have the same elements in the same numbers.
#[track_caller]
fn are_twins(what: &str, form: &str, hostile: &[u8], harmless: &[u8]) {
    let (hostile_text, harmless_text) = (text_of(hostile), text_of(harmless));
    match form {
        "html" => {
            same(what, &parsers::html(&hostile_text), &parsers::html(&harmless_text));
            // Only the style, the script and the data are long lines; there, tabs are JSON's own.
            is_visible(what, &hostile_text);
        }
        "md" => {
            same(what, &parsers::markdown(&hostile_text), &parsers::markdown(&harmless_text));
            is_visible(what, &hostile_text);
            assert!(hostile_text.encode_utf16().count() <= 65_536);
            for link in ["://", "www.", "@team", "@org", "@somebody", "@a.example", "#12", "GH-12", "$x"] {
                assert!(!hostile_text.replace("&#124;", "|").contains(link), "{what}: {link}\n{hostile_text}");
            }
        }
        "junit" => same(what, &parsers::xml(&hostile_text), &parsers::xml(&harmless_text)),
        "csv" => {
            let (hostile, harmless) = (parsers::csv(hostile), parsers::csv(harmless));
            assert_eq!(hostile.len(), harmless.len(), "{what}");
            let mut cells = hostile.iter().flatten();
            let formula = cells.find(|cell| {
                cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r'])
                    && cell.parse::<f64>().is_err()
            });
            assert_eq!(formula, None, "{what}");
        }
        "trailer" => {
            is_visible(what, &hostile_text);
            assert_eq!(trailers(&hostile_text), trailers(&harmless_text), "{what}\n{hostile_text}");
        }
        "text" => {
            is_visible(what, &hostile_text);
            assert!(hostile_text.len() < 200_000, "{what}: {} bytes", hostile_text.len());
        }
        _ => {}
    }
}

/// The keys that git finds at the end of a message with this block.
fn trailers(block: &str) -> Vec<String> {
    let keys = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
    };
    let git = Command::new("git")
        .args(["interpret-trailers", "--parse"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut git) = git else {
        announce("no git on this machine: the lines of the trailer are counted without it");
        return keys(block);
    };
    std::io::Write::write_all(git.stdin.as_mut().unwrap(), format!("Subject\n\nBody.\n\n{block}").as_bytes()).unwrap();
    drop(git.stdin.take());
    let output = git.wait_with_output().unwrap();
    let found = keys(&text_of(&output.stdout));
    assert_eq!(found, keys(block), "git reads every line");
    found
}

/// A project of examples whose ids, inputs, labels and answers hold the texts; the head fails every second example.
fn project(texts: &[String]) -> Harness {
    let short = |text: &str| text.chars().take(1_000).collect::<String>();
    let id = |i: usize| format!("{i:03} {}", short(&texts[i]));
    let line = |i: usize| {
        let labels = json!({"kind": format!("{:03}{}", i % 40, short(&texts[i % 40])), "half": i % 2});
        format!("{}\n", json!({"id": id(i), "input": texts[i], "expected": "right", "labels": labels}))
    };
    let answer = |i: usize, is_head: bool| {
        let said = if is_head { format!("{}{}", texts[i], texts[(i + 1) % texts.len()]) } else { texts[i].clone() };
        let word = if is_head && i.is_multiple_of(2) { "wrong" } else { "right" };
        format!("{}\n", json!({"id": id(i), "answer": json!({"word": word, "said": said}).to_string()}))
    };
    Harness::new()
        .config(
            "evalset = \"s\"\n[candidates.base.replay]\nfile = \"base.jsonl\"\n[candidates.head.replay]\nfile = \"head.jsonl\"\n\
             [scorers.right.exact]\nanswer = \"/word\"\n[slices]\nkeys = [\"kind\", \"half\"]\n",
        )
        .file("base.jsonl", (0..texts.len()).map(|i| answer(i, false)).collect::<String>())
        .file("head.jsonl", (0..texts.len()).map(|i| answer(i, true)).collect::<String>())
        .evalset("s", &(0..texts.len()).map(line).collect::<String>())
}

/// Runs both candidates; the folder of the head's record, with its verdict.
fn check(project: &Harness) -> String {
    project.record(&["--candidate", "base"]);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    let json = ["check", "--baselines", "--candidate", "head", "--base", "base", "--as-of", AS_OF, "--format", "json"];
    project.run(&json).exit(1).json()["head"]["source"].as_str().unwrap().to_owned()
}

#[test]
fn records_of_three_hundred_hostile_texts() {
    let hostile = strings::hostile();
    assert!(hostile.len() >= 300, "{}", hostile.len());
    let harmless: Vec<String> = (0..hostile.len()).map(|i| format!("plain {i}")).collect();
    let (mean, plain) = (project(&hostile), project(&harmless));
    let (head, twin) = (check(&mean), check(&plain));
    for form in FORMS {
        for rows in ["cells", "examples"] {
            if rows == "cells" || form == "csv" {
                let of = |project: &Harness, folder: &str| report(project, &[folder, "--rows", rows], form);
                are_twins(&format!("records, {form} of {rows}"), form, &of(&mean, &head), &of(&plain, &twin));
            }
        }
    }
    // In tables for programs every text is what it was.
    mean.run(&["report", &head, "--rows", "examples", "-o", "examples.parquet"]).exit(0);
    let frame = evalgauge::table::read_frame(&mean.path("examples.parquet"), &["id", "input", "head_answer"]).unwrap();
    let [(_, evalgauge::table::Field::Text(ids)), _, (_, evalgauge::table::Field::Text(answers))] = &frame.fields[..]
    else {
        panic!("three columns")
    };
    assert_eq!(ids.len(), hostile.len());
    for (id, answer) in ids.iter().zip(answers) {
        let i: usize = id.as_ref().unwrap()[..3].parse().unwrap();
        let said: Value = serde_json::from_str(answer.as_ref().unwrap()).unwrap();
        assert_eq!(said["said"], format!("{}{}", hostile[i], hostile[(i + 1) % hostile.len()]), "{i}");
    }
    // The files that `check` wrote are the same reports.
    for (file, form) in [("report.md", "md"), ("report.html", "html"), ("junit.xml", "junit")] {
        let read = |project: &Harness, folder: &str| std::fs::read(project.path(folder).join(file)).unwrap();
        are_twins(file, form, &read(&mean, &head), &read(&plain, &twin));
    }
}

/// The verdict with every text replaced, the same one by the same; what programs decide by stays.
fn doctored(
    value: &Value,
    key: &str,
    replaced: &mut HashMap<String, String>,
    text: &mut impl FnMut(usize) -> String,
) -> Value {
    match value {
        Value::String(_)
            if ["schema", "decision", "mode", "state", "standing", "rule", "generator", "method", "as_of"]
                .contains(&key) =>
        {
            value.clone()
        }
        Value::String(old) if old == "overall" => value.clone(),
        Value::String(old) => {
            let place = replaced.len();
            Value::String(replaced.entry(old.clone()).or_insert_with(|| text(place)).clone())
        }
        Value::Array(items) => items.iter().map(|item| doctored(item, key, replaced, text)).collect(),
        Value::Object(fields) => {
            // Names of scorers are texts too.
            let fields = fields.iter().map(|(name, value)| (name.clone(), doctored(value, name, replaced, text)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

#[test]
fn verdicts_in_which_every_text_is_hostile() {
    let project = project(&(0..80).map(|i| format!("plain {i}")).collect::<Vec<_>>());
    let folder = check(&project);
    let mut verdict: Value = serde_json::from_str(&project.read(&format!("{folder}/verdict.json"))).unwrap();
    verdict["rules"] = json!([
        {"rule": "must-pass", "subject": "a subject", "state": "broken", "detail": "why"},
        {"rule": "guard-rail", "subject": "another", "state": "open", "detail": "why not"},
    ]);
    let mut texts = 0;
    let twin = doctored(&verdict, "", &mut HashMap::new(), &mut |place| {
        texts = texts.max(place + 1);
        format!("plain text {place}")
    });
    project.write("twin.json", twin.to_string());
    let twins = FORMS.map(|form| (form, report(&project, &["twin.json"], form)));
    let hostile = strings::hostile();
    let (long, short): (Vec<&String>, Vec<&String>) = hostile.iter().partition(|text| text.len() > 100_000);
    let mut forms = 0;
    let mut seen = BTreeSet::new();
    let rounds = short.len().div_ceil(10);
    for round in 0..=rounds {
        let doctored = doctored(&verdict, "", &mut HashMap::new(), &mut |place| {
            let text = match place % 30 {
                // Ten further every time, so that each text comes into many places.
                _ if round < rounds => short[(place + 10 * round) % short.len()],
                // A line of a megabyte here and there.
                0 => long[place / 30 % long.len()],
                _ => return format!("plain text {place}"),
            };
            seen.insert(text.clone());
            text.clone()
        });
        project.write("hostile.json", doctored.to_string());
        for (form, twin) in &twins {
            let what = format!("round {round}, {form}");
            let bytes = report(&project, &["hostile.json"], form);
            are_twins(&what, form, &bytes, twin);
            if *form == "json" {
                assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), doctored, "{what}");
            }
            forms += 1;
        }
    }
    assert_eq!(seen.len(), hostile.len());
    announce(&format!(
        "{} hostile texts in {texts} places of a verdict, {forms} reports: the elements of their twins",
        hostile.len()
    ));
}

#[test]
fn an_unescaped_text_would_be_noticed() {
    // The test above can fail: one raw text of each kind changes what the parsers see.
    let page = "<p>a</p>";
    assert_ne!(parsers::html(page), parsers::html(&page.replace('a', "<b>a")));
    for raw in ["**a**", "`a`", "<b>", "[a](b)", "$a$", "a\n- b", "# a"] {
        assert_ne!(parsers::markdown("a\n"), parsers::markdown(raw), "{raw}");
    }
    assert_ne!(parsers::markdown("| a |\n| - |\n| b |"), parsers::markdown("| a | b |\n| - | - |\n| b |"));
    assert_ne!(parsers::xml("<a>b</a>"), parsers::xml("<a><b/></a>"));
}
