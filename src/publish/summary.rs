//! The files of a step: its summary, which GitHub shows below the job, and its outputs.

use std::fs::OpenOptions;
use std::io::Write;

use super::error::PublishError;
use super::github::Github;
use crate::table::TableError;

/// What GitHub takes of one step's file, in bytes; of a longer one it shows nothing.
const MOST: u64 = 1 << 20;

/// Appends a report to the step's summary; `false` where there is none. `shorter` is for a file that others have filled
/// already.
///
/// # Errors
/// A file that cannot be written.
pub fn summarise(github: &Github, report: &str, shorter: &str) -> Result<bool, PublishError> {
    let Some(path) = &github.summary else { return Ok(false) };
    let written = std::fs::metadata(path).map_or(0, |file| file.len());
    let fits = |text: &str| written + text.len() as u64 + 2 <= MOST;
    let text = if fits(report) {
        report
    } else if fits(shorter) {
        shorter
    } else {
        "The report does not fit into this step's summary any more; it is among the run's files.\n"
    };
    if fits(text) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(TableError::io(path))?;
        // Apart from whatever stands there, also where that does not end its line.
        file.write_all(format!("\n{text}\n").as_bytes()).map_err(TableError::io(path))?;
    }
    Ok(true)
}

/// Adds to the step's outputs, where there are any. Values are JSON, which stays on one line whatever is in it.
///
/// # Errors
/// A file that cannot be written.
pub fn set_outputs(github: &Github, outputs: &[(&str, String)]) -> Result<(), PublishError> {
    let Some(path) = &github.output else { return Ok(()) };
    let text: Vec<String> = outputs.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(TableError::io(path))?;
    Ok(file.write_all(text.concat().as_bytes()).map_err(TableError::io(path))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_never_becomes_too_long() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let github = Github::from_env(&|name| (name == "GITHUB_STEP_SUMMARY").then(|| path.clone())).unwrap();
        let long = "x".repeat(700_000);
        let length = || std::fs::read_to_string(&path).unwrap().len() as u64;
        for _ in 0..3 {
            assert!(summarise(&github, &long, "short").unwrap());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.matches("short").count(), text.matches("xx").count() > 0), (2, true));
        std::fs::write(&path, "y".repeat(MOST as usize - 20)).unwrap();
        let before = length();
        assert!(summarise(&github, &long, "not so short as that").unwrap());
        assert_eq!(length(), before);
        let none = Github::from_env(&|_| None).unwrap();
        assert!(!summarise(&none, "a", "b").unwrap());
    }
}
