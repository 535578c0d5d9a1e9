//! A folder as a store, with the same conditional writes as an object store.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::store::Version;
use super::{DatasetError, create_private_dir, inside, sha256_hex, sync_dir};

/// A folder of objects, for several processes of one machine or of a shared file system.
#[derive(Debug, Clone)]
pub(super) struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    pub(super) fn new(folder: PathBuf) -> Self {
        FolderStore { folder }
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, DatasetError> {
        let path = self.path(key)?;
        Ok(read(&path)?.map(|bytes| {
            let version = version(&bytes);
            (Bytes::from(bytes), version)
        }))
    }

    pub(super) fn put_if(
        &self,
        key: &str,
        bytes: &[u8],
        expected: Option<&Version>,
    ) -> Result<Option<Version>, DatasetError> {
        let path = self.path(key)?;
        let folder = path.parent().unwrap_or(&self.folder);
        create_private_dir(folder)?;
        // One writer at a time looks at the version and replaces it.
        let lock_file = folder.join(".lock");
        let lock =
            File::create(&lock_file).map_err(|e| DatasetError::io("create", &lock_file, e))?;
        lock.lock().map_err(|e| DatasetError::io("lock", &lock_file, e))?;
        let current = read(&path)?.map(|bytes| version(&bytes));
        if current.as_ref() != expected {
            return Ok(None);
        }
        let failed = |source| DatasetError::io("write", &path, source);
        let mut temporary =
            tempfile::Builder::new().prefix(".writing-").tempfile_in(folder).map_err(failed)?;
        temporary.write_all(bytes).map_err(failed)?;
        temporary.as_file().sync_all().map_err(failed)?;
        temporary.persist(&path).map_err(|error| failed(error.error))?;
        sync_dir(folder)?;
        Ok(Some(version(bytes)))
    }

    pub(super) fn remove(&self, key: &str) -> Result<(), DatasetError> {
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DatasetError::io("remove", &path, error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn list(&self, folder: &str) -> Result<Vec<String>, DatasetError> {
        let mut keys = Vec::new();
        let mut folders = vec![(self.path(folder)?, folder.to_owned())];
        while let Some((path, key)) = folders.pop() {
            if !path.is_dir() {
                continue;
            }
            let failed = |source| DatasetError::io("list", &path, source);
            for entry in fs::read_dir(&path).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.') {
                    continue;
                }
                let inner = format!("{key}/{name}");
                if entry.path().is_dir() {
                    folders.push((entry.path(), inner));
                } else {
                    keys.push(inner);
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    fn path(&self, key: &str) -> Result<PathBuf, DatasetError> {
        inside(&self.folder, key).ok_or_else(|| DatasetError::Store {
            address: self.folder.display().to_string(),
            message: format!("`{key}` is no name of an object"),
        })
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, DatasetError> {
    let failed = |source| DatasetError::io("read", path, source);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Equal bytes are one version: writing what is there already changes nothing.
fn version(bytes: &[u8]) -> Version {
    Version::new(sha256_hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_happens_only_to_the_version_that_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::new(folder.path().to_owned());
        assert_eq!(store.get("a/b").unwrap(), None);
        let first = store.put_if("a/b", b"one", None).unwrap().unwrap();
        assert_eq!(store.put_if("a/b", b"two", None).unwrap(), None, "it is there");
        let second = store.put_if("a/b", b"two", Some(&first)).unwrap().unwrap();
        assert_eq!(store.put_if("a/b", b"three", Some(&first)).unwrap(), None, "it has changed");
        assert_eq!(store.get("a/b").unwrap().unwrap(), (Bytes::from_static(b"two"), second));
        assert_eq!(store.list("a").unwrap(), ["a/b"]);
        store.remove("a/b").unwrap();
        store.remove("a/b").unwrap();
        assert!(store.list("a").unwrap().is_empty());
        assert!(store.get("../x").is_err());
    }
}
