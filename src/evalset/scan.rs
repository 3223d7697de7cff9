//! Going through a file of examples once: many lines at a time, in their order, and never all of them in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use rayon::prelude::*;

use super::error::EvalsetError;
use super::example::Example;
use super::parse::{Fields, parse_line};
use crate::table::{Line, ShortDigest, TableError, for_each_block, short_digest};

/// What a file of examples is as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many examples it has.
    pub examples: usize,
}

/// Checks every line of a file. `map` makes of each example what is wanted of it, on several threads; `each` gets that in the
/// order of the lines.
///
/// # Errors
/// The first line that is not an example (file, line, field, what was expected), an id that stands twice, a file without
/// examples, or what `each` returns.
pub fn scan<T: Send>(
    path: &Path,
    fields: &Fields,
    map: impl Fn(Line<'_>, Example) -> T + Sync,
    mut each: impl FnMut(T) -> Result<(), EvalsetError> + Send,
) -> Result<Scanned, EvalsetError> {
    let mut ids = Ids::default();
    let sha256 = for_each_block(path, |block| {
        let lines = block.lines();
        let one = |line: &Line<'_>| -> Result<(ShortDigest, T), String> {
            let example = parse_line(line.text()?, fields)?;
            Ok((short_digest(&example.id), map(*line, example)))
        };
        let parsed: Vec<_> = lines.par_iter().with_min_len(16).map(one).collect();
        for (line, parsed) in lines.iter().zip(parsed) {
            let wrong = |reason| EvalsetError::Line { path: path.to_owned(), line: line.number, reason };
            let (id, made) = parsed.map_err(wrong)?;
            if let Some(first) = ids.taken(id, line.number) {
                let id = line.text().and_then(|text| parse_line(text, fields)).map(|again| again.id).map_err(wrong)?;
                return Err(wrong(format!("field `{}`: the id `{id}` stands on line {first} already", fields.id)));
            }
            each(made)?;
        }
        Ok::<(), EvalsetError>(())
    })?;
    match ids.0.len() {
        0 => Err(EvalsetError::Empty { path: path.to_owned() }),
        examples => Ok(Scanned { sha256, examples }),
    }
}

/// The ids that were seen, by digest, with the line of each.
#[derive(Default)]
struct Ids(HashMap<ShortDigest, u32>);

impl Ids {
    /// The line on which an id was seen before.
    fn taken(&mut self, id: ShortDigest, line: u64) -> Option<u32> {
        match self.0.entry(id) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(place) => {
                place.insert(u32::try_from(line).unwrap_or(u32::MAX));
                None
            }
        }
    }
}

/// Lines of a file that was gone through before, by where they begin, read again in the order of the file.
///
/// # Errors
/// A file that cannot be read, or that is no longer what it was.
pub(super) fn lines_at(path: &Path, offsets: &[u64], mut each: impl FnMut(&str)) -> Result<(), EvalsetError> {
    use std::io::{BufRead, BufReader, Seek, SeekFrom};
    let file = std::fs::File::open(path).map_err(TableError::io(path))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut at = 0;
    let mut bytes = Vec::new();
    for offset in offsets {
        let step = i64::try_from(*offset).unwrap_or(i64::MAX) - i64::try_from(at).unwrap_or(i64::MAX);
        if step >= 0 {
            // Nearer than the buffer reaches nothing is read anew.
            reader.seek_relative(step).map_err(TableError::io(path))?;
        } else {
            reader.seek(SeekFrom::Start(*offset)).map_err(TableError::io(path))?;
        }
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes).map_err(TableError::io(path))?;
        at = offset + read as u64;
        let text = std::str::from_utf8(&bytes).map_err(|_| EvalsetError::Changed { path: path.to_owned() })?;
        each(text.trim_end_matches(['\n', '\r']));
    }
    Ok(())
}
