//! Error rates and power by simulation: `cargo bench --bench simulation -- [--quick] [--row NAME] [--sims N]`.
//! With `--through-program` the table of the gate alone, every decision made by the program's own command line, beside the
//! published figures; it ends with 1 where a rate breaks its bound. `--plant NAME` puts a wrong policy in the gate's place, which
//! must break one; `--program FILE` names another build of the program.
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
mod program;
mod settings;
mod spot;
mod stages;
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
    let program = settings.program.as_deref().unwrap_or(Path::new(env!("CARGO_BIN_EXE_evalgauge")));
    let (out, progress) = (&mut |markdown: &str| println!("{markdown}"), &mut |progress: &str| eprintln!("{progress}"));
    if !settings.through_program {
        tables::print(&settings, program, out, progress);
        return ExitCode::SUCCESS;
    }
    let broken = tables::print_through(&settings, program, out, progress);
    for line in &broken {
        eprintln!("broken: {line}");
    }
    ExitCode::from(u8::from(!broken.is_empty()))
}
