//! What a request costs by the catalogue, as a SQL function.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use crate::chat::Usage;
use crate::pricing::{Catalogue, Price};
use crate::query::list_price::list_price;

pub(super) const NAME: &str = "catalogue_cost";
pub(super) const WHAT: &str = "List price of a request in nano-dollars by the price catalogue";
pub(super) const SYNTAX: &str = "catalogue_cost(provider, request_model, response_model, input_tokens, \
                      output_tokens, cache_read_input_tokens, cache_creation_input_tokens, \
                      reasoning_output_tokens)";
/// Texts that come first; the rest are counts.
const TEXTS: usize = 3;
const ARGUMENTS: usize = 8;

/// The function over one catalogue; NULL where model or tokens are unknown, never zero.
pub(crate) fn catalogue_cost(catalogue: Arc<Catalogue>) -> ScalarUDF {
    let signature = Signature::any(ARGUMENTS, Volatility::Immutable);
    ScalarUDF::from(CatalogueCost { catalogue, signature, documentation: OnceLock::new() })
}

struct CatalogueCost {
    catalogue: Arc<Catalogue>,
    signature: Signature,
    documentation: OnceLock<Documentation>,
}

impl std::fmt::Debug for CatalogueCost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(NAME)
    }
}

impl PartialEq for CatalogueCost {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.catalogue, &other.catalogue)
    }
}

impl Eq for CatalogueCost {}

impl Hash for CatalogueCost {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NAME.hash(state);
    }
}

impl ScalarUDFImpl for CatalogueCost {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let mut texts: Vec<StringArray> = Vec::new();
        let mut counts: Vec<Int64Array> = Vec::new();
        for (index, value) in arguments.args.into_iter().enumerate() {
            let array = value.into_array(rows)?;
            if index < TEXTS {
                texts.push(cast(&array, &DataType::Utf8)?.as_string::<i32>().clone());
            } else {
                counts.push(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().clone());
            }
        }
        // Few models stand in many rows: each is looked up once.
        let mut prices: HashMap<[Option<&str>; TEXTS], Option<&Price>> = HashMap::new();
        let costs: Int64Array = (0..rows)
            .map(|row| {
                let name = |index: usize| value_of(texts.get(index)?, row);
                let key = [name(0), name(1), name(2)];
                let price = *prices.entry(key).or_insert_with(|| {
                    list_price(&self.catalogue, key[0], key[1].unwrap_or_default(), key[2])
                });
                let cost = price?.cost(&usage(&counts, row)).ok()?;
                Some(cost.0)
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(costs)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        let build = || Documentation::builder(DocSection::default(), WHAT, SYNTAX).build();
        Some(self.documentation.get_or_init(build))
    }
}

fn value_of(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

fn usage(counts: &[Int64Array], row: usize) -> Usage {
    let count = |index: usize| {
        let column = counts.get(index)?;
        column.is_valid(row).then(|| u64::try_from(column.value(row)).ok()).flatten()
    };
    Usage {
        input_tokens: count(0),
        output_tokens: count(1),
        cache_read_input_tokens: count(2),
        cache_creation_input_tokens: count(3),
        reasoning_output_tokens: count(4),
    }
}
