//! `evalgauge run --events`: what happens in a run as JSON lines.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::failure::Failure;
use crate::provider::{About, Notice};
use crate::run::RunEvent;

/// What happens, as JSON lines; every line is in the file when what it tells has happened. A log that cannot be written must
/// not cost an answer: it is said at the end.
#[derive(Clone)]
pub(super) struct EventLog(Arc<Mutex<Log>>);

struct Log {
    path: PathBuf,
    file: File,
    line: Vec<u8>,
    broken: Option<std::io::Error>,
}

/// A line: what happened, to which call, when.
#[derive(Serialize)]
struct Line<'a, E: Serialize> {
    #[serde(flatten)]
    event: &'a E,
    #[serde(flatten)]
    about: Option<&'a About>,
    time: String,
}

impl EventLog {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file =
            File::create(path).map_err(|error| Failure::input(format!("--events {}: {error}", path.display())))?;
        Ok(Self(Arc::new(Mutex::new(Log { path: path.to_owned(), file, line: Vec::new(), broken: None }))))
    }

    pub(super) fn notice(&self, notice: &Notice, about: Option<&About>) {
        self.append(notice, about);
    }

    pub(super) fn write(&self, event: &RunEvent<'_>) {
        self.append(event, None);
    }

    fn append(&self, event: &impl Serialize, about: Option<&About>) {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Log { file, line, broken, .. } = &mut *log;
        line.clear();
        let written = serde_json::to_writer(&mut *line, &Line { event, about, time }).map_err(std::io::Error::from);
        line.push(b'\n');
        // One write a line: whoever follows the file sees whole lines.
        let written = written.and_then(|()| file.write_all(line));
        *broken = broken.take().or(written.err());
    }

    /// Why not everything is in the file.
    pub(super) fn broken(&self) -> Option<String> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.broken.as_ref().map(|error| format!("--events {}: incomplete: {error}", log.path.display()))
    }
}
