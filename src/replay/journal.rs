//! The journal: what is about to be sent, and what came of it, durable before it counts.
//!
//! SQLite in WAL mode with `synchronous = FULL`, one writer thread, and one transaction for
//! everything that waits: an intent is on disk before its bytes leave, and an outcome before the
//! attempt counts as done. Rows leave the journal only when a sealed Parquet segment holds them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags, Transaction, params};
use tokio::sync::oneshot;

use super::key::{AttemptKey, ItemKey};
use super::{AttemptId, ReplayError};

/// Most rows of one transaction.
const GROUP: usize = 512;

const STATE_INTENT: i64 = 0;
const STATE_DONE: i64 = 1;
const STATE_SEALED: i64 = 2;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    arm INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state INTEGER NOT NULL,
    reserved_nanousd INTEGER NOT NULL,
    intent_at_us INTEGER NOT NULL,
    final INTEGER NOT NULL DEFAULT 0,
    uncertain INTEGER NOT NULL DEFAULT 0,
    cost_nanousd INTEGER,
    payload BLOB,
    checksum INTEGER NOT NULL,
    UNIQUE (arm, ordinal, repeat, attempt)
);
CREATE INDEX IF NOT EXISTS unsealed ON attempts (state) WHERE state < 2;
CREATE TABLE IF NOT EXISTS segments (
    number INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    row_count INTEGER NOT NULL
);
";

/// An attempt that is about to be sent.
#[derive(Debug, Clone, Copy)]
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

/// What earlier parts of a run left behind.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Per exchange, arm and repeat: attempts so far.
    pub items: BTreeMap<ItemKey, ItemState>,
    /// Attempts that were sent and never came back, with their reservations.
    pub open: Vec<Intent>,
    /// Known costs and the reservations of uncertain attempts.
    pub spent_nanousd: i64,
    /// The part of it that are reservations of uncertain attempts.
    pub uncertain_nanousd: i64,
    /// Files of sealed segments.
    pub segments: Vec<String>,
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

enum Message {
    Intent(Intent, oneshot::Sender<()>),
    Outcome(Box<Outcome>, oneshot::Sender<()>),
    Sealed { file: String, ids: Vec<i64>, acknowledge: oneshot::Sender<()> },
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
    /// Opens the journal, reads what is in it and starts its writer.
    ///
    /// # Errors
    /// A store that cannot be opened, or a row that does not match its checksum.
    pub fn open(path: &Path) -> Result<(Journal, JournalWriter, Recovered), ReplayError> {
        let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        restrict_to_owner(path)?;
        let recovered = recover(&connection, path)?;
        let (sender, receiver) = mpsc::channel();
        let writer_path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write_until_closed(connection, &writer_path, &receiver))
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
    pub async fn sealed(&self, file: String, ids: Vec<i64>) -> Result<(), ReplayError> {
        self.ask(|acknowledge| Message::Sealed { file, ids, acknowledge }).await
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

/// Reads outcomes that wait to be sealed, through a connection of its own.
///
/// # Errors
/// A store that cannot be read, or a row that does not match its checksum.
pub(super) fn unsealed(path: &Path, most: usize) -> Result<Vec<Unsealed>, ReplayError> {
    let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let mut statement = connection
        .prepare("SELECT id, payload FROM attempts WHERE state = ?1 ORDER BY id LIMIT ?2")
        .map_err(failed)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![STATE_DONE, limit], |row| {
            Ok(Unsealed { id: row.get(0)?, payload: row.get(1)? })
        })
        .map_err(failed)?;
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// The number of the next segment and how many outcomes wait to be sealed.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn seal_state(path: &Path) -> Result<(u64, u64), ReplayError> {
    let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let segments = count("SELECT COALESCE(MAX(number), 0) FROM segments").map_err(failed)?;
    let waiting = count("SELECT COUNT(*) FROM attempts WHERE state = 1").map_err(failed)?;
    Ok((segments.unsigned_abs(), waiting.unsigned_abs()))
}

fn write_until_closed(
    mut connection: Connection,
    path: &Path,
    receiver: &mpsc::Receiver<Message>,
) -> Result<(), ReplayError> {
    let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
    while let Ok(first) = receiver.recv() {
        let mut acknowledgements = Vec::new();
        let transaction = connection.transaction().map_err(failed)?;
        // Whatever arrived while the last group was being synced goes into this one.
        let waiting = std::iter::once(first).chain(receiver.try_iter().take(GROUP - 1));
        for message in waiting {
            acknowledgements.push(write(&transaction, message).map_err(failed)?);
        }
        transaction.commit().map_err(failed)?;
        for acknowledge in acknowledgements {
            // Nobody may be waiting any more, which is no concern of the journal.
            let _ = acknowledge.send(());
        }
    }
    Ok(())
}

fn write(
    transaction: &Transaction<'_>,
    message: Message,
) -> Result<oneshot::Sender<()>, rusqlite::Error> {
    match message {
        Message::Intent(intent, acknowledge) => {
            let AttemptKey { arm, ordinal, repeat, attempt } = intent.key;
            transaction
                .prepare_cached(
                    "INSERT INTO attempts (arm, ordinal, repeat, attempt, state, reserved_nanousd, \
                     intent_at_us, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    arm,
                    ordinal,
                    repeat,
                    attempt,
                    STATE_INTENT,
                    intent.reserved_nanousd,
                    intent.at_us,
                    checksum(intent.key, intent.reserved_nanousd, None, &[]),
                ])?;
            Ok(acknowledge)
        }
        Message::Outcome(outcome, acknowledge) => {
            let AttemptKey { arm, ordinal, repeat, attempt } = outcome.key;
            let checksum = checksum(outcome.key, 0, outcome.cost_nanousd, &outcome.payload);
            transaction
                .prepare_cached(
                    "UPDATE attempts SET state = ?5, final = ?6, uncertain = ?7, \
                     cost_nanousd = ?8, payload = ?9, checksum = ?10 \
                     WHERE arm = ?1 AND ordinal = ?2 AND repeat = ?3 AND attempt = ?4",
                )?
                .execute(params![
                    arm,
                    ordinal,
                    repeat,
                    attempt,
                    STATE_DONE,
                    outcome.is_final,
                    outcome.uncertain,
                    outcome.cost_nanousd,
                    outcome.payload,
                    checksum,
                ])?;
            Ok(acknowledge)
        }
        Message::Sealed { file, ids, acknowledge } => {
            transaction.execute(
                "INSERT INTO segments (file, row_count) VALUES (?1, ?2)",
                params![file, i64::try_from(ids.len()).unwrap_or(i64::MAX)],
            )?;
            let mut statement = transaction
                .prepare_cached("UPDATE attempts SET state = ?1, payload = NULL WHERE id = ?2")?;
            for id in ids {
                statement.execute(params![STATE_SEALED, id])?;
            }
            drop(statement);
            Ok(acknowledge)
        }
    }
}

fn recover(connection: &Connection, path: &Path) -> Result<Recovered, ReplayError> {
    let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
    let mut recovered = Recovered::default();
    let mut statement = connection
        .prepare(
            "SELECT arm, ordinal, repeat, attempt, state, reserved_nanousd, intent_at_us, final, \
             uncertain, cost_nanousd, payload, checksum FROM attempts ORDER BY id",
        )
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let row = StoredRow::read(row).map_err(failed)?;
        row.check(path)?;
        row.add_to(&mut recovered);
    }
    drop(rows);
    drop(statement);
    let mut statement =
        connection.prepare("SELECT file FROM segments ORDER BY number").map_err(failed)?;
    let files = statement.query_map([], |row| row.get(0)).map_err(failed)?;
    recovered.segments = files.collect::<Result<_, _>>().map_err(failed)?;
    Ok(recovered)
}

struct StoredRow {
    key: AttemptKey,
    state: i64,
    reserved_nanousd: i64,
    intent_at_us: i64,
    is_final: bool,
    uncertain: bool,
    cost_nanousd: Option<i64>,
    payload: Option<Vec<u8>>,
    checksum: i64,
}

impl StoredRow {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(StoredRow {
            key: AttemptKey {
                arm: row.get(0)?,
                ordinal: row.get(1)?,
                repeat: row.get(2)?,
                attempt: row.get(3)?,
            },
            state: row.get(4)?,
            reserved_nanousd: row.get(5)?,
            intent_at_us: row.get(6)?,
            is_final: row.get(7)?,
            uncertain: row.get(8)?,
            cost_nanousd: row.get(9)?,
            payload: row.get(10)?,
            checksum: row.get(11)?,
        })
    }

    fn check(&self, path: &Path) -> Result<(), ReplayError> {
        let expected = match (self.state, &self.payload) {
            (STATE_INTENT, _) => checksum(self.key, self.reserved_nanousd, None, &[]),
            (STATE_DONE, Some(payload)) => checksum(self.key, 0, self.cost_nanousd, payload),
            // A sealed row's content is in Parquet, which has checksums of its own.
            _ => return Ok(()),
        };
        if expected == self.checksum {
            return Ok(());
        }
        let attempt = AttemptId { run_id: "run", arm: "arm", key: self.key }.to_string();
        Err(ReplayError::JournalDamaged { path: path.to_owned(), attempt })
    }

    fn add_to(&self, recovered: &mut Recovered) {
        let item = recovered.items.entry(self.key.item()).or_default();
        item.attempts = item.attempts.max(self.key.attempt);
        if self.state == STATE_INTENT {
            recovered.open.push(Intent {
                key: self.key,
                reserved_nanousd: self.reserved_nanousd,
                at_us: self.intent_at_us,
            });
            return;
        }
        item.known += u32::from(!self.uncertain);
        item.is_final |= self.is_final;
        if self.uncertain {
            recovered.uncertain_nanousd += self.reserved_nanousd;
            recovered.spent_nanousd += self.reserved_nanousd;
        } else {
            recovered.spent_nanousd += self.cost_nanousd.unwrap_or(self.reserved_nanousd);
        }
    }
}

/// CRC-32 over everything that a row says; the store's pages have no checksums of their own.
fn checksum(key: AttemptKey, reserved: i64, cost: Option<i64>, payload: &[u8]) -> i64 {
    let mut crc = flate2::Crc::new();
    crc.update(&key.arm.to_le_bytes());
    crc.update(&key.ordinal.to_le_bytes());
    crc.update(&key.repeat.to_le_bytes());
    crc.update(&key.attempt.to_le_bytes());
    crc.update(&reserved.to_le_bytes());
    crc.update(&cost.unwrap_or(i64::MIN).to_le_bytes());
    crc.update(payload);
    i64::from(crc.sum())
}

#[cfg(unix)]
fn restrict_to_owner(path: &Path) -> Result<(), ReplayError> {
    use std::os::unix::fs::PermissionsExt;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).map_err(|source| {
        crate::dataset::DatasetError::Io { action: "protect", path: PathBuf::from(path), source }
            .into()
    })
}

#[cfg(not(unix))]
fn restrict_to_owner(_path: &Path) -> Result<(), ReplayError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ordinal: i32, attempt: u32) -> AttemptKey {
        AttemptKey { arm: 0, ordinal, repeat: 1, attempt }
    }

    fn intent(ordinal: i32) -> Intent {
        Intent { key: key(ordinal, 1), reserved_nanousd: 100, at_us: 1 }
    }

    fn outcome(ordinal: i32) -> Outcome {
        Outcome {
            key: key(ordinal, 1),
            payload: b"{}".to_vec(),
            is_final: true,
            uncertain: false,
            cost_nanousd: Some(7),
        }
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let (journal, writer, recovered) = Journal::open(&path).unwrap();
        assert!(recovered.items.is_empty());
        journal.intent(intent(1)).await.unwrap();
        journal.intent(intent(2)).await.unwrap();
        journal.outcome(outcome(1)).await.unwrap();
        drop(journal);
        writer.join().unwrap();

        let (_journal, _writer, recovered) = Journal::open(&path).unwrap();
        assert_eq!(recovered.spent_nanousd, 7);
        assert_eq!(recovered.open.len(), 1);
        assert_eq!(recovered.open[0].key, key(2, 1));
        let done = recovered.items[&key(1, 1).item()];
        assert_eq!(done, ItemState { attempts: 1, known: 1, is_final: true });
    }

    #[tokio::test]
    async fn a_changed_row_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let (journal, writer, _) = Journal::open(&path).unwrap();
        journal.intent(intent(1)).await.unwrap();
        journal.outcome(outcome(1)).await.unwrap();
        drop(journal);
        writer.join().unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute("UPDATE attempts SET cost_nanousd = 8", []).unwrap();
        drop(connection);
        assert!(matches!(Journal::open(&path), Err(ReplayError::JournalDamaged { .. })));
    }

    #[tokio::test]
    async fn sealed_rows_lose_their_content_but_still_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let (journal, writer, _) = Journal::open(&path).unwrap();
        journal.intent(intent(1)).await.unwrap();
        journal.outcome(outcome(1)).await.unwrap();
        let waiting = unsealed(&path, 10).unwrap();
        assert_eq!(waiting.len(), 1);
        journal.sealed("part-00001.parquet".into(), vec![waiting[0].id]).await.unwrap();
        assert!(unsealed(&path, 10).unwrap().is_empty());
        drop(journal);
        writer.join().unwrap();
        let (_journal, _writer, recovered) = Journal::open(&path).unwrap();
        assert_eq!(recovered.spent_nanousd, 7);
        assert_eq!(recovered.segments, ["part-00001.parquet"]);
        assert!(recovered.items[&key(1, 1).item()].is_final);
    }
}
