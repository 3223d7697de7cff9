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
fn a_constant_answer_is_right_in_less_than_35_percent() {
    for tag in TAGS {
        let examples = examples(tag);
        let mut right: BTreeMap<&str, usize> = BTreeMap::new();
        for example in &examples {
            for team in example["expected"]["answer"]["team"].as_array().unwrap() {
                *right.entry(team.as_str().unwrap()).or_default() += 1;
            }
        }
        let (team, count) = right.iter().max_by_key(|(_, count)| **count).unwrap();
        let share = *count as f64 / examples.len() as f64;
        println!("{tag}: always answering `{team}` is right in {:.1} %", 100.0 * share);
        assert!(share < 0.35);
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

#[test]
fn the_rules_are_right_in_50_to_85_percent() {
    let project = tempfile::tempdir().unwrap();
    for path in ["evalgauge.toml", "evalsets/incident-triage"] {
        let copied =
            Command::new("cp").arg("-r").arg("--parents").arg(path).arg(project.path()).current_dir(root()).status();
        assert!(copied.unwrap().success());
    }
    for tag in TAGS {
        let output = Command::new(env!("CARGO_BIN_EXE_evalgauge"))
            .args(["run", "--format", "json", "--evalset", &format!("incident-triage@{tag}")])
            .current_dir(project.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        let routing = run["metrics"].as_array().unwrap().iter().find(|metric| metric["metric"] == "routing").unwrap();
        let share = routing["mean"].as_f64().unwrap();
        println!("{tag}: the rules are right in {:.1} %", 100.0 * share);
        assert!((0.5..=0.85).contains(&share));
    }
}

/// The right teams of an example.
fn teams(example: &Value) -> Vec<&str> {
    example["expected"]["answer"]["team"].as_array().unwrap().iter().map(|team| team.as_str().unwrap()).collect()
}

#[test]
fn the_answer_of_the_most_similar_other_example_is_right_in_less_than_90_percent() {
    for tag in TAGS {
        let examples = examples(tag);
        let texts: Vec<Vec<String>> = examples
            .iter()
            .map(|example| {
                let input = &example["input"];
                words(&format!("{} {}", input["alert"].as_str().unwrap(), input["context"].as_str().unwrap()))
            })
            .collect();
        let mut documents: BTreeMap<&str, f64> = BTreeMap::new();
        for text in &texts {
            for word in text.iter().map(String::as_str).collect::<BTreeSet<_>>() {
                *documents.entry(word).or_default() += 1.0;
            }
        }
        let all = texts.len() as f64;
        let mean = texts.iter().map(Vec::len).sum::<usize>() as f64 / all;
        let counts: Vec<BTreeMap<&str, f64>> = texts
            .iter()
            .map(|text| {
                let mut counts = BTreeMap::new();
                for word in text {
                    *counts.entry(word.as_str()).or_default() += 1.0;
                }
                counts
            })
            .collect();
        // BM25 with the usual constants.
        let score = |query: usize, other: usize| -> f64 {
            let long = 1.5 * (0.25 + 0.75 * texts[other].len() as f64 / mean);
            let weight = |word: &str| ((all - documents[word] + 0.5) / (documents[word] + 0.5)).ln_1p();
            let of = |word: &&str| counts[other].get(*word).map_or(0.0, |f| weight(word) * f * 2.5 / (f + long));
            counts[query].keys().map(of).sum()
        };
        let right = (0..examples.len())
            .filter(|&query| {
                let others = (0..examples.len()).filter(|&other| other != query);
                let nearest = others.max_by(|&a, &b| score(query, a).total_cmp(&score(query, b))).unwrap();
                teams(&examples[query]).contains(&teams(&examples[nearest])[0])
            })
            .count();
        let share = right as f64 / examples.len() as f64;
        println!("{tag}: the most similar other example has the right team in {:.1} %", 100.0 * share);
        assert!(share < 0.9);
    }
}
