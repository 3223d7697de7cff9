//! The folder of all runs.

use std::path::{Path, PathBuf};

use super::error::RecordError;
use super::files::{MANIFEST, ROWS};
use super::journal::{JOURNAL, Journal};
use crate::table::TableError;

/// One run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    /// The run's id.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
}

impl RunFolder {
    /// Whether the record was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.path.join(MANIFEST).is_file()
    }
}

/// The folder `reports` of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// The store in a folder, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder of a new run; where the id is taken, a number is added to it.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn create(&self, id: &str) -> Result<RunFolder, RecordError> {
        std::fs::create_dir_all(&self.path).map_err(TableError::io(&self.path))?;
        for attempt in 1_u32.. {
            let id = if attempt == 1 { id.to_owned() } else { format!("{id}-{attempt}") };
            let path = self.path.join(&id);
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { id, path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(TableError::io(path)(error).into()),
            }
        }
        Err(RecordError::Unknown(format!("{}: no free name for a run", self.path.display())))
    }

    /// The runs, oldest first: ids start with the time.
    #[must_use]
    pub fn runs(&self) -> Vec<RunFolder> {
        let mut runs: Vec<RunFolder> = std::fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| RunFolder { id: entry.file_name().to_string_lossy().into_owned(), path: entry.path() })
            .filter(|run| run.path.join(JOURNAL).is_file() || run.is_closed())
            .collect();
        runs.sort_by(|a, b| a.id.cmp(&b.id));
        runs
    }

    /// The folder of a closed record: an id, `latest`, or the path of a folder.
    ///
    /// # Errors
    /// When there is none, or the run did not finish.
    pub fn find(&self, name: &str) -> Result<PathBuf, RecordError> {
        let folder = self.folder_of(name)?;
        if folder.join(MANIFEST).is_file() || folder.join(ROWS).is_file() {
            return Ok(folder);
        }
        let (done, planned) = Journal::progress(&folder)?;
        let id = folder.file_name().map_or_else(|| name.to_owned(), |id| id.to_string_lossy().into_owned());
        Err(RecordError::Unfinished { id, done, planned })
    }

    /// The folder of a run, closed or not.
    ///
    /// # Errors
    /// When there is none.
    pub fn folder_of(&self, name: &str) -> Result<PathBuf, RecordError> {
        if name == "latest" {
            return self.runs().pop().map(|run| run.path).ok_or_else(|| {
                RecordError::Unknown(format!("{}: no run yet; make one with `evalgauge run`", self.path.display()))
            });
        }
        let is_run = |path: &Path| path.join(MANIFEST).is_file() || path.join(JOURNAL).is_file();
        [self.path.join(name), PathBuf::from(name)].into_iter().find(|path| is_run(path)).ok_or_else(|| {
            let known: Vec<_> = self.runs().into_iter().rev().take(5).map(|run| run.id).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            RecordError::Unknown(format!(
                "there is no run or record `{name}`; the latest runs in {}: {known}",
                self.path.display()
            ))
        })
    }
}
