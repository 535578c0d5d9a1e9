//! The journal as others may look at it: read-only, in short transactions, beside its writer.
//!
//! In WAL mode a reader neither waits for the writer nor makes it wait.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::ReplayError;
use super::journal::{STATE_DONE, STATE_INTENT, give_log};

/// What the journal says of one arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ArmCounts {
    /// Index of the arm in the run's manifest.
    pub arm: u16,
    /// Attempts without an outcome yet.
    pub open: u64,
    /// What is reserved for them.
    pub reserved_nanousd: i64,
    /// Attempts whose outcome is unknown for good.
    pub uncertain: u64,
    /// Attempts with an outcome, known or not.
    pub attempts: u64,
    /// Exchanges and repeats with a final outcome.
    pub done: u64,
    /// Known costs, and the reservations of uncertain attempts.
    pub spent_nanousd: i64,
    /// Attempts that were made ready since a given time.
    pub recent: u64,
}

/// The journal at one moment.
#[derive(Debug, Default)]
pub(super) struct JournalView {
    /// By index of the arm.
    pub arms: Vec<ArmCounts>,
    /// Files of sealed segments.
    pub segments: Vec<String>,
    /// Outcomes that no segment holds yet, with their row numbers.
    pub unsealed: Vec<(i64, Vec<u8>)>,
}

/// Reads the journal; `known` says which outcomes need not be read again.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn view(
    path: &Path,
    recent_since_us: i64,
    known: &dyn Fn(i64) -> bool,
) -> Result<JournalView, ReplayError> {
    let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
    read(path, recent_since_us, known).map_err(failed)
}

/// Opens a journal for reading, without leaving anything beside it.
///
/// A reader of a journal in WAL mode makes the log and its index where there are none, and cannot
/// remove them. Without a log nobody writes, and the file alone says everything.
fn open(path: &Path) -> Result<Connection, rusqlite::Error> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    }
    let text = path.to_string_lossy();
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}

fn read(
    path: &Path,
    recent_since_us: i64,
    known: &dyn Fn(i64) -> bool,
) -> Result<JournalView, rusqlite::Error> {
    let connection = open(path)?;
    // One transaction, so that counts, segments and outcomes are of the same moment.
    let transaction = connection.unchecked_transaction()?;
    let mut view = JournalView::default();
    let mut statement = transaction.prepare(
        "SELECT arm, \
         COUNT(*) FILTER (WHERE state = ?1), \
         COALESCE(SUM(reserved_nanousd) FILTER (WHERE state = ?1), 0), \
         COUNT(*) FILTER (WHERE uncertain), \
         COUNT(*) FILTER (WHERE state <> ?1), \
         COUNT(*) FILTER (WHERE final), \
         COALESCE(SUM(CASE WHEN uncertain THEN reserved_nanousd \
                           ELSE COALESCE(cost_nanousd, reserved_nanousd) END) \
                  FILTER (WHERE state <> ?1), 0), \
         COUNT(*) FILTER (WHERE intent_at_us >= ?2) \
         FROM attempts GROUP BY arm ORDER BY arm",
    )?;
    let arms = statement.query_map(params![STATE_INTENT, recent_since_us], |row| {
        let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        Ok(ArmCounts {
            arm: row.get(0)?,
            open: count(1)?,
            reserved_nanousd: row.get(2)?,
            uncertain: count(3)?,
            attempts: count(4)?,
            done: count(5)?,
            spent_nanousd: row.get(6)?,
            recent: count(7)?,
        })
    })?;
    view.arms = arms.collect::<Result<_, _>>()?;
    let mut statement = transaction.prepare("SELECT file FROM segments ORDER BY number")?;
    view.segments = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut ids = transaction.prepare("SELECT id FROM attempts WHERE state = ?1 ORDER BY id")?;
    let mut payload = transaction.prepare("SELECT payload FROM attempts WHERE id = ?1")?;
    let waiting: Vec<i64> =
        ids.query_map(params![STATE_DONE], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in waiting.into_iter().filter(|id| !known(*id)) {
        view.unsealed.push((id, payload.query_row(params![id], |row| row.get(0))?));
    }
    Ok(view)
}

/// Copies the journal as it is at one moment into a new file, and names its segments.
///
/// # Errors
/// A store that cannot be read, or a copy that cannot be written.
pub(super) fn copy(path: &Path, target: &Path) -> Result<Vec<String>, ReplayError> {
    let failed = |source| ReplayError::Journal { path: path.to_owned(), source };
    let connection = open(path).map_err(failed)?;
    let name = target.to_string_lossy();
    connection.execute("VACUUM INTO ?1", params![name]).map_err(failed)?;
    // A copy has no write-ahead log by itself, and a journal without one counts as damaged.
    let made = Connection::open(target).map_err(failed)?;
    give_log(&made).map_err(failed)?;
    made.close().map_err(|(_, source)| failed(source))?;
    let copy = open(target).map_err(failed)?;
    let mut statement =
        copy.prepare("SELECT file FROM segments ORDER BY number").map_err(failed)?;
    let files = statement.query_map([], |row| row.get(0)).map_err(failed)?;
    files.collect::<Result<_, _>>().map_err(failed)
}
