//! Rows of the table `capture` to Arrow columns, one function a column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, LargeStringBuilder,
    ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};

use super::CapturedExchange as Row;

/// Builds one column of some rows.
pub(super) type Column = fn(&[&Row]) -> ArrayRef;

macro_rules! column {
    (text $field:ident) => {
        |rows| Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.$field)))
    };
    (text? $field:ident) => {
        |rows| Arc::new(StringArray::from_iter(rows.iter().map(|row| row.$field.as_deref())))
    };
    (content? $field:ident) => {
        |rows| content(rows, |row| row.$field.as_deref())
    };
    (int $field:ident) => {
        |rows| Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.$field)))
    };
    (int? $field:ident) => {
        |rows| Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.$field)))
    };
    (long $field:ident) => {
        |rows| Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.$field)))
    };
    (long? $field:ident) => {
        |rows| Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.$field)))
    };
    (float? $field:ident) => {
        |rows| Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.$field)))
    };
    (bool $field:ident) => {
        |rows| Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.$field))))
    };
    (bool? $field:ident) => {
        |rows| Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.$field)))
    };
    (time $field:ident) => {
        |rows| {
            let times = rows.iter().map(|row| row.$field);
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
        }
    };
    (texts $field:ident) => {
        |rows| texts(rows, |row| &row.$field)
    };
}

/// The columns in the order of the schema.
pub(super) const COLUMNS: &[Column] = &[
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

/// A column of long texts, in a buffer of the size that they need: growing it would copy them.
fn content(rows: &[&Row], field: fn(&Row) -> Option<&str>) -> ArrayRef {
    let bytes = rows.iter().filter_map(|row| field(row)).map(str::len).sum();
    let mut column = LargeStringBuilder::with_capacity(rows.len(), bytes);
    for row in rows {
        column.append_option(field(row));
    }
    Arc::new(column.finish())
}

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
        let rows: Vec<&Row> = rows.iter().collect();
        for (index, (column, field)) in COLUMNS.iter().zip(schema.fields()).enumerate() {
            let built = column(&rows);
            assert_eq!(built.data_type(), field.data_type(), "{}", field.name());
            assert_eq!(built.as_ref(), expected.column(index).as_ref(), "{}", field.name());
        }
    }
}
