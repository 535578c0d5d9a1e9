//! Small files, written so that a crash leaves the old one or the new one, never half of either.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

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

/// Makes a new file that only its owner can read.
pub(super) fn create_private_file(path: &Path) -> Result<File, DatasetError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(|source| DatasetError::io("create", path, source))
}

/// Makes a file durable that was written before.
pub fn sync_file(path: &Path) -> Result<(), DatasetError> {
    let file = File::open(path).map_err(|source| DatasetError::io("open", path, source))?;
    file.sync_all().map_err(|source| DatasetError::io("sync", path, source))
}

/// Makes the entries of a folder durable.
pub fn sync_dir(path: &Path) -> Result<(), DatasetError> {
    let folder = File::open(path).map_err(|source| DatasetError::io("open", path, source))?;
    folder.sync_all().map_err(|source| DatasetError::io("sync", path, source))
}

/// Writes a file beside its place, syncs it, renames it into place and syncs the folder.
///
/// The file can be read by its owner alone: captures and results hold prompts.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // `tempfile` creates with mode 0600 and removes the file if anything fails before the rename.
    let mut temporary = tempfile::Builder::new()
        .prefix(".writing-")
        .tempfile_in(folder)
        .map_err(|source| DatasetError::io("write in", folder, source))?;
    write(temporary.as_file_mut())?;
    temporary.as_file().sync_all().map_err(|source| DatasetError::io("sync", path, source))?;
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

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
