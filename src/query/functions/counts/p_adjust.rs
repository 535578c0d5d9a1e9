//! P-values adjusted for the number of tests.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, ListBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::stats::{benjamini_hochberg, benjamini_yekutieli, bonferroni, hochberg, holm};

pub(in super::super) const NAME: &str = "p_adjust";
pub(in super::super) const SYNTAX: &str = "p_adjust(list_of_p, method)";
pub(in super::super) const DESCRIPTION: &str = "P-values adjusted for their number, in the order of the list: holm, hochberg, bonferroni \
     (any false rejection), bh or by (share of false ones); a NULL counts as 1";

pub(super) fn p_adjust() -> ScalarUDF {
    ScalarUDF::from(Adjust {
        signature: Signature::any(2, Volatility::Immutable),
        documentation: OnceLock::new(),
    })
}

pub(in super::super) fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Float64, true)))
}

struct Adjust {
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl std::fmt::Debug for Adjust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(NAME)
    }
}

impl PartialEq for Adjust {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Adjust {}

impl std::hash::Hash for Adjust {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl ScalarUDFImpl for Adjust {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(2);
        for value in arguments.args {
            arrays.push(value.into_array(rows)?);
        }
        let [lists, words] = arrays.as_slice() else {
            return exec_err!("the call is {SYNTAX}");
        };
        let lists = cast(lists, &list_type())?;
        let lists = lists.as_list::<i32>();
        let words = cast(words, &DataType::Utf8)?;
        let words = words.as_string::<i32>();
        let mut adjusted = ListBuilder::new(Float64Builder::new());
        for row in 0..rows {
            if lists.is_null(row) || words.is_null(row) {
                adjusted.append(false);
                continue;
            }
            let method: fn(&[f64]) -> Vec<f64> = match words.value(row) {
                "holm" => holm,
                "hochberg" => hochberg,
                "bonferroni" => bonferroni,
                "bh" => benjamini_hochberg,
                "by" => benjamini_yekutieli,
                other => {
                    return exec_err!("`{other}` is not holm, hochberg, bonferroni, bh or by");
                }
            };
            let list = lists.value(row);
            let known = list.as_primitive::<Float64Type>();
            let p: Vec<f64> = known.iter().map(|p| p.unwrap_or(f64::NAN)).collect();
            for value in method(&p) {
                adjusted.values().append_value(value);
            }
            adjusted.append(true);
        }
        Ok(ColumnarValue::Array(Arc::new(adjusted.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || Documentation::builder(DocSection::default(), DESCRIPTION, SYNTAX).build();
        Some(self.documentation.get_or_init(build))
    }
}
