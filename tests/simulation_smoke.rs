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
#[path = "../benches/simulation/settings.rs"]
mod settings;
#[path = "../benches/simulation/spot.rs"]
mod spot;
#[path = "../benches/simulation/tables.rs"]
mod tables;
#[path = "../benches/simulation/world.rs"]
mod world;

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
    for wrong in [&["--rows"][..], &["--sims", "none"], &["--row"]] {
        assert!(Settings::of_arguments(wrong.iter().map(|&argument| argument.to_owned())).is_err());
    }
}
