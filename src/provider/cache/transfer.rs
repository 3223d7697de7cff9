//! Answers from one store to another: as text that diffs well, or from file to file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::connection::{explain, insert, open_to_read, open_to_write};
use super::entry::{Broken, COLUMNS, Entry, Packer, Unpacker, answer_of};
use super::error::CacheError;
use super::key::CacheKey;
use crate::table::{AtomicFile, TableError, json_reason, sha256_hex};

/// Entries that are taken over in one transaction: others may write in between.
const GROUP: usize = 1000;

/// The longest line of an export.
const LONGEST: u64 = 1 << 30;

/// Level of an exported file.
const LEVEL: i32 = 3;

const SQLITE: &[u8] = b"SQLite format 3\0";
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// One line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    kind: String,
    model: String,
    created: i64,
    check: String,
    value: Value,
}

/// What an edited line no longer agrees with.
fn check_of(key: CacheKey, kind: &str, model: &str, created: i64, text: &str) -> String {
    let mut check = sha256_hex(format!("{key}\n{kind}\n{model}\n{created}\n{text}"));
    check.truncate(32);
    check
}

/// An entry as a line, without its end. The answer stands in it as it is kept, byte for byte.
fn line_of(entry: &Entry) -> String {
    let Entry { key, kind, model, created, text } = entry;
    let check = check_of(*key, kind, model, *created, text);
    let (kind, model) = (Value::from(kind.as_str()), Value::from(model.as_str()));
    format!(r#"{{"key":"{key}","kind":{kind},"model":{model},"created":{created},"check":"{check}","value":{text}}}"#)
}

/// The entry in a line.
fn entry_of(line: &[u8]) -> Result<Entry, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| json_reason(&error))?;
    let key: CacheKey = line.key.parse()?;
    let text = line.value.to_string();
    answer_of(&text)?;
    let entry = Entry { key, kind: line.kind, model: line.model, created: line.created, text };
    if line.check != check_of(key, &entry.kind, &entry.model, entry.created, &entry.text) {
        return Err("the entry is not what it was when it was exported: `check` is wrong".to_owned());
    }
    Ok(entry)
}

/// An entry as the shared cache keeps it.
pub(super) fn pack_line(entry: &Entry) -> std::io::Result<Vec<u8>> {
    zstd::encode_all(line_of(entry).as_bytes(), LEVEL)
}

/// The entry under a key of the shared cache.
pub(super) fn unpack_line(bytes: &[u8], key: CacheKey) -> Result<Entry, String> {
    let mut line = Vec::new();
    let unpacked = zstd::Decoder::new(bytes).and_then(|decoder| decoder.take(LONGEST).read_to_end(&mut line));
    unpacked.map_err(|error| format!("an answer cannot be unpacked: {error}"))?;
    let entry = entry_of(&line).map_err(|reason| format!("a broken answer: {reason}"))?;
    if entry.key == key { Ok(entry) } else { Err("an answer under another's key".to_owned()) }
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Exported {
    /// Entries.
    pub entries: u64,
    /// Entries that were left out.
    pub broken: Vec<Broken>,
}

/// Writes a store as compressed JSON lines, an entry a line, sorted by key. The same entries give the same bytes.
///
/// # Errors
/// A store that cannot be read, a file that cannot be written.
pub fn export(store: &Path, to: &Path) -> Result<Exported, CacheError> {
    let connection = open_to_read(store)?;
    let file = AtomicFile::create(to).map_err(written)?;
    let mut encoder = zstd::Encoder::new(file, LEVEL).map_err(CacheError::unusable(to))?;
    encoder.include_checksum(true).map_err(CacheError::unusable(to))?;
    let mut exported = Exported::default();
    for_each_entry(store, &connection, "key", &mut |entry| {
        match entry {
            Ok(entry) => {
                exported.entries += 1;
                let mut line = line_of(&entry);
                line.push('\n');
                encoder.write_all(line.as_bytes()).map_err(CacheError::unusable(to))?;
            }
            Err(broken) => exported.broken.push(broken),
        }
        Ok(())
    })?;
    encoder.finish().map_err(CacheError::unusable(to))?.commit().map_err(written)?;
    Ok(exported)
}

/// A file that cannot be written.
fn written(error: TableError) -> CacheError {
    match error {
        TableError::Io { path, source } => CacheError::unusable(&path)(source),
        other => CacheError::unusable(Path::new("export"))(other),
    }
}

/// Goes through all entries, whole and broken, in the order of a column.
pub(super) fn for_each_entry(
    path: &Path,
    connection: &Connection,
    order: &str,
    each: &mut dyn FnMut(Result<Entry, Broken>) -> Result<(), CacheError>,
) -> Result<(), CacheError> {
    let sql = |error: rusqlite::Error| explain(path, &error);
    let mut unpacker = Unpacker::new().map_err(CacheError::unusable(path))?;
    let mut select = connection.prepare(&format!("SELECT {COLUMNS} FROM answer ORDER BY {order}")).map_err(sql)?;
    let mut rows = select.query([]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        let entry = unpacker.unpack(row).and_then(|row| match answer_of(&row.entry.text) {
            Ok(_) => Ok(row.entry),
            Err(reason) => Err(Broken { key: row.entry.key.to_string(), reason }),
        });
        each(entry)?;
    }
    Ok(())
}

/// Two answers to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The question.
    pub key: String,
    /// When the answer was made that stays, in milliseconds since 1970.
    pub kept: i64,
    /// When the one was made that goes.
    pub dropped: i64,
}

/// What was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Merged {
    /// Entries that are new.
    pub added: u64,
    /// Entries that were there already.
    pub same: u64,
    /// Broken entries that were replaced by whole ones.
    pub mended: u64,
    /// Entries that were there with another answer; the older one stays.
    pub conflicts: Vec<Conflict>,
    /// Entries that were not taken over.
    pub broken: Vec<Broken>,
}

/// Takes an export over into a store, which is made where there is none. Doing it twice changes nothing.
///
/// # Errors
/// A file or a line that is no export; the lines before it are then taken over.
pub fn import(store: &Path, from: &Path) -> Result<Merged, CacheError> {
    if head_of(from)?.starts_with(SQLITE) {
        let reason = "this is a store, not an export of one: use `merge`".to_owned();
        return Err(CacheError::File { path: from.to_owned(), reason });
    }
    merge(store, &[from.to_owned()])
}

/// Takes other stores and exports over into a store, which is made where there is none.
///
/// Of two answers to one question the older one stays, whichever store it is in: it is the one that records were made
/// with. So the result does not depend on the order.
///
/// # Errors
/// A file that is neither a store nor an export; what was read before is then taken over.
pub fn merge(store: &Path, from: &[PathBuf]) -> Result<Merged, CacheError> {
    // A file that is not there is found out before anything is written.
    let heads = from.iter().map(|file| head_of(file)).collect::<Result<Vec<_>, _>>()?;
    let mut taker = Taker::open(store)?;
    for (file, head) in from.iter().zip(heads) {
        let result = if head.starts_with(SQLITE) {
            taker.take_store(file)
        } else {
            taker.take_lines(file, head.starts_with(ZSTD))
        };
        // Also what was read before an error.
        taker.end()?;
        result?;
    }
    Ok(taker.merged)
}

/// The first bytes of a file.
fn head_of(path: &Path) -> Result<Vec<u8>, CacheError> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SQLITE.len() as u64).read_to_end(&mut head))
        .map_err(CacheError::file(path))?;
    Ok(head)
}

/// Takes entries over into a store.
struct Taker<'a> {
    path: &'a Path,
    connection: Connection,
    packer: Packer,
    unpacker: Unpacker,
    /// Entries in the open transaction.
    open: usize,
    merged: Merged,
}

impl<'a> Taker<'a> {
    fn open(path: &'a Path) -> Result<Self, CacheError> {
        Ok(Self {
            path,
            connection: open_to_write(path)?,
            packer: Packer::new().map_err(CacheError::unusable(path))?,
            unpacker: Unpacker::new().map_err(CacheError::unusable(path))?,
            open: 0,
            merged: Merged::default(),
        })
    }

    fn take_store(&mut self, from: &Path) -> Result<(), CacheError> {
        let other = open_to_read(from)?;
        for_each_entry(from, &other, "key", &mut |entry| match entry {
            Ok(entry) => self.take(&entry),
            Err(broken) => {
                self.merged.broken.push(broken);
                Ok(())
            }
        })
    }

    fn take_lines(&mut self, from: &Path, compressed: bool) -> Result<(), CacheError> {
        let file = File::open(from).map_err(CacheError::file(from))?;
        let mut lines: Box<dyn BufRead> = if compressed {
            Box::new(BufReader::new(zstd::Decoder::new(file).map_err(CacheError::file(from))?))
        } else {
            Box::new(BufReader::new(file))
        };
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let wrong = |reason| CacheError::Line { path: from.to_owned(), line: number, reason };
            let read = lines.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            if read.map_err(|error| wrong(error.to_string()))? == 0 {
                break;
            }
            self.take(&entry_of(&line).map_err(wrong)?)?;
        }
        Ok(())
    }

    fn sql(&self, sql: &str) -> Result<(), CacheError> {
        self.connection.execute_batch(sql).map_err(|error| explain(self.path, &error))
    }

    /// Ends the open transaction.
    fn end(&mut self) -> Result<(), CacheError> {
        if std::mem::take(&mut self.open) > 0 { self.sql("COMMIT") } else { Ok(()) }
    }

    fn take(&mut self, entry: &Entry) -> Result<(), CacheError> {
        if self.open == 0 {
            self.sql("BEGIN IMMEDIATE")?;
        }
        self.open += 1;
        let there = self.find(entry.key)?;
        let replace = match there {
            None => {
                self.merged.added += 1;
                true
            }
            Some(Err(_)) => {
                self.merged.mended += 1;
                true
            }
            Some(Ok(there)) => {
                // The text decides between two of one millisecond, so that no order of files matters.
                let older = (entry.created, &entry.text) < (there.created, &there.text);
                if there.text == entry.text {
                    self.merged.same += 1;
                } else {
                    let (kept, dropped) =
                        if older { (entry.created, there.created) } else { (there.created, entry.created) };
                    self.merged.conflicts.push(Conflict { key: entry.key.to_string(), kept, dropped });
                }
                older
            }
        };
        if replace {
            let packed = self.packer.pack(entry).map_err(CacheError::unusable(self.path))?;
            insert(&self.connection, &packed, true).map_err(|error| explain(self.path, &error))?;
        }
        if self.open >= GROUP { self.end() } else { Ok(()) }
    }

    fn find(&mut self, key: CacheKey) -> Result<Option<Result<Entry, Broken>>, CacheError> {
        let Self { connection, unpacker, .. } = self;
        connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM answer WHERE key = ?1"))
            .and_then(|mut select| {
                select.query_row([&key.0[..]], |row| Ok(unpacker.unpack(row).map(|row| row.entry))).optional()
            })
            .map_err(|error| explain(self.path, &error))
    }
}
