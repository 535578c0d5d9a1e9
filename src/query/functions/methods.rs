//! The statistical methods behind the estimating SQL functions: rows of numbers in, one estimate
//! out.
//!
//! Rows are sorted as wholes before anything is computed, so that no result depends on the order,
//! the partitions or the threads in which they arrived.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::estimate::EstimateRow;
use crate::stats::{
    self, Arrival, Estimate, GateTest, MinuteLimits, PairedValue, RateRow, StatsError,
    limit_rejections, mean_bounds, mean_bounds_within, mean_p_greater, mean_p_less,
    quantile_bounds, quantile_bounds_clustered, quantile_gate, quantile_ratio, rate_bounds,
    rate_gate, ratio_of_ratios, ratio_of_totals,
};

/// Draws of the index bootstrap.
const DRAWS: usize = 10_000;

/// Level of bounds when a query names none.
const DEFAULT_CONFIDENCE: f64 = 0.95;

/// Rows of numbers of one width, sorted as wholes, in one piece of memory.
#[derive(Debug)]
pub(crate) struct Rows {
    data: Vec<f64>,
    width: usize,
}

impl Rows {
    /// Cuts numbers into rows and sorts these; a rest that fills no row is left out.
    pub(crate) fn sorted(mut data: Vec<f64>, width: usize) -> Self {
        if width <= 1 {
            data.sort_unstable_by(f64::total_cmp);
            return Rows { data, width: 1 };
        }
        let mut rows: Vec<&[f64]> = data.chunks_exact(width).collect();
        rows.sort_unstable_by(|a, b| {
            let mut differing = a.iter().zip(*b).map(|(a, b)| a.total_cmp(b));
            differing.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        Rows { data: rows.concat(), width }
    }

    fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        self.data.chunks_exact(self.width)
    }

    fn len(&self) -> usize {
        self.data.len() / self.width
    }
}

/// One method: its name in SQL, its arguments, and what it computes.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) syntax: &'static str,
    /// Columns of data that come first.
    pub(crate) data: usize,
    /// Numbers of constants that may follow the data.
    pub(crate) constants: &'static [usize],
    pub(crate) compute: fn(&Rows, &[f64]) -> EstimateRow,
}

/// Every estimating function.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "quantile_ci",
        description: "Type-1 quantile with exact order-statistic bounds, rows independent",
        syntax: "quantile_ci(value, p [, confidence])",
        data: 1,
        constants: &[1, 2],
        compute: quantile_independent,
    },
    Method {
        name: "quantile_clustered_ci",
        description: "Type-1 quantile with order-statistic bounds at the effective sample size",
        syntax: "quantile_clustered_ci(value, cluster, p, confidence, limit)",
        data: 2,
        constants: &[3],
        compute: quantile_clustered,
    },
    Method {
        name: "quantile_ratio_ci",
        description: "Ratio of the candidate's to the incumbent's quantile, index bootstrap",
        syntax: "quantile_ratio_ci(candidate, incumbent, cluster, p, confidence, limit, seed)",
        data: 3,
        constants: &[4],
        compute: ratio_of_quantiles,
    },
    Method {
        name: "rate_ci",
        description: "Share of rows with an event (1 or 0), Clopper-Pearson bounds",
        syntax: "rate_ci(event, cluster [, confidence [, limit]])",
        data: 2,
        constants: &[0, 1, 2],
        compute: rate,
    },
    Method {
        name: "mean_ci",
        description: "Mean with cluster-robust bounds",
        syntax: "mean_ci(value, cluster [, confidence [, limit]])",
        data: 2,
        constants: &[0, 1, 2],
        compute: mean,
    },
    Method {
        name: "bounded_mean_ci",
        description: "Mean of values within a range, cluster-robust bounds that stay within it",
        syntax: "bounded_mean_ci(value, cluster, confidence, limit, least, most)",
        data: 2,
        constants: &[4],
        compute: bounded_mean,
    },
    Method {
        name: "ratio_of_totals_ci",
        description: "Sum of the first over the sum of the second, cluster-robust bounds",
        syntax: "ratio_of_totals_ci(candidate, incumbent, cluster [, confidence [, limit]])",
        data: 3,
        constants: &[0, 1, 2],
        compute: totals,
    },
    Method {
        name: "ratio_of_ratios_ci",
        description: "Ratio of two ratios of totals, cluster-robust bounds",
        syntax: "ratio_of_ratios_ci(candidate_total, candidate_units, incumbent_total, \
                 incumbent_units, cluster, confidence, limit)",
        data: 5,
        constants: &[2],
        compute: ratios,
    },
    Method {
        name: "limit_rejections",
        description: "Share of the marked arrivals (1 or 0) that limits per minute reject: token \
                      buckets that begin full, hold burst_s seconds of the limit and fill evenly; \
                      what is rejected takes nothing and does not come again; no bounds",
        syntax: "limit_rejections(at_us, tokens, marked, requests_per_minute, \
                 tokens_per_minute, burst_s)",
        data: 3,
        constants: &[3],
        compute: rejections,
    },
];

/// A constant that may be left out or unknown.
fn constant(constants: &[f64], index: usize) -> Option<f64> {
    constants.get(index).copied().filter(|value| !value.is_nan())
}

fn clustered(rows: &Rows, value: usize, cluster: usize) -> Vec<(f64, u64)> {
    rows.iter().map(|row| (row[value], row[cluster] as u64)).collect()
}

fn from_estimate(result: Result<Estimate, StatsError>, n: usize) -> EstimateRow {
    match result {
        Ok(estimate) => EstimateRow {
            value: Some(estimate.value),
            low: Some(estimate.low),
            high: Some(estimate.high),
            n: estimate.n,
            clusters: Some(estimate.clusters),
            deff: Some(estimate.deff),
            ..EstimateRow::default()
        },
        Err(error) => EstimateRow::failed(n, None, &error),
    }
}

fn with_gate(mut row: EstimateRow, gate: Option<Result<GateTest, StatsError>>) -> EstimateRow {
    if let Some(Ok(gate)) = gate {
        row.events = Some(gate.exceed);
        row.p_above = Some(gate.p_not_met);
        row.p_below = Some(gate.p_met);
    }
    row
}

fn quantile_independent(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let values: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let p = constant(constants, 0).unwrap_or(f64::NAN);
    let confidence = constant(constants, 1).unwrap_or(DEFAULT_CONFIDENCE);
    let bounds = stats::sorted(&values).and_then(|sorted| quantile_bounds(&sorted, p, confidence));
    from_estimate(bounds, rows.len())
}

fn quantile_clustered(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let values = clustered(rows, 0, 1);
    let p = constant(constants, 0).unwrap_or(f64::NAN);
    let confidence = constant(constants, 1).unwrap_or(DEFAULT_CONFIDENCE);
    let mut estimate = from_estimate(quantile_bounds_clustered(&values, p, confidence), rows.len());
    if estimate.value.is_none() {
        let plain: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
        let sorted = stats::sorted(&plain);
        estimate.value = sorted.and_then(|sorted| stats::type1(&sorted, p)).ok();
    }
    let gate = constant(constants, 2).map(|limit| quantile_gate(&values, p, limit, confidence));
    with_gate(estimate, gate)
}

fn ratio_of_quantiles(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let pairs: Vec<PairedValue> = rows
        .iter()
        .map(|row| PairedValue { candidate: row[0], incumbent: row[1], cluster: row[2] as u64 })
        .collect();
    let p = constant(constants, 0).unwrap_or(f64::NAN);
    let confidence = constant(constants, 1).unwrap_or(DEFAULT_CONFIDENCE);
    let seed = constant(constants, 3).unwrap_or(0.0) as u64;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let ratio = match quantile_ratio(&pairs, p, confidence, DRAWS, &mut rng) {
        Ok(ratio) => ratio,
        Err(error) => return EstimateRow::failed(rows.len(), None, &error),
    };
    let limit = constant(constants, 2);
    EstimateRow {
        value: Some(ratio.value),
        low: Some(ratio.low),
        high: Some(ratio.high),
        n: ratio.n,
        clusters: Some(ratio.clusters),
        deff: Some(ratio.deff_incumbent.max(ratio.deff_candidate)),
        p_above: limit.map(|limit| ratio.p_greater(limit)),
        p_below: limit.map(|limit| ratio.p_at_most(limit)),
        ..EstimateRow::default()
    }
}

fn rate(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let events: Vec<(bool, u64)> = rows.iter().map(|row| (row[0] > 0.5, row[1] as u64)).collect();
    let confidence = constant(constants, 0).unwrap_or(DEFAULT_CONFIDENCE);
    let mut estimate = from_estimate(rate_bounds(&events, confidence), rows.len());
    let count = events.iter().filter(|(event, _)| *event).count();
    if estimate.value.is_none() && !events.is_empty() {
        estimate.value = Some(count as f64 / events.len() as f64);
    }
    estimate.events = Some(count as u64);
    let gate = constant(constants, 1).map(|limit| rate_gate(&events, limit, confidence));
    with_gate(estimate, gate)
}

fn mean(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let confidence = constant(constants, 0).unwrap_or(DEFAULT_CONFIDENCE);
    mean_of(rows, confidence, constant(constants, 1), None)
}

fn bounded_mean(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let confidence = constant(constants, 0).unwrap_or(DEFAULT_CONFIDENCE);
    let range = (constants.get(2).copied(), constants.get(3).copied());
    let range = range.0.zip(range.1);
    mean_of(rows, confidence, constant(constants, 1), range)
}

fn mean_of(
    rows: &Rows,
    confidence: f64,
    limit: Option<f64>,
    range: Option<(f64, f64)>,
) -> EstimateRow {
    let x: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let cluster: Vec<u64> = rows.iter().map(|row| row[1] as u64).collect();
    let bounds = match range {
        Some(range) => mean_bounds_within(&x, &cluster, range, confidence),
        None => mean_bounds(&x, &cluster, confidence),
    };
    let mut estimate = from_estimate(bounds, rows.len());
    if let Some(limit) = limit {
        estimate.p_above = mean_p_greater(&x, &cluster, limit).ok();
        estimate.p_below = mean_p_less(&x, &cluster, limit).ok();
    }
    estimate
}

fn totals(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let y: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let x: Vec<f64> = rows.iter().map(|row| row[1]).collect();
    let cluster: Vec<u64> = rows.iter().map(|row| row[2] as u64).collect();
    let confidence = constant(constants, 0).unwrap_or(DEFAULT_CONFIDENCE);
    let ratio = match ratio_of_totals(&y, &x, Some(&cluster), confidence) {
        Ok(ratio) => ratio,
        Err(error) => return EstimateRow::failed(rows.len(), None, &error),
    };
    let limit = constant(constants, 1);
    EstimateRow {
        value: Some(ratio.ratio),
        low: Some(ratio.low),
        high: Some(ratio.high),
        n: ratio.n,
        clusters: Some(ratio.clusters),
        p_above: limit.and_then(|limit| ratio.p_greater(limit).ok()),
        p_below: limit.and_then(|limit| ratio.p_less(limit).ok()),
        ..EstimateRow::default()
    }
}

fn ratios(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let rate_rows: Vec<RateRow> = rows
        .iter()
        .map(|row| RateRow {
            candidate_total: row[0],
            candidate_units: row[1],
            incumbent_total: row[2],
            incumbent_units: row[3],
            cluster: row[4] as u64,
        })
        .collect();
    let confidence = constant(constants, 0).unwrap_or(DEFAULT_CONFIDENCE);
    match ratio_of_ratios(&rate_rows, confidence) {
        Ok(ratio) => EstimateRow {
            value: Some(ratio.ratio),
            low: Some(ratio.low),
            high: Some(ratio.high),
            n: ratio.n,
            clusters: Some(ratio.clusters),
            p_above: constant(constants, 1).map(|limit| ratio.p_greater(limit)),
            p_below: constant(constants, 1).map(|limit| 1.0 - ratio.p_greater(limit)),
            ..EstimateRow::default()
        },
        Err(error) => EstimateRow::failed(rows.len(), None, &error),
    }
}

fn rejections(rows: &Rows, constants: &[f64]) -> EstimateRow {
    let arrivals: Vec<Arrival> = rows
        .iter()
        .map(|row| Arrival { at_us: row[0], tokens: row[1], counted: row[2] > 0.5 })
        .collect();
    let limits = MinuteLimits {
        requests: constant(constants, 0).unwrap_or(f64::INFINITY),
        tokens: constant(constants, 1).unwrap_or(f64::INFINITY),
        burst_s: constant(constants, 2).unwrap_or(f64::NAN),
    };
    match limit_rejections(&arrivals, limits) {
        Ok(found) => EstimateRow {
            value: (found.arrivals > 0).then(|| found.rejected as f64 / found.arrivals as f64),
            n: found.arrivals,
            events: Some(found.rejected),
            ..EstimateRow::default()
        },
        Err(error) => EstimateRow::failed(rows.len(), None, &error),
    }
}
