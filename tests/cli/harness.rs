//! A project in a temporary folder, the program run in it, and what came of that.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

/// The date of every decision in these tests.
pub const AS_OF: &str = "2026-11-21";

/// After this long a program hangs; it is then ended, and the test fails.
const HANGS_AFTER: Duration = Duration::from_mins(5);

/// A project in a temporary folder.
pub struct Harness {
    folder: TempDir,
}

impl Harness {
    pub fn new() -> Self {
        Self { folder: TempDir::with_prefix("evalgauge-test-").unwrap() }
    }

    /// The place of a file of the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The project with one more file.
    pub fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(name, bytes);
        self
    }

    /// The project with one more plain table.
    pub fn table(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.file(name, text)
    }

    /// The project with these settings.
    pub fn config(self, toml: impl AsRef<[u8]>) -> Self {
        self.file("evalgauge.toml", toml)
    }

    /// The project with an eval set of these lines, pinned as `v1`.
    pub fn evalset(self, name: &str, lines: &str) -> Self {
        let source = format!("{name}.jsonl");
        self.write(&source, lines);
        self.run(&["evalset", "pin", name, "--from", &source, "--tag", "v1", "--as-of", AS_OF]).exit(0);
        self
    }

    /// The program in this folder, with nothing of the user's settings in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalgauge"));
        command.args(arguments).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EVALGAUGE_")) {
            command.env_remove(name);
        }
        // A repository around the folder of temporary files is none of the project's.
        command.env("NO_COLOR", "1").env("GIT_CEILING_DIRECTORIES", self.folder.path().parent().unwrap());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.finish(self.command(arguments))
    }

    /// Runs a prepared command to its end.
    pub fn finish(&self, command: Command) -> Outcome {
        let what = format!("{command:?}");
        let output = assert_cmd::Command::from_std(command).timeout(HANGS_AFTER).output().unwrap();
        Outcome {
            what,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            folder: self.folder.path().to_owned(),
        }
    }

    /// Gates `head.csv` against `base.csv`, as JSON.
    pub fn gate(&self, arguments: &[&str]) -> Outcome {
        self.run(&[&["gate", "base.csv", "head.csv", "--format", "json", "--as-of", AS_OF], arguments].concat())
    }

    /// `run`, which must succeed, as JSON.
    pub fn record(&self, arguments: &[&str]) -> Value {
        self.run(&[&["run", "--format", "json"], arguments].concat()).exit(0).json()
    }

    /// The folder of the only run there is; `None` before there is one.
    pub fn only_run(&self) -> Option<PathBuf> {
        let runs = std::fs::read_dir(self.path("reports")).ok()?;
        let mut runs: Vec<PathBuf> = runs.map(|entry| entry.unwrap().path()).collect();
        assert!(runs.len() < 2, "several runs: {runs:?}");
        runs.pop()
    }

    /// Rows in the journal of the only run, whole lines after the header.
    pub fn journal_rows(&self) -> usize {
        let journal = self.only_run().and_then(|run| std::fs::read(run.join("journal.jsonl")).ok()).unwrap_or_default();
        String::from_utf8_lossy(&journal).matches('\n').count().saturating_sub(1)
    }
}

/// How the program ended, and what it said.
pub struct Outcome {
    what: String,
    code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    folder: PathBuf,
}

impl Outcome {
    #[track_caller]
    fn complain(&self, about: &str) -> ! {
        panic!("{about}\n{}\n--- stdout\n{}\n--- stderr\n{}", self.what, self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        if self.code != Some(code) {
            self.complain(&format!("expected exit {code}, found {:?}", self.code));
        }
        self
    }

    #[track_caller]
    pub fn stdout_has(self, text: &str) -> Self {
        if !self.stdout.contains(text) {
            self.complain(&format!("stdout lacks `{text}`"));
        }
        self
    }

    #[track_caller]
    pub fn stderr_has(self, text: &str) -> Self {
        if !self.stderr.contains(text) {
            self.complain(&format!("stderr lacks `{text}`"));
        }
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value @ Value::Object(_)) => value,
            other => self.complain(&format!("stdout is not one JSON object: {other:?}")),
        }
    }

    /// The verdict names exactly these slices.
    #[track_caller]
    pub fn names(self, slices: &[&str]) -> Self {
        if self.json()["regressed"] != serde_json::json!(slices) {
            self.complain(&format!("expected exactly {slices:?} to have regressed"));
        }
        self
    }

    /// What was typed, how it ended and what stderr says, without what differs from machine to machine.
    pub fn story(&self, arguments: &[&str]) -> String {
        let mut story = format!("$ evalgauge {}\n", arguments.join(" "));
        let _ = write!(story, "exit {}\n{}", self.code.unwrap_or(-1), self.stderr);
        redact(&story, &self.folder)
    }

    /// What stdout says, without what differs from machine to machine.
    pub fn report(&self) -> String {
        redact(&self.stdout, &self.folder)
    }
}

/// Replaces the project's folder, the times in the ids of runs, and digests.
fn redact(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[project]");
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_time = bare.len() >= 16 && bare.starts_with("20") && bare.contains('T') && bare.ends_with('Z');
        let is_digest =
            matches!(bare.len(), 8 | 12 | 16 | 64) && is_hex(bare) && bare.bytes().any(|b| b.is_ascii_digit());
        out.push_str(if is_time {
            "[time]"
        } else if is_digest {
            "[digest]"
        } else {
            bare
        });
        out.push_str(&word[bare.len()..]);
    }
    out
}

/// A program that is running; ended when dropped.
pub struct Running {
    child: Child,
    stderr: NamedTempFile,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let stderr = NamedTempFile::new().unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr.reopen().unwrap());
        Self { child: command.spawn().unwrap(), stderr }
    }

    /// What stderr said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal to this process alone.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; what stderr said.
    pub fn wait(mut self) -> (ExitStatus, String) {
        (self.child.wait().unwrap(), self.said())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds; fails when it never does.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < HANGS_AFTER, "never came: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Says something that is to be seen also when the test passes.
pub fn announce(text: &str) {
    // The macros of the standard library would be captured.
    writeln!(std::io::stderr().lock(), "{text}").unwrap();
}

/// A folder of reference data; `None`, after saying so, where there is none.
pub fn testdata(name: &str, test: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("EVALGAUGE_TESTDATA").map_or_else(beside, PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    announce(&format!("SKIPPED {test}: no folder {name} of reference data; name its parent in EVALGAUGE_TESTDATA"));
    None
}

/// Lines of a CSV file from a header and rows.
pub fn csv<R: IntoIterator<Item = String>>(header: &str, rows: R) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text
}
