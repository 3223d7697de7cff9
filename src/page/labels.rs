//! One rater's file of labels: whole after every crash.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::PageError;
use crate::judge::RaterKind;
use crate::table::{TableError, json_reason};

/// Who grades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rater {
    /// The name in the labels and of the file.
    pub name: String,
    /// Whether it is a person.
    pub kind: RaterKind,
}

impl Rater {
    /// A rater with a name that can be a file's.
    ///
    /// # Errors
    /// Another name.
    pub fn new(name: &str, kind: RaterKind) -> Result<Self, PageError> {
        let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || name.starts_with(['.', '-']) || !name.chars().all(fine) {
            return Err(PageError::Sheet(format!(
                "`{name}` is no name for a rater: up to 64 letters, digits, `-`, `_` and `.`, since the file is called so"
            )));
        }
        Ok(Self { name: name.to_owned(), kind })
    }
}

/// The file of one rater, JSON lines. The latest line for an item and a dimension counts.
///
/// The file is read again before every change, so that what another program put into it meanwhile stays, and replaced as
/// a whole, so that it is complete whenever the process, or the machine, is stopped.
#[derive(Debug, Clone)]
pub struct LabelFile {
    path: PathBuf,
    rater: Rater,
}

/// One label as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) dimension: String,
    pub(super) grade: Value,
    pub(super) rationale: String,
}

/// A line of the file; lines that are not about to change stay byte for byte.
struct Line {
    text: String,
    fields: Map<String, Value>,
}

impl LabelFile {
    /// The file of a rater, which need not exist yet.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds somebody else's labels.
    pub fn open(path: &Path, rater: Rater) -> Result<Self, PageError> {
        // A link stays a link: the file that it names is replaced.
        let link = std::fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink());
        let path = if link { path.canonicalize().map_err(TableError::io(path))? } else { path.to_owned() };
        let file = Self { path, rater };
        file.lines()?;
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    #[must_use]
    pub const fn rater(&self) -> &Rater {
        &self.rater
    }

    /// The labels in the order of the file; of several for an item and a dimension, the last one.
    pub(super) fn read(&self) -> Result<Vec<Label>, PageError> {
        let mut labels: Vec<Label> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for line in self.lines()?.into_iter().filter(|line| !line.is_settled()) {
            let text = |name| line.fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let label = Label {
                id: text("id"),
                dimension: text("dimension"),
                grade: line.fields.get("label").cloned().unwrap_or_default(),
                rationale: text("rationale"),
            };
            match places.entry((label.id.clone(), label.dimension.clone())) {
                std::collections::hash_map::Entry::Occupied(at) => labels[*at.get()] = label,
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(labels.len());
                    labels.push(label);
                }
            }
        }
        Ok(labels)
    }

    /// Puts a label in the place of the one before, or takes it away; it is on the disk when this returns.
    ///
    /// `extra` are further fields of the line.
    pub(super) fn set(
        &self,
        (id, dimension): (&str, &str),
        label: Option<(Value, &str)>,
        extra: &[(&str, Value)],
    ) -> Result<(), PageError> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            std::fs::create_dir_all(folder).map_err(TableError::io(folder))?;
            sync(folder.parent())?;
        }
        let _alone = alone(folder)?;
        let mut lines = self.lines()?;
        let same = |line: &Line| line.is(id, dimension) && !line.is_settled();
        let place = lines.iter().position(same);
        lines.retain(|line| !same(line));
        if let Some((label, rationale)) = label {
            let mut fields = Map::new();
            fields.insert("id".to_owned(), id.into());
            fields.insert("rater".to_owned(), self.rater.name.as_str().into());
            fields.insert("kind".to_owned(), self.rater.kind.name().into());
            fields.insert("dimension".to_owned(), dimension.into());
            fields.insert("label".to_owned(), label);
            if !rationale.is_empty() {
                fields.insert("rationale".to_owned(), rationale.into());
            }
            fields.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            let line = Line { text: Value::Object(fields.clone()).to_string(), fields };
            lines.insert(place.unwrap_or(lines.len()), line);
        }
        let mut text = String::new();
        for line in &lines {
            text.push_str(&line.text);
            text.push('\n');
        }
        self.replace(folder, &text)
    }

    /// The new text beside the file, on the disk, then in its place, then the folder on the disk.
    ///
    /// The name beside it is always the same: what a crash left there is overwritten by the next change.
    fn replace(&self, folder: &Path, text: &str) -> Result<(), PageError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let beside = folder.join(format!(".{name}.part"));
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(TableError::io(&beside))?;
        std::fs::rename(&beside, &self.path).map_err(TableError::io(&self.path))?;
        sync(Some(folder))
    }

    fn lines(&self) -> Result<Vec<Line>, PageError> {
        let text = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(TableError::io(&self.path)(error).into()),
        };
        let wrong = |line: usize, reason: String| PageError::Labels { path: self.path.clone(), line, reason };
        let mut lines = Vec::new();
        for (at, bytes) in text.split(|byte| *byte == b'\n').enumerate() {
            let Ok(text) = std::str::from_utf8(bytes) else {
                return Err(wrong(at + 1, "not UTF-8".to_owned()));
            };
            if text.trim().is_empty() {
                continue;
            }
            let fields: Map<String, Value> =
                serde_json::from_str(text).map_err(|error| wrong(at + 1, json_reason(&error)))?;
            for (field, own) in [("rater", self.rater.name.clone()), ("kind", self.rater.kind.name().to_owned())] {
                match fields.get(field) {
                    Some(Value::String(found)) if *found == own => {}
                    Some(found) => {
                        return Err(wrong(at + 1, format!("a label of `{field}` {found}, and not of \"{own}\"")));
                    }
                    None => return Err(wrong(at + 1, format!("a label without `{field}`"))),
                }
            }
            lines.push(Line { text: text.trim_end_matches('\r').to_owned(), fields });
        }
        Ok(lines)
    }
}

impl Line {
    fn is(&self, id: &str, dimension: &str) -> bool {
        let field = |name| self.fields.get(name).and_then(Value::as_str);
        field("id") == Some(id) && field("dimension") == Some(dimension)
    }

    /// The settled label of an item is nobody's grade of it, even where it stands in somebody's file.
    fn is_settled(&self) -> bool {
        self.fields.get("adjudicated") == Some(&Value::Bool(true))
    }
}

/// Forces what a folder lists to the disk, where the system does that.
fn sync(folder: Option<&Path>) -> Result<(), PageError> {
    #[cfg(unix)]
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(TableError::io(folder))?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Keeps other processes from changing files of this folder in the same way, until it is dropped.
#[cfg(unix)]
fn alone(folder: &Path) -> Result<File, PageError> {
    let open = File::open(folder).map_err(TableError::io(folder))?;
    match open.lock() {
        // A file system without locks has no second server on it that could be kept out.
        Err(error) if error.kind() != std::io::ErrorKind::Unsupported => Err(TableError::io(folder)(error).into()),
        _ => Ok(open),
    }
}

/// A folder cannot be locked here: two servers for one rater are the user's to avoid.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn alone(_: &Path) -> Result<(), PageError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rater() -> Rater {
        Rater::new("r1", RaterKind::Human).unwrap()
    }

    #[test]
    fn a_label_is_replaced_taken_away_and_foreign_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels/r1.jsonl");
        let file = LabelFile::open(&path, rater()).unwrap();
        assert_eq!(file.read().unwrap(), []);
        file.set(("a", "d"), Some((2.into(), "")), &[]).unwrap();
        file.set(("b", "d"), Some(("tie".into(), "why \"so\"\n")), &[("first", "B".into())]).unwrap();
        file.set(("a", "d"), Some((3.into(), "")), &[]).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "{\"id\":\"a\",\"rater\":\"r1\",\"kind\":\"human\",\"dimension\":\"d\",\"label\":3}\n\
             {\"id\":\"b\",\"rater\":\"r1\",\"kind\":\"human\",\"dimension\":\"d\",\"label\":\"tie\",\
             \"rationale\":\"why \\\"so\\\"\\n\",\"first\":\"B\"}\n"
        );
        // Somebody else's program adds a line without a line end and one that settles; both are kept.
        let more = "{\"kind\": \"human\", \"rater\": \"r1\", \"id\":\"c\",\"dimension\":\"d\",\"label\":0, \"at\": 1}\n\
                    {\"id\":\"b\",\"rater\":\"r1\",\"kind\":\"human\",\"dimension\":\"d\",\"label\":\"A\",\"adjudicated\":true}";
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{before}\n{more}")).unwrap();
        file.set(("b", "d"), None, &[]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with(&format!("{more}\n")), "{text}");
        let labels: Vec<(String, Value)> =
            file.read().unwrap().into_iter().map(|label| (label.id, label.grade)).collect();
        assert_eq!(labels, [("a".to_owned(), 3.into()), ("c".to_owned(), 0.into())]);
        let names: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["r1.jsonl"], "nothing is left beside it");
    }

    #[test]
    fn a_change_makes_a_new_file_and_leaves_the_old_one_whole() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r1.jsonl");
        let file = LabelFile::open(&path, rater()).unwrap();
        file.set(("a", "d"), Some((1.into(), "")), &[]).unwrap();
        // What a crash left of an earlier change is in nobody's way.
        std::fs::write(folder.path().join(".r1.jsonl.part"), "{\"id\": torn and longer than what comes".repeat(9))
            .unwrap();
        let before = std::fs::read_to_string(&path).unwrap();
        let mut old = File::open(&path).unwrap();
        file.set(("a", "d"), Some((2.into(), "")), &[]).unwrap();
        let mut text = String::new();
        old.read_to_string(&mut text).unwrap();
        assert_eq!(text, before, "whoever has the old file open, or a crash in the middle, sees it whole");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before.replace(":1}", ":2}"));
    }

    #[test]
    fn of_several_lines_the_last_one_counts_and_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r1.jsonl");
        let line =
            |label: u8| format!(r#"{{"id":"a","rater":"r1","kind":"human","dimension":"d","label":{label}}}"#) + "\n";
        std::fs::write(&path, line(1) + &line(2)).unwrap();
        let file = LabelFile::open(&path, rater()).unwrap();
        assert_eq!(file.read().unwrap()[0].grade, Value::from(2));
        file.set(("a", "d"), Some((3.into(), "")), &[]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), line(3));
    }

    #[test]
    fn what_is_not_this_raters_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r1.jsonl");
        let own = r#"{"id":"a","rater":"r1","kind":"human","dimension":"d","label":1}"#;
        for (line, why) in [
            (own.replace("\"r1\"", "\"r2\""), ":2: a label of `rater` \"r2\", and not of \"r1\""),
            (own.replace("human", "stand-in"), ":2: a label of `kind` \"stand-in\", and not of \"human\""),
            (own.replace("\"rater\":\"r1\",", ""), ":2: a label without `rater`"),
            ("{\"id\":".to_owned(), ":2: EOF while parsing a value at column 6"),
            ("\u{fffd}".to_owned(), ":2: expected value at column 1"),
        ] {
            std::fs::write(&path, format!("{own}\n{line}\n")).unwrap();
            let error = LabelFile::open(&path, rater()).unwrap_err().to_string();
            assert!(error.ends_with(why), "{error}\n{why}");
        }
    }

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        for name in ["", "..", "a/b", "a b", ".r", "-r", "r\u{e9}", &"r".repeat(65)] {
            assert!(Rater::new(name, RaterKind::Human).is_err(), "{name}");
        }
        assert!(Rater::new("Ana-2.b_c", RaterKind::StandIn).is_ok());
    }
}
