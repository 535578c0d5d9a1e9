//! The journal: what is about to be sent, and what came of it, durable before it counts.
//!
//! SQLite in WAL mode with `synchronous = FULL`, one writer thread, and one transaction for
//! everything that waits: an intent is on disk before its bytes leave, and an outcome before the
//! attempt counts as done. Rows leave the journal only when a sealed Parquet segment holds them.
//!
//! `store` writes, `read` reads and checks, `wal` looks whether the write-ahead log was damaged.

mod read;
mod store;
#[cfg(test)]
mod tests;
mod wal;

pub(super) use store::{STATE_DONE, STATE_INTENT, give_log};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use self::store::Store;
use super::ReplayError;
use super::key::{AttemptKey, ItemKey};

pub(super) use self::read::{segments, unsealed, unsealed_keys};

/// An attempt that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// Which attempt.
    pub key: AttemptKey,
    /// What is reserved for it.
    pub reserved_nanousd: i64,
    /// When, microseconds since 1970.
    pub at_us: i64,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Which attempt.
    pub key: AttemptKey,
    /// The row of `results` as JSON.
    pub payload: Vec<u8>,
    /// Whether no further attempt follows.
    pub is_final: bool,
    /// Whether the outcome is unknown.
    pub uncertain: bool,
    /// What it cost, if that is known.
    pub cost_nanousd: Option<i64>,
}

/// An outcome that waits to be sealed.
#[derive(Debug)]
pub(super) struct Unsealed {
    /// The journal's row.
    pub id: i64,
    /// The row of `results` as JSON.
    pub payload: Vec<u8>,
}

/// A sealed segment of results, as the journal knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSegment {
    /// File name within the folder of results.
    pub file: String,
    /// Attempts in it.
    pub rows: u64,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// What earlier parts of a run left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Per exchange, arm and repeat: attempts so far.
    pub items: BTreeMap<ItemKey, ItemState>,
    /// Attempts that were sent and never came back, with their reservations.
    pub open: Vec<Intent>,
    /// Known costs and the reservations of uncertain attempts.
    pub spent_nanousd: i64,
    /// The part of it that are reservations of uncertain attempts.
    pub uncertain_nanousd: i64,
    /// Sealed segments.
    pub segments: Vec<SealedSegment>,
}

/// How far one exchange is in one arm and repeat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ItemState {
    /// The last attempt that was begun.
    pub attempts: u32,
    /// Attempts with a known outcome.
    pub known: u32,
    /// Whether no further attempt is wanted.
    pub is_final: bool,
}

/// Keys of attempts.
pub(super) type Keys = BTreeSet<AttemptKey>;

enum Message {
    Intent(Intent, oneshot::Sender<()>),
    Outcome(Box<Outcome>, oneshot::Sender<()>),
    Sealed { segment: SealedSegment, ids: Vec<i64>, acknowledge: oneshot::Sender<()> },
}

/// The writing end of the journal; cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    sender: mpsc::Sender<Message>,
}

/// The thread that writes; it ends when the last [`Journal`] is dropped.
#[derive(Debug)]
pub struct JournalWriter {
    thread: JoinHandle<Result<(), ReplayError>>,
}

impl Journal {
    /// Opens the journal (or makes an empty one), checks everything in it and starts its writer.
    ///
    /// # Errors
    /// A store that cannot be opened, or one that does not hold what was committed to it.
    pub fn open(path: &Path) -> Result<(Journal, JournalWriter, Recovered), ReplayError> {
        let (store, recovered) = Store::open(path)?;
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || store.write_until_closed(&receiver))
            .map_err(|source| ReplayError::Task(source.to_string()))?;
        Ok((Journal { sender }, JournalWriter { thread }, recovered))
    }

    /// Makes an intent durable; only then may the attempt be sent.
    ///
    /// # Errors
    /// [`ReplayError::JournalClosed`] when the writer has stopped, for instance on a full disk.
    pub async fn intent(&self, intent: Intent) -> Result<(), ReplayError> {
        self.ask(|acknowledge| Message::Intent(intent, acknowledge)).await
    }

    /// Makes an outcome durable; only then does the attempt count as done.
    ///
    /// # Errors
    /// [`ReplayError::JournalClosed`] when the writer has stopped.
    pub async fn outcome(&self, outcome: Outcome) -> Result<(), ReplayError> {
        self.ask(|acknowledge| Message::Outcome(Box::new(outcome), acknowledge)).await
    }

    /// Drops the content of rows that a sealed segment holds.
    ///
    /// # Errors
    /// [`ReplayError::JournalClosed`] when the writer has stopped.
    pub async fn sealed(&self, segment: SealedSegment, ids: Vec<i64>) -> Result<(), ReplayError> {
        self.ask(|acknowledge| Message::Sealed { segment, ids, acknowledge }).await
    }

    async fn ask(
        &self,
        message: impl FnOnce(oneshot::Sender<()>) -> Message,
    ) -> Result<(), ReplayError> {
        let (acknowledge, acknowledged) = oneshot::channel();
        self.sender.send(message(acknowledge)).map_err(|_| ReplayError::JournalClosed)?;
        acknowledged.await.map_err(|_| ReplayError::JournalClosed)
    }
}

impl JournalWriter {
    /// Waits for the writer, after every [`Journal`] was dropped, and says how it ended.
    ///
    /// # Errors
    /// What stopped the writer.
    pub fn join(self) -> Result<(), ReplayError> {
        self.thread
            .join()
            .unwrap_or_else(|_| Err(ReplayError::Task("the journal's writer".to_owned())))
    }
}

/// Makes the journal of a run that begins.
///
/// # Errors
/// A store that cannot be made, or one that holds attempts already.
pub(super) fn create(path: &Path) -> Result<(), ReplayError> {
    let (store, recovered) = Store::open(path)?;
    store.close()?;
    if recovered == Recovered::default() {
        return Ok(());
    }
    let what = "it holds attempts of a run whose `run.json` is missing".to_owned();
    Err(ReplayError::JournalDamaged { path: path.to_owned(), what })
}
