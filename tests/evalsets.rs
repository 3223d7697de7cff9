//! The repository's own eval set is real only if it is hard to cheat: no near-copies, no majority answer that does well, and an
//! afternoon's rules that are neither hopeless nor perfect.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pinned versions that have to be good.
const TAGS: [&str; 2] = ["v0", "v1"];

/// The examples of a version.
fn examples(tag: &str) -> Vec<Value> {
    let folder = root().join("evalsets/incident-triage");
    let description: toml::Table = std::fs::read_to_string(folder.join("evalset.toml")).unwrap().parse().unwrap();
    let versions = description["version"].as_array().unwrap();
    let version = versions.iter().find(|version| version["tag"].as_str() == Some(tag)).unwrap();
    let text = std::fs::read_to_string(folder.join(version["file"].as_str().unwrap())).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Words without punctuation, in lower case; scripts that put no spaces between words count by character.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let mut word = String::new();
        for c in run.chars() {
            if ('\u{3040}'..='\u{9fff}').contains(&c) {
                words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                words.push(c.to_string());
            } else {
                word.push(c);
            }
        }
        words.extend(Some(word).filter(|word| !word.is_empty()));
    }
    words
}

fn five_grams(example: &Value) -> BTreeSet<Vec<String>> {
    let input = &example["input"];
    let text = format!("{} {}", input["alert"].as_str().unwrap(), input["context"].as_str().unwrap());
    words(&text).windows(5).map(<[String]>::to_vec).collect()
}

#[test]
fn no_two_inputs_share_half_of_their_five_grams() {
    for tag in TAGS {
        let examples = examples(tag);
        let grams: Vec<_> = examples.iter().map(five_grams).collect();
        let mut most = (0.0, String::new());
        for i in 0..grams.len() {
            for j in 0..i {
                let shared = grams[i].intersection(&grams[j]).count() as f64;
                let share = shared / grams[i].len().min(grams[j].len()).max(1) as f64;
                if share > most.0 {
                    most = (share, format!("{} and {}", examples[i]["id"], examples[j]["id"]));
                }
            }
        }
        println!(
            "{tag}: {} examples; the closest pair shares {:.1} % of its 5-grams ({})",
            examples.len(),
            100.0 * most.0,
            most.1
        );
        assert!(most.0 < 0.5);
        assert!(most.0 > 0.0, "texts of one trade share some phrase; a measure that sees none is broken");
    }
}

#[test]
fn the_slices_the_set_promises_are_there() {
    for tag in TAGS {
        let examples = examples(tag);
        let count = |key: &str, value: &str| examples.iter().filter(|e| e["labels"][key] == value).count();
        assert!(count("difficulty", "hard") * 10 >= examples.len(), "a tenth is hard");
        assert!(count("safety", "prompt-injection") >= 4 && count("safety", "must-escalate") >= 4);
        let unclear = examples.iter().filter(|e| e["expected"]["answer"]["team"][0] == "need-more-information").count();
        assert!(unclear >= 6, "{unclear} examples whose right answer is to ask");
        for example in &examples {
            for field in ["id", "provenance", "annotator", "annotated_at"] {
                assert!(
                    example[field].as_str().is_some_and(|text| !text.is_empty()),
                    "{} lacks {field}",
                    example["id"]
                );
            }
        }
    }
}

/// A copy of the project, so that nothing is written into the repository.
fn copy() -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    for path in ["evalgauge.toml", "evalsets/incident-triage"] {
        let copied =
            Command::new("cp").arg("-r").arg("--parents").arg(path).arg(project.path()).current_dir(root()).status();
        assert!(copied.unwrap().success());
    }
    project
}

/// The share of right teams of a candidate, by the program.
fn routing(project: &tempfile::TempDir, tag: &str, candidate: &str) -> f64 {
    let output = Command::new(env!("CARGO_BIN_EXE_evalgauge"))
        .args(["run", "--format", "json", "--candidate", candidate, "--evalset", &format!("incident-triage@{tag}")])
        .current_dir(project.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let routing = run["metrics"].as_array().unwrap().iter().find(|metric| metric["metric"] == "routing").unwrap();
    assert_eq!(routing["unscored"], 0);
    routing["mean"].as_f64().unwrap()
}

#[test]
fn honest_baselines_do_neither_well_nor_hopelessly() {
    let project = copy();
    for tag in TAGS {
        for (candidate, least, most) in
            [("random", 0.0, 0.35), ("majority", 0.0, 0.35), ("rules", 0.5, 0.85), ("nearest", 0.0, 0.9)]
        {
            let share = routing(&project, tag, candidate);
            println!("{tag}: {candidate} is right in {:.1} %", 100.0 * share);
            assert!((least..=most).contains(&share), "{tag}: {candidate} {share}");
        }
    }
}

#[test]
fn the_most_common_answer_is_what_counting_says() {
    // Another way to the same number: leave-one-out changes the answer only where two counts differ by one.
    let project = copy();
    for tag in TAGS {
        let examples = examples(tag);
        let mut right: BTreeMap<&str, usize> = BTreeMap::new();
        for example in &examples {
            for team in example["expected"]["answer"]["team"].as_array().unwrap() {
                *right.entry(team.as_str().unwrap()).or_default() += 1;
            }
        }
        let mut counts: Vec<usize> = right.into_values().collect();
        counts.sort_unstable();
        let (second, first) = (counts[counts.len() - 2], counts[counts.len() - 1]);
        assert!(first > second + 1);
        assert!((routing(&project, tag, "majority") - first as f64 / examples.len() as f64).abs() < 1e-6);
    }
}
