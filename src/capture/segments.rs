//! Accepted rows to Parquet segments with dense ordinals, and set-aside lines to theirs.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::dataset::{CapturedExchange, RejectRow, SegmentRecord, Table, write_segment};

use super::body::content_bytes;
use super::error::ImportError;

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
    rows: Vec<CapturedExchange>,
    bytes: usize,
    /// Full segments that are not written yet.
    full: Vec<Vec<CapturedExchange>>,
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
    pub(super) fn push(&mut self, row: CapturedExchange) {
        let bytes = content_bytes(&row);
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

    fn write(&mut self, mut rows: Vec<CapturedExchange>) -> Result<(), ImportError> {
        rows.sort_by(|a, b| {
            let key = |row: &CapturedExchange| (row.captured_at, row.source_line);
            (key(a).0, &a.source_file, key(a).1).cmp(&(key(b).0, &b.source_file, key(b).1))
        });
        let first_ordinal = self.next_ordinal;
        let mut json = Vec::new();
        for row in &mut rows {
            row.ordinal = self.next_ordinal;
            self.next_ordinal = self.next_ordinal.checked_add(1).ok_or(ImportError::TooManyRows)?;
            json.clear();
            // A row of plain fields always serialises, and a Vec takes every byte.
            let _ = serde_json::to_writer(&mut json, row);
            json.push(b'\n');
            self.hash.update(&json);
        }
        let file = format!("part-{:05}.parquet", self.written.len());
        write_segment(&self.folder.join(&file), Table::Capture, &rows, content_bytes)?;
        self.written.push(SegmentRecord {
            file,
            first_ordinal,
            rows: rows.len() as u64,
            from_us: rows.first().map_or(0, |row| row.captured_at),
            to_us: rows.last().map_or(0, |row| row.captured_at),
        });
        Ok(())
    }

    /// Writes what is left; the segments, and SHA-256 over their rows, each as JSON and a newline.
    pub(super) fn finish(mut self) -> Result<(Vec<SegmentRecord>, String), ImportError> {
        if !self.rows.is_empty() {
            self.close();
        }
        self.write_full()?;
        Ok((self.written, format!("{:x}", self.hash.finalize())))
    }
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

    fn row(id: &str, captured_at: i64, bytes: usize) -> CapturedExchange {
        CapturedExchange {
            request_id: id.to_owned(),
            captured_at,
            request_body: Some("x".repeat(bytes)),
            ..CapturedExchange::default()
        }
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
        let mut text = Vec::new();
        let mut ordinals = Vec::new();
        for segment in &segments {
            let path = folder.path().join(&segment.file);
            for row in read_rows::<CapturedExchange>(&path, Table::Capture, None, None).unwrap() {
                ordinals.push(row.ordinal);
                serde_json::to_writer(&mut text, &row).unwrap();
                text.push(b'\n');
            }
        }
        assert_eq!(ordinals, (0..8_196).collect::<Vec<i32>>());
        assert_eq!(hash, crate::dataset::sha256_hex(text), "rows as they are read back");
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
