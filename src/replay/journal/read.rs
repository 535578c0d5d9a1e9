//! The reading side of the journal: what is in it, and whether that is what was committed.
//!
//! A row says by its checksums whether it is as it was written; the totals say whether all rows
//! are there; the store's own check says whether its tables and indexes belong together.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::store::{STATE_DONE, STATE_INTENT, STATE_SEALED, store_error};
use super::{AttemptKey, Intent, Keys, Recovered, SealedSegment, Unsealed};
use crate::replay::ReplayError;

/// Tables and indexes of a journal.
const OBJECTS: i64 = 5;

/// How many rows of each kind were committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Attempts that were intended.
    pub attempts: i64,
    /// Those with an outcome.
    pub outcomes: i64,
    /// Those whose outcome is in a segment.
    pub sealed: i64,
    /// Segments.
    pub segments: i64,
}

impl Sums {
    pub(super) fn checksum(self) -> i64 {
        crc(&[
            &self.attempts.to_le_bytes(),
            &self.outcomes.to_le_bytes(),
            &self.sealed.to_le_bytes(),
            &self.segments.to_le_bytes(),
        ])
    }
}

/// CRC-32 of some bytes one after another; the store's pages have no checksums of their own.
pub(super) fn crc(parts: &[&[u8]]) -> i64 {
    let mut crc = flate2::Crc::new();
    for part in parts {
        crc.update(part);
    }
    i64::from(crc.sum())
}

pub(super) fn intent_checksum(intent: &Intent) -> i64 {
    let reserved = intent.reserved_nanousd.to_le_bytes();
    crc(&[&key_bytes(intent.key), &reserved, &intent.at_us.to_le_bytes()])
}

pub(super) fn outcome_checksum(
    key: AttemptKey,
    is_final: bool,
    uncertain: bool,
    cost_nanousd: Option<i64>,
    payload_crc: i64,
) -> i64 {
    let flags = [u8::from(is_final), u8::from(uncertain), u8::from(cost_nanousd.is_some())];
    let cost = cost_nanousd.unwrap_or_default().to_le_bytes();
    crc(&[&key_bytes(key), &flags, &cost, &payload_crc.to_le_bytes()])
}

pub(super) fn segment_checksum(number: i64, file: &str, rows: i64, sha256: &str) -> i64 {
    crc(&[&number.to_le_bytes(), &rows.to_le_bytes(), sha256.as_bytes(), file.as_bytes()])
}

fn key_bytes(key: AttemptKey) -> Vec<u8> {
    let AttemptKey { arm, ordinal, repeat, attempt } = key;
    let mut bytes = arm.to_le_bytes().to_vec();
    bytes.extend(ordinal.to_le_bytes());
    bytes.extend(repeat.to_le_bytes());
    bytes.extend(attempt.to_le_bytes());
    bytes
}

/// Turns the store's errors into ours.
pub(super) fn failed(path: &Path) -> impl Fn(rusqlite::Error) -> ReplayError + use<> {
    let path = path.to_owned();
    move |source| store_error(&path, source)
}

pub(super) fn damaged(path: &Path, what: impl Into<String>) -> ReplayError {
    ReplayError::JournalDamaged { path: path.to_owned(), what: what.into() }
}

/// Whether a journal is new and empty; one that is not must look like one of ours.
pub(super) fn check_form(connection: &Connection, path: &Path) -> Result<bool, ReplayError> {
    let failed = failed(path);
    let pages: i64 =
        connection.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(&failed)?;
    if pages == 0 {
        return Ok(true);
    }
    let count = "SELECT COUNT(*) FROM sqlite_schema";
    let objects: i64 = connection.query_row(count, [], |row| row.get(0)).map_err(&failed)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(&failed)?;
    let names = "SELECT COUNT(*) FROM sqlite_schema WHERE (type, name) IN (('table', 'attempts'), \
                 ('table', 'segments'), ('table', 'totals'), ('index', 'unsealed'))";
    let known: i64 = connection.query_row(names, [], |row| row.get(0)).map_err(&failed)?;
    match (objects, known) {
        // A crash while the journal was being made.
        (0, _) => Ok(true),
        (OBJECTS, 4) if mode == "wal" => Ok(false),
        (OBJECTS, 4) => Err(damaged(path, "it no longer says that it has a write-ahead log")),
        _ => Err(damaged(path, "its tables are not those of a journal")),
    }
}

/// Lets the store check that its tables and indexes belong together.
pub(super) fn check_structure(connection: &Connection, path: &Path) -> Result<(), ReplayError> {
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(failed(path))?;
    if verdict == "ok" { Ok(()) } else { Err(damaged(path, verdict)) }
}

/// Reads and checks every row.
pub(super) fn everything(
    connection: &Connection,
    path: &Path,
) -> Result<(Recovered, Sums), ReplayError> {
    let failed = failed(path);
    let mut recovered = Recovered::default();
    let mut sums = Sums::default();
    let mut statement = connection
        .prepare(
            "SELECT id, arm, ordinal, repeat, attempt, state, reserved_nanousd, intent_at_us, \
             final, uncertain, cost_nanousd, payload, payload_crc, checksum, outcome_checksum \
             FROM attempts ORDER BY id",
        )
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    while let Some(row) = rows.next().map_err(&failed)? {
        sums.attempts += 1;
        let number: i64 = row.get(0).map_err(&failed)?;
        if number != sums.attempts {
            return Err(damaged(path, format!("its attempt number {} is missing", sums.attempts)));
        }
        // A value of another type than was written.
        let row = StoredRow::read(row).map_err(|why| damaged(path, named(number, &why)))?;
        row.check(path)?;
        sums.outcomes += i64::from(row.state != STATE_INTENT);
        sums.sealed += i64::from(row.state == STATE_SEALED);
        row.add_to(&mut recovered);
    }
    recovered.segments = read_segments(connection, path)?;
    sums.segments = i64::try_from(recovered.segments.len()).unwrap_or(i64::MAX);
    check_sums(connection, path, sums)?;
    let in_segments: u64 = recovered.segments.iter().map(|segment| segment.rows).sum();
    if in_segments != sums.sealed.unsigned_abs() {
        let what = format!(
            "{} attempts are marked as sealed, and its segments hold {in_segments}",
            sums.sealed
        );
        return Err(damaged(path, what));
    }
    Ok((recovered, sums))
}

fn named(number: i64, why: &rusqlite::Error) -> String {
    format!("its attempt number {number} cannot be read: {why}")
}

/// Compares what is there with what was committed.
fn check_sums(connection: &Connection, path: &Path, found: Sums) -> Result<(), ReplayError> {
    let committed = connection
        .query_row(
            "SELECT attempts, outcomes, sealed, segments, checksum FROM totals WHERE id = 1",
            [],
            |row| {
                let sums = Sums {
                    attempts: row.get(0)?,
                    outcomes: row.get(1)?,
                    sealed: row.get(2)?,
                    segments: row.get(3)?,
                };
                Ok((sums, row.get::<_, i64>(4)?))
            },
        )
        .optional()
        .map_err(|why| damaged(path, format!("its totals cannot be read: {why}")))?;
    let committed = match committed {
        Some((sums, checksum)) if sums.checksum() == checksum => sums,
        Some(_) => return Err(damaged(path, "its totals do not match their checksum")),
        None => Sums::default(),
    };
    if committed == found {
        return Ok(());
    }
    let what = format!(
        "{} attempts, {} outcomes and {} segments were committed, and {}, {} and {} are there",
        committed.attempts,
        committed.outcomes,
        committed.segments,
        found.attempts,
        found.outcomes,
        found.segments
    );
    Err(damaged(path, what))
}

fn read_segments(connection: &Connection, path: &Path) -> Result<Vec<SealedSegment>, ReplayError> {
    let failed = failed(path);
    let mut statement = connection
        .prepare("SELECT number, file, row_count, sha256, checksum FROM segments ORDER BY number")
        .map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut segments: Vec<SealedSegment> = Vec::new();
    while let Some(row) = rows.next().map_err(&failed)? {
        let read = || -> Result<_, rusqlite::Error> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        };
        let number = segments.len() + 1;
        let (id, file, rows, sha256, checksum): (i64, String, i64, String, i64) = read()
            .map_err(|why| damaged(path, format!("its segment {number} cannot be read: {why}")))?;
        if segment_checksum(id, &file, rows, &sha256) != checksum
            || id.unsigned_abs() != number as u64
        {
            return Err(damaged(path, format!("its segment {number} does not match its checksum")));
        }
        segments.push(SealedSegment { file, rows: rows.unsigned_abs(), sha256 });
    }
    Ok(segments)
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
    payload_crc: Option<i64>,
    checksum: i64,
    outcome_checksum: Option<i64>,
}

impl StoredRow {
    fn read(row: &rusqlite::Row<'_>) -> Result<Self, rusqlite::Error> {
        let key = AttemptKey {
            arm: row.get(1)?,
            ordinal: row.get(2)?,
            repeat: row.get(3)?,
            attempt: row.get(4)?,
        };
        Ok(StoredRow {
            key,
            state: row.get(5)?,
            reserved_nanousd: row.get(6)?,
            intent_at_us: row.get(7)?,
            is_final: row.get(8)?,
            uncertain: row.get(9)?,
            cost_nanousd: row.get(10)?,
            payload: row.get(11)?,
            payload_crc: row.get(12)?,
            checksum: row.get(13)?,
            outcome_checksum: row.get(14)?,
        })
    }

    fn intent(&self) -> Intent {
        let (key, at_us) = (self.key, self.intent_at_us);
        Intent { key, reserved_nanousd: self.reserved_nanousd, at_us }
    }

    /// The state is covered by no checksum: it follows from what else is there.
    fn is_as_written(&self) -> bool {
        if intent_checksum(&self.intent()) != self.checksum {
            return false;
        }
        let outcome_holds = |payload_crc| {
            let Self { key, is_final, uncertain, cost_nanousd, .. } = *self;
            let expected = outcome_checksum(key, is_final, uncertain, cost_nanousd, payload_crc);
            self.outcome_checksum == Some(expected)
        };
        match (self.state, &self.payload, self.payload_crc) {
            (STATE_INTENT, None, None) => {
                let untouched = !self.is_final && !self.uncertain && self.cost_nanousd.is_none();
                untouched && self.outcome_checksum.is_none()
            }
            (STATE_DONE, Some(payload), Some(payload_crc)) => {
                crc(&[payload]) == payload_crc && outcome_holds(payload_crc)
            }
            (STATE_SEALED, None, Some(payload_crc)) => outcome_holds(payload_crc),
            _ => false,
        }
    }

    fn check(&self, path: &Path) -> Result<(), ReplayError> {
        if self.is_as_written() {
            return Ok(());
        }
        let AttemptKey { arm, ordinal, repeat, attempt } = self.key;
        let what = format!(
            "attempt {attempt} of exchange {ordinal} (arm {arm}, repeat {repeat}) does not match \
             its checksum"
        );
        Err(damaged(path, what))
    }

    fn add_to(&self, recovered: &mut Recovered) {
        let item = recovered.items.entry(self.key.item()).or_default();
        item.attempts = item.attempts.max(self.key.attempt);
        if self.state == STATE_INTENT {
            recovered.open.push(self.intent());
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

fn open_to_read(path: &Path) -> Result<Connection, ReplayError> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed(path))
}

/// The sealed segments of a journal, through a connection of its own.
///
/// # Errors
/// A store that cannot be read, or a segment whose row does not match its checksum.
pub(in crate::replay) fn segments(path: &Path) -> Result<Vec<SealedSegment>, ReplayError> {
    read_segments(&open_to_read(path)?, path)
}

/// Reads outcomes that wait to be sealed, through a connection of its own.
///
/// # Errors
/// A store that cannot be read.
pub(in crate::replay) fn unsealed(path: &Path, most: usize) -> Result<Vec<Unsealed>, ReplayError> {
    let failed = failed(path);
    let connection = open_to_read(path)?;
    let mut statement = connection
        .prepare("SELECT id, payload FROM attempts WHERE state = ?1 ORDER BY id LIMIT ?2")
        .map_err(&failed)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![STATE_DONE, limit], |row| {
            Ok(Unsealed { id: row.get(0)?, payload: row.get(1)? })
        })
        .map_err(&failed)?;
    rows.collect::<Result<_, _>>().map_err(&failed)
}

/// Which attempts wait to be sealed, through a connection of its own.
///
/// # Errors
/// A store that cannot be read.
pub(in crate::replay) fn unsealed_keys(path: &Path) -> Result<Keys, ReplayError> {
    let failed = failed(path);
    let connection = open_to_read(path)?;
    let mut statement = connection
        .prepare("SELECT arm, ordinal, repeat, attempt FROM attempts WHERE state = ?1")
        .map_err(&failed)?;
    let rows = statement
        .query_map(params![STATE_DONE], |row| {
            Ok(AttemptKey {
                arm: row.get(0)?,
                ordinal: row.get(1)?,
                repeat: row.get(2)?,
                attempt: row.get(3)?,
            })
        })
        .map_err(&failed)?;
    rows.collect::<Result<_, _>>().map_err(&failed)
}
