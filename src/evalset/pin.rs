//! Pinned versions: a file that is never edited, and `evalset.toml`, which says which ones there are.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::EvalsetError;
use super::example::Example;
use super::parse::{Fields, load_file};
use super::quota::{Quota, SliceName};
use super::scan::{Scanned, scan};
use crate::table::{AtomicFile, Line, TableError, sha256_of_file, write_atomically};

/// The name of the file that describes a set.
const DESCRIPTION: &str = "evalset.toml";

/// One pinned file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Short name, like `v1`.
    pub tag: String,
    /// The day of pinning.
    pub date: String,
    /// The file's name: tag, date, first eight digits of the SHA.
    pub file: String,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
    /// How many examples it has.
    pub examples: usize,
    /// What changed, and why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// `evalset.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The set's name, the same as its folder.
    pub name: String,
    /// The tag that is used where none is named.
    pub current: String,
    /// Which fields mean what.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fields: Fields,
    /// How many examples a slice has to have: `"safety=prompt-injection" = 20`, or a share of the set below 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, Quota>,
    /// The pinned versions, oldest first.
    #[serde(default, rename = "version")]
    pub versions: Vec<Version>,
}

fn is_default(fields: &Fields) -> bool {
    *fields == Fields::default()
}

/// A verified, loaded version of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalSet {
    /// The set's name.
    pub name: String,
    /// The version.
    pub version: Version,
    /// The pinned file.
    pub path: PathBuf,
    /// Its examples, in the order of the file.
    pub examples: Vec<Arc<Example>>,
}

/// A set's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
    description: Description,
}

impl Folder {
    /// Opens `<sets>/<name>/evalset.toml`.
    ///
    /// # Errors
    /// When there is no such set (naming those there are) or its description is broken.
    pub fn open(sets: &Path, name: &str) -> Result<Self, EvalsetError> {
        let path = sets.join(name);
        let file = path.join(DESCRIPTION);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let known = names(sets);
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(EvalsetError::Unknown(format!(
                    "there is no eval set `{name}` in {} (there: {known}); pin one with `evalgauge evalset pin`",
                    sets.display()
                )));
            }
            Err(error) => return Err(TableError::io(file)(error).into()),
        };
        let description: Description = toml::from_str(&text).map_err(|error| EvalsetError::Description {
            path: file.clone(),
            reason: error.to_string().trim_end().to_owned(),
        })?;
        for (slice, quota) in &description.quotas {
            let broken = |reason: String| EvalsetError::Description { path: file.clone(), reason };
            SliceName::parse(slice).map_err(|reason| broken(format!("[quotas] {reason}")))?;
            if !quota.is_sound() {
                return Err(broken(format!(
                    "[quotas] `{slice}`: expected a number of examples, or a share of the set between 0.0 and 1.0"
                )));
            }
        }
        Ok(Self { path, description })
    }

    /// What `evalset.toml` says.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// The version under a tag, or the current one.
    ///
    /// # Errors
    /// When there is no such version.
    pub fn version(&self, tag: Option<&str>) -> Result<&Version, EvalsetError> {
        let tag = tag.unwrap_or(&self.description.current);
        self.description.versions.iter().find(|version| version.tag == tag).ok_or_else(|| {
            let known: Vec<_> = self.description.versions.iter().map(|version| version.tag.as_str()).collect();
            EvalsetError::Unknown(format!(
                "eval set `{}` has no version `{tag}`; it has {}",
                self.description.name,
                known.join(", ")
            ))
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The pinned file of a version.
    #[must_use]
    pub fn file(&self, version: &Version) -> PathBuf {
        self.path.join(&version.file)
    }

    /// Loads a version, and checks that its bytes are what was pinned.
    ///
    /// # Errors
    /// A file that is not there or not what was pinned, or a broken line.
    pub fn load(&self, tag: Option<&str>) -> Result<EvalSet, EvalsetError> {
        let version = self.version(tag)?.clone();
        let path = self.file(&version);
        let loaded = load_file(&path, &self.description.fields);
        let (examples, _) = pinned(&path, &version, loaded, |(_, scanned)| scanned)?;
        Ok(EvalSet { name: self.description.name.clone(), version, path, examples })
    }

    /// Goes through a version without holding it, as [`scan`] does, and checks that its bytes are what was pinned.
    ///
    /// # Errors
    /// A file that is not there or not what was pinned, a broken line, or what `each` returns. What was given to `each` counts
    /// only when this succeeds.
    pub fn scan<T: Send>(
        &self,
        version: &Version,
        map: impl Fn(Line<'_>, Example) -> T + Sync,
        each: impl FnMut(T) -> Result<(), EvalsetError> + Send,
    ) -> Result<Scanned, EvalsetError> {
        let path = self.file(version);
        let scanned = scan(&path, &self.description.fields, map, each);
        let scanned = pinned(&path, version, scanned, |scanned| scanned)?;
        if scanned.examples != version.examples {
            let reason = format!("{} examples, {DESCRIPTION} says {}", scanned.examples, version.examples);
            return Err(EvalsetError::Description { path, reason });
        }
        Ok(scanned)
    }
}

/// What came of reading a pinned file. That it is not what was pinned is the first thing to say of it, whatever is wrong with
/// its lines.
fn pinned<T>(
    path: &Path,
    version: &Version,
    outcome: Result<T, EvalsetError>,
    scanned: impl Fn(&T) -> &Scanned,
) -> Result<T, EvalsetError> {
    let found = match &outcome {
        Ok(read) => scanned(read).sha256.clone(),
        Err(EvalsetError::File(TableError::Io { .. })) => return outcome,
        Err(_) => sha256_of_file(path)?,
    };
    if found == version.sha256 {
        return outcome;
    }
    Err(EvalsetError::WrongSha { path: path.to_owned(), pinned: version.sha256.clone(), found })
}

/// What to pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPin<'a> {
    /// The set's name; made where it does not exist.
    pub name: &'a str,
    /// The file whose bytes are pinned.
    pub from: &'a Path,
    /// The tag of the new version.
    pub tag: &'a str,
    /// The day.
    pub date: &'a str,
    /// What changed, and why.
    pub note: &'a str,
    /// Which fields mean what; `None` keeps what the set has.
    pub fields: Option<Fields>,
}

/// Checks a file and pins its bytes as a new version, which becomes the current one.
///
/// # Errors
/// A name or tag that cannot stand in a file name, a tag that is taken, a broken line, or a folder that cannot be
/// written. Nothing is changed then.
pub fn pin(sets: &Path, new: &NewPin<'_>) -> Result<Version, EvalsetError> {
    for (what, text) in [("name", new.name), ("tag", new.tag)] {
        if text.is_empty()
            || !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
            || text.starts_with('.')
        {
            return Err(EvalsetError::Unknown(format!(
                "the {what} `{text}` cannot be part of a file name; use letters, digits, `-` and `.`"
            )));
        }
    }
    let mut folder = match Folder::open(sets, new.name) {
        Ok(folder) => folder,
        Err(EvalsetError::Unknown(_)) => Folder {
            path: sets.join(new.name),
            description: Description {
                name: new.name.to_owned(),
                current: String::new(),
                fields: Fields::default(),
                quotas: BTreeMap::new(),
                versions: Vec::new(),
            },
        },
        Err(error) => return Err(error),
    };
    if let Some(fields) = &new.fields {
        if !folder.description.versions.is_empty() && *fields != folder.description.fields {
            return Err(EvalsetError::Unknown(format!(
                "eval set `{}` was pinned with other field names; versions of one set share them",
                new.name
            )));
        }
        folder.description.fields = fields.clone();
    }
    if folder.description.versions.iter().any(|version| version.tag == new.tag) {
        return Err(EvalsetError::Unknown(format!(
            "eval set `{}` has a version `{}` already; a pinned file is never changed, choose another tag",
            new.name, new.tag
        )));
    }
    let scanned = scan(new.from, &folder.description.fields, |_, _| (), |()| Ok(()))?;
    let version = Version {
        tag: new.tag.to_owned(),
        date: new.date.to_owned(),
        file: format!("{}_{}_{}.jsonl", new.tag, new.date, &scanned.sha256[..8]),
        sha256: scanned.sha256,
        examples: scanned.examples,
        note: new.note.to_owned(),
    };
    folder.description.versions.push(version.clone());
    folder.description.current.clone_from(&version.tag);
    copy(new.from, &folder.file(&version), &version.sha256)?;
    let text = toml::to_string(&folder.description).map_err(|error| EvalsetError::Description {
        path: folder.path.join(DESCRIPTION),
        reason: error.to_string(),
    })?;
    write_atomically(&folder.path.join(DESCRIPTION), text.as_bytes())?;
    Ok(version)
}

/// Copies a file that has to have this SHA-256.
fn copy(from: &Path, to: &Path, sha256: &str) -> Result<(), EvalsetError> {
    let mut file = AtomicFile::create(to)?;
    let mut reader = File::open(from).map_err(TableError::io(from))?;
    std::io::copy(&mut reader, &mut file).map_err(TableError::io(to))?;
    file.commit()?;
    if sha256_of_file(to)? != sha256 {
        std::fs::remove_file(to).map_err(TableError::io(to))?;
        return Err(EvalsetError::Changed { path: from.to_owned() });
    }
    Ok(())
}

/// The names of the sets in a folder, ascending.
#[must_use]
pub fn names(sets: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(sets)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join(DESCRIPTION).is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
