//! What every estimating SQL function returns: one struct, whatever the method.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::scalar::ScalarValue;

use crate::stats::StatsError;

/// An estimate with its two one-sided bounds, as SQL sees it.
///
/// `p_above` is the p-value of "the true value is at most the limit", `p_below` that of "it is at
/// least the limit"; both are absent without a limit. `problem` says why bounds are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EstimateRow {
    pub(crate) value: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) n: u64,
    pub(crate) clusters: Option<u64>,
    pub(crate) events: Option<u64>,
    pub(crate) deff: Option<f64>,
    pub(crate) p_above: Option<f64>,
    pub(crate) p_below: Option<f64>,
    pub(crate) problem: Option<String>,
}

impl EstimateRow {
    /// An estimate that could not be made.
    pub(crate) fn failed(n: usize, value: Option<f64>, error: &StatsError) -> Self {
        let n = n as u64;
        EstimateRow { value, n, problem: Some(error.to_string()), ..EstimateRow::default() }
    }

    pub(crate) fn into_scalar(self) -> ScalarValue {
        let long = |value: Option<u64>| {
            let value = value.and_then(|value| i64::try_from(value).ok());
            Arc::new(Int64Array::from(vec![value])) as ArrayRef
        };
        let float = |value: Option<f64>| {
            // NaN never enters a result: it means "unknown".
            let value = value.filter(|value| !value.is_nan());
            Arc::new(Float64Array::from(vec![value])) as ArrayRef
        };
        let columns = vec![
            float(self.value),
            float(self.low),
            float(self.high),
            long(Some(self.n)),
            long(self.clusters),
            long(self.events),
            float(self.deff),
            float(self.p_above),
            float(self.p_below),
            Arc::new(StringArray::from(vec![self.problem])) as ArrayRef,
        ];
        ScalarValue::Struct(Arc::new(StructArray::new(ESTIMATE_FIELDS.clone(), columns, None)))
    }
}

static ESTIMATE_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let float = |name: &str| Field::new(name, DataType::Float64, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    Fields::from(vec![
        float("value"),
        float("low"),
        float("high"),
        long("n"),
        long("clusters"),
        long("events"),
        float("deff"),
        float("p_above"),
        float("p_below"),
        Field::new("problem", DataType::Utf8, true),
    ])
});

/// The struct type of an estimate.
pub(crate) fn estimate_type() -> DataType {
    DataType::Struct(ESTIMATE_FIELDS.clone())
}
