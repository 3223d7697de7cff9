//! Timing whole processes from outside.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// GNU time, which reports the peak memory of a finished process. Without it, memory is not measured.
const TIME: &str = "/usr/bin/time";

/// A command as a user would type it.
pub struct Invocation {
    pub program: String,
    pub args: Vec<String>,
    pub env: Vec<(&'static str, String)>,
    /// Exit codes that mean "it did its work".
    pub good: &'static [i32],
}

impl Invocation {
    pub fn new(program: impl Into<String>, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { program: program.into(), args: args.into_iter().map(Into::into).collect(), env: Vec::new(), good: &[0] }
    }

    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    pub const fn good(mut self, codes: &'static [i32]) -> Self {
        self.good = codes;
        self
    }

    /// Runs it once, printing nothing.
    fn run(&self, mut command: Command, folder: &Path) -> Result<Run, String> {
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let (cpu, start) = (cpu_of_children(), Instant::now());
        let output = command.output().map_err(|error| format!("cannot start `{}`: {error}", self.program))?;
        let run = Run {
            wall: start.elapsed().as_secs_f64(),
            cpu: cpu_of_children().zip(cpu).map(|(after, before)| after - before),
        };
        match output.status.code() {
            Some(code) if self.good.contains(&code) => Ok(run),
            _ => Err(format!("`{}` ended with {}:\n{}", self.program, output.status, tail(&output.stderr))),
        }
    }
}

/// What one run took, in seconds.
#[derive(Clone, Copy)]
struct Run {
    wall: f64,
    cpu: Option<f64>,
}

/// Processor time of all ended children so far, in steps of 10 ms; Linux only.
fn cpu_of_children() -> Option<f64> {
    /// Fixed for programs, whatever the kernel's own clock does.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; cutime and cstime are the 14th and 15th fields after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / TICKS_A_SECOND)
}

fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

/// What some runs of one command took.
pub struct Figures {
    /// Seconds by the clock, ascending.
    pub seconds: Vec<f64>,
    /// The median of the seconds of processor time.
    pub cpu: Option<f64>,
    /// The peak of the largest single process, in MB.
    pub peak_mb: Option<f64>,
}

impl Figures {
    pub fn median(&self) -> f64 {
        median(&self.seconds)
    }
}

fn median(ascending: &[f64]) -> f64 {
    let n = ascending.len();
    f64::midpoint(ascending[(n - 1) / 2], ascending[n / 2])
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Runs it once, and gives the peak memory in MB where that can be measured.
pub fn warm_up(invocation: &Invocation, folder: &Path) -> Result<Option<f64>, String> {
    if !Path::new(TIME).is_file() {
        invocation.run(Command::new(&invocation.program), folder)?;
        return Ok(None);
    }
    let file = folder.join("peak-memory.txt");
    let mut command = Command::new(TIME);
    command.args(["-q", "-f", "%M", "-o"]).arg(&file).arg(&invocation.program);
    invocation.run(command, folder)?;
    let kilobytes = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<f64>().ok());
    Ok(kilobytes.map(|kilobytes| kilobytes * 1024.0 / 1e6))
}

/// One warm-up, then `runs` that count, of which there must be one at least. `between` clears what a run left behind.
pub fn measure(
    invocation: &Invocation,
    folder: &Path,
    runs: usize,
    between: &mut dyn FnMut(),
) -> Result<Figures, String> {
    let peak_mb = warm_up(invocation, folder)?;
    between();
    let mut measured = Vec::with_capacity(runs);
    for _ in 0..runs {
        measured.push(invocation.run(Command::new(&invocation.program), folder)?);
        between();
    }
    let cpu = ascending(measured.iter().filter_map(|run| run.cpu));
    Ok(Figures {
        seconds: ascending(measured.iter().map(|run| run.wall)),
        cpu: (!cpu.is_empty()).then(|| median(&cpu)),
        peak_mb,
    })
}
