//! What an import keeps account of while rows pass, whatever their format.

use std::path::Path;

use crate::dataset::{RejectRow, SourceRecord};

use super::super::dedupe::Seen;
use super::super::error::ImportError;
use super::super::outcome::ImportProgress;
use super::super::reason::BaselineReason;
use super::super::row::Row;
use super::super::segments::{RejectWriter, SegmentWriter};
use super::super::window::Window;

use super::joins::Joins;
use super::parse::Item;

/// What an import keeps account of while rows pass: all that does not depend on their format.
pub(super) struct Books {
    pub(super) progress: ImportProgress,
    seen: Seen,
    pub(super) window: Window,
    pub(super) superseded: u64,
    pub(super) segments: SegmentWriter,
    pub(super) rejects: RejectWriter,
    pub(super) joins: Joins,
}

impl Books {
    /// Books that write captures and rejects into folders that are there.
    pub(super) fn new(progress: ImportProgress, capture: &Path, rejects: &Path) -> Self {
        Books {
            progress,
            seen: Seen::default(),
            window: Window::default(),
            superseded: 0,
            segments: SegmentWriter::new(capture),
            rejects: RejectWriter::new(rejects),
            joins: Joins::new(capture),
        }
    }

    /// Books the items of a source, the one of this index, and writes the segments that are full.
    pub(super) fn book(
        &mut self,
        items: Vec<Item>,
        source: &mut SourceRecord,
        index: usize,
    ) -> Result<(), ImportError> {
        for item in items {
            match item {
                Item::Row(row) => self.take_row(row, source),
                Item::Part(part, place) => {
                    self.joins.push(part, &source.format, index, place)?;
                    // It is counted once it is known what it belongs to.
                    self.progress.lines += 1;
                    continue;
                }
                Item::Reject(row) => self.take_reject(row, source)?,
                Item::Filtered(reason) => {
                    *source.filtered.entry(reason.as_str().to_owned()).or_insert(0) += 1;
                }
                Item::Cut(bytes) => {
                    source.incomplete =
                        Some(format!("its unfinished last line of {bytes} bytes was left out"));
                    continue;
                }
            }
            source.lines += 1;
            self.progress.lines += 1;
        }
        self.segments.write_full()
    }

    /// Books a row of a source.
    pub(super) fn take_row(&mut self, row: Row, source: &mut SourceRecord) {
        if !self.seen.is_new(row.key) {
            source.duplicates += 1;
            return;
        }
        source.accepted += 1;
        self.progress.accepted += 1;
        let (segments, superseded) = (&mut self.segments, &mut self.superseded);
        self.window.push(row, |row| leave(row, segments, superseded));
    }

    /// Books a line of a source that is set aside.
    pub(super) fn take_reject(
        &mut self,
        row: RejectRow,
        source: &mut SourceRecord,
    ) -> Result<(), ImportError> {
        *source.rejected.entry(row.reason.clone()).or_insert(0) += 1;
        self.progress.rejected += 1;
        self.rejects.push(row)
    }
}

/// Passes on a row that nothing more can be found out about.
pub(super) fn leave(row: Row, segments: &mut SegmentWriter, superseded: &mut u64) {
    let reason = BaselineReason::Superseded.as_str();
    *superseded += u64::from(row.exchange.latency_baseline_reason.as_deref() == Some(reason));
    segments.push(row);
}
