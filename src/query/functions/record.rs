//! What a statistical function returns: one struct of named fields, whatever the method.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Float64Builder, Int64Array, Int64Builder, StringArray, StringBuilder,
    StructArray,
};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, exec_err};
use datafusion::scalar::ScalarValue;

use crate::stats::StatsError;

/// The kind of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Count,
    Text,
}

/// The value of a field; absent means unknown or undefined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Float(Option<f64>),
    Count(Option<u64>),
    Text(Option<String>),
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Cell::Float(Some(value))
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        Cell::Float(value)
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Cell::Count(Some(value))
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Cell::Count(Some(value as u64))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Cell::Text(Some(value.to_owned()))
    }
}

/// The fields of a function's result. The last one is always `problem`, which says why the
/// others are absent.
pub(crate) type Shape = &'static [(&'static str, Kind)];

/// The name of the field that every shape ends with.
pub(crate) const PROBLEM: (&str, Kind) = ("problem", Kind::Text);

/// The struct type of a shape.
pub(crate) fn struct_type(shape: Shape) -> DataType {
    DataType::Struct(fields(shape))
}

fn fields(shape: Shape) -> Fields {
    let data_type = |kind: Kind| match kind {
        Kind::Float => DataType::Float64,
        Kind::Count => DataType::Int64,
        Kind::Text => DataType::Utf8,
    };
    shape.iter().map(|(name, kind)| Field::new(*name, data_type(*kind), true)).collect()
}

/// The values of a result, in the order of its shape.
///
/// `Ok` holds all fields but `problem`; `Err` says why there are none.
pub(crate) type Outcome = std::result::Result<Vec<Cell>, String>;

/// An outcome from a statistic.
pub(crate) fn outcome<T>(
    result: std::result::Result<T, StatsError>,
    cells: impl FnOnce(T) -> Vec<Cell>,
) -> Outcome {
    result.map(cells).map_err(|error| error.to_string())
}

/// NaN never enters a result: it means "unknown".
fn known(value: Option<f64>) -> Option<f64> {
    value.filter(|value| !value.is_nan())
}

fn whole(value: Option<u64>) -> Option<i64> {
    value.and_then(|value| i64::try_from(value).ok())
}

/// A result with all its fields.
pub(crate) fn into_cells(shape: Shape, outcome: Outcome) -> Vec<Cell> {
    match outcome {
        Ok(mut cells) => {
            cells.push(Cell::Text(None));
            cells
        }
        Err(problem) => {
            let absent = |kind: &Kind| match kind {
                Kind::Float => Cell::Float(None),
                Kind::Count => Cell::Count(None),
                Kind::Text => Cell::Text(None),
            };
            let known = shape.len().saturating_sub(1);
            let mut cells: Vec<Cell> =
                shape.iter().take(known).map(|(_, kind)| absent(kind)).collect();
            cells.push(Cell::Text(Some(problem)));
            cells
        }
    }
}

/// One result as a scalar.
pub(crate) fn into_scalar(shape: Shape, cells: Vec<Cell>) -> Result<ScalarValue> {
    let columns: Vec<ArrayRef> = cells
        .into_iter()
        .map(|cell| match cell {
            Cell::Float(value) => Arc::new(Float64Array::from(vec![known(value)])) as ArrayRef,
            Cell::Count(value) => Arc::new(Int64Array::from(vec![whole(value)])),
            Cell::Text(value) => Arc::new(StringArray::from(vec![value])),
        })
        .collect();
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields(shape), columns, None)?)))
}

/// Many results as a column; a row without result is NULL.
pub(crate) fn into_column(shape: Shape, rows: &[Option<Vec<Cell>>]) -> Result<ArrayRef> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(shape.len());
    for (index, (name, kind)) in shape.iter().enumerate() {
        let cells = || rows.iter().map(|row| row.as_ref().and_then(|cells| cells.get(index)));
        let column: ArrayRef = match kind {
            Kind::Float => {
                let mut builder = Float64Builder::with_capacity(rows.len());
                for cell in cells() {
                    match cell {
                        Some(Cell::Float(value)) => builder.append_option(known(*value)),
                        None => builder.append_null(),
                        Some(_) => return exec_err!("the field {name} is not of its kind"),
                    }
                }
                Arc::new(builder.finish())
            }
            Kind::Count => {
                let mut builder = Int64Builder::with_capacity(rows.len());
                for cell in cells() {
                    match cell {
                        Some(Cell::Count(value)) => builder.append_option(whole(*value)),
                        None => builder.append_null(),
                        Some(_) => return exec_err!("the field {name} is not of its kind"),
                    }
                }
                Arc::new(builder.finish())
            }
            Kind::Text => {
                let mut builder = StringBuilder::new();
                for cell in cells() {
                    match cell {
                        Some(Cell::Text(value)) => builder.append_option(value.as_deref()),
                        None => builder.append_null(),
                        Some(_) => return exec_err!("the field {name} is not of its kind"),
                    }
                }
                Arc::new(builder.finish())
            }
        };
        columns.push(column);
    }
    let present = rows.iter().map(Option::is_some).collect::<Vec<bool>>();
    Ok(Arc::new(StructArray::try_new(fields(shape), columns, Some(present.into()))?))
}
