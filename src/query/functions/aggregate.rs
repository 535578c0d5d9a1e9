//! Aggregate functions that collect rows and hand them to a statistical method.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::mem::size_of_val;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int32Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, DocSection, Documentation, Signature,
    TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::methods::{Argument, Constants, Method, Rows, methods};
use super::record::{into_scalar, struct_type};

/// All aggregate functions.
pub(crate) fn aggregates() -> Vec<AggregateUDF> {
    methods().map(|method| AggregateUDF::from(StatisticalFunction::new(method))).collect()
}

struct StatisticalFunction {
    method: &'static Method,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl StatisticalFunction {
    fn new(method: &'static Method) -> Self {
        let most = method.arguments.len();
        let shapes = (most - method.optional..=most).map(TypeSignature::Any).collect();
        StatisticalFunction {
            method,
            signature: Signature::one_of(shapes, Volatility::Immutable),
            documentation: OnceLock::new(),
        }
    }
}

impl std::fmt::Debug for StatisticalFunction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.method.name)
    }
}

impl PartialEq for StatisticalFunction {
    fn eq(&self, other: &Self) -> bool {
        self.method.name == other.method.name
    }
}

impl Eq for StatisticalFunction {}

impl Hash for StatisticalFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.method.name.hash(state);
    }
}

impl AggregateUDFImpl for StatisticalFunction {
    fn name(&self) -> &str {
        self.method.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        for (index, (argument, data_type)) in
            self.method.arguments.iter().zip(arguments).enumerate()
        {
            // A text would become NULL, and its rows would be left out in silence.
            if *argument == Argument::Number && is_text(data_type) {
                return plan_err!(
                    "argument {} of {} is a number, not a text; the call is {}",
                    index + 1,
                    self.method.name,
                    self.method.syntax
                );
            }
        }
        Ok(struct_type(self.method.shape))
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            return exec_err!("{} does not take DISTINCT", self.method.name);
        }
        Ok(Box::new(Collected::new(self.method)))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &str, data_type: DataType| {
            Arc::new(Field::new(format!("{}_{part}", arguments.name), data_type, true))
        };
        Ok(vec![
            field("data", DataType::LargeBinary),
            field("labels", DataType::LargeBinary),
            field("constants", DataType::LargeBinary),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || {
            let section = DocSection::default();
            Documentation::builder(section, self.method.description, self.method.syntax).build()
        };
        Some(self.documentation.get_or_init(build))
    }
}

/// Rows of numbers, one after the other, the labels that some of them stand for, and the
/// constants of the call.
#[derive(Debug)]
struct Collected {
    method: &'static Method,
    /// Places of labels within a row.
    label_places: Vec<usize>,
    width: usize,
    data: Vec<f64>,
    labels: Vec<String>,
    places: HashMap<String, usize>,
    constants: Option<Constants>,
}

impl Collected {
    fn new(method: &'static Method) -> Self {
        let columns: Vec<Argument> =
            method.arguments.iter().copied().filter(|a| *a != Argument::Constant).collect();
        let label_places = (0..columns.len()).filter(|at| columns[*at] == Argument::Label);
        Collected {
            method,
            label_places: label_places.collect(),
            width: columns.len(),
            data: Vec::new(),
            labels: Vec::new(),
            places: HashMap::new(),
            constants: None,
        }
    }

    fn place(&mut self, label: &str) -> usize {
        if let Some(place) = self.places.get(label) {
            return *place;
        }
        let place = self.labels.len();
        self.labels.push(label.to_owned());
        self.places.insert(label.to_owned(), place);
        place
    }

    /// Labels as numbers: their places in the order of arrival.
    fn labels_of(&mut self, values: &ArrayRef) -> Result<Float64Array> {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        // Not every type has a direct cast to a dictionary, but all have one to text.
        let array = cast(&cast(values, &DataType::Utf8)?, &dictionary)?;
        let array = array.as_dictionary::<Int32Type>();
        let texts = array.values().as_string::<i32>();
        let places: Vec<usize> = (0..texts.len())
            .map(|at| if texts.is_valid(at) { self.place(texts.value(at)) } else { 0 })
            .collect();
        let of_key = |key: i32| places.get(key as usize).map(|place| *place as f64);
        Ok(array.keys().iter().map(|key| key.and_then(of_key)).collect())
    }

    fn constants_of(&mut self, arguments: &[(&Argument, &ArrayRef)]) -> Result<()> {
        if self.constants.is_some() {
            return Ok(());
        }
        let mut constants = Vec::new();
        for (_, values) in arguments.iter().filter(|(kind, _)| **kind == Argument::Constant) {
            let texts = cast(&values.slice(0, 1), &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            constants.push(texts.is_valid(0).then(|| texts.value(0).to_owned()));
        }
        self.constants = Some(Constants(constants));
        Ok(())
    }

    /// The rows with labels numbered in alphabetical order, whatever came first.
    fn rows(&self) -> Rows {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        order.sort_unstable_by(|a, b| self.labels[*a].cmp(&self.labels[*b]));
        let mut ranks = vec![0.0; order.len()];
        for (rank, label) in order.iter().enumerate() {
            ranks[*label] = rank as f64;
        }
        let mut data = self.data.clone();
        for row in data.chunks_exact_mut(self.width.max(1)) {
            for place in &self.label_places {
                row[*place] = ranks[row[*place] as usize];
            }
        }
        let labels = order.into_iter().map(|label| self.labels[label].clone()).collect();
        Rows::new(data, self.width, labels)
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let length = values.first().map_or(0, Array::len);
        if length == 0 {
            return Ok(());
        }
        let arguments: Vec<(&Argument, &ArrayRef)> =
            self.method.arguments.iter().zip(values).collect();
        self.constants_of(&arguments)?;
        let mut columns: Vec<Float64Array> = Vec::with_capacity(self.width);
        for (kind, values) in arguments {
            match kind {
                Argument::Constant => {}
                Argument::Number => columns.push(as_floats(values)?),
                Argument::Cluster => columns.push(as_clusters(values)?),
                Argument::Label => columns.push(self.labels_of(values)?),
            }
        }
        self.data.reserve(length * columns.len());
        if columns.iter().all(|column| column.null_count() == 0) {
            let columns: Vec<&[f64]> = columns.iter().map(|column| &column.values()[..]).collect();
            if let [single] = columns.as_slice() {
                self.data.extend_from_slice(single);
                return Ok(());
            }
            for row in 0..length {
                self.data.extend(columns.iter().map(|column| column[row]));
            }
            return Ok(());
        }
        for row in 0..length {
            // A row without a value on any side is no observation; queries count those apart.
            if columns.iter().all(|column| column.is_valid(row)) {
                self.data.extend(columns.iter().map(|column| column.value(row)));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let none = Constants::default();
        let constants = self.constants.as_ref().unwrap_or(&none);
        into_scalar(self.method.shape, (self.method.compute)(&self.rows(), constants))
    }

    fn size(&self) -> usize {
        let texts: usize = self.labels.iter().map(|label| 2 * (label.capacity() + 48)).sum();
        size_of_val(self) + self.data.capacity() * size_of::<f64>() + texts
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let constants = match &self.constants {
            Some(constants) => Some(to_json(&constants.0)?),
            None => None,
        };
        Ok(vec![
            to_binary(&self.data),
            ScalarValue::LargeBinary(Some(to_json(&self.labels)?)),
            ScalarValue::LargeBinary(constants),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [data, labels, constants] = states else {
            return exec_err!("{} met a state that is not its own", self.method.name);
        };
        let (data, labels) = (data.as_binary::<i64>(), labels.as_binary::<i64>());
        let constants = constants.as_binary::<i64>();
        for row in 0..data.len() {
            if self.constants.is_none() && constants.is_valid(row) {
                self.constants = Some(Constants(from_json(constants.value(row))?));
            }
            if data.is_null(row) || labels.is_null(row) {
                continue;
            }
            let start = self.data.len();
            self.data.extend(from_binary(data.value(row)));
            let theirs: Vec<String> = from_json(labels.value(row))?;
            let places: Vec<usize> = theirs.iter().map(|label| self.place(label)).collect();
            let added = self.data.get_mut(start..).unwrap_or_default();
            for row in added.chunks_exact_mut(self.width.max(1)) {
                for at in &self.label_places {
                    let place = places.get(row[*at] as usize).copied().unwrap_or_default();
                    row[*at] = place as f64;
                }
            }
        }
        Ok(())
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn as_floats(values: &ArrayRef) -> Result<Float64Array> {
    let floats = cast(values, &DataType::Float64)?;
    Ok(floats.as_primitive::<Float64Type>().clone())
}

/// Clusters as numbers: a text by 53 bits of its hash (FNV-1a), which a double holds exactly.
///
/// Among a million different texts two share a number with a chance of 1 in 18,000.
fn as_clusters(values: &ArrayRef) -> Result<Float64Array> {
    if !is_text(values.data_type()) {
        return as_floats(values);
    }
    let texts = cast(values, &DataType::LargeUtf8)?;
    let number = |text: &str| {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        (hash >> 11) as f64
    };
    Ok(texts.as_string::<i64>().iter().map(|text| text.map(number)).collect())
}

fn to_json(values: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(values).or_else(|error| exec_err!("a state cannot be kept: {error}"))
}

fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).or_else(|error| exec_err!("a state cannot be read: {error}"))
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
