//! One kept answer: how it is packed, and how one sees that it is whole.

use rusqlite::Row;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zstd::bulk::{Compressor, Decompressor};

use super::key::CacheKey;
use crate::call::{Answered, Reply};
use crate::table::hex;

/// Level 3: answers are short, and higher levels cost more than they save.
const LEVEL: i32 = 3;

/// A longer one is no answer; a damaged length must not ask for all memory.
const LONGEST: i64 = 1 << 30;

/// The columns of [`Raw`], in its order.
pub(super) const COLUMNS: &str = "id, key, kind, model, created, used, bytes, checksum, value";

/// An answer with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: CacheKey,
    /// The provider's kind.
    pub(super) kind: String,
    /// The model; empty of a program.
    pub(super) model: String,
    /// Milliseconds since 1970.
    pub(super) created: i64,
    /// The [`Answered`] as JSON.
    pub(super) text: String,
}

/// An entry that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Its key, as far as it can be read.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The text of an answer that is worth keeping; `None` of a failure, and of numbers that JSON cannot hold.
pub(super) fn text_of(answered: &Answered) -> Option<String> {
    let finite = answered.latency_ms.is_finite()
        && answered.first_token_ms.is_none_or(f64::is_finite)
        && answered.cost_usd.is_none_or(f64::is_finite);
    let kept = match &answered.reply {
        Reply::Failed(_) => false,
        Reply::Vector(numbers) => numbers.iter().all(|number| number.is_finite()),
        Reply::Output(_) | Reply::Completion(_) => true,
    };
    (finite && kept).then(|| serde_json::to_string(answered).ok()).flatten()
}

/// The answer in a text; a failure is none.
pub(super) fn answer_of(text: &str) -> Result<Answered, String> {
    let answered: Answered = serde_json::from_str(text).map_err(|error| format!("not an answer: {error}"))?;
    match answered.reply {
        Reply::Failed(_) => Err("a failure, which is never kept".to_owned()),
        _ => Ok(answered),
    }
}

/// Sixteen bytes that tell a damaged entry, or one in another's place, from a whole one.
fn checksum(key: &[u8], kind: &[u8], model: &[u8], created: i64, bytes: i64, value: &[u8]) -> [u8; 16] {
    let mut digest = Sha256::new();
    for part in [key, kind, model, &created.to_le_bytes(), &bytes.to_le_bytes(), value] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let whole: [u8; 32] = digest.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

/// An entry as it goes into the table.
pub(super) struct Packed<'a> {
    pub(super) entry: &'a Entry,
    pub(super) bytes: i64,
    pub(super) checksum: [u8; 16],
    pub(super) value: Vec<u8>,
}

/// Packs entries.
pub(super) struct Packer(Compressor<'static>);

impl Packer {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self(Compressor::new(LEVEL)?))
    }

    pub(super) fn pack<'a>(&mut self, entry: &'a Entry) -> std::io::Result<Packed<'a>> {
        let value = self.0.compress(entry.text.as_bytes())?;
        let bytes = entry.text.len() as i64;
        let checksum =
            checksum(&entry.key.0, entry.kind.as_bytes(), entry.model.as_bytes(), entry.created, bytes, &value);
        Ok(Packed { entry, bytes, checksum, value })
    }
}

/// Unpacks entries.
pub(super) struct Unpacker(Decompressor<'static>);

/// A row that is whole, with what only the store needs.
pub(super) struct Unpacked {
    pub(super) id: i64,
    pub(super) used: i64,
    pub(super) entry: Entry,
}

impl Unpacker {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self(Decompressor::new()?))
    }

    /// The entry in a row of [`COLUMNS`]. Nothing is unpacked whose checksum is wrong.
    pub(super) fn unpack(&mut self, row: &Row<'_>) -> Result<Unpacked, Broken> {
        let key = row.get_ref(1).ok().and_then(|key| key.as_blob().ok()).unwrap_or_default();
        self.whole(key, row).map_err(|reason| Broken { key: hex(key), reason })
    }

    fn whole(&mut self, key: &[u8], row: &Row<'_>) -> Result<Unpacked, String> {
        let typed = |error: rusqlite::Error| format!("a column is damaged: {error}");
        let foreign = |error: rusqlite::types::FromSqlError| format!("a column is damaged: {error}");
        let kind = row.get_ref(2).map_err(typed)?.as_str().map_err(foreign)?;
        let model = row.get_ref(3).map_err(typed)?.as_str().map_err(foreign)?;
        let created: i64 = row.get(4).map_err(typed)?;
        let bytes: i64 = row.get(6).map_err(typed)?;
        let found = row.get_ref(7).map_err(typed)?.as_blob().map_err(foreign)?;
        let value = row.get_ref(8).map_err(typed)?.as_blob().map_err(foreign)?;
        let expected = checksum(key, kind.as_bytes(), model.as_bytes(), created, bytes, value);
        if found != expected {
            return Err("the checksum is wrong".to_owned());
        }
        let key: [u8; 32] = key.try_into().map_err(|_| "the key is damaged".to_owned())?;
        if !(0..=LONGEST).contains(&bytes) {
            return Err(format!("{bytes} bytes are no answer"));
        }
        let text = self.0.decompress(value, bytes as usize).map_err(|error| format!("cannot be unpacked: {error}"))?;
        let text = String::from_utf8(text).map_err(|_| "not UTF-8".to_owned())?;
        Ok(Unpacked {
            id: row.get(0).map_err(typed)?,
            used: row.get(5).map_err(typed)?,
            entry: Entry { key: CacheKey(key), kind: kind.to_owned(), model: model.to_owned(), created, text },
        })
    }
}
