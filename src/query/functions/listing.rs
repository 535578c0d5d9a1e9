//! The functions of ours, with their documentation, as rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::DataType;

use super::catalogue_cost;
use super::cosine;
use super::counts;
use super::methods::methods;
use super::record::struct_type;
use super::scalar::text_functions;
use crate::query::QueryError;

struct Listed {
    name: &'static str,
    kind: &'static str,
    call: &'static str,
    returns: String,
    description: &'static str,
}

/// One row per SQL function of ours whose name contains `part`: name, kind (`aggregate` or
/// `scalar`), call, returns, description; in alphabetical order.
///
/// # Errors
/// The engine's, when the rows cannot be made.
pub fn functions(part: &str) -> Result<RecordBatch, QueryError> {
    let mut listed = all();
    listed.retain(|function| function.name.contains(part));
    listed.sort_unstable_by_key(|function| function.name);
    let column = |value: fn(&Listed) -> &str| -> ArrayRef {
        Arc::new(listed.iter().map(|function| Some(value(function))).collect::<StringArray>())
    };
    RecordBatch::try_from_iter([
        ("name", column(|function| function.name)),
        ("kind", column(|function| function.kind)),
        ("call", column(|function| function.call)),
        ("returns", column(|function| &function.returns)),
        ("description", column(|function| function.description)),
    ])
    .map_err(|failure| QueryError::engine("listing the functions", &failure))
}

fn all() -> Vec<Listed> {
    let aggregates = methods().map(|method| Listed {
        name: method.name,
        kind: "aggregate",
        call: method.syntax,
        returns: type_name(&struct_type(method.shape)),
        description: method.description,
    });
    let over_counts = counts::FUNCTIONS.iter().map(|function| Listed {
        name: function.name,
        kind: "scalar",
        call: function.syntax,
        returns: type_name(&struct_type(function.shape)),
        description: function.description,
    });
    let over_texts = text_functions().map(|function| Listed {
        name: function.name,
        kind: "scalar",
        call: function.syntax,
        returns: type_name(&(function.returns)()),
        description: function.description,
    });
    let others = [
        Listed {
            name: counts::NAME,
            kind: "scalar",
            call: counts::SYNTAX,
            returns: type_name(&counts::list_type()),
            description: counts::DESCRIPTION,
        },
        Listed {
            name: cosine::NAME,
            kind: "scalar",
            call: cosine::SYNTAX,
            returns: type_name(&DataType::Float64),
            description: cosine::DESCRIPTION,
        },
        Listed {
            name: catalogue_cost::NAME,
            kind: "scalar",
            call: catalogue_cost::SYNTAX,
            returns: type_name(&DataType::Int64),
            description: catalogue_cost::WHAT,
        },
    ];
    aggregates.chain(over_counts).chain(over_texts).chain(others).collect()
}

/// A type in words that fit into a cell: the fields of a struct by name.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            format!("{{{}}}", names.join(", "))
        }
        DataType::List(item) => format!("list of {}", type_name(item.data_type())),
        DataType::Float64 => "number".to_owned(),
        DataType::Int64 => "whole number".to_owned(),
        DataType::Boolean => "yes or no".to_owned(),
        DataType::Utf8 => "text".to_owned(),
        other => other.to_string(),
    }
}
