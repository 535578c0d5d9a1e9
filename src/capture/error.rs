//! What keeps an import from being done at all.

use std::path::PathBuf;

use crate::dataset::{ConservationError, DatasetError};

/// An import could not be done; an earlier capture is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No input was named.
    #[error("no input: name log files, folders or patterns, or `-` for standard input")]
    NoInputs,
    /// A file or folder is not there.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A pattern that stands for no file.
    #[error("no file matches `{0}`")]
    NoMatch(String),
    /// A folder in which nothing looks like a log.
    #[error(
        "no logs in {}: looked for files named *.jsonl, *.ndjson, *.json, *.csv, *.tsv, *.log, *.txt, \
         *.har, *.flow, *.gor, *.parquet, *.gz, *.zst or without an ending, hidden ones left out; \
         name a file to read it whatever its ending",
        .0.display()
    )]
    NoLogs(PathBuf),
    /// The inputs have no line with something in it.
    #[error("nothing to import: {0} has no lines; is the log still being written elsewhere?")]
    NoLines(String),
    /// No file could be read.
    #[error("nothing to import: {0}")]
    NothingReadable(String),
    /// A file is of a kind that holds no lines of text.
    #[error("{file} is a {kind} file: {advice}")]
    Container {
        /// The file.
        file: String,
        /// What it is.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// No format is sure enough of a file.
    #[error(
        "unknown log format of {file}: {problem}; name one with `--from` (`rehearsal import \
         --formats` lists them), or say with `--mapping` what its fields mean"
    )]
    UnknownFormat {
        /// The file.
        file: String,
        /// The first thing that is wrong with it.
        problem: String,
    },
    /// A format that does not exist.
    #[error("`{name}` is not a log format{}", did_you_mean(*nearest))]
    NoSuchFormat {
        /// What was asked for.
        name: String,
        /// The known name that is nearest, if one is near.
        nearest: Option<&'static str>,
    },
    /// The format `mapped` without a mapping.
    #[error("the format `mapped` needs a mapping: name one with `--mapping FILE`")]
    NoMapping,
    /// Nothing of the inputs is chat traffic.
    #[error("no exchange in the inputs: {0}")]
    NoExchanges(String),
    /// More rows than an ordinal can count.
    #[error("a capture can hold at most 2147483647 exchanges: import a part of the log")]
    TooManyRows,
    /// A file or table could not be read or written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Lines are unaccounted for, a defect of this program.
    #[error(transparent)]
    Conservation(#[from] ConservationError),
}

fn did_you_mean(nearest: Option<&'static str>) -> String {
    match nearest {
        Some(name) => format!(": did you mean `{name}`?"),
        None => ": `rehearsal import --formats` lists them".to_owned(),
    }
}

impl ImportError {
    /// Whether one file is at fault, without which the others could be imported.
    pub(super) fn is_about_one_file(&self) -> bool {
        match self {
            ImportError::Container { .. } | ImportError::UnknownFormat { .. } => true,
            ImportError::Dataset(DatasetError::Io { action, .. }) => *action == "read",
            _ => false,
        }
    }
}
