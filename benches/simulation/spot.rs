//! The same cases through the program: files in, verdict out.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use evalgauge::compare::Side;
use evalgauge::gate::Verdict;
use evalgauge::stats::rng::stream;
use serde_json::Value;
use tempfile::TempDir;

use crate::decision::verdict;
use crate::settings::{Settings, Table, seed_of};
use crate::world::{Case, Change, Groups, Place, Score, Slicing, World};

fn cases() -> Vec<(&'static str, Case)> {
    const S: Case = Case::STANDARD;
    let fall = |place, points| Change::Fall { place, points, rise: 0.0 };
    vec![
        ("nothing changed", S),
        ("three trials", Case { trials: (3, 3), ..S }),
        ("one trial against five", Case { trials: (1, 5), ..S }),
        ("one intent −25", Case { change: fall(Place::Intent, 0.25), ..S }),
        ("everything −5, three trials", Case { change: fall(Place::All, 0.05), trials: (3, 3), ..S }),
        ("graded, one intent −25", Case { score: Score::Graded, change: fall(Place::Intent, 0.25), ..S }),
        (
            "skewed, margins 0",
            Case {
                score: Score::Steady,
                change: Change::Move { share: 0.1, by: 0.45, otherwise: -0.05 },
                margin: Some(0.0),
                ..S
            },
        ),
        ("groups of 5", Case { groups: Some(Groups { size: 5, told: true }), ..S }),
        ("churn", Case { change: Change::Churn(0.1), ..S }),
        ("3 % unscored", Case { unscored: 0.03, ..S }),
        ("sixty slices", Case { slicing: Slicing::Tiny, ..S }),
        ("2,000 examples, hard −20", Case { n: 2_000, change: fall(Place::Hard, 0.2), ..S }),
    ]
}

/// Decides some cases in memory and through the program.
///
/// # Panics
/// Where the two differ: the tables would not be about the program.
pub fn check(program: &Path, settings: &Settings) -> Table {
    let mut table = Table::new("The same cases through the program", &["what", "verdicts", "fail", "pass", "other"])
        .say("Both sides were written to CSV files and decided by `evalgauge gate`; every cell of every verdict was the same.");
    let each = settings.sims(4).min(4);
    for (what, case) in cases() {
        if !settings.wants(&format!("spot/{what}")) {
            continue;
        }
        let mut codes = Vec::new();
        for simulation in 0..each as u64 {
            let mut rng = stream(seed_of(what), simulation);
            let world = World::draw(&case, &mut rng);
            let (baseline, head) = (world.baseline(&mut rng), world.head(&mut rng));
            let (_, in_memory) = verdict(&case, &baseline, &head);
            same(what, &in_memory, &through_program(program, &case, &baseline, &head));
            codes.push(in_memory.exit_code);
        }
        let count = |is: fn(u8) -> bool| codes.iter().filter(|&&code| is(code)).count().to_string();
        table.row(vec![
            what.to_owned(),
            codes.len().to_string(),
            count(|code| code == 1),
            count(|code| code == 0),
            count(|code| code > 1),
        ]);
    }
    table
}

fn same(what: &str, in_memory: &Verdict, printed: &Value) {
    let mut expected = serde_json::to_value(in_memory).unwrap();
    for key in ["decision", "exit_code", "regressed", "draws", "seed", "trials", "pairs"] {
        assert_eq!(expected[key], printed[key], "{what}: `{key}` of the program differs");
    }
    let cells = expected["cells"].as_array_mut().unwrap();
    let others = printed["cells"].as_array().unwrap();
    assert_eq!(cells.len(), others.len(), "{what}: the program has other cells");
    for (cell, other) in cells.iter_mut().zip(others) {
        // Files have one score, and call it so.
        cell["metric"] = other["metric"].clone();
        let cell = cell.as_object().unwrap();
        assert_eq!(cell.len(), other.as_object().unwrap().len(), "{what}: a cell has other keys");
        for (key, value) in cell {
            assert!(equal(value, &other[key]), "{what}: `{key}` is {value} here, {} in the program", other[key]);
        }
    }
}

/// The program prints numbers with six digits.
fn equal(here: &Value, there: &Value) -> bool {
    match (here, there) {
        (Value::Array(here), Value::Array(there)) => {
            here.len() == there.len() && here.iter().zip(there).all(|(here, there)| equal(here, there))
        }
        _ => match (here.as_f64(), there.as_f64()) {
            (Some(here), Some(there)) => (here - there).abs() <= 1e-6 + 1e-5 * here.abs(),
            _ => here == there,
        },
    }
}

fn through_program(program: &Path, case: &Case, baseline: &Side, head: &Side) -> Value {
    ask(program, "gate", write_sides(baseline, head, usize::MAX).path(), case, baseline, &[])
}

/// A folder with the first trials of both sides as files.
pub fn write_sides(baseline: &Side, head: &Side, trials: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, side) in [("baseline.csv", baseline), ("head.csv", head)] {
        std::fs::write(folder.path().join(name), csv(side, trials)).unwrap();
    }
    folder
}

/// What a verb prints about two sides in a folder.
pub fn ask(program: &Path, verb: &str, folder: &Path, case: &Case, baseline: &Side, more: &[&str]) -> Value {
    let mut command = Command::new(program);
    command.current_dir(folder).args([verb, "baseline.csv", "head.csv", "--format", "json"]);
    command.args(["--as-of", "2000-01-01", "--threads", "1"]).args(more);
    for labels in &baseline.labels {
        command.args(["--slice", &labels.key]);
    }
    let scale = case.scale();
    command.args(["--scale", &format!("{},{}", scale.low, scale.high)]);
    if let Some(margin) = case.margin.filter(|_| verb == "gate") {
        command.args(["--margin", &margin.to_string()]);
    }
    let output = command.output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    if verb == "gate" {
        assert_eq!(
            printed["exit_code"].as_i64(),
            output.status.code().map(i64::from),
            "what is printed is the exit code"
        );
    }
    printed
}

fn csv(side: &Side, trials: usize) -> String {
    let mut text = "id,trial,score".to_owned();
    if side.groups.is_some() {
        text += ",group";
    }
    for labels in &side.labels {
        write!(text, ",{}", labels.key).unwrap();
    }
    text.push('\n');
    for example in 0..side.ids.len() {
        for (trial, score) in side.metrics[0].of(example).iter().enumerate().take(trials) {
            let score = score.map_or_else(String::new, |score| score.value.to_string());
            write!(text, "{},{trial},{score}", side.ids.get(example)).unwrap();
            if let Some(groups) = &side.groups {
                write!(text, ",{}", groups[example].as_deref().unwrap_or_default()).unwrap();
            }
            for labels in &side.labels {
                let name = labels.of(example).first().map_or("", |&code| labels.names[code as usize].as_str());
                write!(text, ",{name}").unwrap();
            }
            text.push('\n');
        }
    }
    text
}
