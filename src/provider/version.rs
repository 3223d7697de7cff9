//! What tells one version of a program from another, so that its answers may be kept.

use std::collections::BTreeSet;
use std::path::Path;

use super::router::ProviderError;
use crate::call::VersionSpec;
use crate::table::{TableError, sha256_hex, sha256_of_file};

/// What git says of the project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit.
    pub commit: String,
    /// Whether the commit is all there is: nothing changed, and no new files but reports.
    pub is_whole: bool,
}

/// What was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Tells it from every other version; part of the candidate's digest.
    pub(super) name: String,
    /// Why nothing may be kept although a version is named.
    pub(super) unfit: Option<&'static str>,
}

/// Uncommitted changes have no name: one edit would be served the answers of another.
const DIRTY: &str = "`version = { git = true }`, and the project has changes or files that are not committed: \
                     the commit does not say what is running";

impl VersionSpec {
    /// What is running now; `None` where the settings say that nobody knows.
    pub(super) fn resolve(&self, root: &Path, revision: Option<&Revision>) -> Result<Option<Version>, ProviderError> {
        let known = |name: String| Ok(Some(Version { name, unfit: None }));
        match self {
            Self::Git(false) => Ok(None),
            Self::Git(true) => match revision {
                None => Err(ProviderError::Settings(
                    "`version = { git = true }`, and the project is in no git repository with a commit".to_owned(),
                )),
                Some(Revision { commit, is_whole: true }) => known(format!("git {commit}")),
                Some(Revision { commit, is_whole: false }) => {
                    Ok(Some(Version { name: format!("git {commit} with changes"), unfit: Some(DIRTY) }))
                }
            },
            Self::Files(patterns) if patterns.is_empty() => {
                Err(ProviderError::Settings("`version.files` is empty; name the program's files".to_owned()))
            }
            Self::Files(patterns) => known(format!("files {}", digest_of(root, patterns)?)),
            Self::Text(text) if text.trim().is_empty() => {
                Err(ProviderError::Settings("`version.text` is empty; say what is running".to_owned()))
            }
            Self::Text(text) => known(format!("text {text}")),
        }
    }
}

/// SHA-256 over the names and contents of all files that the patterns stand for.
fn digest_of(root: &Path, patterns: &[String]) -> Result<String, ProviderError> {
    let mut names = BTreeSet::new();
    for pattern in patterns {
        if !is_pattern(pattern) {
            names.insert(pattern.clone());
            continue;
        }
        let segments: Vec<&str> = pattern.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
        let start = if pattern.starts_with('/') { "/" } else { "" };
        let mut found = BTreeSet::new();
        walk(root, start, &segments, &mut found)?;
        if found.is_empty() {
            return Err(ProviderError::Settings(format!("`version.files`: there is no file `{pattern}`")));
        }
        names.append(&mut found);
    }
    let mut lines = String::new();
    for name in names {
        let path = root.join(&name);
        if path.is_dir() {
            let what = format!("`version.files`: `{name}` is a folder; name its files, like `{name}/**`");
            return Err(ProviderError::Settings(what));
        }
        lines.push_str(&format!("{} {name}\n", sha256_of_file(&path)?));
    }
    Ok(sha256_hex(lines))
}

fn is_pattern(segment: &str) -> bool {
    segment.contains(['*', '?'])
}

/// Adds the files below `at` that the rest of a pattern stands for.
fn walk(root: &Path, at: &str, rest: &[&str], found: &mut BTreeSet<String>) -> Result<(), ProviderError> {
    let Some((first, others)) = rest.split_first() else { return Ok(()) };
    let below = |name: &str| if at.is_empty() || at == "/" { format!("{at}{name}") } else { format!("{at}/{name}") };
    if !is_pattern(first) {
        let path = below(first);
        if others.is_empty() {
            if root.join(&path).is_file() {
                found.insert(path);
            }
            return Ok(());
        }
        return walk(root, &path, others, found);
    }
    let folder = root.join(at);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        // Nothing is there, so nothing matches.
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(());
        }
        Err(error) => return Err(TableError::io(folder)(error).into()),
    };
    let is_deep = *first == "**";
    if is_deep && !others.is_empty() {
        walk(root, at, others, found)?;
    }
    for entry in entries {
        let entry = entry.map_err(TableError::io(&folder))?;
        // A name that is no text cannot be written in a config either.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = below(&name);
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let is_folder = root.join(&path).is_dir();
        if is_deep {
            if is_folder && !is_link {
                walk(root, &path, rest, found)?;
            } else if !is_folder && others.is_empty() {
                found.insert(path);
            }
        } else if matches(first.as_bytes(), name.as_bytes()) {
            if others.is_empty() && !is_folder {
                found.insert(path);
            } else if is_folder {
                walk(root, &path, others, found)?;
            }
        }
    }
    Ok(())
}

/// Whether a name is what `*` and `?` in a pattern stand for.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => matches(rest, name) || !name.is_empty() && matches(pattern, &name[1..]),
        ([b'?', rest @ ..], [_, name @ ..]) => matches(rest, name),
        ([letter, rest @ ..], [same, name @ ..]) => letter == same && matches(rest, name),
        _ => false,
    }
}

/// SHA-256 over the files that a program's command line names: its own text and what it is given to read. A program that is
/// found by `PATH` is the machine's own and is not looked at.
pub(super) fn digest_of_argv(root: &Path, argv: &[String]) -> Result<String, ProviderError> {
    let mut lines = String::new();
    for (place, argument) in argv.iter().enumerate() {
        let path = root.join(argument);
        let is_named = place > 0 || argument.contains('/');
        if is_named && !argument.is_empty() && path.is_file() {
            lines.push_str(&format!("{place} {}\n", sha256_of_file(&path)?));
        }
    }
    Ok(sha256_hex(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("a.py", "a"), ("lib/b.py", "b"), ("lib/deep/c.py", "c"), ("lib/readme", "r")] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn version(folder: &Path, patterns: &[&str]) -> Result<String, String> {
        let files = VersionSpec::Files(patterns.iter().map(|&pattern| pattern.to_owned()).collect());
        files.resolve(folder, None).map(|version| version.unwrap().name).map_err(|error| error.to_string())
    }

    #[test]
    fn patterns_stand_for_the_files_that_people_mean() {
        let folder = project();
        let found = |pattern: &str| {
            let mut found = BTreeSet::new();
            let segments: Vec<&str> = pattern.split('/').collect();
            walk(folder.path(), "", &segments, &mut found).unwrap();
            found.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(found("*.py"), ["a.py"]);
        assert_eq!(found("lib/*.py"), ["lib/b.py"]);
        assert_eq!(found("lib/**"), ["lib/b.py", "lib/deep/c.py", "lib/readme"]);
        assert_eq!(found("**/?.py"), ["a.py", "lib/b.py", "lib/deep/c.py"]);
        assert_eq!(found("l*/d*/c.py"), ["lib/deep/c.py"]);
    }

    #[test]
    fn every_edit_of_a_named_file_is_another_version() {
        let folder = project();
        let patterns = &["a.py", "lib/**/*.py"];
        let mut seen = BTreeSet::from([version(folder.path(), patterns).unwrap()]);
        std::fs::write(folder.path().join("lib/readme"), "another").unwrap();
        assert!(!seen.insert(version(folder.path(), patterns).unwrap()), "a file that is not named");
        for (name, text) in [("a.py", "A"), ("lib/deep/c.py", "C"), ("lib/new.py", "")] {
            std::fs::write(folder.path().join(name), text).unwrap();
            assert!(seen.insert(version(folder.path(), patterns).unwrap()), "{name}");
        }
        std::fs::rename(folder.path().join("lib/new.py"), folder.path().join("lib/newer.py")).unwrap();
        assert!(seen.insert(version(folder.path(), patterns).unwrap()), "a name");
        std::fs::remove_file(folder.path().join("lib/newer.py")).unwrap();
        assert!(!seen.insert(version(folder.path(), patterns).unwrap()), "back to what it was");
    }

    #[test]
    fn what_names_no_version_is_refused() {
        let folder = project();
        for wrong in [&["b.py"][..], &["*.rs"], &["a.py", "none/*.py"], &["lib"], &[]] {
            assert!(version(folder.path(), wrong).is_err(), "{wrong:?}");
        }
        assert!(version(folder.path(), &["a.py", "*.py"]).is_ok(), "all of a pattern is named already");
        assert!(VersionSpec::Text(" ".to_owned()).resolve(folder.path(), None).is_err());
        assert!(VersionSpec::Git(true).resolve(folder.path(), None).is_err());
        let revision = |is_whole| Revision { commit: "abc".to_owned(), is_whole };
        let git = |is_whole| VersionSpec::Git(true).resolve(folder.path(), Some(&revision(is_whole))).unwrap().unwrap();
        assert!(git(true).unfit.is_none() && git(false).unfit.is_some());
        assert_eq!(VersionSpec::Git(false).resolve(folder.path(), None).unwrap(), None);
    }
}
