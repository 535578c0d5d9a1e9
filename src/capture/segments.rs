//! Accepted rows to Parquet segments with dense ordinals, and set-aside lines to theirs.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

use crate::dataset::{
    CapturedExchange, DatasetError, RejectRow, SegmentRecord, Table, file_sha256,
    write_capture_segment, write_segment,
};

use super::body::content_bytes;
use super::error::ImportError;
use super::row::Row;

/// Rows of a segment at most.
const SEGMENT_ROWS: usize = 8_192;

/// Bytes of content of a segment at most, unless one row has more.
const SEGMENT_BYTES: usize = 32 << 20;

/// Segments that may wait while another one is written.
const WAITING_SEGMENTS: usize = 1;

/// Collects rows and writes them segment by segment, in a thread of its own.
///
/// A segment is sorted by time, file and line before its rows are numbered, so that ordinals
/// follow the order of writing.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    folder: PathBuf,
    rows: Vec<Row>,
    bytes: usize,
    /// Full segments that were not handed over yet.
    full: Vec<Vec<Row>>,
    next_ordinal: i32,
    hash: Sha256,
    handed_over: usize,
    /// Runs from the first full segment on.
    thread: Option<WritingThread>,
}

/// A thread that writes segments one after the other, the columns of each on all cores.
#[derive(Debug)]
struct WritingThread {
    segments: SyncSender<Numbered>,
    written: JoinHandle<Result<Vec<SegmentRecord>, ImportError>>,
}

/// The rows of a segment as they are written.
#[derive(Debug)]
struct Numbered {
    file: String,
    first_ordinal: i32,
    #[expect(clippy::vec_box, reason = "rows are large and come in boxes")]
    rows: Vec<Box<CapturedExchange>>,
}

impl SegmentWriter {
    /// Writes into a folder that is there.
    pub(super) fn new(folder: &Path) -> Self {
        SegmentWriter {
            folder: folder.to_owned(),
            rows: Vec::new(),
            bytes: 0,
            full: Vec::new(),
            next_ordinal: 0,
            hash: Sha256::new(),
            handed_over: 0,
            thread: None,
        }
    }

    /// Takes a row; nothing is written yet.
    pub(super) fn push(&mut self, row: Row) {
        let bytes = content_bytes(&row.exchange);
        if self.rows.len() >= SEGMENT_ROWS
            || (!self.rows.is_empty() && self.bytes + bytes > SEGMENT_BYTES)
        {
            self.close();
        }
        self.bytes += bytes;
        self.rows.push(row);
    }

    fn close(&mut self) {
        self.bytes = 0;
        self.full.push(std::mem::take(&mut self.rows));
    }

    /// Has the segments written that are full; waits while too many others are not written yet.
    ///
    /// # Errors
    /// Also what kept an earlier segment from being written.
    pub(super) fn write_full(&mut self) -> Result<(), ImportError> {
        for rows in std::mem::take(&mut self.full) {
            let segment = self.number(rows)?;
            let thread = match &mut self.thread {
                Some(thread) => thread,
                none => none.insert(WritingThread::start(&self.folder)?),
            };
            if thread.segments.send(segment).is_err() {
                // It takes no more because it has failed.
                self.stop()?;
            }
        }
        Ok(())
    }

    fn number(&mut self, mut rows: Vec<Row>) -> Result<Numbered, ImportError> {
        rows.sort_by(|a, b| place(&a.exchange).cmp(&place(&b.exchange)));
        let first_ordinal = self.next_ordinal;
        for Row { exchange, key } in &mut rows {
            exchange.ordinal = self.next_ordinal;
            self.next_ordinal = self.next_ordinal.checked_add(1).ok_or(ImportError::TooManyRows)?;
            self.hash.update(key.bytes());
            hash_place(&mut self.hash, exchange);
        }
        let file = format!("part-{:05}.parquet", self.handed_over);
        self.handed_over += 1;
        let rows = rows.into_iter().map(|row| row.exchange).collect();
        Ok(Numbered { file, first_ordinal, rows })
    }

    /// Waits until all is written that was handed over.
    fn stop(&mut self) -> Result<Vec<SegmentRecord>, ImportError> {
        let Some(WritingThread { segments, written }) = self.thread.take() else {
            return Ok(Vec::new());
        };
        drop(segments);
        written.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Writes what is left; the segments, and SHA-256 over their rows: of each its key and its place.
    pub(super) fn finish(mut self) -> Result<(Vec<SegmentRecord>, String), ImportError> {
        if !self.rows.is_empty() {
            self.close();
        }
        self.write_full()?;
        let written = self.stop()?;
        Ok((written, format!("{:x}", std::mem::take(&mut self.hash).finalize())))
    }
}

impl Drop for SegmentWriter {
    /// After an error elsewhere: nobody must find the thread writing into a folder that is removed.
    fn drop(&mut self) {
        if let Some(WritingThread { segments, written }) = self.thread.take() {
            drop(segments);
            let _ = written.join();
        }
    }
}

impl WritingThread {
    fn start(folder: &Path) -> Result<Self, DatasetError> {
        let (segments, waiting) = sync_channel(WAITING_SEGMENTS);
        let written = {
            let folder = folder.to_owned();
            std::thread::Builder::new()
                .name("segment writer".to_owned())
                .spawn(move || write_all(&folder, &waiting))
        };
        let written = written.map_err(|source| DatasetError::io("write in", folder, source))?;
        Ok(WritingThread { segments, written })
    }
}

fn write_all(
    folder: &Path,
    waiting: &Receiver<Numbered>,
) -> Result<Vec<SegmentRecord>, ImportError> {
    waiting.iter().map(|segment| write(folder, segment)).collect()
}

fn write(folder: &Path, segment: Numbered) -> Result<SegmentRecord, ImportError> {
    let Numbered { file, first_ordinal, rows } = segment;
    let path = folder.join(&file);
    let at = |row: Option<&Box<CapturedExchange>>| row.map_or(0, |row| row.captured_at);
    let (from_us, to_us) = (at(rows.first()), at(rows.last()));
    let summary = write_capture_segment(&path, rows, content_bytes)?;
    let sha256 = file_sha256(&path)?;
    let rows = summary.rows as u64;
    Ok(SegmentRecord { file, first_ordinal, rows, from_us, to_us, sha256 })
}

fn place(row: &CapturedExchange) -> (i64, &str, i64) {
    (row.captured_at, &row.source_file, row.source_line)
}

/// Hashes what the key of a row leaves out.
fn hash_place(hash: &mut Sha256, row: &CapturedExchange) {
    hash.update(row.ordinal.to_le_bytes());
    hash.update(row.source_line.to_le_bytes());
    hash.update((row.source_file.len() as u64).to_le_bytes());
    hash.update(&row.source_file);
}

/// Collects the lines that are set aside and writes them part by part.
#[derive(Debug)]
pub(super) struct RejectWriter {
    folder: PathBuf,
    rows: Vec<RejectRow>,
    parts: usize,
    total: u64,
}

impl RejectWriter {
    /// Writes into a folder that is there.
    pub(super) fn new(folder: &Path) -> Self {
        RejectWriter { folder: folder.to_owned(), rows: Vec::new(), parts: 0, total: 0 }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, row: RejectRow) -> Result<(), ImportError> {
        self.rows.push(row);
        self.total += 1;
        if self.rows.len() >= SEGMENT_ROWS {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), ImportError> {
        let path = self.folder.join(format!("part-{:05}.parquet", self.parts));
        write_segment(&path, Table::Rejects, &self.rows, |row| row.excerpt.len())?;
        self.rows.clear();
        self.parts += 1;
        Ok(())
    }

    /// Writes what is left, at least one file; the number of rows in all.
    pub(super) fn finish(mut self) -> Result<u64, ImportError> {
        if self.parts == 0 || !self.rows.is_empty() {
            self.write()?;
        }
        Ok(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::read_rows;

    fn row(id: &str, captured_at: i64, bytes: usize) -> Row {
        Row::new(Box::new(CapturedExchange {
            request_id: id.to_owned(),
            captured_at,
            request_body: Some("x".repeat(bytes)),
            ..CapturedExchange::default()
        }))
    }

    #[test]
    fn segments_roll_by_bytes_and_rows_and_ordinals_follow_the_order_of_writing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::new(folder.path());
        writer.push(row("b", 2, 10));
        writer.push(row("a", 1, SEGMENT_BYTES - 5_000));
        writer.push(row("c", 0, SEGMENT_BYTES));
        for index in 0..=SEGMENT_ROWS {
            writer.push(row(&index.to_string(), 5, 0));
        }
        let (segments, hash) = writer.finish().unwrap();
        let shapes: Vec<_> = segments
            .iter()
            .map(|segment| (segment.first_ordinal, segment.rows, segment.from_us, segment.to_us))
            .collect();
        let full = SEGMENT_ROWS as u64;
        assert_eq!(shapes, [(0, 2, 1, 2), (2, 1, 0, 0), (3, full, 5, 5), (8_195, 1, 5, 5)]);
        let mut expected = Sha256::new();
        let mut ordinals = Vec::new();
        for segment in &segments {
            let path = folder.path().join(&segment.file);
            for row in read_rows::<CapturedExchange>(&path, Table::Capture, None, None).unwrap() {
                ordinals.push(row.ordinal);
                expected.update(crate::capture::dedupe::RowKey::of(&row).bytes());
                hash_place(&mut expected, &row);
            }
        }
        assert_eq!(ordinals, (0..8_196).collect::<Vec<i32>>());
        assert_eq!(hash, format!("{:x}", expected.finalize()), "rows as they are read back");
    }

    #[test]
    fn there_is_always_a_part_of_rejects() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RejectWriter::new(folder.path()).finish().unwrap(), 0);
        let path = folder.path().join("part-00000.parquet");
        assert!(read_rows::<RejectRow>(&path, Table::Rejects, None, None).unwrap().is_empty());
        let mut writer = RejectWriter::new(folder.path());
        for _ in 0..SEGMENT_ROWS {
            writer.push(RejectRow::default()).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), SEGMENT_ROWS as u64);
        assert!(!folder.path().join("part-00001.parquet").exists());
    }
}
