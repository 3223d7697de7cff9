//! Arguments → settings → one verb. The only place that prints and exits.

mod ab;
mod again;
mod args;
mod baseline;
mod batch;
mod cache;
mod calibrate;
mod check;
mod columns;
mod compare;
mod config;
mod dry_run;
mod evalset;
mod event_log;
mod failure;
mod gate;
mod git;
mod honest;
mod init;
mod judge;
mod judging;
mod label;
mod licences;
mod list;
mod listeners;
mod merge;
mod noise;
mod output;
mod outside;
mod power;
mod progress;
mod publish;
mod report;
mod run;
mod runtime;
mod score;
mod source;
mod stats;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::gate::Exit;
use args::{Cli, Command};
use failure::Failure;
use output::Output;

/// Runs the program on the process's arguments.
///
/// An unexpected end is exit code 6: the 101 of a panic, or a 1, would read as something else.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let exit = guarded(|| start(&cli));
    ExitCode::from(exit.code())
}

/// Help and version go to stdout and end with 0; anything else is a usage error, 2.
fn usage(error: &clap::Error) -> ExitCode {
    // Nothing sensible is left to do when the terminal is gone.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { Exit::Input.code() } else { Exit::Pass.code() })
}

/// Turns a panic into [`Exit::Failure`], after one line that says where it happened.
fn guarded(run: impl FnOnce() -> Exit) -> Exit {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
        let what = panic.payload_as_str().unwrap_or("unknown");
        output::complain(&format!(
            "evalgauge stopped on a bug{place}: {what}\nhint: nothing was decided; please report this"
        ));
    }));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or(Exit::Failure)
}

fn start(cli: &Cli) -> Exit {
    let output = Output::new(&cli.global);
    let outcome = prepare(cli, &output).and_then(|()| dispatch(cli, &output));
    match outcome {
        Ok(exit) => exit,
        Err(failure) => output.failed(&failure),
    }
}

fn prepare(cli: &Cli, output: &Output) -> Result<(), Failure> {
    let reports = matches!(
        cli.command,
        Command::Report(_) | Command::Check(_) | Command::Gate(_) | Command::Compare(_) | Command::Calibrate(_)
    );
    if !reports && cli.global.format.is_some_and(|format| format.plain().is_none()) {
        return Err(Failure::input("--format asks for a report, and this verb makes none".to_owned())
            .hint("its forms are text, json and md; `evalgauge report RUN` has the others"));
    }
    if let Some(threads) = cli.global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .map_err(|error| Failure::machine(format!("cannot start {threads} threads: {error}")))?;
    }
    output.detail(|| format!("{} worker threads", rayon::current_num_threads()));
    Ok(())
}

fn dispatch(cli: &Cli, output: &Output) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Init(args) => init::run(args, &cli.global, output),
        Command::Check(args) => check::run(args, &cli.global, output),
        Command::Run(args) => run::run(args, &cli.global, output),
        Command::Score(args) => score::run(args, &cli.global, output),
        Command::Publish(args) => publish::run(args, &cli.global, output),
        Command::Merge(args) => merge::run(args, &cli.global, output),
        Command::Baseline(args) => baseline::run(args, &cli.global, output),
        Command::Noise(args) => noise::run(args, &cli.global, output),
        Command::Evalset(args) => evalset::run(args, &cli.global, output),
        Command::Judge(args) => judge::run(args, &cli.global, output),
        Command::Config(args) => config::run(args, &cli.global, output),
        Command::Cache(args) => cache::run(args, output),
        Command::Calibrate(args) => calibrate::run(args, &cli.global, output),
        Command::Compare(args) => compare::run(args, &cli.global, output),
        Command::Gate(args) => gate::run(args, &cli.global, output),
        Command::Report(args) => report::run(args, &cli.global, output),
        Command::View(args) => view::run(args, &cli.global, output),
        Command::Power(args) => power::run(args, &cli.global, output),
        Command::Stats(args) => stats::run(args, &cli.global, output),
        Command::Ab(args) => ab::run(args, &cli.global, output),
        Command::Label(args) => label::run(args, &cli.global, output),
        Command::List(args) => list::run(args, &cli.global, output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_panic_is_exit_code_6() {
        assert_eq!(guarded(|| panic!("planted")), Exit::Failure);
        let _ = std::panic::take_hook();
    }
}
