//! How often attempts to steer a judge are found, and harmless answers reported: `cargo bench --bench steering`.
//!
//! Learns from every source of texts but one and asks about that one, for each source that has attempts, so that every text is judged by
//! a model that has seen nothing of who wrote it; then asks the shipped model about texts that were never learned from, alone
//! and between others.
//! `-- --write` learns from all and writes the weights that the program ships; `-- --texts FILE` asks the shipped model about
//! the `answer` of every line of a file, all of them taken to be harmless.

#![allow(clippy::print_stdout, reason = "the tables are what it is for")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that breaks should stop")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use evalgauge::judge::attack::{Kind, Labelled, Model, attempts, learn};
use serde::Deserialize;

/// One line of a corpus.
#[derive(Deserialize)]
struct Line {
    from: String,
    steers: bool,
    #[serde(default)]
    kind: Option<String>,
    answer: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("--write") => write(),
        Some("--texts") => texts(Path::new(arguments.get(1).expect("`--texts FILE`"))),
        _ => measure(),
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/judge/steering").join(name)
}

fn corpus(name: &str) -> Vec<(String, Labelled)> {
    let text = std::fs::read_to_string(data(name)).unwrap();
    text.lines()
        .map(|line| {
            let line: Line = serde_json::from_str(line).unwrap();
            let kind = line.kind.as_deref().map(|kind| Kind::of_name(kind).unwrap());
            (line.from, Labelled { text: line.answer, steers: line.steers, kind })
        })
        .collect()
}

fn write() {
    let texts: Vec<Labelled> = corpus("learned.jsonl").into_iter().map(|(_, labelled)| labelled).collect();
    let started = Instant::now();
    let model = learn(&texts);
    let bytes = model.to_bytes();
    println!(
        "{} texts, {} runs, {} bytes, {:.1} s",
        texts.len(),
        model.len(),
        bytes.len(),
        started.elapsed().as_secs_f64()
    );
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/judge/attack/model.bin"), bytes).unwrap();
}

/// What was found and reported.
#[derive(Default)]
struct Count {
    attempts: usize,
    found: usize,
    harmless: usize,
    reported: usize,
    kinds: usize,
    right_kinds: usize,
}

impl Count {
    /// Counts a text; whether the model is right about it.
    fn add(&mut self, model: &Model, labelled: &Labelled) -> bool {
        let found = attempts(model, &labelled.text, &[]);
        let is_reported = !found.is_empty();
        if labelled.steers {
            self.attempts += 1;
            self.found += usize::from(is_reported);
            if let (Some(kind), Some(finding)) = (labelled.kind, found.first()) {
                self.kinds += 1;
                self.right_kinds += usize::from(finding.pattern.starts_with(kind.name()));
            }
        } else {
            self.harmless += 1;
            self.reported += usize::from(is_reported);
        }
        is_reported == labelled.steers
    }

    fn plus(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.found += other.found;
        self.harmless += other.harmless;
        self.reported += other.reported;
        self.kinds += other.kinds;
        self.right_kinds += other.right_kinds;
    }

    fn row(&self, name: &str) {
        let share = |part: usize, of: usize| {
            if of == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / of as f64) }
        };
        println!(
            "| {name} | {} of {} | {} | {} of {} | {} | {} |",
            self.found,
            self.attempts,
            share(self.found, self.attempts),
            self.reported,
            self.harmless,
            share(self.reported, self.harmless),
            share(self.right_kinds, self.kinds),
        );
    }
}

fn measure() {
    let all = corpus("learned.jsonl");
    let mut sources: BTreeMap<&str, Vec<&Labelled>> = BTreeMap::new();
    for (from, labelled) in &all {
        sources.entry(from).or_default().push(labelled);
    }
    println!("| texts by | found | | reported, harmless | | kind |\n| --- | --: | --: | --: | --: | --: |");
    let mut groups: BTreeMap<&str, Count> = BTreeMap::new();
    for (source, texts) in sources.iter().filter(|(_, texts)| texts.iter().any(|labelled| labelled.steers)) {
        let others: Vec<Labelled> =
            all.iter().filter(|(from, _)| from != source).map(|(_, labelled)| labelled.clone()).collect();
        let model = learn(&others);
        let mut count = Count::default();
        for labelled in texts {
            count.add(&model, labelled);
        }
        count.row(source);
        groups.entry(source.split('-').next().unwrap()).or_default().plus(&count);
    }
    for (group, count) in groups {
        count.row(&format!("all of `{group}`"));
    }
    let mut count = Count::default();
    let held = corpus("held-out.jsonl");
    let wrong: Vec<&Labelled> =
        held.iter().map(|(_, labelled)| labelled).filter(|labelled| !count.add(Model::shipped(), labelled)).collect();
    count.row("shipped model, held out");
    for around in [1, 2, 4] {
        let mut count = Count::default();
        for labelled in between(&held, around) {
            count.add(Model::shipped(), &labelled);
        }
        count.row(&format!("held out, between {around} + {around} harmless ones"));
    }
    for labelled in wrong {
        println!("{}: {:?}", if labelled.steers { "missed" } else { "reported" }, labelled.text);
    }
}

/// Every text between so many harmless ones on each side.
fn between(texts: &[(String, Labelled)], around: usize) -> Vec<Labelled> {
    let harmless: Vec<&str> =
        texts.iter().filter(|(_, labelled)| !labelled.steers).map(|(_, labelled)| labelled.text.as_str()).collect();
    let inner = texts.iter().enumerate();
    inner
        .map(|(at, (_, labelled))| {
            let mut parts: Vec<&str> =
                (0..2 * around).map(|more| harmless[(at * 31 + more * 17 + 1) % harmless.len()]).collect();
            parts.insert(around, &labelled.text);
            Labelled { text: parts.join("\n"), ..labelled.clone() }
        })
        .collect()
}

fn texts(file: &Path) {
    let mut count = Count::default();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = line["answer"].as_str().unwrap().to_owned();
        let labelled = Labelled { text, steers: false, kind: None };
        if !count.add(Model::shipped(), &labelled) {
            println!("reported: {:?}", labelled.text.chars().take(200).collect::<String>());
        }
    }
    count.row("texts");
}
