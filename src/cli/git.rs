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
    let commit = ask(folder, &["rev-parse", "HEAD"])?;
    let dirty = ask(folder, &["status", "--porcelain", "--untracked-files=no"]).is_some_and(|it| !it.is_empty());
    Some(Revision { commit, dirty })
}

/// Who works here, as git knows it.
pub(super) fn user(folder: &Path) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(["config", "user.name"]).output().ok()?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

/// Whether the commit says all that there is in the repository. New files count too: a program may be among them. What is
/// in `reports` does not: runs write there. What git ignores is not seen.
pub(super) fn exact_revision(folder: &Path) -> Option<crate::provider::Revision> {
    let commit = ask(folder, &["rev-parse", "HEAD"])?;
    let status = ["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none", "--"];
    let changes = ask(folder, &[&status[..], &[":(top)", ":(exclude)reports"]].concat());
    // Where git cannot say, nothing is sure.
    Some(crate::provider::Revision { commit, is_whole: changes.is_some_and(|changes| changes.is_empty()) })
}

/// What git answers; nothing where it fails.
fn ask(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
