//! A child process a call: one JSON document on stdin, the answer on stdout.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::router::{Answering, Provider, ProviderError, unfit};
use super::spec::{CommandSpec, OutputForm};
use crate::call::{Answered, Call, CallFailure, FailureKind, Reply};

/// What a child sees of our environment without being told; keys for models are never among it.
const ENVIRONMENT: [&str; 6] = ["PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP"];

/// Characters of what a program printed that an error message shows.
const SHOWN: usize = 200;

/// Starts a program for every call.
pub(super) struct CommandProvider {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    environment: Vec<(String, std::ffi::OsString)>,
    output: OutputForm,
    timeout: Duration,
    max_output: u64,
}

impl CommandProvider {
    pub(super) fn new(spec: &CommandSpec, root: &Path) -> Result<Self, ProviderError> {
        let (program, arguments) = spec
            .argv
            .split_first()
            .ok_or_else(|| ProviderError::Settings("`argv` is empty; name the program".to_owned()))?;
        let timeout = spec.timeout.duration().ok_or_else(|| {
            ProviderError::Settings(format!("`timeout` is {}; expected seconds, more than 0", spec.timeout.0))
        })?;
        // A program given with a folder is meant from the project's folder, like every path in the config.
        let in_project = root.join(program);
        let program = if program.contains('/') && in_project.exists() { in_project } else { PathBuf::from(program) };
        let names = ENVIRONMENT.iter().copied().chain(spec.env.iter().map(String::as_str));
        Ok(Self {
            program,
            arguments: arguments.to_vec(),
            folder: root.to_owned(),
            environment: names.filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?))).collect(),
            output: spec.output,
            timeout,
            max_output: spec.max_output,
        })
    }

    fn start(&self) -> Result<Child, ProviderError> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own, so that what the child starts dies with it.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map_err(|source| ProviderError::Start { program: self.program.display().to_string(), source })
    }

    async fn run(&self, input: String) -> Result<Reply, ProviderError> {
        let mut child = self.start()?;
        let _group = Group(child.id());
        let outcome = tokio::time::timeout(self.timeout, self.converse(&mut child, input)).await;
        let reply = match outcome {
            Ok(Ok(output)) => self.read(&output),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(CallFailure::new(
                FailureKind::Timeout,
                format!("no answer within {} s", self.timeout.as_secs_f64()),
            )),
        };
        Ok(reply.map_or_else(Reply::Failed, Reply::Output))
    }

    /// Writes the document, reads what comes, waits for the end.
    async fn converse(&self, child: &mut Child, input: String) -> Result<Vec<u8>, CallFailure> {
        let broken = |error: std::io::Error| CallFailure::new(FailureKind::Crash, format!("lost the program: {error}"));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async move {
            if let Some(mut stdin) = stdin {
                // A program that does not read its input may close it; its answer still counts.
                let _ = stdin.write_all(input.as_bytes()).await;
                let _ = stdin.write_all(b"\n").await;
            }
        };
        let mut complaints = Vec::new();
        // One byte beyond the limit shows that there is more; dropping the pipe then stops the program.
        let read = async move {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(self.max_output + 1).read_to_end(&mut output).await?;
            }
            Ok::<_, std::io::Error>(output)
        };
        let read_complaints = async {
            if let Some(mut stderr) = stderr {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
                    let room = (4 * SHOWN).saturating_sub(complaints.len());
                    complaints.extend_from_slice(&buffer[..count.min(room)]);
                }
            }
        };
        let too_large = |output: &[u8]| output.len() as u64 > self.max_output;
        let group = child.id();
        let finish = async {
            let (output, ()) = tokio::join!(read, write);
            let output = output.map_err(broken)?;
            if too_large(&output) {
                kill_group(group);
            }
            Ok::<_, CallFailure>((child.wait().await.map_err(broken)?, output))
        };
        let (finished, ()) = tokio::join!(finish, read_complaints);
        let (status, output) = finished?;
        if too_large(&output) {
            let what = format!("the program printed more than {} bytes", self.max_output);
            return Err(CallFailure::new(FailureKind::TooLarge, what));
        }
        if !status.success() {
            let said = shown(&complaints);
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            return Err(CallFailure::new(FailureKind::Crash, format!("{}{said}", ending(status))));
        }
        Ok(output)
    }

    fn read(&self, output: &[u8]) -> Result<serde_json::Value, CallFailure> {
        let garbage = |what: String| CallFailure::new(FailureKind::Garbage, what);
        let text = std::str::from_utf8(output).map_err(|_| garbage("the output is not UTF-8".to_owned()))?;
        match self.output {
            OutputForm::Text => Ok(serde_json::Value::String(text.trim_end().to_owned())),
            OutputForm::Json if text.trim().is_empty() => Err(garbage("the program printed nothing".to_owned())),
            OutputForm::Json => serde_json::from_str(text)
                .map_err(|error| garbage(format!("the output is not JSON ({error}): {}", shown(output)))),
        }
    }
}

fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("the program was ended by signal {signal}");
    }
    status.code().map_or_else(|| "the program failed".to_owned(), |code| format!("the program ended with code {code}"))
}

/// The beginning of what a program printed, fit for one line.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > SHOWN { line.chars().take(SHOWN).chain(['…']).collect() } else { line }
}

/// The process group of a child, ended when the call is: also when the call is dropped because the run stops.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        kill_group(self.0);
    }
}

/// Ends a child and everything that it started.
#[cfg(unix)]
fn kill_group(group: Option<u32>) {
    let pid = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // The group may be gone already, which is what we want.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_: Option<u32>) {}

impl Provider for CommandProvider {
    fn ask<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        let Call::Program(program) = call else { return unfit(call) };
        let input = program.input.to_string();
        Box::pin(async move {
            let started = Instant::now();
            let reply = self.run(input).await?;
            Ok(Answered::live(reply, started.elapsed().as_secs_f64() * 1e3, None))
        })
    }
}
