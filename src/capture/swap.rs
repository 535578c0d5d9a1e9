//! A folder that is filled aside and takes its place only when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::{DatasetError, create_private_dir, rename, sync_dir, sync_file};

/// A folder beside its place; removed when it is dropped without [`Staging::commit`].
#[derive(Debug)]
pub(super) struct Staging {
    folder: PathBuf,
    target: PathBuf,
}

impl Staging {
    /// Makes an empty folder beside `target`.
    pub(super) fn new(target: PathBuf) -> Result<Self, DatasetError> {
        let folder = beside(&target, "importing");
        // One that is there was left by a process of this number that ended long ago.
        remove(&folder)?;
        create_private_dir(&folder)?;
        Ok(Staging { folder, target })
    }

    /// Where to write.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts the folder in its place; what was there is removed.
    ///
    /// Both names are always whole folders: a crash in between leaves the old one under the name
    /// `….replaced-<process>` and the new one under `….importing-<process>`.
    pub(super) fn commit(self) -> Result<(), DatasetError> {
        for entry in
            fs::read_dir(&self.folder).map_err(|e| DatasetError::io("read", &self.folder, e))?
        {
            let entry = entry.map_err(|source| DatasetError::io("read", &self.folder, source))?;
            sync_file(&entry.path())?;
        }
        sync_dir(&self.folder)?;
        let old = beside(&self.target, "replaced");
        remove(&old)?;
        let had_old = self.target.exists();
        if had_old {
            rename(&self.target, &old)?;
        }
        if let Err(error) = rename(&self.folder, &self.target) {
            if had_old {
                rename(&old, &self.target)?;
            }
            return Err(error);
        }
        if let Some(parent) = self.target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_dir(parent)?;
        }
        remove(&old)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After a commit it is not there; otherwise the error that led here matters more.
        let _ = remove(&self.folder);
    }
}

fn beside(target: &Path, word: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!("{name}.{word}-{}", std::process::id()))
}

fn remove(folder: &Path) -> Result<(), DatasetError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(DatasetError::io("remove", folder, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::faults;

    fn entries(folder: &Path) -> Vec<String> {
        let list = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            list.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn whatever_fails_the_folder_is_the_old_one_or_the_new_one() {
        for operation in 0.. {
            let parent = tempfile::tempdir().unwrap();
            let target = parent.path().join("capture");
            fs::create_dir(&target).unwrap();
            fs::write(target.join("old"), "").unwrap();
            let staging = Staging::new(target.clone()).unwrap();
            fs::write(staging.folder().join("new"), "").unwrap();
            let fault = faults::fail_after(parent.path(), operation, 28);
            let committed = staging.commit();
            let ran_through = fault.is_waiting();
            drop(fault);
            let there = entries(&target);
            match committed {
                Ok(()) => assert_eq!(there, ["new"]),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains(parent.path().to_str().unwrap()), "{text}");
                    assert!(there == ["old"] || there == ["new"], "{operation}: {there:?}");
                }
            }
            if ran_through {
                assert!(operation >= 5, "only {operation} operations were seen");
                return;
            }
        }
    }

    #[test]
    fn the_old_folder_stays_until_the_new_one_is_complete() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("capture");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "").unwrap();
        drop(Staging::new(target.clone()).unwrap());
        assert_eq!(entries(parent.path()), ["capture"]);
        assert_eq!(entries(&target), ["old"]);
        let staging = Staging::new(target.clone()).unwrap();
        fs::write(staging.folder().join("new"), "").unwrap();
        assert_eq!(entries(&target), ["old"]);
        staging.commit().unwrap();
        assert_eq!(entries(&target), ["new"]);
        assert_eq!(entries(parent.path()), ["capture"]);
    }
}
