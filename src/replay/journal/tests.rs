//! What the journal promises, on a store that is cut, flipped and refused space.
//!
//! `REHEARSAL_FLIPS` sets how many bits are flipped, one at a time (some hundreds here; `all` in the
//! long run).

use std::fs;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;

use super::*;

const DEFAULT_FLIPS: usize = 300;
const PAGE_BYTES: usize = 4_096;
const FRAME_BYTES: usize = 24 + PAGE_BYTES;
const LOG_HEADER_BYTES: usize = 32;

fn key(ordinal: i32, attempt: u32) -> AttemptKey {
    AttemptKey { arm: 0, ordinal, repeat: 1, attempt }
}

fn intent(ordinal: i32) -> Intent {
    Intent { key: key(ordinal, 1), reserved_nanousd: 100, at_us: 1 }
}

fn outcome(ordinal: i32) -> Outcome {
    Outcome {
        key: key(ordinal, 1),
        // Some fit beside others in a page, some need pages of their own.
        payload: vec![b'x'; usize::try_from(ordinal * 700).unwrap()],
        is_final: true,
        uncertain: false,
        cost_nanousd: Some(7),
    }
}

fn segment(number: u32, rows: u64) -> SealedSegment {
    let file = format!("part-{number:05}.parquet");
    SealedSegment { file, rows, sha256: "5e".repeat(32) }
}

fn recovered(path: &Path) -> Result<Recovered, ReplayError> {
    let (journal, writer, recovered) = Journal::open(path)?;
    drop(journal);
    writer.join()?;
    Ok(recovered)
}

/// A journal's two files as they are at one moment.
#[derive(Clone)]
struct Files {
    store: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    fn of(path: &Path) -> Self {
        let store = fs::read(path).unwrap();
        Files { store, log: fs::read(wal::log_of(path)).unwrap_or_default() }
    }

    fn recovered(&self) -> Result<Recovered, ReplayError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        fs::write(&path, &self.store).unwrap();
        fs::write(wal::log_of(&path), &self.log).unwrap();
        recovered(&path)
    }
}

/// A journal in use: its files, with what was committed after each of its transactions.
async fn in_use(path: &Path) -> (Files, Vec<Recovered>) {
    let (journal, writer, _) = Journal::open(path).unwrap();
    let mut files = Files::of(path);
    let mut states = vec![files.recovered().unwrap()];
    for step in 0..14 {
        match step {
            0..5 => journal.intent(intent(step + 1)).await.unwrap(),
            5..9 => journal.outcome(outcome(step - 4)).await.unwrap(),
            9 => journal.sealed(segment(1, 2), vec![1, 2]).await.unwrap(),
            10..13 => journal.intent(intent(step)).await.unwrap(),
            _ => journal.outcome(outcome(10)).await.unwrap(),
        }
        files = Files::of(path);
        let state = files.recovered().unwrap();
        assert_ne!(states.last(), Some(&state));
        states.push(state);
    }
    drop(journal);
    writer.join().unwrap();
    (files, states)
}

#[expect(clippy::disallowed_methods, reason = "the long run is asked for by the environment")]
fn bits(of: usize) -> Vec<usize> {
    let wanted = std::env::var("REHEARSAL_FLIPS").unwrap_or_default();
    if wanted == "all" {
        return (0..of).collect();
    }
    let mut random = ChaCha8Rng::seed_from_u64(29);
    let count = wanted.parse().unwrap_or(DEFAULT_FLIPS);
    (0..count).map(|_| random.random_range(0..of)).collect()
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
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
    assert_eq!(recovered.open, [intent(2)]);
    let done = recovered.items[&key(1, 1).item()];
    assert_eq!(done, ItemState { attempts: 1, known: 1, is_final: true });
}

#[tokio::test]
async fn a_changed_row_and_a_missing_row_are_noticed_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (_, states) = in_use(&path).await;
    let whole = fs::read(&path).unwrap();
    for (change, words) in [
        ("UPDATE attempts SET cost_nanousd = 8 WHERE ordinal = 3", "exchange 3"),
        ("UPDATE attempts SET intent_at_us = 2 WHERE ordinal = 5", "exchange 5"),
        ("UPDATE attempts SET state = 2 WHERE ordinal = 4", "exchange 4"),
        ("UPDATE attempts SET final = 0 WHERE ordinal = 1", "exchange 1"),
        ("UPDATE attempts SET payload = x'00' WHERE ordinal = 10", "exchange 10"),
        ("DELETE FROM attempts WHERE id = 6", "attempt number 6"),
        ("DELETE FROM attempts WHERE id = 8", "8 attempts"),
        ("DELETE FROM segments", "0 are there"),
        ("UPDATE segments SET sha256 = 'a'", "segment 1"),
        ("UPDATE totals SET outcomes = 4", "totals"),
    ] {
        fs::write(&path, &whole).unwrap();
        Connection::open(&path).unwrap().execute(change, []).unwrap();
        let error = recovered(&path).unwrap_err();
        assert!(matches!(error, ReplayError::JournalDamaged { .. }), "{change}: {error}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("journal.sqlite"), "{change}: {text}");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(&recovered(&path).unwrap(), states.last().unwrap());
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
    assert_eq!(unsealed_keys(&path).unwrap(), Keys::from([key(1, 1)]));
    journal.sealed(segment(1, 1), vec![waiting[0].id]).await.unwrap();
    assert!(unsealed(&path, 10).unwrap().is_empty());
    drop(journal);
    writer.join().unwrap();
    let (_journal, _writer, recovered) = Journal::open(&path).unwrap();
    assert_eq!(recovered.spent_nanousd, 7);
    assert_eq!(recovered.segments, [segment(1, 1)]);
    assert!(recovered.items[&key(1, 1).item()].is_final);
}

#[tokio::test]
async fn a_log_that_is_cut_anywhere_gives_a_prefix_of_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let (files, states) = in_use(&folder.path().join("journal.sqlite")).await;
    let frames = (files.log.len() - LOG_HEADER_BYTES) / FRAME_BYTES;
    let ends_transaction = |frame: usize| {
        let at = LOG_HEADER_BYTES + frame * FRAME_BYTES + 4;
        files.log[at..at + 4] != [0; 4]
    };
    let mut committed = 0;
    for frame in 0..frames {
        let start = LOG_HEADER_BYTES + frame * FRAME_BYTES;
        for within in [0, 1, 24, 100, FRAME_BYTES - 1] {
            let log = files.log[..start + within].to_vec();
            let cut = Files { log, ..files.clone() }.recovered().unwrap();
            assert_eq!(cut, states[committed], "frame {frame}, byte {within}");
        }
        committed += usize::from(ends_transaction(frame));
    }
    assert_eq!(committed, states.len() - 1);
    for bytes in 0..LOG_HEADER_BYTES {
        let log = files.log[..bytes].to_vec();
        assert_eq!(Files { log, ..files.clone() }.recovered().unwrap(), states[0]);
    }
}

#[tokio::test]
async fn a_flipped_bit_of_the_log_costs_the_last_transaction_at_most_or_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (files, states) = in_use(&folder.path().join("journal.sqlite")).await;
    let last = states.len() - 1;
    let mut stops = 0;
    for bit in bits(files.log.len() * 8) {
        let mut flipped = files.clone();
        flip(&mut flipped.log, bit);
        match flipped.recovered() {
            Ok(state) => assert!(states[last - 1..].contains(&state), "bit {bit}: {state:?}"),
            Err(ReplayError::JournalDamaged { .. }) => stops += 1,
            Err(error) => panic!("bit {bit}: {error}"),
        }
    }
    assert!(stops > 0, "no flip was noticed");
}

#[tokio::test]
async fn a_flipped_bit_of_the_store_changes_nothing_or_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (_, states) = in_use(&path).await;
    let files = Files::of(&path);
    assert!(files.log.is_empty());
    let mut stops = 0;
    for bit in bits(files.store.len() * 8) {
        let mut flipped = files.clone();
        flip(&mut flipped.store, bit);
        match flipped.recovered() {
            Ok(state) => assert_eq!(&state, states.last().unwrap(), "bit {bit}"),
            Err(error) => {
                assert!(error.to_string().contains("journal.sqlite"), "bit {bit}: {error}");
                stops += 1;
            }
        }
    }
    assert!(stops > 0, "no flip was noticed");
}

/// The highest page that the store may take, as a disk that is full at that size.
fn full_at(store: &Store, pages: u32) {
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
}

#[tokio::test]
async fn the_first_failure_ends_the_writer_and_harms_nothing_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let (store, _) = Store::open(&path).unwrap();
    full_at(&store, 12);
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || store.write_until_closed(&receiver));
    let journal = Journal { sender };
    let mut kept = 0;
    let failed = loop {
        let next = kept + 1;
        let written = match journal.intent(intent(next)).await {
            Ok(()) => journal.outcome(outcome(next)).await,
            failed => failed,
        };
        match written {
            Ok(()) => kept = next,
            Err(error) => break error,
        }
    };
    assert!(matches!(failed, ReplayError::JournalClosed));
    let later = journal.intent(intent(99)).await;
    assert!(matches!(later, Err(ReplayError::JournalClosed)), "nothing is written after it");
    let cause = thread.join().unwrap().unwrap_err();
    let text = cause.to_string();
    assert!(matches!(cause, ReplayError::Journal { .. }), "{text}");
    assert!(text.contains("journal.sqlite") && text.contains("full"), "{text}");

    let recovered = recovered(&path).unwrap();
    assert!(kept > 0);
    assert_eq!(recovered.spent_nanousd, i64::from(kept) * 7);
    assert!(recovered.open.len() <= 1);
}

#[test]
fn a_store_that_gets_no_log_is_refused() {
    // SQLite reports no error for it: a store in memory cannot have one.
    let connection = Connection::open_in_memory().unwrap();
    assert!(store::give_log(&connection).is_err());
}

#[test]
fn a_journal_is_its_owner_s_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("journal.sqlite");
    let _open = Journal::open(&path).unwrap();
    #[cfg(unix)]
    for file in [path.clone(), wal::log_of(&path)] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}
