//! How many calls a second workers of the `command` provider answer: the provider alone, and a whole `evalgauge run`.
//!
//! ```sh
//! cargo bench --bench worker                       # 200,000 calls of the provider, runs of 100,000 examples
//! cargo bench --bench worker -- --calls 20000
//! ```
//!
//! The worker is this program itself, started with `--echo`: it answers every call with a constant. What is measured is so
//! the cost of asking, and not of the answer.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

#[expect(dead_code, reason = "shared with benches that need all of it")]
#[path = "../end_to_end/measure.rs"]
mod measure;

use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use evalgauge::call::{Call, Program, Reply};
use evalgauge::provider::{Budget, BudgetSpec, Notices, PriceTable, ProviderSpec, Surroundings};
use futures_util::StreamExt;
use measure::{Invocation, measure};

const EVALGAUGE: &str = env!("CARGO_BIN_EXE_evalgauge");
const RUNS: usize = 3;

/// Workers, calls in flight at each, calls in flight of the run.
const SHAPES: [(usize, usize, usize); 4] = [(1, 1, 1), (1, 64, 64), (2, 64, 128), (4, 64, 256)];

/// Answers every line. What there is to read is answered together, as a quick worker does.
fn echo() -> std::io::Result<()> {
    let mut input = std::io::BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let mut output = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        // The name is the first text of the line, and holds no quotes here.
        let name = line.split(|&byte| byte == b'"').nth(3).unwrap_or_default();
        output.write_all(b"{\"call\":\"")?;
        output.write_all(name)?;
        output.write_all(b"\",\"output\":\"ANSWER\"}\n")?;
        line.clear();
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

fn settings(me: &str, workers: usize, in_flight: usize) -> String {
    format!("[command]\nargv = [{me:?}, \"--echo\"]\nworkers = {workers}\nin_flight = {in_flight}\n")
}

/// Calls a second of the provider alone.
fn provider(me: &str, calls: usize, (workers, in_flight, at_once): (usize, usize, usize)) -> Result<f64, String> {
    let spec: ProviderSpec = toml::from_str(&settings(me, workers, in_flight)).map_err(|error| error.to_string())?;
    let (budget, notices) = (Arc::new(Budget::new(BudgetSpec::default())), Notices::default());
    let prices = PriceTable::shipped();
    let around = Surroundings {
        evalset: None,
        root: Path::new("."),
        environment: &|_| None,
        concurrency: at_once,
        budget: &budget,
        prices: &prices,
        notices: &notices,
        revision: None,
        cache: None,
        draw: None,
    };
    let provider = spec.wrapped(&around).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let call = |row: usize| {
            let input = serde_json::json!({"id": format!("example-{row:07}"), "trial": 0, "input": question(row)});
            Call::Program(Program { provider: "echo".to_owned(), input })
        };
        let started = Instant::now();
        let provider = &provider;
        let mut answers = futures_util::stream::iter(0..calls)
            .map(|row| async move { provider.ask(&call(row)).await })
            .buffer_unordered(at_once);
        let mut answered = 0;
        while let Some(answer) = answers.next().await {
            match answer.map_err(|error| error.to_string())?.reply {
                Reply::Output(_) => answered += 1,
                other => return Err(format!("{other:?}")),
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        drop(answers);
        provider.close().await;
        if answered == calls { Ok(calls as f64 / seconds) } else { Err(format!("{answered} of {calls} answers")) }
    })
}

fn question(row: usize) -> String {
    format!("Which answer belongs to the number {row}, and what would a person who has never seen it say of it?")
}

fn run(calls: usize) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let me = std::env::current_exe().map_err(text)?.display().to_string();
    let mut table =
        String::from("| workers | in flight at each | the provider alone | `run` | CPU a call of `run` |\n");
    table.push_str("| --: | --: | --: | --: | --: |\n");
    let folder = tempfile::tempdir().map_err(text)?;
    let mut examples = String::new();
    for row in 0..calls {
        let line = serde_json::json!({
            "id": format!("example-{row:07}"), "input": question(row), "expected": "ANSWER",
            "labels": {"tier": (row % 3).to_string()},
        });
        // Writing into a text cannot fail.
        let _ = writeln!(examples, "{line}");
    }
    std::fs::write(folder.path().join("examples.jsonl"), examples).map_err(text)?;
    for shape in SHAPES {
        let (workers, in_flight, at_once) = shape;
        let mut alone: Vec<f64> = (0..RUNS).map(|_| provider(&me, 2 * calls, shape)).collect::<Result<_, _>>()?;
        alone.sort_by(f64::total_cmp);
        let config = format!(
            "evalset = \"calls\"\nconcurrency = {at_once}\n{}\n[scorers.right.exact]\n",
            settings(&me, workers, in_flight).replace("[command]", "[candidates.echo.command]")
        );
        std::fs::write(folder.path().join("evalgauge.toml"), config).map_err(text)?;
        if !folder.path().join("evalsets").exists() {
            let pin = ["evalset", "pin", "calls", "--from", "examples.jsonl", "--tag", "v1"];
            measure::warm_up(&Invocation::new(EVALGAUGE, pin), folder.path())?;
        }
        let mut fresh = || drop(std::fs::remove_dir_all(folder.path().join("reports")));
        let whole = measure(&Invocation::new(EVALGAUGE, ["run", "--no-progress"]), folder.path(), RUNS, &mut fresh)?;
        let cpu = whole.cpu.map_or_else(|| "–".to_owned(), |cpu| format!("{:.0} µs", cpu / calls as f64 * 1e6));
        let line = format!(
            "| {workers} | {in_flight} | {:.0} | {:.0} | {cpu} |",
            alone[RUNS / 2],
            calls as f64 / whole.median()
        );
        eprintln!("{line}");
        table.push_str(&line);
        table.push('\n');
    }
    println!("Calls a second, the median of {RUNS} runs; CPU with the workers'.\n\n{table}");
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| args.iter().position(|arg| arg == name);
    let outcome = if has("--echo").is_some() {
        echo().map_err(|error| error.to_string())
    } else if has("--bench").is_none() {
        // `cargo test --benches`: it compiles.
        Ok(())
    } else {
        let calls = has("--calls").and_then(|at| args.get(at + 1)).and_then(|count| count.parse().ok());
        run(calls.unwrap_or(100_000))
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
