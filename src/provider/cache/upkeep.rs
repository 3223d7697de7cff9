//! Looking after a store: what it holds, whether it is whole, what can go.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};
use serde::Serialize;

use super::connection::{explain, now, open_to_read, open_to_write};
use super::entry::{Broken, COLUMNS, Unpacker, answer_of};
use super::error::CacheError;

/// What an entry takes beside its value: the other columns and the index.
const BESIDE: u64 = 200;

/// What a store holds of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The provider's kind.
    pub kind: String,
    /// The model; empty of programs.
    pub model: String,
    /// Answers.
    pub entries: u64,
    /// Their size as they are kept.
    pub bytes: u64,
    /// Their size unpacked.
    pub unpacked_bytes: u64,
    /// When the oldest was made, in milliseconds since 1970.
    pub oldest: i64,
    /// When the newest was made.
    pub newest: i64,
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Stat {
    /// Answers.
    pub entries: u64,
    /// Their size as they are kept.
    pub bytes: u64,
    /// Size of the file and its log.
    pub file_bytes: u64,
    /// The same by kind and model.
    pub models: Vec<Kept>,
}

/// Counts what a store holds.
///
/// # Errors
/// A store that is missing or cannot be read.
pub fn stat(path: &Path) -> Result<Stat, CacheError> {
    let connection = open_to_read(path)?;
    let models = count(&connection).map_err(|error| explain(path, &error))?;
    let file_bytes = ["", "-wal"].iter().map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).map_or(0, |file| file.len())
    });
    Ok(Stat {
        entries: models.iter().map(|kept| kept.entries).sum(),
        bytes: models.iter().map(|kept| kept.bytes).sum(),
        file_bytes: file_bytes.sum(),
        models,
    })
}

fn count(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut select = connection.prepare(
        "SELECT kind, model, count(*), sum(length(value)), sum(bytes), min(created), max(created) \
         FROM answer GROUP BY kind, model ORDER BY kind, model",
    )?;
    let rows = select.query_map([], |row| {
        Ok(Kept {
            kind: row.get(0)?,
            model: row.get(1)?,
            entries: row.get::<_, i64>(2)? as u64,
            bytes: row.get::<_, i64>(3)? as u64,
            unpacked_bytes: row.get::<_, i64>(4)? as u64,
            oldest: row.get(5)?,
            newest: row.get(6)?,
        })
    })?;
    rows.collect()
}

/// What a check of a store found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Entries that were looked at.
    pub entries: u64,
    /// Those that are broken, by key.
    pub broken: Vec<Broken>,
    /// What is wrong with the file around them, in SQLite's words.
    pub file: Vec<String>,
    /// Whether all of it was mended: broken entries removed, the index made anew.
    pub repaired: bool,
}

impl Verified {
    /// Whether nothing is wrong, or no longer.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.repaired || (self.broken.is_empty() && self.file.is_empty())
    }
}

/// Checks every entry and the file around them. With `repair`, removes what is broken: it will be asked again.
///
/// # Errors
/// A store that is missing or cannot be opened.
pub fn verify(path: &Path, repair: bool) -> Result<Verified, CacheError> {
    let sql = |error: rusqlite::Error| explain(path, &error);
    let connection = open_to_read(path)?;
    let (mut verified, ids) = look(path, &connection)?;
    drop(connection);
    if repair && !verified.is_sound() {
        let mut connection = open_to_write(path)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        for id in ids {
            transaction.execute("DELETE FROM answer WHERE id = ?1", [id]).map_err(sql)?;
        }
        if !verified.file.is_empty() {
            transaction.execute_batch("REINDEX").map_err(sql)?;
        }
        transaction.commit().map_err(sql)?;
        let (after, _) = look(path, &connection)?;
        verified.repaired = after.is_sound();
    }
    Ok(verified)
}

/// What is wrong, and the ids of the rows that are broken.
fn look(path: &Path, connection: &Connection) -> Result<(Verified, Vec<i64>), CacheError> {
    let mut verified = Verified::default();
    let mut ids = Vec::new();
    let mut unpacker = Unpacker::new().map_err(CacheError::unusable(path))?;
    // A damaged page ends the walk; what it says is a finding, not a failure.
    let mut walk = || -> rusqlite::Result<()> {
        let mut select = connection.prepare(&format!("SELECT {COLUMNS} FROM answer ORDER BY id"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            verified.entries += 1;
            let broken = unpacker.unpack(row).map(|row| row.entry).and_then(|entry| match answer_of(&entry.text) {
                Ok(_) => Ok(()),
                Err(reason) => Err(Broken { key: entry.key.to_string(), reason }),
            });
            if let Err(broken) = broken {
                ids.push(row.get(0)?);
                verified.broken.push(broken);
            }
        }
        Ok(())
    };
    let walked = walk();
    verified.broken.sort_by(|a, b| a.key.cmp(&b.key));
    verified.file.extend(walked.err().map(|error| error.to_string()));
    let checked = connection.prepare("PRAGMA integrity_check(20)").and_then(|mut check| {
        let lines = check.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    });
    match checked {
        Ok(lines) => verified.file.extend(lines.into_iter().filter(|line| line != "ok")),
        Err(error) => verified.file.push(error.to_string()),
    }
    Ok((verified, ids))
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Collected {
    /// Answers that were removed.
    pub removed: u64,
    /// Their size.
    pub removed_bytes: u64,
    /// Answers that are left.
    pub left: u64,
    /// Whether the file became smaller; another process may have had it open.
    pub compacted: bool,
}

/// Removes answers made before `older_than` or last used before `unused` (milliseconds ago), then those that were used
/// longest ago until the rest fits into `max_size` bytes. With `dry_run` only counts.
///
/// # Errors
/// A store that is missing or cannot be written.
pub fn collect(
    path: &Path,
    older_than: Option<i64>,
    unused: Option<i64>,
    max_size: Option<u64>,
    dry_run: bool,
) -> Result<Collected, CacheError> {
    // Opening for writing would make one.
    drop(open_to_read(path)?);
    let mut connection = open_to_write(path)?;
    let mut collected =
        sweep(&mut connection, older_than, unused, max_size, dry_run).map_err(|error| explain(path, &error))?;
    if collected.removed > 0 && !dry_run {
        let compacted = connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
        collected.compacted = compacted.is_ok();
    }
    Ok(collected)
}

fn sweep(
    connection: &mut Connection,
    older_than: Option<i64>,
    unused: Option<i64>,
    max_size: Option<u64>,
    dry_run: bool,
) -> rusqlite::Result<Collected> {
    let now = now();
    let before = |age: Option<i64>| age.map_or(i64::MIN, |age| now.saturating_sub(age));
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut collected = Collected::default();
    {
        let mut doomed = Vec::new();
        let mut sum = 0;
        let mut select = transaction.prepare(
            "SELECT id, length(value), created < ?1 OR max(used, created) < ?2 FROM answer \
             ORDER BY max(used, created) DESC, id DESC",
        )?;
        let mut rows = select.query(params![before(older_than), before(unused)])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get::<_, i64>(1)? as u64;
            let old: bool = row.get(2)?;
            if old || max_size.is_some_and(|most| sum + bytes + BESIDE > most) {
                doomed.push(row.get::<_, i64>(0)?);
                collected.removed += 1;
                collected.removed_bytes += bytes;
            } else {
                sum += bytes + BESIDE;
                collected.left += 1;
            }
        }
        let mut delete = transaction.prepare("DELETE FROM answer WHERE id = ?1")?;
        for id in doomed {
            delete.execute([id])?;
        }
    }
    if dry_run {
        transaction.rollback()?;
    } else {
        transaction.commit()?;
    }
    Ok(collected)
}
