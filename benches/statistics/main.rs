//! How long the numbers behind a decision take, on all threads and on one, and beside what Python offers for them.
//!
//! ```sh
//! cargo bench --bench statistics                          # divan's table of our own times
//! cargo bench --bench statistics -- --ratios              # one Markdown table: ours, the references', the targets
//! cargo bench --bench statistics -- --ratios --only kappa # one line of it
//! cargo bench --bench statistics -- --ratios --small      # a hundredth of the data: does it still work?
//! cargo test --bench statistics                           # every function once, on a hundredth of the data
//! ```
//!
//! All data are made up from fixed seeds. Before anything is timed, the bits on one thread must be those on all. The
//! references are `benches/peers/time_statistics.py`; `PEER_PYTHON` (`python3`, with `SciPy`, scikit-learn, sacrebleu and
//! rouge-score) says what to start, and what is not installed is named as missing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]
#![allow(clippy::unwrap_used, reason = "a measurement that breaks should stop")]

mod data;
mod ratios;
mod tasks;

use std::process::ExitCode;

use divan::Bencher;
use rayon::ThreadPool;
use tasks::{Prepared, Task};

/// How much of the data is used: everything, or a hundredth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// As stated.
    Full,
    /// A hundredth.
    Small,
}

impl Size {
    /// A hundredth where only the workings are looked at: `cargo bench` says `--bench`, `cargo test` does not.
    fn of_arguments() -> Self {
        let given = |flag: &str| std::env::args().any(|arg| arg == flag);
        if given("--bench") && !given("--small") { Self::Full } else { Self::Small }
    }

    /// So many of something, or a hundredth of that.
    const fn of(self, count: usize) -> usize {
        match self {
            Self::Full => count,
            Self::Small => count / 100,
        }
    }
}

/// A pool with a single thread.
fn one_thread() -> ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap()
}

/// The task with its data made, and its result found to be the same on one thread and on all.
fn prepared(task: Task) -> Prepared {
    let run = task.prepare(Size::of_arguments());
    tasks::assert_same_bits(task, &run(), &one_thread().install(&run));
    run
}

#[divan::bench(args = Task::ALL, max_time = 2)]
fn all_threads(bencher: Bencher, task: Task) {
    bencher.bench_local(prepared(task));
}

#[divan::bench(args = Task::ALL, max_time = 2)]
fn single_thread(bencher: Bencher, task: Task) {
    let (pool, run) = (one_thread(), prepared(task));
    bencher.bench_local(|| pool.install(&run));
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // The table measures each task in a process of its own, which is this program again.
        ["--measure", name, ..] => ratios::measure(name),
        _ if args.iter().any(|arg| arg == "--ratios") => ratios::print(&args),
        _ => {
            divan::main();
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
