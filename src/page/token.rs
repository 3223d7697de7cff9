//! The secret in the page's address, and where it is kept between two starts.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::PageError;
use crate::table::{hex, sha256_hex};

/// A secret older than this is replaced at the next start.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);
/// Hex digits of a secret: 128 bits.
const DIGITS: usize = 32;

/// What a page needs to find its server again after a restart: the secret of its address, and the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The secret.
    pub(super) token: String,
    /// The port of the last start.
    pub port: Option<u16>,
    file: Option<PathBuf>,
}

impl Session {
    /// The session of the last start for this file of labels, where it is known; else a new one.
    ///
    /// `folder` is private to the user: files in it are readable to nobody else.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn resume(folder: Option<&Path>, labels: &Path) -> Result<Self, PageError> {
        let absolute = std::path::absolute(labels).unwrap_or_else(|_| labels.to_owned());
        let file = folder.map(|folder| folder.join(&sha256_hex(absolute.to_string_lossy().as_bytes())[..DIGITS]));
        if let Some((token, port)) = file.as_deref().and_then(kept) {
            return Ok(Self { token, port: Some(port), file });
        }
        Ok(Self { token: random()?, port: None, file })
    }

    /// Remembers the session for the next start. A page that is opened anew works without it, so it may fail.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, port: u16) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // The age is the secret's, not that of its last use.
        if kept(file) == Some((self.token.clone(), port)) {
            return Ok(());
        }
        let _ = std::fs::remove_file(file);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file)?.write_all(format!("{} {port}\n", self.token).as_bytes())
    }
}

/// What a file remembers; nothing where it is old, damaged or readable to others.
fn kept(file: &Path) -> Option<(String, u16)> {
    let about = std::fs::symlink_metadata(file).ok()?;
    if !about.is_file() || about.modified().ok()?.elapsed().is_ok_and(|age| age > MAX_AGE) {
        return None;
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return None;
    }
    let text = std::fs::read_to_string(file).ok()?;
    let (token, port) = text.trim_end().split_once(' ')?;
    let fine = token.len() == DIGITS && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((token.to_owned(), port.parse().ok()?)).filter(|_| fine)
}

/// A secret of 128 bits in hex.
pub(super) fn random() -> Result<String, PageError> {
    let mut bytes = [0; DIGITS / 2];
    getrandom::fill(&mut bytes).map_err(|error| PageError::Random(error.to_string()))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_kept_per_file_of_labels() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("pages");
        let resume = |labels: &str| Session::resume(Some(&inside), Path::new(labels)).unwrap();
        let first = resume("/x/r1.jsonl");
        assert_eq!((first.port, first.token.len()), (None, DIGITS));
        first.keep(4711).unwrap();
        let again = resume("/x/r1.jsonl");
        assert_eq!((&again.token, again.port), (&first.token, Some(4711)));
        assert_ne!(resume("/x/r2.jsonl").token, first.token);
        // A damaged one is replaced.
        let file = std::fs::read_dir(&inside).unwrap().next().unwrap().unwrap().path();
        std::fs::write(&file, "short 1").unwrap();
        assert_ne!(resume("/x/r1.jsonl").token, first.token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            first.keep(4711).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert_ne!(resume("/x/r1.jsonl").token, first.token, "a secret that others can read is none");
        }
    }

    #[test]
    fn without_a_folder_every_start_has_a_secret_of_its_own() {
        let new = || Session::resume(None, Path::new("r1.jsonl")).unwrap();
        assert_ne!(new().token, new().token);
        new().keep(1).unwrap();
    }
}
