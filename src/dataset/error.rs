//! What can go wrong with files and tables.

use std::path::{Path, PathBuf};

/// A file or table could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, such as `read` or `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not as it was written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A JSON document did not have the expected shape.
    #[error("{} is not a valid {kind}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        kind: &'static str,
        /// Where parsing failed.
        source: serde_json::Error,
    },
    /// A Parquet file could not be read or written.
    #[error("cannot {action} the Parquet file {}: {message}", path.display())]
    Parquet {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The library's message.
        message: String,
    },
    /// Rows could not be turned into columns or back.
    #[error("cannot convert rows of `{table}`: {message}")]
    Convert {
        /// The table.
        table: &'static str,
        /// The library's message.
        message: String,
    },
    /// An address that is no local path.
    #[error("`{0}` cannot be used: write a local path or `s3://bucket/prefix`")]
    UnsupportedLocation(String),
    /// An object store refused, or holds something else than expected.
    #[error("{address}: {message}")]
    Store {
        /// The store or object.
        address: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is no capture to work on.
    #[error("no capture in {}: run `rehearsal import FILE` first", .0.display())]
    NoCapture(PathBuf),
    /// There is no such run.
    #[error("no run `{run}` in {}: `rehearsal replay` makes one", folder.display())]
    NoRun {
        /// The run that was asked for, or `latest`.
        run: String,
        /// The folder of runs.
        folder: PathBuf,
    },
    /// A whole run is needed, and there are only parts of runs.
    #[error("there are only shards of runs in {}: `rehearsal merge` joins them", .0.display())]
    OnlyShards(PathBuf),
    /// A run name that could leave the folder of runs.
    #[error("`{0}` is not a run name: use letters, digits, `-`, `_` and `.`")]
    BadRunName(String),
}

impl DatasetError {
    /// An [`DatasetError::Io`] in one line.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        DatasetError::Io { action, path: path.as_ref().to_owned(), source }
    }
}
