//! How fast the program drives a model server, beside a bare load generator and other harnesses on the same server.
//!
//! ```sh
//! PEER_SERVER=/path/to/mock-llm cargo bench --bench live            # 10,000 examples
//! PEER_SERVER=/path/to/mock-llm cargo bench --bench live -- --rows 1000
//! ```
//!
//! `PEER_SERVER` is a program that speaks chat completions on 127.0.0.1, at the port in `PORT`, waiting `DELAY_MS` with every
//! answer. `PEER_PROMPTFOO` and `PEER_INSPECT` are started where they are installed, and named as missing where not.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

#[path = "../end_to_end/measure.rs"]
mod measure;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use measure::{Figures, Invocation, measure, warm_up};

const EVALGAUGE: &str = env!("CARGO_BIN_EXE_evalgauge");
const RUNS: usize = 5;

/// A server that ends with this value.
struct Server {
    child: Child,
    base_url: String,
}

impl Server {
    fn start(program: &str, delay_ms: u32) -> Result<Self, String> {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| error.to_string())?
            .port();
        let child = Command::new(program)
            .env("PORT", port.to_string())
            .env("DELAY_MS", delay_ms.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let server = Self { child, base_url: format!("http://127.0.0.1:{port}/v1") };
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > deadline {
                return Err(format!("{program} does not listen"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn question(row: usize) -> String {
    format!("Which answer belongs to the number {row}?\nanswer {row}")
}

/// A project whose candidate is a model behind the server.
fn project(folder: &Path, base_url: &str, rows: usize, concurrency: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut examples = String::new();
    for row in 0..rows {
        let line = serde_json::json!({
            "id": format!("example-{row:07}"),
            "input": question(row),
            "expected": format!("ANSWER {row}"),
            "labels": {"tier": (row % 3).to_string(), "kind": (row % 10).to_string()},
        });
        // Writing into a text cannot fail.
        let _ = writeln!(examples, "{line}");
    }
    std::fs::write(folder.join("examples.jsonl"), examples)?;
    std::fs::write(
        folder.join("evalgauge.toml"),
        format!(
            "evalset = \"live\"\ncandidate = \"model\"\nconcurrency = {concurrency}\n\n\
             [candidates.model.openai]\nmodel = \"m\"\nbase_url = \"{base_url}\"\n\n[scorers.right.exact]\n"
        ),
    )
}

/// The same questions as fast as the same HTTP client goes, and nothing else: what the wire costs.
fn load(base_url: &str, rows: usize, concurrency: usize) -> Result<(), String> {
    // Without one a client cannot be made; there is no other that it could collide with.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        let address = format!("{base_url}/chat/completions");
        let mut answers = futures_util::stream::iter(0..rows)
            .map(|row| {
                let body = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": question(row)}]});
                let request = client.post(&address).json(&body).send();
                async move { request.await?.bytes().await }
            })
            .buffer_unordered(concurrency);
        while let Some(answer) = answers.next().await {
            answer.map_err(|e| e.to_string())?;
        }
        Ok(())
    })
}

struct Line {
    what: String,
    who: String,
    rows: usize,
    figures: Figures,
}

fn line(what: &str, who: &str, rows: usize, figures: Figures) -> Line {
    eprintln!("{what}: {who}: {:.2} s", figures.median());
    Line { what: what.to_owned(), who: who.to_owned(), rows, figures }
}

fn run(rows: usize) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let Ok(program) = std::env::var("PEER_SERVER") else {
        return Err("set PEER_SERVER to a program that speaks chat completions (see the top of this file)".to_owned());
    };
    let folder = tempfile::tempdir().map_err(text)?;
    let me = std::env::current_exe().map_err(text)?.display().to_string();
    let mut lines = Vec::new();
    for (name, delay, concurrency) in [("no delay, 64 at once", 0, 64), ("100 ms delay, 256 at once", 100, 256)] {
        let server = Server::start(&program, delay)?;
        let project_folder = folder.path().join(format!("delay-{delay}"));
        project(&project_folder, &server.base_url, rows, concurrency).map_err(text)?;
        let cache = project_folder.join("cache");
        let ours = |args: &[&str]| {
            Invocation::new(EVALGAUGE, args.iter().copied()).env("EVALGAUGE_CACHE_DIR", cache.display().to_string())
        };
        warm_up(&ours(&["evalset", "pin", "live", "--from", "examples.jsonl", "--tag", "v1"]), &project_folder)?;
        let live = format!("{rows} live, {name}");
        // Every run starts with an empty cache, and writes every answer into it before it is used.
        let clear = |paths: &[PathBuf]| paths.iter().for_each(|path| drop(std::fs::remove_dir_all(path)));
        let mut fresh = || clear(&[cache.clone(), project_folder.join("reports")]);
        let figures = measure(&ours(&["run"]), &project_folder, RUNS, &mut fresh)?;
        lines.push(line(&live, "evalgauge", rows, figures));
        let load = Invocation::new(&me, ["--load", &server.base_url, &rows.to_string(), &concurrency.to_string()]);
        lines.push(line(&live, "bare load generator", rows, measure(&load, &project_folder, RUNS, &mut || {})?));
        if delay == 0 {
            peers(&mut lines, &live, &server.base_url, folder.path(), rows)?;
            warm_up(&ours(&["run"]), &project_folder)?;
            warm_up(&ours(&["baseline", "bless", "latest"]), &project_folder)?;
            let check = ours(&["check", "--cache", "ro", "--as-of", "2026-11-22"]);
            let figures = measure(&check, &project_folder, RUNS, &mut || {})?;
            lines.push(line(&format!("{rows} from the cache: score, gate, report"), "evalgauge", rows, figures));
        }
    }
    print(&lines);
    Ok(())
}

fn peers(lines: &mut Vec<Line>, live: &str, base_url: &str, folder: &Path, rows: usize) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    match std::env::var("PEER_PROMPTFOO") {
        Err(_) => eprintln!("promptfoo: PEER_PROMPTFOO is not set, so it is not measured"),
        Ok(command) => {
            let tests: Vec<_> = (0..rows)
                .map(|row| {
                    let expected = format!("ANSWER {row}");
                    serde_json::json!({"vars": {"q": question(row)}, "assert": [{"type": "equals", "value": expected}]})
                })
                .collect();
            let provider =
                serde_json::json!({"id": "openai:chat:m", "config": {"apiBaseUrl": base_url, "apiKey": "x"}});
            let config = serde_json::json!({"prompts": ["{{q}}"], "providers": [provider], "tests": tests});
            let file = folder.join("promptfoo.json");
            std::fs::write(&file, config.to_string()).map_err(text)?;
            let file = file.display().to_string();
            let args = ["eval", "-c", &file, "-j", "64", "--no-cache", "--no-progress-bar", "--no-table", "--no-share"];
            let home = folder.join("promptfoo").display().to_string();
            let invocation = Invocation::new(command, args)
                .env("PROMPTFOO_CONFIG_DIR", home)
                .env("PROMPTFOO_DISABLE_TELEMETRY", "1")
                .env("PROMPTFOO_DISABLE_UPDATE", "1")
                .good(&[0, 100]);
            lines.push(line(live, "promptfoo", rows, measure(&invocation, folder, 1, &mut || {})?));
        }
    }
    match std::env::var("PEER_INSPECT") {
        Err(_) => eprintln!("Inspect AI: PEER_INSPECT is not set, so it is not measured"),
        Ok(command) => {
            let samples: Vec<String> = (0..rows)
                .map(|row| {
                    serde_json::json!({"id": row, "input": question(row), "target": format!("ANSWER {row}")})
                        .to_string()
                })
                .collect();
            let file = folder.join("live.jsonl");
            std::fs::write(&file, samples.join("\n")).map_err(text)?;
            std::fs::write(folder.join("inspect_live.py"), include_str!("../peers/inspect_live.py")).map_err(text)?;
            let args =
                "eval inspect_live.py --model openai/m -M responses_api=false --max-connections 64 --display none";
            let invocation = Invocation::new(command.as_str(), args.split(' '))
                .env("SAMPLES", file.display().to_string())
                .env("OPENAI_BASE_URL", base_url)
                .env("OPENAI_API_KEY", "x");
            let ended_well = || {
                let logs = Command::new(&command)
                    .args(["log", "list", "--status", "success", "--json"])
                    .current_dir(folder)
                    .output();
                logs.is_ok_and(|logs| String::from_utf8_lossy(&logs.stdout).contains("\"task\""))
            };
            match measure(&invocation, folder, 1, &mut || {}) {
                // It exits with 0 also when the first call has failed.
                Ok(_) if !ended_well() => eprintln!("Inspect AI did not end well, so it is not counted"),
                Ok(figures) => lines.push(line(live, "Inspect AI", rows, figures)),
                Err(why) => eprintln!("Inspect AI cannot be measured: {why}"),
            }
        }
    }
    Ok(())
}

fn print(lines: &[Line]) {
    println!("| task | by | examples a second | CPU an example | peak | × ours in time |");
    println!("| --- | --- | --: | --: | --: | --: |");
    for line in lines {
        let ours = lines.iter().find(|other| other.what == line.what && other.who == "evalgauge");
        let times = ours.map_or(1.0, |ours| line.figures.median() / ours.figures.median());
        let cpu = line.figures.cpu.map_or("–".to_owned(), |cpu| format!("{:.0} µs", cpu * 1e6 / line.rows as f64));
        let peak = line.figures.peak_mb.map_or("–".to_owned(), |peak| format!("{peak:.0} MB"));
        println!(
            "| {} | {} | {:.0} | {cpu} | {peak} | {times:.2} |",
            line.what,
            line.who,
            line.rows as f64 / line.figures.median()
        );
    }
}

fn main() -> ExitCode {
    let mut rows = 10_000;
    let mut args = std::env::args().skip(1);
    let mut is_bench = false;
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse().ok());
        match arg.as_str() {
            "--bench" => is_bench = true,
            "--rows" => rows = number().unwrap_or(rows),
            "--load" => {
                let (base_url, rows, concurrency) = (args.next(), args.next(), args.next());
                let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or(1);
                return match load(&base_url.unwrap_or_default(), number(rows), number(concurrency)) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(why) => {
                        eprintln!("{why}");
                        ExitCode::FAILURE
                    }
                };
            }
            other => {
                eprintln!("unknown argument `{other}`; there is --rows N");
                return ExitCode::from(2);
            }
        }
    }
    if !is_bench {
        // `cargo test --benches`: it compiles, and there may be no server.
        return ExitCode::SUCCESS;
    }
    match run(rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
