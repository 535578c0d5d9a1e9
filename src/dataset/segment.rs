//! Parquet segments: immutable files of rows, written whole or not at all.

use std::cmp::Reverse;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Field;
use arrow::datatypes::{FieldRef, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::capture_columns::{COLUMNS, Column, columns_of};
use super::files::create_private_file;
use super::{
    CapturedExchange, DatasetError, PlannedRow, capture_schema, planned_schema, rejects_schema,
    results_schema, write_atomically,
};

/// Rows of one row group; a row group is the unit in which a replay reads request bodies.
const ROW_GROUP_ROWS: usize = 4_096;

/// A row group is closed early when its rows hold more than this many bytes of content.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// zstd level 1: compression is the largest single cost of an import.
const ZSTD_LEVEL: i32 = 1;

/// A table that is kept in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Captured exchanges.
    Capture,
    /// Attempts of a replay.
    Results,
    /// Lines that were set aside.
    Rejects,
    /// What a replay intends.
    Planned,
}

impl Table {
    /// The table's name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Table::Capture => "capture",
            Table::Results => "results",
            Table::Rejects => "rejects",
            Table::Planned => "planned",
        }
    }

    /// The table's schema.
    pub fn schema(self) -> SchemaRef {
        match self {
            Table::Capture => capture_schema(),
            Table::Results => results_schema(),
            Table::Rejects => rejects_schema(),
            Table::Planned => planned_schema(),
        }
    }
}

/// A written segment in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSummary {
    /// Rows.
    pub rows: usize,
    /// Row groups.
    pub row_groups: usize,
}

/// Writes rows as one Parquet file, atomically; `weight` gives the bytes of content of a row.
pub fn write_segment<T: Serialize>(
    path: &Path,
    table: Table,
    rows: &[T],
    weight: impl Fn(&T) -> usize,
) -> Result<SegmentSummary, DatasetError> {
    let schema = table.schema();
    let groups = row_groups(rows, weight);
    write_atomically(path, |file| {
        let properties = writer_properties(&schema);
        let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .map_err(|failure| parquet_error("write", path, &failure))?;
        for group in &groups {
            let batch = to_batch(table, &schema, group)?;
            writer.write(&batch).map_err(|failure| parquet_error("write", path, &failure))?;
            writer.flush().map_err(|failure| parquet_error("write", path, &failure))?;
        }
        writer.finish().map_err(|failure| parquet_error("write", path, &failure))?;
        Ok(())
    })?;
    Ok(SegmentSummary { rows: rows.len(), row_groups: groups.len() })
}

/// Writes rows of the capture as one Parquet file, its columns on all cores.
///
/// The file is not synced: whoever puts the folder in its place does that for all files at once.
pub fn write_capture_segment(
    path: &Path,
    mut rows: Vec<Box<CapturedExchange>>,
    weight: impl Fn(&CapturedExchange) -> usize,
) -> Result<SegmentSummary, DatasetError> {
    let schema = capture_schema();
    let failed = |failure: ParquetError| parquet_error("write", path, &failure);
    let groups = row_groups(&rows, |row| weight(row));
    let lengths: Vec<usize> = groups.into_iter().map(<[_]>::len).collect();
    let file = create_private_file(path)?;
    let properties = writer_properties(&schema);
    let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(failed)?;
    let (mut writer, factory) = writer.into_serialized_writer().map_err(failed)?;
    let mut tasks = Vec::with_capacity(lengths.len() * COLUMNS.len());
    let mut rest = rows.as_mut_slice();
    for (index, length) in lengths.iter().enumerate() {
        let (group, others) = std::mem::take(&mut rest).split_at_mut(*length);
        rest = others;
        let encoders = factory.create_column_writers(index).map_err(failed)?;
        let columns = columns_of(group).into_iter().zip(schema.fields());
        tasks.extend(encoders.into_iter().zip(columns));
    }
    let mut encoded = encode(tasks).map_err(failed)?.into_iter();
    for _ in &lengths {
        let mut row_group = writer.next_row_group().map_err(failed)?;
        for chunk in encoded.by_ref().take(COLUMNS.len()) {
            chunk.append_to_row_group(&mut row_group).map_err(failed)?;
        }
        row_group.close().map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(SegmentSummary { rows: rows.len(), row_groups: lengths.len() })
}

/// Encodes columns on all cores; they come back in the order in which they were given.
///
/// The largest are begun first, so that the cores end at about the same time.
fn encode(
    columns: Vec<(ArrowColumnWriter, (Column<'_>, &Arc<Field>))>,
) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
    let mut tasks: Vec<_> = columns.into_iter().enumerate().collect();
    tasks.sort_by_key(|(_, (_, (column, _)))| Reverse(column.bytes()));
    let encoded: Result<Vec<(usize, ArrowColumnChunk)>, ParquetError> = tasks
        .into_par_iter()
        .with_max_len(1)
        .map(|(index, (mut encoder, (column, field)))| {
            let array = column.build()?;
            // A column may be at hand in another layout than the file states.
            let field = field.as_ref().clone().with_data_type(array.data_type().clone());
            for leaf in compute_leaves(&field, &array)? {
                encoder.write(&leaf)?;
            }
            Ok((index, encoder.close()?))
        })
        .collect();
    let mut encoded = encoded?;
    encoded.sort_unstable_by_key(|(index, _)| *index);
    Ok(encoded.into_iter().map(|(_, chunk)| chunk).collect())
}

/// Rows of the table `planned` as one batch, before they are in a file.
pub fn planned_batch(rows: &[PlannedRow]) -> Result<RecordBatch, DatasetError> {
    to_batch(Table::Planned, &planned_schema(), rows)
}

/// Reads rows of some columns of a Parquet file, one row group or all.
///
/// Columns that `columns` leaves out come back with their default values.
pub fn read_rows<T: DeserializeOwned>(
    path: &Path,
    table: Table,
    columns: Option<&[&str]>,
    row_group: Option<usize>,
) -> Result<Vec<T>, DatasetError> {
    let file = File::open(path).map_err(|source| DatasetError::io("read", path, source))?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|failure| parquet_error("read", path, &failure))?;
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    if let Some(row_group) = row_group {
        if row_group >= builder.metadata().num_row_groups() {
            return Err(DatasetError::Parquet {
                action: "read",
                path: path.to_owned(),
                message: format!("it has no row group {row_group}"),
            });
        }
        builder = builder.with_row_groups(vec![row_group]);
    }
    let reader = builder
        .with_batch_size(ROW_GROUP_ROWS)
        .build()
        .map_err(|failure| parquet_error("read", path, &failure))?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|failure| DatasetError::Parquet {
            action: "read",
            path: path.to_owned(),
            message: failure.to_string(),
        })?;
        rows.extend(from_batch::<T>(table, &batch)?);
    }
    Ok(rows)
}

fn to_batch<T: Serialize>(
    table: Table,
    schema: &SchemaRef,
    rows: &[T],
) -> Result<RecordBatch, DatasetError> {
    let fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
    let batch = serde_arrow::to_record_batch(&fields, &rows)
        .map_err(|failure| convert_error(table, &failure))?;
    // serde_arrow builds the batch without the fields' comments; the file keeps them.
    RecordBatch::try_new(schema.clone(), batch.columns().to_vec())
        .map_err(|failure| convert_error(table, &failure))
}

fn from_batch<T: DeserializeOwned>(
    table: Table,
    batch: &RecordBatch,
) -> Result<Vec<T>, DatasetError> {
    serde_arrow::from_record_batch(batch).map_err(|failure| convert_error(table, &failure))
}

fn row_groups<T>(rows: &[T], weight: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut groups = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (index, row) in rows.iter().enumerate() {
        let row_bytes = weight(row);
        let full = index - start >= ROW_GROUP_ROWS || bytes + row_bytes > ROW_GROUP_BYTES;
        if index > start && full {
            groups.push(&rows[start..index]);
            start = index;
            bytes = 0;
        }
        bytes += row_bytes;
    }
    if start < rows.len() {
        groups.push(&rows[start..]);
    }
    groups
}

fn writer_properties(schema: &SchemaRef) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by(format!("rehearsal {}", env!("CARGO_PKG_VERSION")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS * 2));
    // Dictionaries and statistics pay for names, not for texts that are long or hardly repeat.
    for name in [
        "request_body",
        "response_text",
        "tool_calls",
        "request_id",
        "prompt_fingerprint",
        "losses",
    ] {
        if schema.column_with_name(name).is_some() {
            let column = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), name == "losses")
                .set_column_statistics_enabled(column, EnabledStatistics::None);
        }
    }
    properties.build()
}

fn parquet_error(action: &'static str, path: &Path, failure: &ParquetError) -> DatasetError {
    // A full disk is no fault of the file: the system's own words are kept.
    if let ParquetError::External(inner) = failure
        && let Some(system) = inner.downcast_ref::<std::io::Error>()
    {
        let source = match system.raw_os_error() {
            Some(number) => std::io::Error::from_raw_os_error(number),
            None => std::io::Error::new(system.kind(), system.to_string()),
        };
        return DatasetError::io(action, path, source);
    }
    DatasetError::Parquet { action, path: path.to_owned(), message: failure.to_string() }
}

fn convert_error(table: Table, failure: &dyn std::fmt::Display) -> DatasetError {
    DatasetError::Convert { table: table.name(), message: failure.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{AttemptRow, CapturedExchange};

    #[test]
    fn rows_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.parquet");
        let row = AttemptRow {
            arm: "next".into(),
            is_final: true,
            scheduled_at: 1_717_401_600_123_456,
            event_offsets_us: Some(vec![1, 2, 3]),
            latency_ms: 12.5,
            cost_nanousd: Some(7),
            ..AttemptRow::default()
        };
        let rows = vec![row, AttemptRow::default()];
        write_segment(&path, Table::Results, &rows, |_| 0).unwrap();
        assert_eq!(read_rows::<AttemptRow>(&path, Table::Results, None, None).unwrap(), rows);
    }

    #[test]
    fn a_row_group_holds_neither_too_many_rows_nor_too_many_bytes() {
        let rows = vec![(); ROW_GROUP_ROWS + 1];
        assert_eq!(row_groups(&rows, |()| 0).len(), 2);
        assert_eq!(row_groups(&rows[..3], |()| ROW_GROUP_BYTES).len(), 3);
    }

    #[test]
    fn a_projection_leaves_the_other_columns_at_their_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.parquet");
        let row = CapturedExchange {
            ordinal: 3,
            request_id: "r".into(),
            request_body: Some("{}".into()),
            ..CapturedExchange::default()
        };
        write_segment(&path, Table::Capture, &[row], |_| 2).unwrap();
        let columns: &[&str] = &["ordinal", "request_body"];
        let read: Vec<CapturedExchange> =
            read_rows(&path, Table::Capture, Some(columns), Some(0)).unwrap();
        assert_eq!(read[0].ordinal, 3);
        assert_eq!(read[0].request_body.as_deref(), Some("{}"));
        assert_eq!(read[0].request_id, "");
    }
}
