//! What stops a replay: our failures, never a provider's.

use std::path::PathBuf;

use crate::dataset::DatasetError;
use crate::plan::PriceBookError;
use crate::pricing::PriceError;

/// A replay could not be started or carried on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The plan names a schedule, but its arrival times were not given, or the other way round.
    #[error("a schedule and its arrival times must be given together")]
    NoArrivals,
    /// A file or table.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The journal could not be written or read.
    #[error("the journal {} failed: {source}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The store's reason.
        source: rusqlite::Error,
    },
    /// A row of the journal does not match its checksum.
    #[error("the journal {} is damaged: attempt {attempt} does not match its checksum", path.display())]
    JournalDamaged {
        /// The journal.
        path: PathBuf,
        /// The attempt's identifier.
        attempt: String,
    },
    /// The journal's writer is gone.
    #[error("the journal's writer has stopped")]
    JournalClosed,
    /// The run was begun with something else.
    #[error("the run `{run}` belongs to another plan: {} changed", differences.join(", "))]
    OtherPlan {
        /// The run.
        run: String,
        /// The parts that differ.
        differences: Vec<String>,
    },
    /// Another process replays this run.
    #[error("the run `{0}` is being replayed by another process")]
    Locked(String),
    /// The plan has no budget.
    #[error("the plan sets no budget: add `budget = \"25 USD\"` under `[replay]`")]
    NoBudget,
    /// A price is not known.
    #[error("arm `{arm}`: {source}")]
    Price {
        /// The arm.
        arm: String,
        /// What is not known.
        source: PriceError,
    },
    /// The price book cannot be made.
    #[error(transparent)]
    PriceBook(#[from] PriceBookError),
    /// A key's variable is not set.
    #[error("arm `{arm}` needs the environment variable `{variable}`, which is not set")]
    MissingKey {
        /// The arm.
        arm: String,
        /// The variable.
        variable: String,
    },
    /// A key that no header can carry.
    #[error("arm `{arm}`: the value of `{variable}` holds characters that no header can carry")]
    BadKey {
        /// The arm.
        arm: String,
        /// The variable.
        variable: String,
    },
    /// The client could not be built.
    #[error("cannot set up the HTTP client of arm `{arm}`: {message}")]
    Client {
        /// The arm.
        arm: String,
        /// The library's message.
        message: String,
    },
    /// Nobody answers at an arm's address.
    #[error("arm `{arm}` cannot be reached at {base_url}: {message}")]
    Unreachable {
        /// The arm.
        arm: String,
        /// The address.
        base_url: String,
        /// The system's message.
        message: String,
    },
    /// An attempt's row could not be stored as text.
    #[error("an attempt could not be stored: {0}")]
    Encode(serde_json::Error),
    /// A background task ended unexpectedly.
    #[error("a task of the replay ended unexpectedly: {0}")]
    Task(String),
}
