//! The next version of a set while it is being made: a file beside the pinned ones, which nothing pins yet.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::EvalsetError;
use super::example::Example;
use super::parse::Fields;
use super::pin::{Folder, Version};
use super::profile::input_digest;
use super::scan::scan;
use crate::table::{AtomicFile, Line, ShortDigest, TableError, short_digest};

/// The file's name, in the set's folder.
const WORKING: &str = "next.jsonl";

/// What became of an example that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It is going to be added.
    Taken,
    /// An example has this id already.
    SameId,
    /// An example has this input already.
    SameInput,
}

/// A version that is being made: what it began with, and what is going to be added.
#[derive(Debug)]
pub struct Working {
    path: PathBuf,
    /// What it begins with: itself, where it is there already, else a pinned file.
    source: PathBuf,
    fields: Fields,
    ids: HashSet<ShortDigest>,
    inputs: HashSet<ShortDigest>,
    lines: Vec<String>,
}

impl Working {
    /// Goes on with the set's working file; where there is none, it begins as a version.
    ///
    /// # Errors
    /// A file that is not what was pinned, or a line that is not an example.
    pub fn open(folder: &Folder, version: &Version) -> Result<Self, EvalsetError> {
        let path = folder.path().join(WORKING);
        let begun = path.is_file();
        let source = if begun { path.clone() } else { folder.file(version) };
        let fields = folder.description().fields.clone();
        let mut working = Self { path, source, fields, ids: HashSet::new(), inputs: HashSet::new(), lines: Vec::new() };
        let digests = |_: Line<'_>, example: Example| (short_digest(&example.id), input_digest(&example.input));
        let (ids, inputs) = (&mut working.ids, &mut working.inputs);
        let each = |(id, input)| {
            ids.insert(id);
            inputs.insert(input);
            Ok(())
        };
        if begun {
            scan(&working.source, &working.fields, digests, each)?;
        } else {
            folder.scan(version, digests, each)?;
        }
        Ok(working)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many examples it has, with those that are going to be added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Takes an example, unless its id or its input is there already.
    pub fn offer(&mut self, example: &Example) -> Offered {
        let (id, input) = (short_digest(&example.id), input_digest(&example.input));
        if self.ids.contains(&id) {
            return Offered::SameId;
        }
        if self.inputs.contains(&input) {
            return Offered::SameInput;
        }
        self.ids.insert(id);
        self.inputs.insert(input);
        self.lines.push(line(example, &self.fields));
        Offered::Taken
    }

    /// Writes the file: what it began with, unchanged, then what was taken.
    ///
    /// # Errors
    /// When it cannot be written; it is then what it was.
    pub fn write(self) -> Result<(), EvalsetError> {
        let mut source = File::open(&self.source).map_err(TableError::io(&self.source))?;
        let mut file = AtomicFile::create(&self.path)?;
        let written = std::io::copy(&mut source, &mut file).map_err(TableError::io(&self.path))?;
        let mut last = [b'\n'];
        if written > 0 {
            let end = source.seek(SeekFrom::End(-1)).and_then(|_| source.read_exact(&mut last));
            end.map_err(TableError::io(&self.source))?;
        }
        let gap = if last == [b'\n'] { "" } else { "\n" };
        let text = format!("{gap}{}", self.lines.concat());
        file.write_all(text.as_bytes()).map_err(TableError::io(&self.path))?;
        Ok(file.commit()?)
    }
}

/// An example as a line of a set with these fields.
fn line(example: &Example, fields: &Fields) -> String {
    let mut line = Map::new();
    line.insert(fields.id.clone(), Value::from(example.id.as_str()));
    line.insert(fields.input.clone(), example.input.clone());
    if let Some(expected) = &example.expected {
        line.insert(fields.expected.clone(), expected.clone());
    }
    if !example.labels.is_empty() {
        line.insert("labels".to_owned(), serde_json::to_value(&example.labels).unwrap_or_default());
    }
    if let Some(group) = &example.group {
        line.insert(fields.group.clone(), Value::from(group.as_str()));
    }
    for (name, value) in &example.other {
        line.entry(name.clone()).or_insert_with(|| value.clone());
    }
    format!("{}\n", Value::Object(line))
}
