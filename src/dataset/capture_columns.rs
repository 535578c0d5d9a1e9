//! Rows of the table `capture` to Arrow columns, one source a column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryViewBuilder, BooleanArray, Float64Array, Int32Array, Int64Array,
    ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use super::CapturedExchange as Row;

/// Where the values of a column come from.
#[derive(Clone, Copy)]
pub(super) enum ColumnSource {
    /// Builds an array of the values of some rows.
    Values(fn(&[&Row]) -> ArrayRef),
    /// Takes a long text out of a row: a copy of all of them would cost as much as parsing them.
    Content(fn(&mut Row) -> Option<String>),
}

/// One column of some rows.
pub(super) enum Column<'r> {
    /// Still in the rows.
    Values(fn(&[&Row]) -> ArrayRef, Arc<[&'r Row]>),
    /// Taken out of them.
    Content(Vec<Option<String>>),
}

impl Column<'_> {
    /// About how many bytes of content it has.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Column::Values(..) => 0,
            Column::Content(texts) => texts.iter().flatten().map(String::len).sum(),
        }
    }

    /// The column as an array. Texts that were taken are a view of them.
    pub(super) fn build(self) -> Result<ArrayRef, ArrowError> {
        match self {
            Column::Values(build, rows) => Ok(build(&rows)),
            Column::Content(texts) => view(texts),
        }
    }
}

/// The columns of some rows in the order of the schema; content leaves the rows for them.
pub(super) fn columns_of(rows: &mut [Box<Row>]) -> Vec<Column<'_>> {
    let taken: Vec<Option<Vec<Option<String>>>> = COLUMNS
        .iter()
        .map(|source| match source {
            ColumnSource::Content(take) => Some(rows.iter_mut().map(|row| take(row)).collect()),
            ColumnSource::Values(_) => None,
        })
        .collect();
    let rows: Arc<[&Row]> = rows.iter().map(|row| &**row).collect();
    let column = |(source, taken): (&ColumnSource, Option<_>)| match source {
        ColumnSource::Content(_) => Column::Content(taken.unwrap_or_default()),
        ColumnSource::Values(build) => Column::Values(*build, Arc::clone(&rows)),
    };
    COLUMNS.iter().zip(taken).map(column).collect()
}

/// Texts as an array that refers to them where they lie; as bytes, for it is known that they are
/// text, and an array of text would look at them again.
fn view(texts: Vec<Option<String>>) -> Result<ArrayRef, ArrowError> {
    let mut views = BinaryViewBuilder::with_capacity(texts.len());
    for text in texts {
        let Some(text) = text else {
            views.append_null();
            continue;
        };
        let length = u32::try_from(text.len())
            .ok()
            .filter(|length| *length < u32::MAX)
            .ok_or_else(|| ArrowError::ComputeError("a text has over 4 GiB".to_owned()))?;
        let block = views.append_block(Buffer::from(text.into_bytes()));
        views.try_append_view(block, 0, length)?;
    }
    Ok(Arc::new(views.finish()))
}

macro_rules! column {
    (text $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.$field)))
        })
    };
    (text? $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(StringArray::from_iter(rows.iter().map(|row| row.$field.as_deref())))
        })
    };
    (content? $field:ident) => {
        ColumnSource::Content(|row| row.$field.take())
    };
    (int $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.$field)))
        })
    };
    (int? $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.$field)))
        })
    };
    (long $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.$field)))
        })
    };
    (long? $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.$field)))
        })
    };
    (float? $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.$field)))
        })
    };
    (bool $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.$field))))
        })
    };
    (bool? $field:ident) => {
        ColumnSource::Values(|rows| {
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.$field)))
        })
    };
    (time $field:ident) => {
        ColumnSource::Values(|rows| {
            let times = rows.iter().map(|row| row.$field);
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
        })
    };
    (texts $field:ident) => {
        ColumnSource::Values(|rows| texts(rows, |row| &row.$field))
    };
}

/// The columns in the order of the schema.
pub(super) const COLUMNS: &[ColumnSource] = &[
    column!(int ordinal),
    column!(text request_id),
    column!(text? session_id),
    column!(text? user_id),
    column!(time captured_at),
    column!(text source_format),
    column!(text source_file),
    column!(long source_line),
    column!(text? provider),
    column!(text operation),
    column!(text? route),
    column!(text? tenant),
    column!(text? tags),
    column!(text request_model),
    column!(text? response_model),
    column!(text? dialect),
    column!(content? request_body),
    column!(bool? stream),
    column!(float? temperature),
    column!(float? top_p),
    column!(long? max_output_tokens),
    column!(long? n),
    column!(long? seed),
    column!(int stop_count),
    column!(int tool_count),
    column!(int message_count),
    column!(int image_count),
    column!(text? response_format),
    column!(content? response_text),
    column!(content? tool_calls),
    column!(text? finish_reason),
    column!(text? refusal),
    column!(int? status_code),
    column!(text? error_class),
    column!(text? error_message),
    column!(float? latency_ms),
    column!(float? ttft_ms),
    column!(long? input_tokens),
    column!(long? output_tokens),
    column!(long? cache_read_input_tokens),
    column!(long? cache_creation_input_tokens),
    column!(long? reasoning_output_tokens),
    column!(text? usage_source),
    column!(long? cost_nanousd),
    column!(bool? cache_hit),
    column!(int attempt),
    column!(text? prompt_fingerprint),
    column!(int? turn_index),
    column!(bool replayable),
    column!(text? not_replayable_reason),
    column!(bool latency_baseline_ok),
    column!(text? latency_baseline_reason),
    column!(text content_state),
    column!(float? ttfb_ms),
    column!(text? latency_scope),
    column!(text? time_basis),
    column!(float? time_resolution_ms),
    column!(bool? sampled),
    column!(texts features),
    column!(texts flaws),
];

fn texts(rows: &[&Row], field: fn(&Row) -> &Vec<String>) -> ArrayRef {
    let element = Field::new("element", DataType::Utf8, false);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(element);
    for row in rows {
        for text in field(row) {
            lists.values().append_value(text);
        }
        lists.append(true);
    }
    let lists: &dyn Array = &lists.finish();
    lists.slice(0, lists.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::capture_schema;
    use arrow::compute::cast;

    /// A row in which every field has a value of its own.
    fn full_row() -> Row {
        let schema = capture_schema();
        let mut members = serde_json::Map::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let value = match field.data_type() {
                DataType::Int32 | DataType::Int64 | DataType::Timestamp(..) => {
                    serde_json::json!(index)
                }
                DataType::Float64 => serde_json::json!(index as f64 + 0.5),
                DataType::Boolean => serde_json::json!(index % 2 == 0),
                DataType::List(_) => serde_json::json!([format!("a{index}"), format!("b{index}")]),
                _ => serde_json::json!(format!("text {index}")),
            };
            members.insert(field.name().clone(), value);
        }
        serde_json::from_value(members.into()).unwrap()
    }

    #[test]
    fn each_column_is_that_of_its_name_in_the_schema() {
        let schema = capture_schema();
        let rows = [full_row(), Row::default()];
        let fields: Vec<_> = schema.fields().iter().cloned().collect();
        let expected = serde_arrow::to_record_batch(&fields, &rows).unwrap();
        assert_eq!(COLUMNS.len(), schema.fields().len());
        let mut rows = rows.map(Box::new);
        for (index, (column, field)) in
            columns_of(&mut rows).into_iter().zip(schema.fields()).enumerate()
        {
            let mut built = column.build().unwrap();
            if built.data_type() == &DataType::BinaryView {
                built = cast(&built, &DataType::LargeBinary).unwrap();
                built = cast(&built, &DataType::LargeUtf8).unwrap();
            }
            assert_eq!(built.data_type(), field.data_type(), "{}", field.name());
            assert_eq!(built.as_ref(), expected.column(index).as_ref(), "{}", field.name());
        }
    }
}
