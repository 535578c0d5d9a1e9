//! Why some folders are not the shards of one run.

use std::path::PathBuf;

/// Shards that cannot be joined, each fault by the names of the folders that show it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is nothing to join.
    #[error("no shards in {}", .0.display())]
    NoShards(PathBuf),
    /// A run that is no part of another.
    #[error("{} holds the whole run `{run}`, not a shard", folder.display())]
    NotAShard {
        /// The folder.
        folder: PathBuf,
        /// The run in it.
        run: String,
    },
    /// One part twice.
    #[error("shard {number} is there twice: {} and {}", first.display(), second.display())]
    Duplicated {
        /// The shard, from 1.
        number: u32,
        /// The first folder.
        first: PathBuf,
        /// The second folder.
        second: PathBuf,
    },
    /// Parts that are not there.
    #[error("of the {count} shards of `{run}` {} missing: {}", is_or_are(numbers), list(numbers))]
    Missing {
        /// The run.
        run: String,
        /// How many shards it has.
        count: u32,
        /// Those that are missing, from 1.
        numbers: Vec<u32>,
    },
    /// Parts of different runs.
    #[error("{} and {} are not shards of one run: they differ in {}", first.display(), other.display(), differences.join(", "))]
    Foreign {
        /// The first folder, to which the others are held.
        first: PathBuf,
        /// The folder that does not fit.
        other: PathBuf,
        /// In what.
        differences: Vec<String>,
    },
    /// A capture that the shards do not replay.
    #[error("the shards of `{run}` replayed another capture than that of this project")]
    OtherCapture {
        /// The run.
        run: String,
    },
    /// Parts that have not sent everything.
    #[error("{}", unfinished(.0))]
    Unfinished(Vec<(PathBuf, u64)>),
    /// A part whose files contradict each other.
    #[error("{} is incomplete or damaged: {message}", folder.display())]
    Inconsistent {
        /// The folder.
        folder: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// The whole run is there already.
    #[error("the run `{0}` is there already")]
    Exists(String),
}

fn is_or_are(numbers: &[u32]) -> &'static str {
    if numbers.len() == 1 { "one is" } else { "some are" }
}

fn list(numbers: &[u32]) -> String {
    let texts: Vec<String> = numbers.iter().map(u32::to_string).collect();
    texts.join(", ")
}

fn unfinished(shards: &[(PathBuf, u64)]) -> String {
    let texts: Vec<String> = shards
        .iter()
        .map(|(folder, left)| format!("{} has {left} exchanges left", folder.display()))
        .collect();
    format!("unfinished shards: {}", texts.join("; "))
}
