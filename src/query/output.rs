//! Rows of a query as text: table, JSON or CSV.

use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches;

use super::QueryError;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// A table for people.
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values with a header line.
    Csv,
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "table" => Ok(OutputFormat::Table),
            "json" => Ok(OutputFormat::Json),
            "jsonl" => Ok(OutputFormat::JsonLines),
            "csv" => Ok(OutputFormat::Csv),
            other => Err(format!("`{other}` is not a format: table, json, jsonl or csv")),
        }
    }
}

/// Prints rows.
///
/// Text is hostile: control characters are made visible in tables, and cells that a spreadsheet
/// would take for a formula are quoted in CSV.
///
/// # Errors
/// A writer that fails, or columns that have no text form.
pub fn write_rows(
    batches: &[RecordBatch],
    format: OutputFormat,
    output: &mut dyn Write,
) -> Result<(), QueryError> {
    let failed = |failure: &dyn std::fmt::Display| QueryError::engine("printing rows", failure);
    match format {
        OutputFormat::Table => {
            let visible = batches
                .iter()
                .map(|batch| harmless(batch, visible))
                .collect::<Result<Vec<_>, _>>()?;
            let table = pretty_format_batches(&visible).map_err(|e| failed(&e))?;
            writeln!(output, "{table}").map_err(|e| failed(&e))
        }
        OutputFormat::Json => {
            let mut text = Vec::new();
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(&mut text);
            for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
                writer.write(batch).map_err(|e| failed(&e))?;
            }
            writer.finish().map_err(|e| failed(&e))?;
            drop(writer);
            if text.is_empty() {
                text.extend_from_slice(b"[]");
            }
            text.push(b'\n');
            output.write_all(&text).map_err(|e| failed(&e))
        }
        OutputFormat::JsonLines => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(&mut *output);
            for batch in batches {
                writer.write(batch).map_err(|e| failed(&e))?;
            }
            writer.finish().map_err(|e| failed(&e))
        }
        OutputFormat::Csv => {
            let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(output);
            for batch in batches {
                let batch = harmless(batch, no_formula)?;
                writer.write(&batch).map_err(|e| failed(&e))?;
            }
            Ok(())
        }
    }
}

/// Replaces text columns by a harmless form and nested columns by their text.
fn harmless(batch: &RecordBatch, clean: fn(&str) -> String) -> Result<RecordBatch, QueryError> {
    let failed = |failure: &dyn std::fmt::Display| QueryError::engine("printing rows", failure);
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let text = match column.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                cast(column, &DataType::Utf8).map_err(|e| failed(&e))?
            }
            kind if kind.is_nested() => as_text(column).map_err(|e| failed(&e))?,
            _ => {
                fields.push(Field::clone(field));
                columns.push(column.clone());
                continue;
            }
        };
        let cleaned: StringArray =
            text.as_string::<i32>().iter().map(|text| text.map(clean)).collect();
        fields.push(Field::new(clean(field.name()), DataType::Utf8, true));
        columns.push(Arc::new(cleaned));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|e| failed(&e))
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let texts: StringArray = (0..column.len())
        .map(|row| column.is_valid(row).then(|| formatter.value(row).to_string()))
        .collect();
    Ok(Arc::new(texts))
}

/// Control characters, line ends among them, as visible escapes.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let harmful =
                c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let escaped = harmful.then(|| c.escape_default());
            let plain = (!harmful).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// A cell that a spreadsheet would run, with an apostrophe before it.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{text}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &str) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
        RecordBatch::try_from_iter([("text", column)]).unwrap()
    }

    fn printed(text: &str, format: OutputFormat) -> String {
        let mut output = Vec::new();
        write_rows(&[batch(text)], format, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn tables_show_control_characters_instead_of_obeying_them() {
        let table = printed("\u{1b}]52;c;AAAA\u{7}", OutputFormat::Table);
        assert!(!table.contains('\u{1b}') && !table.contains('\u{7}'), "{table:?}");
        assert!(table.contains("\\u{1b}"));
    }

    #[test]
    fn csv_cells_are_no_formulas() {
        assert!(printed("=HYPERLINK(1)", OutputFormat::Csv).contains("'=HYPERLINK"));
    }

    #[test]
    fn no_rows_are_an_empty_json_array() {
        let mut output = Vec::new();
        write_rows(&[], OutputFormat::Json, &mut output).unwrap();
        assert_eq!(output, b"[]\n");
    }
}
