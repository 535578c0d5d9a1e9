//! Files of a folder in a store, each under the hash of its content.
//!
//! A snapshot is a list of files; it counts once a document names it. Objects are immutable, so
//! an upload that is repeated, or overtaken by another process, harms nothing.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::store::file_name;
use super::{
    CaptureManifest, DatasetError, Project, Store, create_private_dir, inside, read_json,
    sha256_hex, sync_dir,
};

/// The object that names the capture of a store.
const CAPTURE: &str = "capture/current.json";

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// Its path within the folder, with `/` between parts.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

impl FileRecord {
    /// The key of the object that holds the file, for snapshots kept under `root`.
    pub fn key(&self, root: &str) -> String {
        format!("{root}/files/{}/{}", self.sha256, file_name(Path::new(&self.path)))
    }
}

/// Puts a file into the store, unless it is there already.
///
/// # Errors
/// A file that cannot be read, or a store that cannot be written.
pub async fn upload(
    store: &Store,
    root: &str,
    source: &Path,
    path: &str,
) -> Result<FileRecord, DatasetError> {
    let bytes = fs::read(source).map_err(|error| DatasetError::io("read", source, error))?;
    let record =
        FileRecord { path: path.to_owned(), sha256: sha256_hex(&bytes), bytes: bytes.len() as u64 };
    // `false` says that it is there: by its name it can only be the same.
    store.create(&record.key(root), bytes.into()).await?;
    Ok(record)
}

/// Fetches the files of a snapshot into a folder, each verified by its hash.
///
/// # Errors
/// A store that cannot be read, a file that is missing or is not what its hash says.
pub async fn download(
    store: &Store,
    root: &str,
    files: &[FileRecord],
    folder: &Path,
) -> Result<(), DatasetError> {
    for record in files {
        let address = || format!("{}/{}", store.address(), record.key(root));
        let failed = |message: String| DatasetError::Store { address: address(), message };
        let target = inside(folder, &record.path)
            .ok_or_else(|| failed(format!("`{}` leads out of its folder", record.path)))?;
        if let Some(parent) = target.parent() {
            create_private_dir(parent)?;
        }
        let saved = store.save(&record.key(root), &target).await?;
        if saved.ok_or_else(|| failed("it is missing".to_owned()))? != record.sha256 {
            return Err(failed("its content is not what its hash says".to_owned()));
        }
    }
    Ok(())
}

/// `capture/current.json`: which capture a store holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCapture {
    schema_version: u32,
    rows_sha256: String,
    files: Vec<FileRecord>,
}

/// Puts the capture of a project into a store.
///
/// # Errors
/// No capture, a store that cannot be written, or another process that does the same.
pub async fn push_capture(store: &Store, project: &Project) -> Result<(), DatasetError> {
    let folder = project.capture_folder();
    let manifest_file = folder.join("manifest.json");
    if !manifest_file.is_file() {
        return Err(DatasetError::NoCapture(folder));
    }
    let manifest: CaptureManifest = read_json(&manifest_file, "capture manifest")?;
    let mut files = Vec::new();
    for segment in &manifest.segments {
        let source = folder.join(&segment.file);
        files.push(upload(store, "capture", &source, &segment.file).await?);
    }
    files.push(upload(store, "capture", &manifest_file, "manifest.json").await?);
    let current =
        StoredCapture { schema_version: 1, rows_sha256: manifest.rows_sha256.clone(), files };
    let text = serde_json::to_vec_pretty(&current).unwrap_or_default();
    let before = store.get(CAPTURE).await?;
    let version = before.as_ref().map(|(_, version)| version);
    if before.as_ref().is_some_and(|(bytes, _)| bytes[..] == text[..]) {
        return Ok(());
    }
    match store.put_if(CAPTURE, text.into(), version).await? {
        Some(_) => Ok(()),
        None => Err(DatasetError::Store {
            address: format!("{}/{CAPTURE}", store.address()),
            message: "another process has just put a capture there".to_owned(),
        }),
    }
}

/// Makes the capture of a store and of a project the same: whichever has none gets the other's.
///
/// # Errors
/// No capture anywhere, or two different ones.
pub async fn share_capture(store: &Store, project: &Project) -> Result<(), DatasetError> {
    let address = format!("{}/{CAPTURE}", store.address());
    let failed = |message: String| DatasetError::Store { address: address.clone(), message };
    let found = store.get(CAPTURE).await?;
    let folder = project.capture_folder();
    let manifest_file = folder.join("manifest.json");
    let Some((bytes, _)) = found else {
        if manifest_file.is_file() {
            return push_capture(store, project).await;
        }
        return Err(failed("no capture: `rehearsal import … --store` puts one there".to_owned()));
    };
    let current: StoredCapture =
        serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    if manifest_file.is_file() {
        let manifest: CaptureManifest = read_json(&manifest_file, "capture manifest")?;
        if manifest.rows_sha256 == current.rows_sha256 {
            return Ok(());
        }
        let here = folder.display();
        return Err(failed(format!("it is another capture than the one in {here}")));
    }
    create_private_dir(project.folder())?;
    let aside = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(project.folder())
        .map_err(|error| DatasetError::io("write in", project.folder(), error))?;
    download(store, "capture", &current.files, aside.path()).await?;
    let aside = aside.keep();
    fs::rename(&aside, &folder).map_err(|error| DatasetError::io("replace", &folder, error))?;
    sync_dir(project.folder())
}
