//! The simulation program still runs, and prints the same on one thread and on several.

#![allow(clippy::unwrap_used, reason = "test program")]

#[path = "../benches/simulation/coverage.rs"]
mod coverage;
#[path = "../benches/simulation/decision.rs"]
mod decision;
#[path = "../benches/simulation/enough.rs"]
mod enough;
#[path = "../benches/simulation/false_alarms.rs"]
mod false_alarms;
#[path = "../benches/simulation/power.rs"]
mod power;
#[path = "../benches/simulation/program.rs"]
mod program;
#[path = "../benches/simulation/settings.rs"]
mod settings;
#[path = "../benches/simulation/spot.rs"]
mod spot;
#[path = "../benches/simulation/stages.rs"]
mod stages;
#[path = "../benches/simulation/tables.rs"]
mod tables;
#[path = "../benches/simulation/world.rs"]
mod world;

use std::io::Write as _;
use std::path::Path;

use settings::Settings;

fn printed(arguments: &[&str], threads: usize) -> String {
    let settings = Settings::of_arguments(arguments.iter().map(|&argument| argument.to_owned())).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut text = String::new();
    pool.install(|| {
        let program = Path::new(env!("CARGO_BIN_EXE_evalgauge"));
        tables::print(&settings, program, &mut |table| text += table, &mut |_| {});
    });
    text
}

#[test]
fn every_table_is_printed() {
    let text = printed(&["--quick", "--sims", "1"], 2);
    for title in [
        "Nothing changed: size and trials",
        "everything else that may fool a gate",
        "Stored and fresh baselines",
        "Power",
        "How much is enough",
        "“Fine” at the margin",
        "Coverage: a pass rate",
        "Coverage: a difference",
        "Coverage: a mean",
        "through the program",
    ] {
        assert!(text.contains(title), "{title} is missing from\n{text}");
    }
}

#[test]
fn threads_and_other_rows_change_nothing() {
    let one = printed(&["--bench", "--row", "power/intent-25", "--sims", "30"], 1);
    assert_eq!(one, printed(&["--bench", "--row", "power/intent-25", "--sims", "30"], 3));
    let row = one.lines().find(|line| line.starts_with("| one intent −25")).unwrap();
    let among_others = printed(&["--bench", "--row", "power/intent", "--sims", "30"], 2);
    assert!(among_others.contains(row), "{row} is not in\n{among_others}");
    // 96 % with one trial: thirty simulations without a catch would be another program.
    assert!(!row.contains("| 0.0"), "{row}");
}

#[test]
fn unknown_arguments_are_refused() {
    for wrong in [&["--rows"][..], &["--sims", "none"], &["--row"], &["--plant", "nothing"], &["--plant"]] {
        assert!(Settings::of_arguments(wrong.iter().map(|&argument| argument.to_owned())).is_err());
    }
}

/// The table of the gate through the command line: what is printed, and what breaks a bound.
fn through(arguments: &[&str]) -> (String, Vec<String>) {
    let settings = Settings::of_arguments(arguments.iter().map(|&argument| argument.to_owned())).unwrap();
    let mut text = String::new();
    let program = Path::new(env!("CARGO_BIN_EXE_evalgauge"));
    let broken = tables::print_through(&settings, program, &mut |table| text += table, &mut |_| {});
    writeln!(std::io::stderr().lock(), "{text}\nbroken: {broken:?}").unwrap();
    (text, broken)
}

#[test]
fn the_published_table_is_reproduced_through_the_command_line() {
    let (text, broken) = through(&["--through-program", "--quick"]);
    assert_eq!(broken, Vec::<String>::new());
    for row in [
        "nothing, a flickering",
        "one intent (a fifth)",
        "hard slice",
        "everything −3",
        "| 2 points | 500 |",
        "In stages",
    ] {
        assert!(text.contains(row), "{row} is missing from\n{text}");
    }
    assert!(!text.contains("**no**"), "{text}");
}

#[test]
fn a_wrong_policy_breaks_a_bound() {
    for (plant, row, says) in [
        ("uncorrected", "nothing", "nothing, a flickering system, 1 trials"),
        ("loose", "nothing", "nothing, a flickering system, 1 trials"),
        ("toothless", "power/intent-25", "one intent −25, 1 trials"),
    ] {
        let (_, broken) = through(&["--plant", plant, "--row", row, "--sims", "60"]);
        assert!(broken.iter().any(|line| line.starts_with(says)), "{plant} is not caught: {broken:?}");
    }
}
