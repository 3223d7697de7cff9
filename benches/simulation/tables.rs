//! All tables, in the order of the chapter.

use std::path::Path;
use std::time::Instant;

use evalgauge::stats::rng::ALGORITHM;

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
    let mut command = "cargo bench --bench simulation".to_owned();
    let mut flags = Vec::new();
    if settings.quick {
        flags.push("--quick".to_owned());
    }
    flags.extend(settings.row.iter().map(|row| format!("--row {row}")));
    flags.extend(settings.sims.map(|sims| format!("--sims {sims}")));
    if !flags.is_empty() {
        command += &format!(" -- {}", flags.join(" "));
    }
    out(&format!("Printed by `{command}`; seed {SEED}, {ALGORITHM}.\n"));
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
