//! Parquet files of other people, read so that a hostile one can do no harm.
//!
//! Reading happens in a thread of its own: a library that panics on damaged data ends that thread,
//! not the program. What was read before is kept.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use arrow::array::RecordBatch;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use serde_json::Value;

use super::{CapturedExchange, DatasetError};

/// The name of the reading thread, by which a panic in it is known to be handled.
pub const TABLE_THREAD: &str = "parquet reader";

/// Rows of one batch.
const BATCH_ROWS: usize = 1_024;

/// The largest footer that is read.
const MAX_FOOTER_BYTES: u64 = 64 << 20;

/// Columns by which a file is known to be one of our own captures.
const OWN_COLUMNS: &[&str] = &[
    "ordinal",
    "request_id",
    "captured_at",
    "source_format",
    "operation",
    "request_model",
    "content_state",
    "replayable",
];

/// Some rows of a Parquet file, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum TableRows {
    /// Rows of a capture.
    Exchanges(Vec<CapturedExchange>),
    /// Rows of any other table: objects by column name.
    Records(Vec<Value>),
}

/// A Parquet file that is being read.
#[derive(Debug)]
pub struct ForeignTable {
    batches: Receiver<Result<TableRows, String>>,
    failure: Option<String>,
}

impl ForeignTable {
    /// Opens a file and begins to read it.
    ///
    /// # Errors
    /// A file that cannot be opened; what is wrong inside it shows in [`ForeignTable::failure`].
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|source| DatasetError::io("read", path, source))?;
        let (sender, batches) = sync_channel(1);
        let read = move || {
            let mut send = |rows| sender.send(rows).is_ok();
            if let Err(problem) = read(file, &mut send) {
                // Nobody listens any more if this cannot be sent.
                let _ = sender.send(Err(problem));
            }
        };
        std::thread::Builder::new()
            .name(TABLE_THREAD.to_owned())
            .spawn(read)
            .map_err(|source| DatasetError::io("read", path, source))?;
        Ok(ForeignTable { batches, failure: None })
    }

    /// The next rows; `None` at the end, or where nothing more can be read.
    pub fn next_rows(&mut self) -> Option<TableRows> {
        match self.batches.recv() {
            Ok(Ok(TableRows::Records(rows))) if rows.is_empty() => None,
            Ok(Ok(rows)) => Some(rows),
            Ok(Err(problem)) => {
                self.failure = Some(problem);
                None
            }
            // The thread ended without saying that it was done.
            Err(_) => {
                let problem = "the file is damaged, and its rest cannot be read".to_owned();
                self.failure.get_or_insert(problem);
                None
            }
        }
    }

    /// What ended reading early.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

/// Reads all batches; an empty batch of records says that this is the end.
fn read(
    file: File,
    send: &mut impl FnMut(Result<TableRows, String>) -> bool,
) -> Result<(), String> {
    check_footer(&file)?;
    let metadata = ArrowReaderMetadata::load(
        &file,
        parquet::arrow::arrow_reader::ArrowReaderOptions::default(),
    )
    .map_err(|failure| problem(&failure))?;
    let names: HashSet<&str> =
        metadata.schema().fields().iter().map(|field| field.name().as_str()).collect();
    let is_own = OWN_COLUMNS.iter().all(|name| names.contains(name));
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|failure| problem(&failure))?;
    for batch in reader {
        let batch = batch.map_err(|failure| problem(&failure))?;
        let rows = if is_own {
            let rows =
                serde_arrow::from_record_batch(&batch).map_err(|failure| problem(&failure))?;
            TableRows::Exchanges(rows)
        } else {
            TableRows::Records(records(&batch)?)
        };
        if batch.num_rows() > 0 && !send(Ok(rows)) {
            return Ok(());
        }
    }
    send(Ok(TableRows::Records(Vec::new())));
    Ok(())
}

/// The first line of what a library says, which may quote nothing of the data.
fn problem(failure: &dyn std::fmt::Display) -> String {
    let text = failure.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("the Parquet file cannot be read: {}", line.chars().take(200).collect::<String>())
}

/// The last eight bytes state the length of the footer, which must fit the file.
fn check_footer(file: &File) -> Result<(), String> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = file;
    let damaged = |_| "the Parquet file has no footer".to_owned();
    let length = file.seek(SeekFrom::End(0)).map_err(damaged)?;
    let mut tail = [0; 8];
    if length < 12 {
        return Err("the Parquet file has no footer".to_owned());
    }
    file.seek(SeekFrom::End(-8)).map_err(damaged)?;
    file.read_exact(&mut tail).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let [a, b, c, d, magic @ ..] = tail;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if magic != *b"PAR1" {
        return Err("the Parquet file is cut: it has no footer".to_owned());
    }
    if footer + 12 > length || footer > MAX_FOOTER_BYTES {
        return Err(format!("the Parquet file states a footer of {footer} bytes, which cannot be"));
    }
    Ok(())
}

/// Rows as JSON objects; bytes that are text are taken as text.
fn records(batch: &RecordBatch) -> Result<Vec<Value>, String> {
    let safe = CastOptions { safe: true, ..CastOptions::default() };
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let is_bytes = matches!(
            field.data_type(),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView
        );
        let column = if is_bytes {
            cast_with_options(column, &DataType::LargeUtf8, &safe).map_err(|f| problem(&f))?
        } else {
            column.clone()
        };
        fields.push(Field::new(field.name(), column.data_type().clone(), true));
        columns.push(column);
    }
    let schema = std::sync::Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema, columns).map_err(|failure| problem(&failure))?;
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&batch).map_err(|failure| problem(&failure))?;
    writer.finish().map_err(|failure| problem(&failure))?;
    let text = writer.into_inner();
    let stream = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
    stream.collect::<Result<_, _>>().map_err(|failure| problem(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Table, write_segment};
    use arrow::array::{BinaryArray, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;
    use serde_json::json;
    use std::sync::Arc;

    fn all(path: &Path) -> (Vec<TableRows>, Option<String>) {
        let mut table = ForeignTable::open(path).unwrap();
        let mut rows = Vec::new();
        while let Some(next) = table.next_rows() {
            rows.push(next);
        }
        (rows, table.failure().map(str::to_owned))
    }

    #[test]
    fn our_own_captures_come_back_as_exchanges() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.parquet");
        let row = CapturedExchange { request_id: "a".into(), ..CapturedExchange::default() };
        write_segment(&path, Table::Capture, std::slice::from_ref(&row), |_| 0).unwrap();
        assert_eq!(all(&path), (vec![TableRows::Exchanges(vec![row])], None));
    }

    fn foreign(path: &Path) {
        let schema = Arc::new(Schema::new(vec![
            Field::new("request", DataType::Binary, true),
            Field::new("latency_ms", DataType::Int64, true),
            Field::new("id", DataType::Utf8, false),
        ]));
        let batch = RecordBatch::try_new(
            schema.clone(),
            vec![
                Arc::new(BinaryArray::from_opt_vec(vec![Some(b"{\"a\":1}"), Some(b"\xff")])),
                Arc::new(Int64Array::from(vec![Some(5), None])),
                Arc::new(StringArray::from(vec!["x", "y"])),
            ],
        )
        .unwrap();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn other_tables_come_as_objects_by_column_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.parquet");
        foreign(&path);
        let records =
            vec![json!({"request": "{\"a\":1}", "latency_ms": 5, "id": "x"}), json!({"id": "y"})];
        assert_eq!(all(&path), (vec![TableRows::Records(records)], None));
    }

    #[test]
    fn a_damaged_file_says_so_and_harms_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.parquet");
        foreign(&path);
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 4, 11, whole.len() - 1, whole.len() / 2] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (rows, failure) = all(&path);
            assert!(rows.is_empty() && failure.is_some(), "cut at {cut}");
        }
        let mut said = 0;
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            std::fs::write(&path, &damaged).unwrap();
            said += usize::from(all(&path).1.is_some());
        }
        assert!(said > whole.len() / 4, "{said} of {} flipped bytes were noticed", whole.len());
    }
}
