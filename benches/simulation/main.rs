//! Error rates and power by simulation: `cargo bench --bench simulation -- [--quick] [--row NAME] [--sims N]`.
//!
//! Eval sets, systems and changes are drawn from a fixed seed, and decided by the functions that the program uses; some
//! are decided by the program too. What is printed are the tables of `docs/statistics.md`, the same on any number of
//! threads.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what it is for")]
#![allow(clippy::unwrap_used, reason = "a simulation that breaks should stop")]

mod coverage;
mod decision;
mod enough;
mod false_alarms;
mod power;
mod settings;
mod spot;
mod tables;
mod world;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let settings = match settings::Settings::of_arguments(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let program = Path::new(env!("CARGO_BIN_EXE_evalgauge"));
    tables::print(&settings, program, &mut |markdown| println!("{markdown}"), &mut |progress| eprintln!("{progress}"));
    ExitCode::SUCCESS
}
