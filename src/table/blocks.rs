//! A file of lines in blocks: hashed while it is read, and never in memory as a whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::digest::hex;
use super::error::TableError;

/// Bytes that are read at once: enough lines to share among threads, little enough to hold.
const BLOCK: usize = 4 << 20;

/// The longest line. A file whose lines do not end would otherwise be read into memory as a whole.
pub const LONGEST_LINE: usize = 64 << 20;

/// Some whole lines of a file.
#[derive(Debug, Clone, Copy)]
pub struct Block<'b> {
    bytes: &'b [u8],
    first: u64,
    offset: u64,
}

/// One line that is not blank, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'b> {
    /// Its number, from 1.
    pub number: u64,
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// Its bytes, which need not be UTF-8.
    pub bytes: &'b [u8],
}

impl<'b> Line<'b> {
    /// Its text.
    ///
    /// # Errors
    /// Bytes that are not UTF-8.
    pub fn text(&self) -> Result<&'b str, String> {
        std::str::from_utf8(self.bytes).map_err(|_| "the bytes are not UTF-8".to_owned())
    }
}

impl<'b> Block<'b> {
    /// Its lines that are not blank. A byte order mark before the first line is no part of it.
    #[must_use]
    pub fn lines(&self) -> Vec<Line<'b>> {
        let mut lines = Vec::new();
        let mut offset = self.offset;
        for (number, whole) in (self.first..).zip(self.bytes.split_inclusive(|byte| *byte == b'\n')) {
            let mut bytes = whole;
            let mut begins = offset;
            offset += whole.len() as u64;
            if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
                bytes = &bytes[3..];
                begins += 3;
            }
            while let [rest @ .., b'\n' | b'\r'] = bytes {
                bytes = rest;
            }
            if !bytes.trim_ascii().is_empty() {
                lines.push(Line { number, offset: begins, bytes });
            }
        }
        lines
    }
}

/// Calls `each` with the whole lines of a file, some megabytes at a time, and gives the SHA-256 of the file in lowercase hex.
/// Hashing and `each` run side by side.
///
/// # Errors
/// What the system says on reading, a line longer than [`LONGEST_LINE`], or what `each` returns.
pub fn for_each_block<E: From<TableError> + Send>(
    path: &Path,
    mut each: impl FnMut(Block<'_>) -> Result<(), E> + Send,
) -> Result<String, E> {
    let mut file = File::open(path).map_err(TableError::io(path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; BLOCK];
    let (mut filled, mut first, mut offset) = (0, 1, 0);
    loop {
        let ended = fill(&mut file, &mut buffer, &mut filled).map_err(TableError::io(path))?;
        let whole = buffer[..filled].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let end = if ended { filled } else { whole };
        if end == 0 {
            if ended {
                return Ok(hex(&digest.finalize()));
            }
            if buffer.len() >= LONGEST_LINE {
                let reason = format!("the line is longer than {} MiB", LONGEST_LINE >> 20);
                return Err(TableError::Line { path: path.to_owned(), line: first, reason }.into());
            }
            buffer.resize(2 * buffer.len(), 0);
            continue;
        }
        let bytes = &buffer[..end];
        let ((), outcome) = rayon::join(|| digest.update(bytes), || each(Block { bytes, first, offset }));
        outcome?;
        first += bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
        offset += end as u64;
        buffer.copy_within(end..filled, 0);
        filled -= end;
        if buffer.len() > BLOCK && filled <= BLOCK {
            buffer.truncate(BLOCK);
            buffer.shrink_to_fit();
        }
    }
}

/// Reads until the buffer is full; whether the file ended before that.
fn fill(file: &mut File, buffer: &mut [u8], filled: &mut usize) -> std::io::Result<bool> {
    while *filled < buffer.len() {
        match file.read(&mut buffer[*filled..]) {
            Ok(0) => return Ok(true),
            Ok(read) => *filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::digest::sha256_hex;
    use super::*;

    /// The lines of a file with their numbers and offsets, and its digest.
    fn read(bytes: &[u8]) -> (Vec<(u64, u64, String)>, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut lines = Vec::new();
        let digest = for_each_block(file.path(), |block| {
            lines.extend(
                block.lines().iter().map(|line| (line.number, line.offset, line.text().unwrap_or("?").to_owned())),
            );
            Ok::<(), TableError>(())
        });
        (lines, digest.unwrap())
    }

    #[test]
    fn lines_are_what_stands_between_line_ends() {
        let bytes = b"\xef\xbb\xbfa\r\n\n  \nb\xff\n\xef\xbb\xbfc";
        let (lines, digest) = read(bytes);
        let expected = [(1, 3, "a"), (4, 10, "?"), (5, 13, "\u{feff}c")];
        assert_eq!(lines, expected.map(|(number, offset, text)| (number, offset, text.to_owned())));
        assert_eq!(digest, sha256_hex(bytes));
        assert_eq!(read(b""), (Vec::new(), sha256_hex(b"")));
    }

    #[test]
    fn lines_across_blocks_are_whole_and_in_place() {
        let long = "x".repeat(BLOCK + 17);
        let bytes = format!("{}{long}\n{}", "short\n".repeat(BLOCK / 6), "end\n".repeat(3));
        let (lines, digest) = read(bytes.as_bytes());
        assert_eq!(lines.len(), BLOCK / 6 + 4);
        let mut offset = 0;
        for ((number, begins, text), (line, expected)) in lines.iter().zip((1..).zip(bytes.lines())) {
            assert_eq!((*number, *begins, text.as_str()), (line, offset, expected));
            offset += expected.len() as u64 + 1;
        }
        assert_eq!(digest, sha256_hex(bytes.as_bytes()));
    }
}
