//! Files that are either whole or not there.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::TableError;

/// A file written beside its place and moved there when it is complete and on the disk.
pub struct AtomicFile {
    path: PathBuf,
    file: BufWriter<Plain>,
}

/// A temporary file whose errors are the system's own: with its name around them, their numbers are gone.
struct Plain(tempfile::NamedTempFile);

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.as_file_mut().flush()
    }
}

impl AtomicFile {
    /// Starts a new version of `path`; the old one stays until [`AtomicFile::commit`].
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(TableError::io(folder))?;
        let file = tempfile::Builder::new()
            .prefix(".evalgauge-")
            .suffix(".part")
            .tempfile_in(folder)
            .map_err(TableError::io(path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 18, Plain(file)) })
    }

    /// Puts the new version in its place, durably.
    ///
    /// # Errors
    /// When the rest cannot be written (a full disk) or the file cannot be moved; the old version is then untouched.
    pub fn commit(self) -> Result<(), TableError> {
        let path = self.path;
        let Plain(file) = self.file.into_inner().map_err(|error| TableError::io(&path)(error.into_error()))?;
        file.as_file().sync_all().map_err(TableError::io(&path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Temporary files are private; what we write is meant to be read and committed like any other file.
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(TableError::io(&path))?;
        }
        file.persist(&path).map_err(|error| TableError::io(&path)(error.error))?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes `bytes` as the whole content of `path`, or leaves it as it was.
///
/// A device, a pipe or a link (`/dev/stdout`) is written to and never replaced by a file.
///
/// # Errors
/// When the file cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TableError> {
    if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        let file = std::fs::OpenOptions::new().write(true).truncate(true).open(path);
        return file.and_then(|mut file| file.write_all(bytes)).map_err(TableError::io(path));
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(TableError::io(path))?;
    file.commit()
}
