//! Scalar functions over counts and numbers: proportions, tables, planning, tests at any time.

mod functions;
mod p_adjust;

use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TypeSignature, Volatility,
};

use super::record::{Outcome, Shape, into_cells, into_column, struct_type};

pub(super) use functions::FUNCTIONS;
pub(super) use p_adjust::{DESCRIPTION, NAME, SYNTAX, list_type};

/// All functions over counts.
pub(crate) fn counts() -> Vec<ScalarUDF> {
    let mut all: Vec<ScalarUDF> =
        FUNCTIONS.iter().map(|function| ScalarUDF::from(Counts::new(function))).collect();
    all.push(p_adjust::p_adjust());
    all
}

/// One function: a row of arguments in, one struct out.
pub(super) struct CountFunction {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) syntax: &'static str,
    /// All arguments, and how many of them at the end may be left out.
    arguments: usize,
    optional: usize,
    pub(super) shape: Shape,
    compute: fn(&Arguments<'_>) -> Outcome,
}

/// The arguments of one row, none of them NULL.
struct Arguments<'a>(Vec<&'a str>);

impl Arguments<'_> {
    fn word(&self, index: usize) -> Option<&str> {
        self.0.get(index).copied()
    }

    /// A number; NaN where there is none, which every statistic refuses.
    fn number(&self, index: usize) -> f64 {
        self.word(index).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
    }

    fn number_or(&self, index: usize, otherwise: f64) -> f64 {
        if self.word(index).is_some() { self.number(index) } else { otherwise }
    }

    fn count(&self, index: usize) -> std::result::Result<u64, String> {
        let number = self.number(index);
        // 2^53: beyond it a double no longer tells neighbours apart.
        let whole = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() <= 0.0;
        let text = self.word(index).unwrap_or_default();
        if whole { Ok(number as u64) } else { Err(format!("`{text}` is not a count")) }
    }
}

struct Counts {
    function: &'static CountFunction,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl Counts {
    fn new(function: &'static CountFunction) -> Self {
        let most = function.arguments;
        let shapes = (most - function.optional..=most).map(TypeSignature::Any).collect();
        Counts {
            function,
            signature: Signature::one_of(shapes, Volatility::Immutable),
            documentation: OnceLock::new(),
        }
    }
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.function.name)
    }
}

impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Counts {}

impl Hash for Counts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Counts {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(struct_type(self.function.shape))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        // Numbers have a text that reads back as the same number.
        let columns = arguments
            .args
            .into_iter()
            .map(|value| {
                let array = value.into_array(rows)?;
                let floats = match array.data_type() {
                    DataType::Decimal128(..) | DataType::Boolean => {
                        cast(&array, &DataType::Float64)?
                    }
                    _ => array,
                };
                Ok(cast(&floats, &DataType::Utf8)?.as_string::<i32>().clone())
            })
            .collect::<Result<Vec<StringArray>>>()?;
        let results: Vec<_> = (0..rows)
            .map(|row| {
                let known = columns.iter().all(|column| column.is_valid(row));
                known.then(|| {
                    let values = columns.iter().map(|column| column.value(row)).collect();
                    let shape = self.function.shape;
                    into_cells(shape, (self.function.compute)(&Arguments(values)))
                })
            })
            .collect();
        Ok(ColumnarValue::Array(into_column(self.function.shape, &results)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || {
            let section = DocSection::default();
            Documentation::builder(section, self.function.description, self.function.syntax).build()
        };
        Some(self.documentation.get_or_init(build))
    }
}
