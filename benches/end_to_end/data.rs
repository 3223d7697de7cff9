//! Data that the measurements run on: made up, the same on every machine.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn random(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Whether an example passes: eight in ten do, and two in a hundred change between the sides.
fn passes(row: usize, head: bool) -> bool {
    let mut rng = random(row as u64);
    let before = rng.random_bool(0.8);
    let moved = rng.random_bool(0.02);
    before != (head && moved)
}

/// Label columns of a table, and how many values each has.
pub const LABELS: usize = 10;
const VALUES: usize = 5;

/// A table of `rows` examples with `trials` rows each, 0/1 scores and [`LABELS`] label columns.
pub fn table(path: &Path, rows: usize, trials: usize, head: bool) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write!(out, "id,trial,score")?;
    for label in 0..LABELS {
        write!(out, ",label{label}")?;
    }
    writeln!(out)?;
    for row in 0..rows {
        // The head lists its examples in another order, as a concurrent run does: steps of a fixed odd stride, which
        // visits each once when the number of rows has no factor in common with it.
        let row = if head { row * 7919 % rows } else { row };
        for trial in 0..trials {
            write!(out, "example-{row:07},{trial},{}", u8::from(passes(row * trials + trial, head)))?;
            let mut labels = random(row as u64 ^ 0x5eed);
            for _ in 0..LABELS {
                write!(out, ",value{}", labels.random_range(0..VALUES))?;
            }
            writeln!(out)?;
        }
    }
    out.flush()
}

/// A project: an eval set to pin, the recorded answers of two candidates, one exact scorer, three label keys.
pub fn project(folder: &Path, rows: usize) -> io::Result<()> {
    let mut examples = BufWriter::new(File::create(folder.join("examples.jsonl"))?);
    let mut base = BufWriter::new(File::create(folder.join("base.jsonl"))?);
    let mut head = BufWriter::new(File::create(folder.join("head.jsonl"))?);
    for row in 0..rows {
        let mut rng = random(row as u64 ^ 0xc0de);
        let mut label = |values: u32| rng.random_range(0..values);
        let (tier, locale, kind) = (label(3), label(8), label(12));
        writeln!(
            examples,
            r#"{{"id": "example-{row:05}", "input": {}, "expected": "answer {row}", "labels": {{"tier": "{tier}", "locale": "l{locale}", "kind": "k{kind}"}}}}"#,
            serde_json::json!(question(row))
        )?;
        for (out, is_head) in [(&mut base, false), (&mut head, true)] {
            let answer = answer(row, passes(row, is_head));
            writeln!(out, r#"{{"id": "example-{row:05}", "answer": "{answer}"}}"#)?;
        }
    }
    for mut out in [examples, base, head] {
        out.flush()?;
    }
    std::fs::write(
        folder.join("evalgauge.toml"),
        "evalset = \"generated\"\ncandidate = \"head\"\n\n\
         [candidates.base.replay]\nfile = \"base.jsonl\"\n\n[candidates.head.replay]\nfile = \"head.jsonl\"\n\n\
         [scorers.right.exact]\n\n[slices]\nkeys = [\"tier\", \"locale\", \"kind\"]\n",
    )
}

fn question(row: usize) -> String {
    format!("Question {row}: which answer belongs to the number {row}? Reply with the word answer and the number.")
}

fn answer(row: usize, right: bool) -> String {
    if right { format!("answer {row}") } else { format!("no idea about {row}") }
}

/// The same cases for promptfoo: its `echo` provider gives the prompt back, and `equals` looks at it.
pub fn promptfoo(path: &Path, rows: usize) -> io::Result<()> {
    let tests: Vec<_> = (0..rows)
        .map(|row| {
            serde_json::json!({
                "vars": {"answer": answer(row, passes(row, true))},
                "assert": [{"type": "equals", "value": format!("answer {row}")}],
            })
        })
        .collect();
    let config = serde_json::json!({"prompts": ["{{answer}}"], "providers": ["echo"], "tests": tests});
    std::fs::write(path, config.to_string())
}

/// The same cases for Inspect AI; its mock model answers from `metadata`.
pub fn inspect(path: &Path, rows: usize) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for row in 0..rows {
        let sample = serde_json::json!({
            "id": format!("example-{row:05}"),
            "input": question(row),
            "target": answer(row, true),
            "metadata": {"answer": answer(row, passes(row, true))},
        });
        writeln!(out, "{sample}")?;
    }
    out.flush()
}
