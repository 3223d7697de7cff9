//! How the file is opened: by whom, with which promises, and what stands in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params};

use super::entry::Packed;
use super::error::CacheError;

/// `application_id`: tells the file from any other SQLite file. The letters `evga`.
const APPLICATION: i64 = 0x6576_6761;

/// `user_version`: the format of the table.
const FORMAT: i64 = 1;

/// How long a writer waits for another process to let go. Group commits take milliseconds; `gc` may take longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A rowid table: values lie in the order in which they came, and only the small index is written at random.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS answer (
    id       INTEGER PRIMARY KEY,
    key      BLOB NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    model    TEXT NOT NULL,
    created  INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    value    BLOB NOT NULL
) STRICT";

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Opens a store for writing; makes it where there is none.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, CacheError> {
    let sql = |error: rusqlite::Error| explain(path, &error);
    create_private(path)?;
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | common()).map_err(sql)?;
    settle(&connection).map_err(sql)?;
    into_wal(&connection).map_err(sql)?;
    // FULL: the log is on the disk before a commit returns. See `Store`.
    connection.pragma_update(None, "synchronous", "FULL").map_err(sql)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(sql)?;
    if marks(&connection).map_err(sql)? == (0, 0) {
        let fresh = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        let others: i64 = fresh.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
        // Another process may have been quicker.
        if others > 0 && marks(&fresh).map_err(sql)? == (0, 0) {
            return Err(CacheError::Foreign { path: path.to_owned() });
        }
        fresh.execute_batch(TABLE).map_err(sql)?;
        fresh.pragma_update(None, "application_id", APPLICATION).map_err(sql)?;
        fresh.pragma_update(None, "user_version", FORMAT).map_err(sql)?;
        fresh.commit().map_err(sql)?;
    }
    is_ours(path, &connection)?;
    Ok(connection)
}

/// Opens a store that must be there, for reading. One on a disk that cannot be written is read too, as long as nobody
/// left work in its log.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, CacheError> {
    if !path.exists() {
        return Err(CacheError::Absent { path: path.to_owned() });
    }
    let plain = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | common())
        .and_then(|connection| settle(&connection).and_then(|()| marks(&connection)).map(|_| connection));
    let connection = match plain {
        Ok(connection) => connection,
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) if log_is_empty(path) => frozen(path)?,
            _ => return Err(explain(path, &error)),
        },
    };
    is_ours(path, &connection)?;
    Ok(connection)
}

/// Opens a file that nobody can write, without the shared memory that SQLite would want beside it.
fn frozen(path: &Path) -> Result<Connection, CacheError> {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b':' => uri.push(byte as char),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | common();
    let connection = Connection::open_with_flags(uri, flags).map_err(|error| explain(path, &error))?;
    settle(&connection).map_err(|error| explain(path, &error))?;
    Ok(connection)
}

/// The log of a store, beside it.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn log_is_empty(path: &Path) -> bool {
    std::fs::metadata(log_of(path)).map_or(true, |log| log.len() == 0)
}

/// A connection belongs to one thread at a time; a lock of ours sees to that.
fn common() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // KiB: the index of half a million answers stays in memory.
    connection.pragma_update(None, "cache_size", -32_768)?;
    // What stands in a file from elsewhere is data, whatever it says about itself.
    connection.pragma_update(None, "trusted_schema", false)
}

/// Switches to a write-ahead log. SQLite does not wait here when another process does the same, so we do.
fn into_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut tries = 0;
    loop {
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let switched = match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)),
            Err(error) => Err(error),
        };
        match switched {
            Ok(mode) if mode == "wal" => return Ok(()),
            Err(error) if tries >= 500 || error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
                return Err(error);
            }
            Ok(_) if tries >= 500 => return Err(rusqlite::Error::InvalidQuery),
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
        tries += 1;
    }
}

/// `application_id` and `user_version`.
fn marks(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let mark = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok((mark("application_id")?, mark("user_version")?))
}

fn is_ours(path: &Path, connection: &Connection) -> Result<(), CacheError> {
    match marks(connection).map_err(|error| explain(path, &error))? {
        (APPLICATION, FORMAT) => Ok(()),
        (APPLICATION, found) => Err(CacheError::Newer { path: path.to_owned(), found, known: FORMAT }),
        _ => Err(CacheError::Foreign { path: path.to_owned() }),
    }
}

/// What SQLite says, in words that name the file.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> CacheError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => CacheError::Foreign { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let waited = PATIENCE.as_secs();
            CacheError::Unusable { path, reason: format!("another process has held it for {waited} seconds") }
        }
        _ => CacheError::Unusable { path, reason: error.to_string() },
    }
}

/// Makes an empty file that only its owner can read, in a folder of that kind. SQLite gives its other files the same
/// rights.
fn create_private(path: &Path) -> Result<(), CacheError> {
    if path.exists() {
        return Ok(());
    }
    let mut folder = std::fs::DirBuilder::new();
    let mut file = std::fs::OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.recursive(true).create(parent).map_err(CacheError::unusable(parent))?;
    }
    match file.write(true).create_new(true).open(path) {
        // Another process was quicker.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop).map_err(CacheError::unusable(path)),
    }
}

/// Puts an entry into the table. Where its key is taken: replaces what is there, or leaves it and says `false`.
pub(super) fn insert(connection: &Connection, packed: &Packed<'_>, replace: bool) -> rusqlite::Result<bool> {
    const INSERT: &str = "INSERT INTO answer (key, kind, model, created, used, bytes, checksum, value) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (key) DO ";
    const LEAVE: &str = "NOTHING";
    const REPLACE: &str =
        "UPDATE SET kind = ?2, model = ?3, created = ?4, used = ?5, bytes = ?6, checksum = ?7, value = ?8";
    let entry = packed.entry;
    let mut statement = connection.prepare_cached(&[INSERT, if replace { REPLACE } else { LEAVE }].concat())?;
    let changed = statement.execute(params![
        &entry.key.0[..],
        entry.kind,
        entry.model,
        entry.created,
        now(),
        packed.bytes,
        &packed.checksum[..],
        packed.value
    ])?;
    Ok(changed > 0)
}
