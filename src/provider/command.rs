//! A child process a call: one JSON document on stdin, the answer on stdout.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use super::child::{Group, Launch, SHOWN, ending, kill_group, shown};
use super::router::{Answering, Provider, ProviderError, unfit};
use super::spec::{CommandSpec, OutputForm};
use crate::call::{Answered, Call, CallFailure, FailureKind, Reply};

/// Starts a program for every call.
pub(super) struct CommandProvider {
    launch: Launch,
    output: OutputForm,
    timeout: Duration,
    max_output: u64,
}

impl CommandProvider {
    pub(super) fn new(spec: &CommandSpec, root: &Path) -> Result<Self, ProviderError> {
        Ok(Self {
            launch: Launch::new(spec, root)?,
            output: spec.output,
            timeout: spec.time_out()?,
            max_output: spec.max_output,
        })
    }

    async fn run(&self, input: String) -> Result<Reply, ProviderError> {
        let mut child = self.launch.start()?;
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
