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
    /// The journal does not hold what was committed to it.
    #[error("the journal {} is damaged: {what}", path.display())]
    JournalDamaged {
        /// The journal.
        path: PathBuf,
        /// What is wrong, with the place.
        what: String,
    },
    /// A file of results that the journal does not account for.
    #[error("{} holds results that the journal does not know: {what}", path.display())]
    UnknownResults {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The journal's writer is gone.
    #[error("the journal's writer has stopped")]
    JournalClosed,
    /// The run was begun with other prices, which its costs were booked with.
    #[error("the run `{run}` was begun with other prices: {} changed", differences.join(", "))]
    OtherPrices {
        /// The run.
        run: String,
        /// The models whose price differs, each with its arm.
        differences: Vec<String>,
    },
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
    /// The run was put together from shards, which alone can be resumed.
    #[error("the run `{0}` was merged from shards and cannot be replayed as a whole")]
    Merged(String),
    /// A limit that cannot be divided among so many shards.
    #[error("arm `{arm}`: `{what} = {limit}` cannot be divided among {shards} shards")]
    TooManyShards {
        /// The arm.
        arm: String,
        /// The limit's key in the plan.
        what: &'static str,
        /// The limit of the whole run.
        limit: u64,
        /// The shards.
        shards: u32,
    },
    /// Another process, on this or another machine, holds the claim on the run.
    #[error("the run `{run}` is being replayed by {owner}")]
    Claimed {
        /// The run or shard.
        run: String,
        /// Who holds it.
        owner: String,
    },
    /// Another process took the claim on the run.
    #[error("the claim on the run `{0}` was taken by another process")]
    ClaimLost(String),
    /// An object that should be a claim and is none.
    #[error("{claim} is not a valid claim")]
    BadClaim {
        /// The object.
        claim: String,
        /// Where reading it failed.
        source: serde_json::Error,
    },
    /// A store with the shards of several runs.
    #[error("{store} holds shards of several runs: {}", runs.join(", "))]
    SeveralRuns {
        /// The store.
        store: String,
        /// The runs.
        runs: Vec<String>,
    },
    /// Shards that are no whole.
    #[error(transparent)]
    Merge(#[from] super::MergeError),
    /// The plan has no budget.
    #[error("the plan sets no budget: add `budget = \"25 USD\"` under `[replay]`")]
    NoBudget,
    /// Whoever was asked did not agree.
    #[error("nothing was sent, because it was not agreed to")]
    NotAgreed,
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
    /// A file that should hold a key does not.
    #[error("arm `{arm}`: the file that `api_key_file` names {reason}")]
    KeyFile {
        /// The arm.
        arm: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of certificate authorities cannot be used.
    #[error("the certificate authorities in {} cannot be used: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An arm's address is one to which nothing is ever sent.
    #[error("arm `{arm}`: {reason}, to which nothing is ever sent")]
    ForbiddenAddress {
        /// The arm.
        arm: String,
        /// What is refused.
        reason: String,
    },
    /// The certificate of an arm's server is not to be trusted.
    #[error("arm `{arm}`: the server at {base_url} cannot be trusted: {message}")]
    Untrusted {
        /// The arm.
        arm: String,
        /// The address.
        base_url: String,
        /// What is wrong with its certificate.
        message: String,
    },
    /// This process may not open as many files as there are requests in flight.
    #[error("{needed} open files are needed for the plan's concurrency, and {allowed} are allowed")]
    TooFewDescriptors {
        /// Connections of all arms and some for the rest.
        needed: u64,
        /// What the system allows.
        allowed: u64,
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
