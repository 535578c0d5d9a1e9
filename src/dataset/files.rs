//! Small files, written so that a crash leaves the old one or the new one, never half of either.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::DatasetError;

/// Makes a folder (and its parents) that only its owner can look into.
pub fn create_private_dir(path: &Path) -> Result<(), DatasetError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| DatasetError::io("create the folder", path, source))
}

/// A file that is being written.
///
/// Every operation on it passes `faults`, where a test can make it fail.
#[derive(Debug)]
pub struct NewFile<F = File> {
    file: F,
    path: PathBuf,
}

impl NewFile {
    /// Makes what was written durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        faults::check(&self.path)?;
        self.file.sync_all()
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        faults::check(&self.path)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for NewFile<NamedTempFile> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        faults::check(&self.path)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes a new file that only its owner can read.
pub(super) fn create_private_file(path: &Path) -> Result<NewFile, DatasetError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    faults::check(path)
        .and_then(|()| options.open(path))
        .map(|file| NewFile { file, path: path.to_owned() })
        .map_err(|source| DatasetError::io("create", path, source))
}

/// Makes a file durable that was written before.
pub fn sync_file(path: &Path) -> Result<(), DatasetError> {
    sync(path)
}

/// Makes the entries of a folder durable.
pub fn sync_dir(path: &Path) -> Result<(), DatasetError> {
    sync(path)
}

fn sync(path: &Path) -> Result<(), DatasetError> {
    let file = File::open(path).map_err(|source| DatasetError::io("open", path, source))?;
    faults::check(path)
        .and_then(|()| file.sync_all())
        .map_err(|source| DatasetError::io("sync", path, source))
}

/// Gives a file or folder another name.
pub fn rename(from: &Path, to: &Path) -> Result<(), DatasetError> {
    faults::check(to)
        .and_then(|()| fs::rename(from, to))
        .map_err(|source| DatasetError::io("replace", to, source))
}

/// Writes a file beside its place, syncs it, renames it into place and syncs the folder.
///
/// The file can be read by its owner alone: captures and results hold prompts.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut NewFile<NamedTempFile>) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // `tempfile` creates with mode 0600 and removes the file if anything fails before the rename.
    let temporary = faults::check(path)
        .and_then(|()| tempfile::Builder::new().prefix(".writing-").tempfile_in(folder))
        .map_err(|source| DatasetError::io("write in", folder, source))?;
    let mut new = NewFile { file: temporary, path: path.to_owned() };
    write(&mut new)?;
    let temporary = new.file;
    faults::check(path)
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(|source| DatasetError::io("sync", path, source))?;
    faults::check(path).map_err(|source| DatasetError::io("replace", path, source))?;
    temporary.persist(path).map_err(|failure| DatasetError::io("replace", path, failure.error))?;
    sync_dir(folder)
}

/// Writes a JSON document atomically, pretty-printed and with a final newline.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), DatasetError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|source| DatasetError::Json {
        path: path.to_owned(),
        kind: "document",
        source,
    })?;
    text.push(b'\n');
    write_atomically(path, |file| {
        file.write_all(&text).map_err(|source| DatasetError::io("write", path, source))
    })
}

/// Reads a JSON document; `kind` names it in the error.
pub fn read_json<T: DeserializeOwned>(path: &Path, kind: &'static str) -> Result<T, DatasetError> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut text))
        .map_err(|source| DatasetError::io("read", path, source))?;
    serde_json::from_slice(&text).map_err(|source| DatasetError::Json {
        path: path.to_owned(),
        kind,
        source,
    })
}

/// SHA-256 of some bytes as 64 hex digits.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes.as_ref()))
}

/// SHA-256 of a file as 64 hex digits.
pub fn file_sha256(path: &Path) -> Result<String, DatasetError> {
    let mut hash = Sha256::new();
    File::open(path)
        .and_then(|mut file| io::copy(&mut file, &mut hash))
        .map_err(|source| DatasetError::io("read", path, source))?;
    Ok(hex(&hash.finalize()))
}

/// Checks that a file is the one that was written.
///
/// # Errors
/// [`DatasetError::Damaged`] when it is another or none.
pub fn check_sha256(path: &Path, sha256: &str) -> Result<(), DatasetError> {
    let damaged = |what| DatasetError::Damaged { path: path.to_owned(), what };
    if !path.exists() {
        return Err(damaged("it is missing"));
    }
    if file_sha256(path)? == sha256 {
        return Ok(());
    }
    Err(damaged("it is not the file that was written: its SHA-256 is another"))
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A place where nothing fails.
#[cfg(not(test))]
mod faults {
    use std::io;
    use std::path::Path;

    #[expect(clippy::unnecessary_wraps, reason = "the tests' counterpart fails")]
    pub(super) fn check(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Makes one file operation below a folder fail, as a full or failing disk would.
#[cfg(test)]
pub(crate) mod faults {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, PoisonError};

    static ARMED: Mutex<Vec<Fault>> = Mutex::new(Vec::new());

    struct Fault {
        folder: PathBuf,
        operations_before: usize,
        errno: i32,
    }

    /// Lets the operations of a folder pass again when it is dropped.
    pub(crate) struct Armed(PathBuf);

    /// Lets so many operations below `folder` pass and fails the next one, and that one alone.
    pub(crate) fn fail_after(folder: &Path, operations_before: usize, errno: i32) -> Armed {
        let fault = Fault { folder: folder.to_owned(), operations_before, errno };
        ARMED.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
        Armed(folder.to_owned())
    }

    impl Armed {
        /// Whether the fault has not struck yet.
        pub(crate) fn is_waiting(&self) -> bool {
            let armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
            armed.iter().any(|fault| fault.folder == self.0)
        }
    }

    impl Drop for Armed {
        fn drop(&mut self) {
            let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
            armed.retain(|fault| fault.folder != self.0);
        }
    }

    pub(super) fn check(path: &Path) -> io::Result<()> {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = armed.iter().position(|fault| path.starts_with(&fault.folder)) else {
            return Ok(());
        };
        if armed[index].operations_before > 0 {
            armed[index].operations_before -= 1;
            return Ok(());
        }
        Err(io::Error::from_raw_os_error(armed.remove(index).errno))
    }
}
