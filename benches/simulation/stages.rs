//! `check --resolve` through the command line: what deciding in stages costs and saves.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use evalgauge::compare::Side;
use evalgauge::stats::rng::Stream;
use serde_json::{Value, json};

use crate::program::Through;
use crate::settings::{Rate, Settings, Table, each};
use crate::spot::{ask, write_sides};
use crate::world::{Case, Change, Place, World};

/// Trials of a recording: as many as the stages can ask for.
const RECORDED: usize = 6;

/// Scores are right or wrong answers of recordings.
const CONFIG: &str = r#"evalset = "simulated"
candidate = "head"

[candidates.baseline.replay]
file = "baseline.jsonl"
trial = "trial"

[candidates.head.replay]
file = "head.jsonl"
trial = "trial"

[scorers.right.exact]
"#;

/// How one change fared.
#[derive(Debug, Clone, Copy)]
struct Fared {
    /// Decided on one trial of both sides.
    one: bool,
    /// Decided on three.
    three: bool,
    /// Decided in stages.
    staged: bool,
    /// Trials of the head that the stages took.
    trials: u64,
}

fn labels(side: &Side, example: usize) -> Value {
    let label =
        |labels: &evalgauge::compare::Labels| (labels.key.clone(), json!(labels.names[labels.of(example)[0] as usize]));
    side.labels.iter().map(label).collect::<serde_json::Map<_, _>>().into()
}

fn examples(side: &Side) -> String {
    let line = |example: usize| json!({"id": side.ids.get(example), "input": "?", "expected": "1", "labels": labels(side, example)});
    (0..side.ids.len()).fold(String::new(), |mut text, example| {
        writeln!(text, "{}", line(example)).unwrap();
        text
    })
}

fn recording(side: &Side) -> String {
    let mut text = String::new();
    for example in 0..side.ids.len() {
        for (trial, score) in side.metrics[0].of(example).iter().enumerate() {
            let said = u8::from(score.unwrap().passed).to_string();
            writeln!(text, "{}", json!({"id": side.ids.get(example), "trial": trial, "answer": said})).unwrap();
        }
    }
    text
}

/// Runs the program in a folder.
fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).args(["--as-of", "2000-01-01", "--threads", "1", "--quiet"]);
    let output = command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap()).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 2, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn fare(through: Through<'_>, case: &Case, rng: &mut Stream) -> Fared {
    let world = World::draw(case, rng);
    let (baseline, head) = (world.baseline(rng), world.head(rng));
    let fixed = |trials: usize| {
        let folder = write_sides(&baseline, &head, trials);
        ask(through.program, "gate", folder.path(), case, &baseline, &[])["decision"] == "fail"
    };
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("evalgauge.toml", CONFIG.to_owned()),
        ("examples.jsonl", examples(&baseline)),
        ("baseline.jsonl", recording(&baseline)),
        ("head.jsonl", recording(&head)),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let run = |arguments: &[&str]| run(through.program, folder.path(), arguments);
    run(&["evalset", "pin", "simulated", "--from", "examples.jsonl", "--tag", "v1"]);
    run(&["run", "--candidate", "baseline", "--trials", "1", "--no-progress"]);
    run(&["baseline", "bless", "latest"]);
    let checked = run(&["check", "--base", "baseline", "--resolve", "--no-progress", "--format", "json"]);
    let verdict: Value = serde_json::from_slice(&checked).unwrap();
    Fared {
        one: fixed(1),
        three: fixed(3),
        staged: verdict["decision"] == "fail",
        trials: verdict["trials"].as_u64().unwrap(),
    }
}

/// What stages cost and save.
pub fn stages(through: Through<'_>, settings: &Settings, progress: &mut dyn FnMut(&str)) -> Table {
    let mut table = Table::new(
        "In stages: `check --resolve`, through the command line",
        &[
            "what happened",
            "one trial fails",
            "three trials fail",
            "in stages fails",
            "trials in stages",
            "stopped after one",
            "simulations",
        ],
    )
    .say(
        "n = 500, mixed difficulty, eleven cells, α = 5 %. Per cent; trials of the head on average, those of the fresh run before a \
         red included (the baseline takes one less: its first is the stored one).",
    );
    let fall = |place, points, rise| Change::Fall { place, points, rise };
    for (name, what, change) in [
        ("nothing", "nothing", Change::Nothing),
        ("churn", "one answer in ten changed for good, none for the worse on the whole", Change::Churn(0.1)),
        ("intent-15", "one intent (a fifth) −15 points", fall(Place::Intent, 0.15, 0.0)),
        ("intent-25", "one intent −25", fall(Place::Intent, 0.25, 0.0)),
        ("hard-20", "hard slice (10 %) −20", fall(Place::Hard, 0.2, 0.0)),
        ("small-40", "a small slice (6 %) −40", fall(Place::Small, 0.4, 0.0)),
        ("rises", "the average rises, one intent −20", fall(Place::Intent, 0.2, 0.06)),
        ("all-5", "everything −5", fall(Place::All, 0.05, 0.0)),
        ("all-3", "everything −3", fall(Place::All, 0.03, 0.0)),
    ] {
        let name = format!("stages/{name}");
        if !settings.wants(&name) {
            continue;
        }
        let case = Case { change, trials: (RECORDED, RECORDED), ..Case::STANDARD };
        // A quick run only shows that it works: each simulation takes six processes.
        let sims = settings.through(300, 2);
        let fared = each(&name, sims, |rng| fare(through, &case, rng));
        let rate = |is: fn(&Fared) -> bool| Rate::of(&fared, is);
        let trials = fared.iter().map(|fared| fared.trials).sum::<u64>() as f64 / fared.len() as f64;
        table.row(vec![
            what.to_owned(),
            rate(|fared| fared.one).with_error(),
            rate(|fared| fared.three).with_error(),
            rate(|fared| fared.staged).with_error(),
            format!("{trials:.2}"),
            rate(|fared| fared.trials == 1).percent(),
            fared.len().to_string(),
        ]);
        progress(&name);
    }
    table
}
