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

    /// Runs it once, printing nothing, and gives the seconds it took.
    fn run(&self, mut command: Command, folder: &Path) -> Result<f64, String> {
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let start = Instant::now();
        let output = command.output().map_err(|error| format!("cannot start `{}`: {error}", self.program))?;
        let seconds = start.elapsed().as_secs_f64();
        match output.status.code() {
            Some(code) if self.good.contains(&code) => Ok(seconds),
            _ => Err(format!("`{}` ended with {}:\n{}", self.program, output.status, tail(&output.stderr))),
        }
    }
}

fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

/// What some runs of one command took.
pub struct Figures {
    /// Seconds, ascending.
    pub seconds: Vec<f64>,
    /// The peak of the largest single process, in MB.
    pub peak_mb: Option<f64>,
}

impl Figures {
    pub fn median(&self) -> f64 {
        let n = self.seconds.len();
        f64::midpoint(self.seconds[(n - 1) / 2], self.seconds[n / 2])
    }
}

/// One warm-up run, which gives the memory, then `runs` that count. `between` clears what a run left behind.
pub fn measure(
    invocation: &Invocation,
    folder: &Path,
    runs: usize,
    between: &mut dyn FnMut(),
) -> Result<Figures, String> {
    let mut peak_mb = None;
    if Path::new(TIME).is_file() {
        let file = folder.join("peak-memory.txt");
        let mut command = Command::new(TIME);
        command.args(["-q", "-f", "%M", "-o"]).arg(&file).arg(&invocation.program);
        invocation.run(command, folder)?;
        let kilobytes = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse::<f64>().ok());
        peak_mb = kilobytes.map(|kilobytes| kilobytes * 1024.0 / 1e6);
    } else {
        invocation.run(Command::new(&invocation.program), folder)?;
    }
    between();
    let mut seconds = Vec::with_capacity(runs);
    for _ in 0..runs {
        seconds.push(invocation.run(Command::new(&invocation.program), folder)?);
        between();
    }
    seconds.sort_by(f64::total_cmp);
    Ok(Figures { seconds, peak_mb })
}
