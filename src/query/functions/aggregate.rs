//! Aggregate functions that collect rows of numbers and hand them to a statistical method.

use std::hash::{Hash, Hasher};
use std::mem::size_of_val;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, DocSection, Documentation, Signature,
    TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::estimate::estimate_type;
use super::methods::{METHODS, Method, Rows};

/// All estimating aggregate functions.
pub(crate) fn aggregates() -> Vec<AggregateUDF> {
    METHODS.iter().map(|method| AggregateUDF::from(EstimateFunction::new(method))).collect()
}

struct EstimateFunction {
    method: &'static Method,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl EstimateFunction {
    fn new(method: &'static Method) -> Self {
        let shapes = method
            .constants
            .iter()
            .map(|constants| TypeSignature::Any(method.data + constants))
            .collect();
        EstimateFunction {
            method,
            signature: Signature::one_of(shapes, Volatility::Immutable),
            documentation: OnceLock::new(),
        }
    }
}

impl std::fmt::Debug for EstimateFunction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.method.name)
    }
}

impl PartialEq for EstimateFunction {
    fn eq(&self, other: &Self) -> bool {
        self.method.name == other.method.name
    }
}

impl Eq for EstimateFunction {}

impl Hash for EstimateFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.method.name.hash(state);
    }
}

impl AggregateUDFImpl for EstimateFunction {
    fn name(&self) -> &str {
        self.method.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(estimate_type())
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            return exec_err!("{} does not take DISTINCT", self.method.name);
        }
        Ok(Box::new(Collected { method: self.method, data: Vec::new(), constants: Vec::new() }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &str, data_type: DataType| {
            Arc::new(Field::new(format!("{}_{part}", arguments.name), data_type, true))
        };
        Ok(vec![field("data", DataType::LargeBinary), field("constants", DataType::LargeBinary)])
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || {
            let section = DocSection::default();
            Documentation::builder(section, self.method.description, self.method.syntax).build()
        };
        Some(self.documentation.get_or_init(build))
    }
}

/// Rows of numbers, one after the other, and the constants of the call.
#[derive(Debug)]
struct Collected {
    method: &'static Method,
    data: Vec<f64>,
    constants: Vec<f64>,
}

impl std::fmt::Debug for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = values.iter().map(as_floats).collect::<Result<Vec<Float64Array>>>()?;
        let (data, constants) = columns.split_at(self.method.data.min(columns.len()));
        let Some(length) = data.first().map(Array::len) else { return Ok(()) };
        if length > 0 && self.constants.is_empty() {
            let first = |column: &Float64Array| {
                if column.is_null(0) { f64::NAN } else { column.value(0) }
            };
            self.constants = constants.iter().map(first).collect();
        }
        for row in 0..length {
            // A row without a value on any side is no observation; queries count those apart.
            if data.iter().all(|column| column.is_valid(row)) {
                self.data.extend(data.iter().map(|column| column.value(row)));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rows = Rows::sorted(self.data.clone(), self.method.data);
        Ok((self.method.compute)(&rows, &self.constants).into_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.data.capacity() + self.constants.capacity()) * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![to_binary(&self.data), to_binary(&self.constants)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [data, constants] = states else {
            return exec_err!("{} met a state that is not its own", self.method.name);
        };
        let data = data.as_binary::<i64>();
        let constants = constants.as_binary::<i64>();
        for row in 0..data.len() {
            if data.is_valid(row) {
                self.data.extend(from_binary(data.value(row)));
            }
            if self.constants.is_empty() && constants.is_valid(row) {
                self.constants = from_binary(constants.value(row)).collect();
            }
        }
        Ok(())
    }
}

fn as_floats(values: &ArrayRef) -> Result<Float64Array> {
    let floats = cast(values, &DataType::Float64)?;
    Ok(floats.as_primitive::<Float64Type>().clone())
}

fn to_binary(values: &[f64]) -> ScalarValue {
    ScalarValue::LargeBinary(Some(values.iter().flat_map(|value| value.to_le_bytes()).collect()))
}

fn from_binary(bytes: &[u8]) -> impl Iterator<Item = f64> + '_ {
    bytes.chunks_exact(size_of::<f64>()).map(|chunk| {
        let mut value = [0; size_of::<f64>()];
        value.copy_from_slice(chunk);
        f64::from_le_bytes(value)
    })
}
