//! The writing side of the journal: one connection, one transaction for all that waits.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio::sync::oneshot;

use super::read::{self, Sums, damaged, failed};
use super::{AttemptKey, Intent, Message, Outcome, Recovered, SealedSegment, wal};
use crate::dataset::{DatasetError, sync_dir};
use crate::replay::ReplayError;

/// Most rows of one transaction.
const GROUP: usize = 512;

/// The write-ahead log is moved into the store after about this many bytes.
const CHECKPOINT_BYTES: usize = 4 << 20;

/// What a row takes in the write-ahead log beside its content.
const ROW_BYTES: usize = 256;

pub(in crate::replay) const STATE_INTENT: i64 = 0;
pub(in crate::replay) const STATE_DONE: i64 = 1;
pub(super) const STATE_SEALED: i64 = 2;

/// `checksum` covers what an intent says and `outcome_checksum` what an outcome says, so that each
/// is written once; `payload_crc` stays when the payload has gone into a segment. `totals` holds
/// one row, written with every transaction: it tells of rows that are missing as a whole.
const SCHEMA: &str = "
BEGIN;
CREATE TABLE attempts (
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
    payload_crc INTEGER,
    checksum INTEGER NOT NULL,
    outcome_checksum INTEGER,
    UNIQUE (arm, ordinal, repeat, attempt)
);
CREATE INDEX unsealed ON attempts (state) WHERE state < 2;
CREATE TABLE segments (
    number INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE totals (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    attempts INTEGER NOT NULL,
    outcomes INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
COMMIT;
";

/// An open journal.
pub(super) struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
    sums: Sums,
    /// About how much was written to the write-ahead log since it was last moved.
    logged_bytes: usize,
}

impl Store {
    /// Opens a journal, or makes an empty one, and checks everything that is in it.
    ///
    /// Whatever is found is moved from the write-ahead log into the store and synced there: bytes
    /// of the log may have been read from memory that an earlier failure kept from the disk.
    pub(super) fn open(path: &Path) -> Result<(Self, Recovered), ReplayError> {
        wal::check(path)?;
        make_private(path)?;
        let failed = failed(path);
        let connection = Connection::open(path).map_err(&failed)?;
        let is_new = read::check_form(&connection, path)?;
        give_log(&connection).map_err(&failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(&failed)?;
        // Moved by `checkpoint` instead: SQLite's own takes no notice of a failed sync.
        connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(&failed)?;
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(&failed)?;
        if is_new {
            connection.execute_batch(SCHEMA).map_err(&failed)?;
        }
        read::check_structure(&connection, path)?;
        let (recovered, sums) = read::everything(&connection, path)?;
        let mut store = Store { connection, path: path.to_owned(), sums, logged_bytes: 0 };
        store.checkpoint("TRUNCATE")?;
        // The log's own name must last too, and SQLite takes no notice when that cannot be synced.
        if let Some(folder) = path.parent() {
            sync_dir(folder)?;
        }
        Ok((store, recovered))
    }

    /// Writes what arrives until every sender is gone.
    ///
    /// The first failure ends it, with nothing written or synced after that.
    pub(super) fn write_until_closed(
        mut self,
        receiver: &mpsc::Receiver<Message>,
    ) -> Result<(), ReplayError> {
        while let Ok(first) = receiver.recv() {
            // Whatever arrived while the last group was being synced goes into this one.
            let waiting = std::iter::once(first).chain(receiver.try_iter().take(GROUP - 1));
            for acknowledge in self.write_group(waiting)? {
                // Nobody may be waiting any more, which is no concern of the journal.
                let _ = acknowledge.send(());
            }
            if self.logged_bytes >= CHECKPOINT_BYTES {
                self.checkpoint("PASSIVE")?;
            }
        }
        self.close()
    }

    /// Moves the write-ahead log into the store and closes it.
    pub(super) fn close(mut self) -> Result<(), ReplayError> {
        self.checkpoint("TRUNCATE")?;
        let failed = failed(&self.path);
        // There is nothing left to move, so that closing syncs nothing and takes the log away.
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            .map_err(&failed)?;
        self.connection.close().map_err(|(_, source)| failed(source))
    }

    fn write_group(
        &mut self,
        messages: impl Iterator<Item = Message>,
    ) -> Result<Vec<oneshot::Sender<()>>, ReplayError> {
        let mut acknowledgements = Vec::new();
        let mut sums = self.sums;
        let mut bytes = 0;
        let failed = failed(&self.path);
        let transaction = self.connection.transaction().map_err(&failed)?;
        for message in messages {
            bytes += ROW_BYTES + content_bytes(&message);
            acknowledgements.push(write(&transaction, &mut sums, message).map_err(&failed)?);
        }
        write_sums(&transaction, sums).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
        self.sums = sums;
        self.logged_bytes += bytes;
        Ok(acknowledgements)
    }

    fn checkpoint(&mut self, how: &str) -> Result<(), ReplayError> {
        // A reader may keep a part of the log where it is, which is no failure: it is tried again.
        self.connection
            .query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()))
            .optional()
            .map_err(failed(&self.path))?;
        self.logged_bytes = 0;
        Ok(())
    }
}

fn content_bytes(message: &Message) -> usize {
    match message {
        Message::Intent(..) => 0,
        Message::Outcome(outcome, _) => outcome.payload.len(),
        Message::Sealed { ids, .. } => ids.len() * ROW_BYTES,
    }
}

fn write(
    transaction: &Transaction<'_>,
    sums: &mut Sums,
    message: Message,
) -> Result<oneshot::Sender<()>, rusqlite::Error> {
    match message {
        Message::Intent(intent, acknowledge) => {
            write_intent(transaction, &intent)?;
            sums.attempts += 1;
            Ok(acknowledge)
        }
        Message::Outcome(outcome, acknowledge) => {
            write_outcome(transaction, &outcome)?;
            sums.outcomes += 1;
            Ok(acknowledge)
        }
        Message::Sealed { segment, ids, acknowledge } => {
            write_segment(transaction, sums.segments + 1, &segment)?;
            drop_content(transaction, &ids)?;
            sums.segments += 1;
            sums.sealed += i64::try_from(ids.len()).unwrap_or(i64::MAX);
            Ok(acknowledge)
        }
    }
}

fn write_intent(transaction: &Transaction<'_>, intent: &Intent) -> Result<(), rusqlite::Error> {
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
            read::intent_checksum(intent),
        ])?;
    Ok(())
}

fn write_outcome(transaction: &Transaction<'_>, outcome: &Outcome) -> Result<(), rusqlite::Error> {
    let AttemptKey { arm, ordinal, repeat, attempt } = outcome.key;
    let payload_crc = read::crc(&[&outcome.payload]);
    let checksum = read::outcome_checksum(
        outcome.key,
        outcome.is_final,
        outcome.uncertain,
        outcome.cost_nanousd,
        payload_crc,
    );
    let changed = transaction
        .prepare_cached(
            "UPDATE attempts SET state = ?5, final = ?6, uncertain = ?7, cost_nanousd = ?8, \
             payload = ?9, payload_crc = ?10, outcome_checksum = ?11 \
             WHERE arm = ?1 AND ordinal = ?2 AND repeat = ?3 AND attempt = ?4 AND state = ?12",
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
            payload_crc,
            checksum,
            STATE_INTENT,
        ])?;
    exactly_one(changed)
}

fn write_segment(
    transaction: &Transaction<'_>,
    number: i64,
    segment: &SealedSegment,
) -> Result<(), rusqlite::Error> {
    let rows = i64::try_from(segment.rows).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO segments (number, file, row_count, sha256, checksum) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            number,
            segment.file,
            rows,
            segment.sha256,
            read::segment_checksum(number, &segment.file, rows, &segment.sha256),
        ],
    )?;
    Ok(())
}

fn drop_content(transaction: &Transaction<'_>, ids: &[i64]) -> Result<(), rusqlite::Error> {
    let mut statement = transaction.prepare_cached(
        "UPDATE attempts SET state = ?1, payload = NULL WHERE id = ?2 AND state = ?3",
    )?;
    ids.iter()
        .try_for_each(|id| exactly_one(statement.execute(params![STATE_SEALED, id, STATE_DONE])?))
}

fn write_sums(transaction: &Transaction<'_>, sums: Sums) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO totals (id, attempts, outcomes, sealed, segments, checksum) \
             VALUES (1, ?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            sums.attempts,
            sums.outcomes,
            sums.sealed,
            sums.segments,
            sums.checksum()
        ])?;
    Ok(())
}

/// A statement that was to change one row and changed another number found another journal than
/// the one that this program wrote.
fn exactly_one(changed: usize) -> Result<(), rusqlite::Error> {
    if changed == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(changed)) }
}

/// Gives the store a write-ahead log.
///
/// Where that fails, SQLite says which mode it kept in place of an error.
pub(in crate::replay) fn give_log(connection: &Connection) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut answers = statement.query([])?;
    let mut mode = String::new();
    // To the end: the change is written only after its answer, and a failure to write it shows then.
    while let Some(answer) = answers.next()? {
        mode = answer.get(0)?;
    }
    if mode == "wal" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR);
    let what = "disk I/O error: it could not be given a write-ahead log".to_owned();
    Err(rusqlite::Error::SqliteFailure(code, Some(what)))
}

/// Makes the file, so that it can be read by its owner alone from its first byte on; the store
/// gives the files that it puts beside it the same permissions.
fn make_private(path: &Path) -> Result<(), ReplayError> {
    if path.exists() {
        return Ok(());
    }
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map_err(|source| DatasetError::io("create", path, source))?;
    Ok(())
}

/// A fault of the store itself: damage is told apart from a disk that cannot be written.
pub(super) fn store_error(path: &Path, source: rusqlite::Error) -> ReplayError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => damaged(path, source.to_string()),
        _ => ReplayError::Journal { path: path.to_owned(), source },
    }
}
