//! A child process with a group of its own: how it is started, ended, and quoted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};

use super::router::ProviderError;
use super::spec::CommandSpec;

/// What a child sees of our environment without being told; keys for models are never among it.
const ENVIRONMENT: [&str; 6] = ["PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP"];

/// Characters of what a program printed that an error message shows.
pub(super) const SHOWN: usize = 200;

/// How a program is started.
pub(super) struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    environment: Vec<(String, OsString)>,
}

impl Launch {
    pub(super) fn new(spec: &CommandSpec, root: &Path) -> Result<Self, ProviderError> {
        let (program, arguments) = spec
            .argv
            .split_first()
            .ok_or_else(|| ProviderError::Settings("`argv` is empty; name the program".to_owned()))?;
        // A program given with a folder is meant from the project's folder, like every path in the config.
        let in_project = root.join(program);
        let program = if program.contains('/') && in_project.exists() { in_project } else { PathBuf::from(program) };
        let names = ENVIRONMENT.iter().copied().chain(spec.env.iter().map(String::as_str));
        Ok(Self {
            program,
            arguments: arguments.to_vec(),
            folder: root.to_owned(),
            environment: names.filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?))).collect(),
        })
    }

    /// The program as messages name it.
    pub(super) fn name(&self) -> String {
        self.program.display().to_string()
    }

    pub(super) fn start(&self) -> Result<Child, ProviderError> {
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
}

/// How a program ended, in words.
pub(super) fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("the program was ended by signal {signal}");
    }
    status.code().map_or_else(|| "the program failed".to_owned(), |code| format!("the program ended with code {code}"))
}

/// The beginning of what a program printed, fit for one line.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > SHOWN { line.chars().take(SHOWN).chain(['…']).collect() } else { line }
}

/// The process group of a child, ended when the call is: also when the call is dropped because the run stops.
pub(super) struct Group(pub(super) Option<u32>);

impl Group {
    /// Ends it now.
    pub(super) fn end(&self) {
        kill_group(self.0);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends a child and everything that it started.
#[cfg(unix)]
pub(super) fn kill_group(group: Option<u32>) {
    let pid = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // The group may be gone already, which is what we want.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(super) fn kill_group(_: Option<u32>) {}
