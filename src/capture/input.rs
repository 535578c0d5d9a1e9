//! What the user names as input, to the files that are read, in a fixed order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::dataset::{Location, Project};

use super::error::ImportError;
use super::pattern::{entries, expand, has_wildcard, is_real_folder};

/// Endings of files that are read when a folder is named.
const LOG_ENDINGS: &[&str] = &[
    "jsonl", "ndjson", "json", "log", "txt", "gz", "zst", "csv", "tsv", "parquet", "har", "flow",
    "gor", "mitm",
];

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// The name in tables and messages.
    pub(super) fn name(&self) -> String {
        match self {
            Input::File(path) => path.to_string_lossy().into_owned(),
            Input::Stdin => "-".to_owned(),
        }
    }
}

/// An input, and whether the user named it or a folder that it lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) input: Input,
    pub(super) is_named: bool,
}

/// The inputs, and the files in named folders that do not look like logs.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) read: Vec<Found>,
    pub(super) left_out: Vec<PathBuf>,
    /// The files of `read` under the one name that every way to them leads to.
    known: BTreeSet<PathBuf>,
}

impl Inputs {
    fn add(&mut self, input: Input, is_named: bool) {
        let name = match &input {
            Input::File(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
            Input::Stdin => PathBuf::from("-"),
        };
        if self.known.insert(name) {
            self.read.push(Found { input, is_named });
        }
    }
}

/// Resolves files, folders, patterns and `-`, in the order in which they are named.
///
/// Folders are walked in the order of names, without hidden files and without the project's own
/// folders. A file that is named twice is read once.
pub(super) fn resolve(named: &[String], project: &Project) -> Result<Inputs, ImportError> {
    if named.is_empty() {
        return Err(ImportError::NoInputs);
    }
    let mut inputs = Inputs::default();
    for name in named {
        if name == "-" {
            inputs.add(Input::Stdin, true);
            continue;
        }
        let location = Location::parse(name)?;
        let path = location.path();
        if path.is_dir() {
            if !walk(path, &own_folders(project), &mut inputs) {
                return Err(ImportError::NoLogs(path.to_owned()));
            }
        } else if path.exists() {
            inputs.add(Input::File(path.to_owned()), true);
        } else if has_wildcard(name) {
            let found = expand(&path.to_string_lossy());
            if found.is_empty() {
                return Err(ImportError::NoMatch(name.clone()));
            }
            for path in found {
                inputs.add(Input::File(path), true);
            }
        } else {
            return Err(ImportError::Missing(path.to_owned()));
        }
    }
    Ok(inputs)
}

fn own_folders(project: &Project) -> Vec<PathBuf> {
    [project.capture_folder(), project.rejects_folder(), project.runs_folder()]
        .iter()
        .filter_map(|folder| folder.canonicalize().ok())
        .collect()
}

/// Adds the logs of a folder; whether there are any.
fn walk(folder: &Path, own: &[PathBuf], inputs: &mut Inputs) -> bool {
    if folder.canonicalize().is_ok_and(|folder| own.contains(&folder)) {
        return false;
    }
    let mut has_logs = false;
    for name in entries(folder) {
        let path = folder.join(&name);
        if is_real_folder(&path) {
            has_logs |= walk(&path, own, inputs);
        } else if path.is_symlink() {
            // A link may lead anywhere; who means it can name it.
            inputs.left_out.push(path);
        } else if !path.is_file() {
            // Devices, pipes and links to folders are no logs.
        } else if looks_like_a_log(&path) {
            has_logs = true;
            inputs.add(Input::File(path), false);
        } else {
            inputs.left_out.push(path);
        }
    }
    has_logs
}

/// Object stores often hold log objects whose name has no ending.
fn looks_like_a_log(path: &Path) -> bool {
    path.extension().is_none_or(|ending| {
        let ending = ending.to_string_lossy().to_ascii_lowercase();
        LOG_ENDINGS.contains(&ending.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(named: &[&str], project: &Project) -> Vec<String> {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let found = resolve(&named, project).unwrap().read;
        found.iter().map(|found| found.input.name()).collect()
    }

    #[test]
    fn a_folder_is_walked_in_order_without_hidden_and_foreign_files_and_our_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "b/2.jsonl",
            "b/1.jsonl.gz",
            "a.ndjson",
            "object-without-ending",
            ".hidden.jsonl",
            "README.md",
            "capture/manifest.json",
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        let root_text = root.to_str().unwrap();
        let project = Project::new(root);
        let found = names(&[root_text], &project);
        let expected = ["a.ndjson", "b/1.jsonl.gz", "b/2.jsonl", "object-without-ending"]
            .map(|name| format!("{root_text}/{name}"));
        assert_eq!(found, expected);
        let twice = names(&[&expected[0], root_text, "-", "-"], &project);
        assert_eq!(twice.len(), 5, "{twice:?}");
        let by_another_way = format!("{root_text}/b/../a.ndjson");
        assert_eq!(names(&[&expected[0], &by_another_way], &project), [expected[0].as_str()]);
        let inputs = resolve(&[root_text.to_owned()], &project).unwrap();
        assert_eq!(inputs.left_out, [root.join("README.md")]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let project = Project::new(root);
        let refused = |name: String| resolve(&[name], &project).unwrap_err();
        assert!(matches!(refused(format!("{root}/no.jsonl")), ImportError::Missing(_)));
        assert!(matches!(refused(format!("{root}/*.jsonl")), ImportError::NoMatch(_)));
        assert!(matches!(refused(root.to_owned()), ImportError::NoLogs(_)));
        assert!(refused("s3://bucket/logs".to_owned()).to_string().contains("s3://bucket/logs"));
        assert!(matches!(resolve(&[], &project), Err(ImportError::NoInputs)));
    }
}
