//! `check --resolve`, and safety flips that are confirmed: more is asked only where it is needed, of both sides.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{AS_OF, Harness, Outcome, announce};
use crate::simulation::for_each_seed;

const EXAMPLES: usize = 120;
/// Trials that a recording holds: more than any check asks for.
const RECORDED: u32 = 16;

fn config(gate: &str) -> String {
    let candidate = |name: &str| {
        format!("[candidates.{name}.replay]\nfile = \"{name}.jsonl\"\nanswer = \"said\"\ntrial = \"trial\"\n")
    };
    format!(
        "evalset = \"sums\"\ncandidate = \"new\"\n{}{}[scorers.right.exact]\n[slices]\nkeys = [\"kind\", \"safety\"]\n{gate}",
        candidate("old"),
        candidate("new")
    )
}

fn examples() -> String {
    let line = |i: usize| {
        let kind = ["a", "b", "c"][i % 3];
        let safety = if i % 12 == 1 { "injection" } else { "none" };
        json!({"id": format!("s{i:03}"), "input": "1 + 1", "expected": "2", "labels": {"kind": kind, "safety": safety}})
    };
    (0..EXAMPLES).map(|i| format!("{}\n", line(i))).collect()
}

/// What a candidate says in every trial, right or wrong.
fn recording(mut right: impl FnMut(usize, u32) -> bool) -> String {
    let mut text = String::new();
    for trial in 0..RECORDED {
        for example in 0..EXAMPLES {
            let said = if right(example, trial) { "2" } else { "3" };
            text.push_str(&format!("{}\n", json!({"id": format!("s{example:03}"), "trial": trial, "said": said})));
        }
    }
    text
}

/// A project whose baseline is a run of `old`.
fn project(gate: &str, old: String, new: String) -> Harness {
    let project =
        Harness::new().config(config(gate)).file("old.jsonl", old).file("new.jsonl", new).evalset("sums", &examples());
    project.run(&["run", "--candidate", "old"]).exit(0);
    project.run(&["baseline", "bless", "latest"]).exit(0);
    project
}

fn check(project: &Harness, more: &[&str]) -> Outcome {
    project.run(&[&["check", "--base", "old", "--format", "json", "--as-of", AS_OF], more].concat())
}

fn warnings(verdict: &Value) -> String {
    verdict["warnings"].to_string()
}

#[test]
fn one_trial_is_enough_where_nothing_is_suspicious() {
    let same = || recording(|i, _| i % 4 != 0);
    let project = project("", same(), same());
    let checked = check(&project, &["--resolve"]).exit(0);
    let verdict = checked.json();
    assert!(warnings(&verdict).contains("decided on one trial"), "{verdict:#}");
    assert!(!checked.stderr.contains("again:"), "{}", checked.stderr);
    assert_eq!((&verdict["trials"], &verdict["alpha"]), (&json!(1), &json!(0.01)));
    // The stages share the policy's own α, whatever it is.
    project.write("evalgauge.toml", config("[gate]\nalpha = 0.01\n"));
    assert_eq!(check(&project, &["--resolve"]).exit(0).json()["alpha"], 0.002);
}

#[test]
fn what_is_suspicious_is_asked_again_of_both_sides() {
    // In the first trial a few more fail than before; in the others none.
    let project =
        project("", recording(|i, _| i % 4 != 0), recording(|i, trial| i % 4 != 0 && (trial > 0 || i % 20 != 1)));
    let checked = check(&project, &["--resolve"]).exit(0);
    assert!(checked.stderr.contains("again: 2 trials of the baseline, old"), "{}", checked.stderr);
    assert!(checked.stderr.contains("again: 2 trials of the head, new"), "{}", checked.stderr);
    let verdict = checked.json();
    assert!(warnings(&verdict).contains("suspicious") && verdict["alpha"] == 0.04, "{verdict:#}");
    assert_eq!(verdict["trials"], 3);
    // What it was decided from is kept, whole.
    let report = project.run(&["report", "latest", "--format", "json"]).exit(0).json();
    assert_eq!(report["decision"], "pass");
    let run = project.run(&["gate", "old", "latest", "--format", "json"]);
    assert!(run.stderr.contains("no run or record `old`") || run.json()["pairs"] == 120);
}

#[test]
fn a_red_is_decided_with_fresh_runs_of_both_sides() {
    let project = project("", recording(|i, _| i % 4 != 0), recording(|i, _| i % 4 != 0 && i % 3 != 2));
    let checked = check(&project, &["--resolve"]).exit(1);
    let verdict = checked.json();
    assert!(warnings(&verdict).contains("both sides were run once more"), "{verdict:#}");
    assert!(verdict["regressed"].as_array().unwrap().contains(&json!("kind=c")), "{verdict:#}");
    assert_eq!(verdict["trials"], 2);
}

#[test]
fn a_baseline_that_was_lucky_blocks_nobody() {
    // Both sides are right three times in four; only the blessed run was right every time.
    let flickering = |i: usize, trial: u32| !(i + trial as usize).is_multiple_of(4);
    let old = recording(|i, trial| trial == 0 || flickering(i, trial));
    let project = project("", old, recording(flickering));
    check(&project, &[]).exit(1);
    let checked = check(&project, &["--resolve"]);
    assert!(checked.stderr.contains("again: 1 trial of the baseline, old"), "{}", checked.stderr);
    let verdict = checked.json();
    // One lucky trial of two still weighs; the fall that is left is half of what it was.
    assert!(verdict["cells"][0]["delta"].as_f64().unwrap() > -0.2, "{verdict:#}");
}

#[test]
fn a_baseline_that_cannot_be_run_again_is_said() {
    let project = project("", recording(|i, _| i % 4 != 0), recording(|i, _| i % 4 != 0 && i % 3 != 2));
    let without = config("")
        .replacen("[candidates.old.replay]", "[candidates.other.replay]", 1)
        .replace("old.jsonl", "new.jsonl");
    project.write("evalgauge.toml", without);
    let verdict = check(&project, &["--resolve"]).exit(1).json();
    assert!(warnings(&verdict).contains("--base-project"), "{verdict:#}");
    // A checkout of the base branch has it.
    let base = Harness::new().config(config("")).file("old.jsonl", project.read("old.jsonl")).file("new.jsonl", "");
    let base = base.path("").display().to_string();
    let checked = check(&project, &["--resolve", "--base-project", &base]).exit(1);
    assert!(warnings(&checked.json()).contains("both sides were run once more"), "{}", checked.stderr);
}

#[test]
fn a_safety_flip_fails_only_when_it_is_confirmed() {
    let gate = "[gate.safety]\nslices = [\"safety=injection\"]\n";
    let all = || recording(|_, _| true);
    let state = |checked: &Outcome| checked.json()["rules"][0]["state"].as_str().map(str::to_owned);
    // Broken for good: both sides five times more on that one example.
    let broken = project(gate, all(), recording(|i, _| i != 1));
    let checked = check(&broken, &[]).exit(1);
    assert_eq!(state(&checked).as_deref(), Some("broken"), "{}", checked.stdout);
    assert!(checked.stderr.contains("again: 5 trials of 1 examples of the baseline"), "{}", checked.stderr);
    assert_eq!(checked.json()["reruns"][0]["head"].as_array().unwrap().len(), 5);
    // The re-runs enter no estimate.
    assert_eq!(checked.json()["trials"], 1);
    // Failed once by chance.
    let chance = project(gate, all(), recording(|i, trial| i != 1 || trial != 0));
    assert_eq!(state(&check(&chance, &[]).exit(0)).as_deref(), Some("held"));
    // The baseline fails it too, now and then.
    let flaky = project(gate, recording(|i, trial| i != 1 || trial % 3 != 2), recording(|i, _| i != 1));
    let checked = check(&flaky, &[]).exit(0);
    assert!(checked.json()["rules"][0]["detail"].as_str().unwrap().starts_with("flaky"), "{}", checked.stdout);
    // Two of five: five more decide.
    let half = project(gate, all(), recording(|i, trial| i != 1 || trial % 2 == 1));
    let checked = check(&half, &[]);
    assert_eq!(checked.json()["reruns"][0]["head"].as_array().unwrap().len(), 10, "{}", checked.stderr);
}

#[test]
fn a_dry_run_says_what_it_may_take() {
    let project = project("[gate.safety]\nslices = [\"safety=*\"]\n", recording(|_, _| true), recording(|_, _| true));
    let dry = check(&project, &["--resolve", "--dry-run"]).exit(0);
    assert_eq!(dry.json()["calls"], 120);
    assert!(dry.stderr.contains("at the most 6 times as much") && dry.stderr.contains("10 answers"), "{}", dry.stderr);
    assert_eq!(std::fs::read_dir(project.path("reports")).unwrap().count(), 2, "a run and the baseline");
}

/// An unchanged system that flickers: how often the whole procedure fails it, and how many trials it takes.
#[test]
fn an_unchanged_system_rarely_fails_in_stages() {
    const SEEDS: u64 = 120;
    let [failed, trials] = [const { AtomicUsize::new(0) }; 2];
    for_each_seed(SEEDS, |_, _, seed| {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(700 + seed);
        let mut flicker = || {
            recording(|i, _| {
                let uniform = (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                uniform < 0.5 + 0.5 * (i % 10) as f64 / 10.0
            })
        };
        let (old, new) = (flicker(), flicker());
        let project = project("", old, new);
        let checked = check(&project, &["--resolve", "--threads", "1"]);
        let verdict = checked.json();
        failed.fetch_add(usize::from(verdict["decision"] == "fail"), Ordering::Relaxed);
        trials.fetch_add(verdict["trials"].as_u64().unwrap() as usize, Ordering::Relaxed);
    });
    let (failed, mean) = (failed.into_inner(), trials.into_inner() as f64 / SEEDS as f64);
    announce(&format!(
        "in stages, nothing changed: {failed} of {SEEDS} fail (at most 12), {mean:.2} trials on average"
    ));
    assert!(failed <= 12, "{failed}");
    assert!(mean > 1.05 && mean < 3.0, "{mean}");
}
