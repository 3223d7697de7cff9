//! `evalgauge run --events`: the events of a run as JSON lines.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::run::RunEvent;

/// What happens, as JSON lines. A log that cannot be written must not cost an answer: it is said at the end.
pub(super) struct EventLog {
    path: PathBuf,
    file: std::io::BufWriter<std::fs::File>,
    broken: Option<std::io::Error>,
}

impl EventLog {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file = std::fs::File::create(path)
            .map_err(|error| Failure::input(format!("--events {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file: std::io::BufWriter::new(file), broken: None })
    }

    pub(super) fn write(&mut self, event: &RunEvent<'_>) {
        let line = serde_json::to_string(event).unwrap_or_default();
        let written = writeln!(self.file, "{line}");
        self.broken = self.broken.take().or(written.err());
    }

    pub(super) fn close(mut self) -> Result<(), Failure> {
        let error = self.broken.take().or(self.file.flush().err());
        error.map_or(Ok(()), |error| Err(Failure::machine(format!("{}: {error}", self.path.display()))))
    }
}
