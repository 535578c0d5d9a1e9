//! Accepted rows to Parquet segments with dense ordinals, and set-aside lines to theirs.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::dataset::{
    CapturedExchange, RejectRow, SegmentRecord, Table, file_sha256, write_capture_segment,
    write_segment,
};

use super::body::content_bytes;
use super::error::ImportError;
use super::row::Row;

/// Rows of a segment at most.
const SEGMENT_ROWS: usize = 8_192;

/// Bytes of content of a segment at most, unless one row has more.
const SEGMENT_BYTES: usize = 32 << 20;

/// Collects rows and writes them segment by segment.
///
/// A segment is sorted by time, file and line before its rows are numbered, so that ordinals
/// follow the order of writing.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    folder: PathBuf,
    rows: Vec<Row>,
    bytes: usize,
    /// Full segments that are not written yet.
    full: Vec<Vec<Row>>,
    next_ordinal: i32,
    hash: Sha256,
    written: Vec<SegmentRecord>,
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
            written: Vec::new(),
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

    /// Writes the segments that are full.
    pub(super) fn write_full(&mut self) -> Result<(), ImportError> {
        for rows in std::mem::take(&mut self.full) {
            self.write(rows)?;
        }
        Ok(())
    }

    fn write(&mut self, mut rows: Vec<Row>) -> Result<(), ImportError> {
        rows.sort_by(|a, b| place(&a.exchange).cmp(&place(&b.exchange)));
        let first_ordinal = self.next_ordinal;
        for Row { exchange, key } in &mut rows {
            exchange.ordinal = self.next_ordinal;
            self.next_ordinal = self.next_ordinal.checked_add(1).ok_or(ImportError::TooManyRows)?;
            self.hash.update(key.bytes());
            hash_place(&mut self.hash, exchange);
        }
        let file = format!("part-{:05}.parquet", self.written.len());
        let exchanges: Vec<&CapturedExchange> = rows.iter().map(|row| &*row.exchange).collect();
        let path = self.folder.join(&file);
        write_capture_segment(&path, &exchanges, content_bytes)?;
        let at = |row: Option<&&CapturedExchange>| row.map_or(0, |row| row.captured_at);
        self.written.push(SegmentRecord {
            file,
            first_ordinal,
            rows: exchanges.len() as u64,
            from_us: at(exchanges.first()),
            to_us: at(exchanges.last()),
            sha256: file_sha256(&path)?,
        });
        Ok(())
    }

    /// Writes what is left; the segments, and SHA-256 over their rows: of each its key and its place.
    pub(super) fn finish(mut self) -> Result<(Vec<SegmentRecord>, String), ImportError> {
        if !self.rows.is_empty() {
            self.close();
        }
        self.write_full()?;
        Ok((self.written, format!("{:x}", self.hash.finalize())))
    }
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
