//! What every function of a criterion returns: one struct, whatever the method.

use super::record::{Cell, Kind, PROBLEM, Shape};
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

/// The fields of an estimate.
pub(crate) const ESTIMATE: Shape = &[
    ("value", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("n", Kind::Count),
    ("clusters", Kind::Count),
    ("events", Kind::Count),
    ("deff", Kind::Float),
    ("p_above", Kind::Float),
    ("p_below", Kind::Float),
    PROBLEM,
];

impl EstimateRow {
    /// An estimate that could not be made.
    pub(crate) fn failed(n: usize, value: Option<f64>, error: &StatsError) -> Self {
        let n = n as u64;
        EstimateRow { value, n, problem: Some(error.to_string()), ..EstimateRow::default() }
    }

    pub(crate) fn into_cells(self) -> Vec<Cell> {
        vec![
            Cell::Float(self.value),
            Cell::Float(self.low),
            Cell::Float(self.high),
            Cell::Count(Some(self.n)),
            Cell::Count(self.clusters),
            Cell::Count(self.events),
            Cell::Float(self.deff),
            Cell::Float(self.p_above),
            Cell::Float(self.p_below),
            Cell::Text(self.problem),
        ]
    }
}
