//! Scalar functions over texts: similarity, refusals, error classes, losses.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, LargeStringArray, ListBuilder,
    StringArray, StringBuilder, StructBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use rayon::prelude::*;

use crate::chat::ErrorClass;
use crate::similarity::{
    Case, edit_similarity, json_equal, normalised_equal, parses, reads_like_refusal,
    tool_calls_json_equal,
};

/// All scalar functions.
pub(crate) fn scalars() -> Vec<ScalarUDF> {
    TEXT_FUNCTIONS.iter().map(|function| ScalarUDF::from(Text::new(function))).collect()
}

pub(super) struct TextFunction {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) syntax: &'static str,
    arguments: usize,
    pub(super) returns: fn() -> DataType,
    compute: fn(&[LargeStringArray], usize) -> ArrayRef,
}

pub(super) const TEXT_FUNCTIONS: &[TextFunction] = &[
    TextFunction {
        name: "edit_similarity",
        description: "1 minus the edit distance over the longer length, 0 to 1",
        syntax: "edit_similarity(a, b)",
        arguments: 2,
        returns: || DataType::Float64,
        compute: |texts, rows| {
            let similarity =
                |row| Some(edit_similarity(text(texts, 0, row)?, text(texts, 1, row)?));
            let values: Vec<Option<f64>> =
                (0..rows).into_par_iter().with_min_len(64).map(similarity).collect();
            Arc::new(Float64Array::from(values))
        },
    },
    TextFunction {
        name: "normalised_equal",
        description: "Whether two texts agree but for Unicode form, line ends and white space",
        syntax: "normalised_equal(a, b)",
        arguments: 2,
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| {
                Some(normalised_equal(text(texts, 0, row)?, text(texts, 1, row)?, Case::Sensitive))
            })
        },
    },
    TextFunction {
        name: "json_equal",
        description: "Whether two JSON texts hold the same value; NULL when neither is JSON",
        syntax: "json_equal(a, b)",
        arguments: 2,
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| json_equal(text(texts, 0, row)?, text(texts, 1, row)?))
        },
    },
    TextFunction {
        name: "is_json",
        description: "Whether a text is JSON",
        syntax: "is_json(a)",
        arguments: 1,
        returns: || DataType::Boolean,
        compute: |texts, rows| booleans(rows, |row| Some(parses(text(texts, 0, row)?))),
    },
    TextFunction {
        name: "tool_calls_equal",
        description: "Whether two lists of tool calls agree but for their order, identifiers and \
                      the order of keys",
        syntax: "tool_calls_equal(a, b)",
        arguments: 2,
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| tool_calls_json_equal(text(texts, 0, row)?, text(texts, 1, row)?))
        },
    },
    TextFunction {
        name: "is_refusal",
        description: "Whether an answer is a refusal, by its refusal field, its finish reason or \
                      its opening words",
        syntax: "is_refusal(text, refusal, finish_reason)",
        arguments: 3,
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| {
                let by_field = text(texts, 1, row).is_some_and(|refusal| !refusal.is_empty());
                let by_reason = matches!(text(texts, 2, row), Some("refusal" | "content_filter"));
                let by_words = text(texts, 0, row).is_some_and(reads_like_refusal);
                Some(by_field || by_reason || by_words)
            })
        },
    },
    TextFunction {
        name: "error_kind",
        description: "none, rate_limit (our quota), config (our fault), uncertain, or failure \
                      (the provider's)",
        syntax: "error_kind(error_class)",
        arguments: 1,
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
        arguments: 1,
        returns: || DataType::List(Arc::new(Field::new("item", loss_type(), true))),
        compute: loss_lists,
    },
];

fn text(texts: &[LargeStringArray], argument: usize, row: usize) -> Option<&str> {
    let column = texts.get(argument)?;
    column.is_valid(row).then(|| column.value(row))
}

fn booleans(rows: usize, compute: impl Fn(usize) -> Option<bool> + Sync + Send) -> ArrayRef {
    let values: Vec<Option<bool>> =
        (0..rows).into_par_iter().with_min_len(256).map(compute).collect();
    Arc::new(BooleanArray::from(values))
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
            signature: Signature::any(function.arguments, Volatility::Immutable),
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
