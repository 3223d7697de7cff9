//! All tables, in the order of the chapter.

use std::path::Path;
use std::time::Instant;

use evalgauge::stats::rng::ALGORITHM;

use crate::program::{Decider, Through};
use crate::settings::{SEED, Settings, Table};
use crate::{coverage, enough, false_alarms, power, spot};

type Make = fn(&Settings) -> Table;

const TABLES: [Make; 10] = [
    false_alarms::flicker,
    false_alarms::others,
    false_alarms::baselines,
    power::power,
    power::shares,
    enough::undecided,
    enough::wrongly_fine,
    coverage::rates,
    coverage::differences,
    coverage::means,
];

/// Makes the tables one after the other and hands each over as it is done.
pub fn print(settings: &Settings, program: &Path, out: &mut dyn FnMut(&str), progress: &mut dyn FnMut(&str)) {
    out(&printed_by(settings));
    let start = Instant::now();
    let mut hand_over = |table: &Table| {
        if !table.is_empty() {
            out(&table.markdown());
            progress(&format!("{:.0} s", start.elapsed().as_secs_f64()));
        }
    };
    for make in TABLES {
        hand_over(&make(settings));
    }
    hand_over(&spot::check(program, settings));
}

/// The table of the design through the command line; the cells that break their bounds.
pub fn print_through(
    settings: &Settings,
    program: &Path,
    out: &mut dyn FnMut(&str),
    progress: &mut dyn FnMut(&str),
) -> Vec<String> {
    out(&printed_by(settings));
    let start = Instant::now();
    let mut timed = |row: &str| progress(&format!("{:.0} s: {row}", start.elapsed().as_secs_f64()));
    Through { program, decider: settings.decider.unwrap_or(Decider::Gate) }.tables(settings, out, &mut timed)
}

fn printed_by(settings: &Settings) -> String {
    let mut command = "cargo bench --bench simulation".to_owned();
    let mut flags = Vec::new();
    match settings.decider {
        Some(decider) => flags.push(format!("--plant {}", decider.name())),
        None if settings.through_program => flags.push("--through-program".to_owned()),
        None => {}
    }
    if settings.quick {
        flags.push("--quick".to_owned());
    }
    flags.extend(settings.row.iter().map(|row| format!("--row {row}")));
    flags.extend(settings.sims.map(|sims| format!("--sims {sims}")));
    if !flags.is_empty() {
        command += &format!(" -- {}", flags.join(" "));
    }
    format!("Printed by `{command}`; seed {SEED}, {ALGORITHM}.\n")
}
