//! One table of ratios from one run: each task, then at once its reference, in processes of their own.

use std::fs;
use std::process::Command;
use std::time::Instant;

use crate::tasks::{Target, Task, assert_same_bits};
use crate::{Size, one_thread};

/// Runs of ours that count, at least; more while they take less than [`ENOUGH`] together.
const FEWEST_RUNS: usize = 5;
const MOST_RUNS: usize = 1000;
const ENOUGH: f64 = 1.0;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/time_statistics.py");

/// What a run takes; processor time and memory are known on Linux only.
#[derive(Debug, Clone, Copy)]
struct Figures {
    seconds: f64,
    cpu: Option<f64>,
    /// What was needed beside the data, at the peak.
    peak_mb: Option<f64>,
}

impl Figures {
    /// `NAME SECONDS CPU MEGABYTES`, with `-` for what is not known.
    fn parse(line: &str, name: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [first, seconds, cpu, peak] = fields[..] else { return None };
        let known = |field: &str| field.parse().ok();
        (first == name).then_some(Self { seconds: known(seconds)?, cpu: known(cpu), peak_mb: known(peak) })
    }

    fn print(&self, name: &str) {
        let known = |value: Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
        println!("{name} {} {} {}", self.seconds, known(self.cpu), known(self.peak_mb));
    }
}

/// Processor time of all threads of this process so far.
fn cpu() -> Option<f64> {
    let mut nanoseconds = 0.0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds * 1e-9)
}

/// A line of `/proc/self/status`, in MB.
fn memory(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0 / 1e6)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// The median time of some runs and their mean processor time, after the one that warms up; the peak is that of the first.
fn timed(run: &dyn Fn() -> Vec<f64>) -> Figures {
    // Writing 5 resets the peak to what is in use now.
    let before = fs::write("/proc/self/clear_refs", "5").ok().and_then(|()| memory("VmRSS"));
    run();
    let peak_mb = memory("VmHWM").zip(before).map(|(peak, before)| peak - before);
    let mut seconds: Vec<f64> = Vec::new();
    // The system counts the time of a running thread in steps of milliseconds: too coarse for a single run.
    let cpu_before = cpu();
    while seconds.len() < FEWEST_RUNS || (seconds.iter().sum::<f64>() < ENOUGH && seconds.len() < MOST_RUNS) {
        let start = Instant::now();
        let found = run();
        seconds.push(start.elapsed().as_secs_f64());
        drop(found);
    }
    let cpu = cpu().zip(cpu_before).map(|(after, before)| (after - before) / seconds.len() as f64);
    Figures { seconds: median(seconds), cpu, peak_mb }
}

/// Measures one task in this process, on all threads and on one, and prints a line for each.
pub fn measure(name: &str) -> Result<(), String> {
    let task = Task::ALL.into_iter().find(|task| task.name() == name).ok_or(format!("there is no task `{name}`"))?;
    let run = task.prepare(Size::of_arguments());
    let all = timed(&run);
    let pool = one_thread();
    let one = timed(&|| pool.install(&run));
    assert_same_bits(task, &run(), &pool.install(&run));
    all.print("all");
    one.print("one");
    Ok(())
}

/// The standard output of a program that is expected to succeed.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(text.lines().last().unwrap_or("no message").to_owned())
}

fn ours(task: Task, size: Size) -> Result<(Figures, Figures), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["--measure", task.name(), if size == Size::Small { "--small" } else { "--bench" }]);
    let text = output(&mut command)?;
    let find = |name| text.lines().find_map(|line| Figures::parse(line, name));
    find("all").zip(find("one")).ok_or_else(|| format!("{task}: no figures in {text:?}"))
}

/// The reference of a task; nothing where there is none, and why where it could not be measured.
fn reference(task: Task, size: Size, python: &str) -> Option<Result<Figures, String>> {
    let peer = task.reference()?;
    eprintln!("  {peer} …");
    let share = if size == Size::Small { "100" } else { "1" };
    let measured = output(Command::new(python).args([SCRIPT, task.name(), share])).and_then(|text| {
        let found = text.lines().find_map(|line| Figures::parse(line, task.name()));
        found.ok_or_else(|| format!("no figures in {text:?}"))
    });
    Some(measured.inspect_err(|why| eprintln!("  {peer} is not measured: {why} (PEER_PYTHON is `{python}`)")))
}

pub fn print(args: &[String]) -> Result<(), String> {
    let mut only = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" | "--ratios" | "--small" => {}
            "--only" => only = args.next(),
            other => return Err(format!("unknown argument `{other}`; there are --ratios, --small and --only NAME")),
        }
    }
    let size = Size::of_arguments();
    let python = std::env::var("PEER_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let wanted: Vec<Task> = Task::ALL.into_iter().filter(|task| only.is_none_or(|only| only == task.name())).collect();
    if wanted.is_empty() {
        return Err(format!("there is no such task; there are {}", Task::ALL.map(Task::name).join(", ")));
    }
    let mut rows = Vec::new();
    for task in wanted {
        eprintln!("{task} …");
        let (all, one) = ours(task, size)?;
        rows.push(row(task, size, all, one, reference(task, size, &python)));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{cores} cores, {} {}; time · CPU · peak memory beside the data\n",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    println!("| what | ours, all threads | one thread | reference | reference ÷ ours: time · CPU | target |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for row in rows {
        println!("{row}");
    }
    Ok(())
}

fn row(task: Task, size: Size, all: Figures, one: Figures, reference: Option<Result<Figures, String>>) -> String {
    let peer = task.reference().unwrap_or_default();
    let (beside, ratios) = match &reference {
        None => ("none".to_owned(), "–".to_owned()),
        Some(Err(_)) => (format!("{peer}: missing"), "–".to_owned()),
        Some(Ok(theirs)) => {
            let times = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{}×", digits(ratio)));
            let (time, cpu) = (theirs.seconds / all.seconds, cpu_ratio(theirs, &all));
            (format!("{peer}: {}", took(theirs)), format!("{} · {}", times(Some(time)), times(cpu)))
        }
    };
    let target = if size == Size::Full {
        target(task.target(), &all, reference.and_then(Result::ok))
    } else {
        "a hundredth of the data".to_owned()
    };
    format!("| {} | {} | {} | {beside} | {ratios} | {target} |", task.what(), took(&all), took(&one))
}

fn cpu_ratio(theirs: &Figures, ours: &Figures) -> Option<f64> {
    theirs.cpu.zip(ours.cpu).filter(|(_, ours)| *ours > 0.0).map(|(theirs, ours)| theirs / ours)
}

fn target(target: Target, all: &Figures, reference: Option<Figures>) -> String {
    let (wanted, met) = match target {
        Target::Cpu(limit) => (format!("under {} of CPU", duration(limit)), all.cpu.map(|cpu| cpu < limit)),
        Target::Time(limit) => (format!("under {}", duration(limit)), Some(all.seconds < limit)),
        Target::Ratio(least) => {
            let ratio = reference.and_then(|theirs| cpu_ratio(&theirs, all));
            (format!("at least {least}×"), ratio.map(|ratio| ratio >= least))
        }
    };
    let verdict = met.map_or("not measured", |met| if met { "met" } else { "**missed**" });
    format!("{wanted}: {verdict}")
}

fn took(figures: &Figures) -> String {
    let cpu = figures.cpu.map_or("not measured".to_owned(), duration);
    let peak = figures.peak_mb.map_or("not measured".to_owned(), |peak| format!("{} MB", digits(peak)));
    format!("{} · {cpu} · {peak}", duration(figures.seconds))
}

fn duration(seconds: f64) -> String {
    if seconds < 1.0 { format!("{} ms", digits(seconds * 1e3)) } else { format!("{} s", digits(seconds)) }
}

/// Two or three significant digits.
fn digits(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
