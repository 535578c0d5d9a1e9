//! The cosine of two vectors as a SQL function.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::similarity::cosine;

pub(super) const NAME: &str = "cosine";
pub(super) const SYNTAX: &str = "cosine(a, b)";
pub(super) const DESCRIPTION: &str = "Cosine of the angle between two lists of numbers, -1 to 1; \
                                      NULL for a zero vector or unequal lengths";

/// The function; NULL for vectors without a direction, of unequal lengths, or with a NULL in them.
pub(super) fn cosine_of_lists() -> ScalarUDF {
    let signature = Signature::any(2, Volatility::Immutable);
    ScalarUDF::from(CosineOfLists { signature, documentation: OnceLock::new() })
}

#[derive(Debug)]
struct CosineOfLists {
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl PartialEq for CosineOfLists {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for CosineOfLists {}

impl std::hash::Hash for CosineOfLists {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl ScalarUDFImpl for CosineOfLists {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let vectors = DataType::List(Arc::new(Field::new("item", DataType::Float64, true)));
        let mut columns: Vec<ListArray> = Vec::new();
        for value in arguments.args {
            let column: ArrayRef = cast(&value.into_array(rows)?, &vectors)?;
            columns.push(column.as_list::<i32>().clone());
        }
        let vector = |argument: usize, row: usize| {
            let column = columns.get(argument).filter(|column| column.is_valid(row))?;
            let vector = column.value(row).as_primitive::<Float64Type>().clone();
            (vector.null_count() == 0).then_some(vector)
        };
        let cosines: Float64Array = (0..rows)
            .map(|row| cosine(vector(0, row)?.values(), vector(1, row)?.values()))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(cosines)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || Documentation::builder(DocSection::default(), DESCRIPTION, SYNTAX).build();
        Some(self.documentation.get_or_init(build))
    }
}
