//! Parquet files as input: our own captures, and any table with columns that a format knows.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::dataset::{CapturedExchange, DatasetError, ForeignTable, TableRows};

use super::super::error::ImportError;
use super::super::format::{LogFormat, ReadContext, detect};
use super::super::frame::{Framing, Line};
use super::super::redact::Redactor;
use super::parse::{Item, Parser};

/// The `format` of a manifest for a capture that is imported again.
const OWN_FORMAT: &str = "rehearsal";

/// Whether a file is Parquet, by its first bytes. A pipe never is, as reading it would take its
/// first bytes away.
pub(super) fn is_table(path: &Path) -> bool {
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == *b"PAR1"
}

/// SHA-256 and length of a file.
pub(super) fn fingerprint(path: &Path) -> Result<(String, u64), ImportError> {
    let failed = |source| DatasetError::io("read", path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let bytes = std::io::copy(&mut file, &mut hash).map_err(failed)?;
    Ok((format!("{:x}", hash.finalize()), bytes))
}

/// The rows of a Parquet file.
pub(super) struct Rows {
    table: ForeignTable,
    first: Option<TableRows>,
    format: Option<&'static dyn LogFormat>,
    confidence: Option<u8>,
    next_row: u64,
}

impl Rows {
    /// Opens a file and tells its format by its first rows.
    pub(super) fn open(
        path: &Path,
        forced: Option<&'static dyn LogFormat>,
    ) -> Result<Self, ImportError> {
        let mut table = ForeignTable::open(path)?;
        let first = table.next_rows();
        let mut rows = Rows { table, first, format: forced, confidence: None, next_row: 1 };
        if let (Some(TableRows::Records(records)), None) = (&rows.first, forced) {
            let records: Vec<Value> = records.iter().take(20).cloned().collect();
            let Some((format, confidence)) = detect(&records) else {
                return Err(ImportError::UnknownFormat {
                    file: path.to_string_lossy().into_owned(),
                    problem: "its columns are not those of a format".to_owned(),
                });
            };
            rows.format = Some(format);
            rows.confidence = Some(confidence.0);
        }
        Ok(rows)
    }

    pub(super) fn format_name(&self) -> &'static str {
        match &self.first {
            Some(TableRows::Exchanges(_)) => OWN_FORMAT,
            _ => self.format.map_or(OWN_FORMAT, LogFormat::name),
        }
    }

    pub(super) fn confidence(&self) -> Option<u8> {
        self.confidence
    }

    /// What ended reading early.
    pub(super) fn failure(&self) -> Option<String> {
        self.table.failure().map(str::to_owned)
    }

    /// The next rows, read by their format.
    pub(super) fn next(
        &mut self,
        file: &str,
        context: &ReadContext,
        redactor: &dyn Redactor,
    ) -> Option<Result<Vec<Item>, ImportError>> {
        let rows = self.first.take().or_else(|| self.table.next_rows())?;
        let framing = Framing::Lines;
        let first = self.next_row;
        let parser = |format| Parser { file, framing: &framing, format, context, redactor };
        Some(Ok(match rows {
            TableRows::Exchanges(rows) => {
                self.next_row += rows.len() as u64;
                let plain = super::super::format::FORMATS.first()?;
                let parser = parser(*plain);
                let item = |(index, row): (usize, CapturedExchange)| {
                    own(&parser, row, first + index as u64)
                };
                rows.into_par_iter().enumerate().map(item).collect()
            }
            TableRows::Records(records) => {
                self.next_row += records.len() as u64;
                let parser = parser(self.format?);
                let item = |(index, record): (usize, Value)| {
                    let line = row_line(first + index as u64);
                    parser.record(&record, &line)
                };
                records.into_par_iter().enumerate().flat_map_iter(item).collect()
            }
        }))
    }
}

/// A row of a capture keeps the format that it was first read from.
fn own(parser: &Parser<'_>, row: CapturedExchange, line: u64) -> Item {
    let format = row.source_format.clone();
    let mut row = parser.row(Box::new(row), line);
    row.exchange.source_format = format;
    Item::Row(super::super::row::Row::new(row.exchange))
}

fn row_line(number: u64) -> Line {
    Line { range: 0..0, number, offset: 0, oversize: None, unended: false }
}
