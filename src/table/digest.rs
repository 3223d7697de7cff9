//! SHA-256, the one hash everywhere: a user checks it with `sha256sum`.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::TableError;

/// Bytes in lowercase hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// SHA-256 of bytes, in lowercase hex.
#[must_use]
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// The first half of a SHA-256: tells texts from one another where keeping a million of them would take too much.
pub type ShortDigest = [u8; 16];

/// The first half of the SHA-256 of bytes.
#[must_use]
pub fn short_digest(bytes: impl AsRef<[u8]>) -> ShortDigest {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(bytes)[..16]);
    half
}

/// SHA-256 of a file, in lowercase hex, read in pieces.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of_file(path: &Path) -> Result<String, TableError> {
    let mut file = std::fs::File::open(path).map_err(TableError::io(path))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(TableError::io(path))?;
        if read == 0 {
            return Ok(hex(&digest.finalize()));
        }
        digest.update(&buffer[..read]);
    }
}
