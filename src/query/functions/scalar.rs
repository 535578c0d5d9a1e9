//! Scalar functions over texts: how one is declared; error classes and losses.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, ListBuilder, StringArray, StringBuilder,
    StructBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, Volatility,
};

use super::cosine::cosine_of_lists;
use super::texts::COMPARISONS;
use crate::chat::ErrorClass;

/// All scalar functions.
pub(crate) fn scalars() -> Vec<ScalarUDF> {
    let texts = text_functions().map(|function| ScalarUDF::from(Text::new(function)));
    texts.chain([cosine_of_lists()]).collect()
}

/// The functions of texts alone.
pub(super) fn text_functions() -> impl Iterator<Item = &'static TextFunction> {
    COMPARISONS.iter().chain(LABELS)
}

/// A function of columns that are all read as text.
pub(super) struct TextFunction {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) syntax: &'static str,
    /// The least and the largest number of arguments.
    pub(super) arguments: (usize, usize),
    pub(super) returns: fn() -> DataType,
    /// The result for so many rows.
    pub(super) compute: fn(&[LargeStringArray], usize) -> ArrayRef,
}

const LABELS: &[TextFunction] = &[
    TextFunction {
        name: "error_kind",
        description: "none, rate_limit (our quota), config (our fault), uncertain, or failure \
                      (the provider's)",
        syntax: "error_kind(error_class)",
        arguments: (1, 1),
        returns: || DataType::Utf8,
        compute: |texts, rows| {
            let kinds: Vec<&str> = (0..rows).map(|row| error_kind(text(texts, 0, row))).collect();
            Arc::new(StringArray::from(kinds))
        },
    },
    TextFunction {
        name: "loss_list",
        description: "The losses of a translation as a list of structs, from their JSON text",
        syntax: "loss_list(losses)",
        arguments: (1, 1),
        returns: || DataType::List(Arc::new(Field::new("item", loss_type(), true))),
        compute: loss_lists,
    },
];

/// The text of an argument; `None` for NULL and for an argument that was not given.
pub(super) fn text(texts: &[LargeStringArray], argument: usize, row: usize) -> Option<&str> {
    let column = texts.get(argument)?;
    column.is_valid(row).then(|| column.value(row))
}

fn error_kind(class: Option<&str>) -> &'static str {
    let Some(class) = class else { return "none" };
    match class.parse::<ErrorClass>() {
        Ok(ErrorClass::Uncertain) => "uncertain",
        Ok(class) if class.is_rate_limit() => "rate_limit",
        Ok(class) if class.is_config_fault() => "config",
        _ => "failure",
    }
}

const LOSS_FIELDS: [&str; 5] = ["path", "feature", "action", "severity", "detail"];

fn loss_fields() -> Fields {
    LOSS_FIELDS.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect()
}

fn loss_type() -> DataType {
    DataType::Struct(loss_fields())
}

fn loss_lists(texts: &[LargeStringArray], rows: usize) -> ArrayRef {
    let mut list = ListBuilder::new(StructBuilder::from_fields(loss_fields(), rows));
    for row in 0..rows {
        let losses: Vec<serde_json::Value> = text(texts, 0, row)
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        for loss in &losses {
            let item = list.values();
            for (index, name) in LOSS_FIELDS.iter().enumerate() {
                if let Some(column) = item.field_builder::<StringBuilder>(index) {
                    column.append_option(loss.get(*name).and_then(serde_json::Value::as_str));
                }
            }
            item.append(true);
        }
        list.append(true);
    }
    Arc::new(list.finish())
}

struct Text {
    function: &'static TextFunction,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl Text {
    fn new(function: &'static TextFunction) -> Self {
        Text {
            function,
            signature: Signature::one_of(
                (function.arguments.0..=function.arguments.1).map(TypeSignature::Any).collect(),
                Volatility::Immutable,
            ),
            documentation: OnceLock::new(),
        }
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.function.name)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok((self.function.returns)())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let texts = arguments
            .args
            .into_iter()
            .map(|value| {
                let array = cast(&value.into_array(rows)?, &DataType::LargeUtf8)?;
                Ok(array.as_string::<i64>().clone())
            })
            .collect::<Result<Vec<LargeStringArray>>>()?;
        Ok(ColumnarValue::Array((self.function.compute)(&texts, rows)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || {
            let section = DocSection::default();
            Documentation::builder(section, self.function.description, self.function.syntax).build()
        };
        Some(self.documentation.get_or_init(build))
    }
}
