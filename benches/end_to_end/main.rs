//! How long the program takes for what people do with it, beside what they would use instead: whole processes, medians
//! over runs, one Markdown table on stdout.
//!
//! ```sh
//! cargo bench --bench end_to_end              # everything
//! cargo bench --bench end_to_end -- --small   # a hundredth of the data: does it still work?
//! ```
//!
//! Peers are measured where they are installed, and named as missing where not. `PEER_PROMPTFOO` (`promptfoo`),
//! `PEER_INSPECT` (`inspect`) and `PEER_PYTHON` (`python3`, with pandas, SciPy and statsmodels) say what to start.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints a table")]

mod data;
mod measure;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use measure::{Figures, Invocation, measure};

/// The program under measurement, as `cargo bench` built it.
const EVALGAUGE: &str = env!("CARGO_BIN_EXE_evalgauge");

/// A measured task of ours, and what else could do it.
struct Task {
    name: String,
    ours: Figures,
    peers: Vec<(&'static str, Figures)>,
}

/// Another program, if it is here.
struct Peer {
    name: &'static str,
    command: Option<String>,
}

impl Peer {
    fn find(name: &'static str, variable: &str, default: &str, probe: &[&str]) -> Self {
        let command = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
        let answers = Command::new(&command)
            .args(probe)
            .envs(quiet_peers())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !answers {
            eprintln!("{name}: `{command}` is not here, so it is not measured (set {variable})");
        }
        Self { name, command: answers.then_some(command) }
    }
}

/// Settings that keep peers from calling home.
fn quiet_peers() -> [(&'static str, String); 3] {
    [
        ("PROMPTFOO_DISABLE_TELEMETRY", "1".to_owned()),
        ("PROMPTFOO_DISABLE_UPDATE", "1".to_owned()),
        ("PROMPTFOO_DISABLE_REMOTE_GENERATION", "1".to_owned()),
    ]
}

struct Bench<'a> {
    folder: &'a Path,
    runs: usize,
    tasks: Vec<Task>,
    promptfoo: Peer,
    inspect: Peer,
    python: Peer,
}

type Outcome = Result<(), String>;

impl Bench<'_> {
    /// Measures a task and its peers; slow peers get fewer runs. `after` clears what a run of ours left behind.
    fn task(
        &mut self,
        name: String,
        ours: &Invocation,
        peers: Vec<(&'static str, Invocation, usize)>,
        after: &mut dyn FnMut(),
    ) -> Outcome {
        eprintln!("{name} …");
        let ours = measure(ours, self.folder, self.runs, after)?;
        let mut measured = Vec::new();
        for (peer, invocation, runs) in peers {
            eprintln!("  {peer} …");
            measured.push((peer, measure(&invocation, self.folder, runs, &mut || {})?));
        }
        self.tasks.push(Task { name, ours, peers: measured });
        Ok(())
    }

    fn start_up(&mut self) -> Outcome {
        let peers = [&self.promptfoo, &self.inspect].into_iter().filter_map(|peer| {
            let command = peer.command.as_ref()?;
            let invocation =
                quiet_peers().into_iter().fold(Invocation::new(command, ["--version"]), |i, (k, v)| i.env(k, v));
            Some((peer.name, invocation, self.runs))
        });
        let peers = peers.collect();
        self.task("start (`--version`)".to_owned(), &Invocation::new(EVALGAUGE, ["--version"]), peers, &mut || {})
    }

    /// Recorded answers → scores → record → comparison with the blessed baseline → verdict → report.
    fn check(&mut self, rows: usize) -> Outcome {
        let project = self.folder.join("project");
        std::fs::create_dir_all(&project).and_then(|()| data::project(&project, rows)).map_err(text)?;
        let config = project.join("evalgauge.toml").display().to_string();
        let with = |args: &[&str]| Invocation::new(EVALGAUGE, args.iter().copied()).env("EVALGAUGE_CONFIG", &config);
        let examples = project.join("examples.jsonl").display().to_string();
        let mut nothing = || {};
        for args in [
            &["evalset", "pin", "generated", "--from", &examples, "--tag", "v1"][..],
            &["run", "--candidate", "base"],
            &["baseline", "bless", "latest"],
        ] {
            let _ = measure(&with(args), &project, 0, &mut nothing)?;
        }
        let mut peers = Vec::new();
        if let Some(command) = &self.promptfoo.command {
            let file = self.folder.join("promptfoo.json");
            data::promptfoo(&file, rows).map_err(text)?;
            let file = file.display().to_string();
            let args = ["eval", "-c", &file, "--no-progress-bar", "--no-table", "--no-share"];
            let home = self.folder.join("promptfoo").display().to_string();
            // 100: some cases fail, as they do on our side.
            let invocation = Invocation::new(command, args).env("PROMPTFOO_CONFIG_DIR", home).good(&[0, 100]);
            peers.push((self.promptfoo.name, quiet_peers().into_iter().fold(invocation, |i, (k, v)| i.env(k, v)), 1));
        }
        if let Some(command) = &self.inspect.command {
            let samples = self.folder.join("inspect.jsonl");
            data::inspect(&samples, rows).map_err(text)?;
            // It takes relative paths only.
            let task = "inspect_task.py";
            std::fs::write(self.folder.join(task), include_str!("../peers/inspect_task.py")).map_err(text)?;
            let logs = self.folder.join("inspect-logs").display().to_string();
            let args = ["eval", task, "--model", "mockllm/model", "--display", "none", "--log-dir", &logs];
            let invocation = Invocation::new(command, args).env("SAMPLES", samples.display().to_string());
            peers.push((self.inspect.name, invocation, 1));
        }
        let reports = project.join("reports");
        self.task(
            format!("{rows} recorded answers: score, gate, report (`check`)"),
            &with(&["check", "--base", "base", "--as-of", "2026-11-21"]),
            peers,
            // A run leaves a record; the next one must not find a growing folder.
            &mut || remove_records(&reports),
        )
    }

    fn tables(&mut self, rows: usize) -> Outcome {
        let (base, head) = self.write_tables("large", rows, 1)?;
        let mut slices = Vec::new();
        for label in 0..data::LABELS {
            slices.extend(["--slice".to_owned(), format!("label{label}")]);
        }
        for verb in ["compare", "gate"] {
            let mut args = vec![verb.to_owned(), base.clone(), head.clone()];
            args.extend(slices.iter().cloned());
            let mut peers = Vec::new();
            if let (Some(command), true) = (&self.python.command, verb == "compare") {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/compare_tables.py");
                peers.push((self.python.name, Invocation::new(command, [script, &base, &head]), 3));
            }
            let name = format!("two tables of {rows} rows, {} label columns (`{verb}`)", data::LABELS);
            self.task(name, &Invocation::new(EVALGAUGE, args), peers, &mut || {})?;
        }
        Ok(())
    }

    fn trials(&mut self, examples: usize) -> Outcome {
        let (base, head) = self.write_tables("trials", examples, 3)?;
        let args = ["gate", &base, &head, "--slice", "label0", "--slice", "label1"];
        let name = format!("{examples} examples of three trials (`gate`)");
        self.task(name, &Invocation::new(EVALGAUGE, args), Vec::new(), &mut || {})
    }

    fn write_tables(&self, name: &str, rows: usize, trials: usize) -> Result<(String, String), String> {
        let mut paths = Vec::new();
        for head in [false, true] {
            let path = self.folder.join(format!("{name}-{}.csv", if head { "head" } else { "base" }));
            data::table(&path, rows, trials, head).map_err(text)?;
            paths.push(path.display().to_string());
        }
        let head = paths.pop().unwrap_or_default();
        Ok((paths.pop().unwrap_or_default(), head))
    }

    fn print(&self) {
        println!(
            "| task | beside | time, × ours | memory, × ours | our median (range) | our peak | their median | their peak |"
        );
        println!("| --- | --- | --: | --: | --: | --: | --: | --: |");
        for Task { name, ours, peers } in &self.tasks {
            let (low, high) = (ours.seconds.first().copied(), ours.seconds.last().copied());
            let range = format!("{} ({}–{})", seconds(ours.median()), number(low), number(high));
            let peak = megabytes(ours.peak_mb);
            if peers.is_empty() {
                println!("| {name} | – | – | – | {range} | {peak} | – | – |");
            }
            for (peer, theirs) in peers {
                let times = theirs.median() / ours.median();
                let memory = theirs.peak_mb.zip(ours.peak_mb).map_or("–".to_owned(), |(a, b)| ratio(a / b));
                println!(
                    "| {name} | {peer} | {} | {memory} | {range} | {peak} | {} | {} |",
                    ratio(times),
                    seconds(theirs.median()),
                    megabytes(theirs.peak_mb)
                );
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands behind map_err")]
fn text(error: std::io::Error) -> String {
    error.to_string()
}

fn ratio(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn seconds(value: f64) -> String {
    if value < 0.1 { format!("{:.1} ms", value * 1e3) } else { format!("{value:.2} s") }
}

fn number(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), seconds)
}

fn megabytes(value: Option<f64>) -> String {
    value.map_or("not measured".to_owned(), |value| format!("{value:.0} MB"))
}

/// Removes the runs, not the baseline.
fn remove_records(reports: &Path) {
    for entry in std::fs::read_dir(reports).into_iter().flatten().flatten() {
        if entry.path().is_dir() && entry.file_name() != "baseline" {
            // What cannot be removed costs disk, not correctness.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn run(small: bool) -> Outcome {
    let folder = tempfile::tempdir().map_err(text)?;
    let mut bench = Bench {
        folder: folder.path(),
        runs: 7,
        tasks: Vec::new(),
        promptfoo: Peer::find("promptfoo", "PEER_PROMPTFOO", "promptfoo", &["--version"]),
        inspect: Peer::find("Inspect AI", "PEER_INSPECT", "inspect", &["--version"]),
        python: Peer::find("pandas + statsmodels", "PEER_PYTHON", "python3", &["-c", "import pandas, statsmodels"]),
    };
    let share = if small { 100 } else { 1 };
    bench.start_up()?;
    bench.check(10_000 / share)?;
    bench.tables(1_000_000 / share)?;
    bench.trials(1_000)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{cores} cores, {} {}; {} runs each, fewer for slow peers\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
        bench.runs
    );
    bench.print();
    Ok(())
}

fn main() -> ExitCode {
    let mut small = false;
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            // What cargo itself passes.
            "--bench" => {}
            "--small" => small = true,
            other => {
                eprintln!("unknown argument `{other}`; there is --small");
                return ExitCode::from(2);
            }
        }
    }
    match run(small) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
