//! The git revision of the project, for provenance.

use std::path::Path;
use std::process::Command;

/// What git says of a folder.
pub(super) struct Revision {
    pub(super) commit: String,
    pub(super) dirty: bool,
}

/// The revision of the repository around a folder; nothing where there is none, or no git.
pub(super) fn revision(folder: &Path) -> Option<Revision> {
    let ask = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = ask(&["rev-parse", "HEAD"])?;
    let dirty = ask(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    Some(Revision { commit, dirty })
}

/// Who works here, as git knows it.
pub(super) fn user(folder: &Path) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(["config", "user.name"]).output().ok()?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}
