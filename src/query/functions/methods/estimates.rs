//! The methods behind criteria: one estimate with one-sided bounds, in the columns that every
//! query of a criterion has.
//!
//! Rows are sorted as wholes before anything is computed, so that no result depends on the order,
//! the partitions or the threads in which they arrived.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::super::estimate::{ESTIMATE, EstimateRow};
use super::Argument::{Cluster, Constant, Number};
use super::{Constants, Method, Rows, cluster};
use crate::stats::{
    self, Arrival, Estimate, GateTest, MinuteLimits, PairedValue, RateRow, StatsError,
    cluster_bootstrap_ratio, limit_rejections, mean_bounds, mean_bounds_within, mean_p_greater,
    mean_p_less, quantile_bounds, quantile_bounds_clustered, quantile_gate, quantile_ratio,
    rate_bounds, rate_gate, ratio_of_ratios, ratio_of_totals,
};

/// Draws of the index bootstrap.
const DRAWS: usize = 10_000;

/// Replicates of the cluster bootstrap.
const REPLICATES: usize = 2_000;

/// Every estimating function.
pub(super) const METHODS: &[Method] = &[
    Method {
        name: "quantile_ci",
        description: "Type-1 quantile with exact order-statistic bounds, rows independent",
        syntax: "quantile_ci(value, p [, confidence])",
        arguments: &[Number, Constant, Constant],
        optional: 1,
        shape: ESTIMATE,
        compute: |rows, constants| quantile_independent(rows, constants).into_cells(),
    },
    Method {
        name: "quantile_clustered_ci",
        description: "Type-1 quantile with order-statistic bounds at the effective sample size",
        syntax: "quantile_clustered_ci(value, cluster, p, confidence, limit)",
        arguments: &[Number, Cluster, Constant, Constant, Constant],
        optional: 0,
        shape: ESTIMATE,
        compute: |rows, constants| quantile_clustered(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "quantile_ratio_ci",
        description: "Ratio of the quantile of x to that of y, paired by row, with one-sided \
                      bounds by the index bootstrap",
        syntax: "quantile_ratio_ci(x, y, p, cluster [, confidence [, limit [, seed]]])",
        arguments: &[Number, Number, Constant, Cluster, Constant, Constant, Constant],
        optional: 3,
        shape: ESTIMATE,
        compute: |rows, constants| ratio_of_quantiles(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "quantile_ratio_bootstrap",
        description: "Ratio of the quantile of x to that of y, paired by row, with one-sided \
                      bounds by the cluster bootstrap of 2,000 replicates: a check of \
                      quantile_ratio_ci",
        syntax: "quantile_ratio_bootstrap(x, y, p, cluster [, confidence [, seed]])",
        arguments: &[Number, Number, Constant, Cluster, Constant, Constant],
        optional: 2,
        shape: ESTIMATE,
        compute: |rows, constants| bootstrapped_ratio(rows, constants).into_cells(),
    },
    Method {
        name: "rate_ci",
        description: "Share of rows with an event (1 or 0), Clopper-Pearson bounds",
        syntax: "rate_ci(event, cluster [, confidence [, limit]])",
        arguments: &[Number, Cluster, Constant, Constant],
        optional: 2,
        shape: ESTIMATE,
        compute: |rows, constants| rate(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "mean_ci",
        description: "Mean with cluster-robust bounds",
        syntax: "mean_ci(value, cluster [, confidence [, limit]])",
        arguments: &[Number, Cluster, Constant, Constant],
        optional: 2,
        shape: ESTIMATE,
        compute: |rows, constants| mean(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "bounded_mean_ci",
        description: "Mean of values within a range, cluster-robust bounds that stay within it",
        syntax: "bounded_mean_ci(value, cluster, confidence, limit, least, most)",
        arguments: &[Number, Cluster, Constant, Constant, Constant, Constant],
        optional: 0,
        shape: ESTIMATE,
        compute: |rows, constants| bounded_mean(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "ratio_of_totals_ci",
        description: "Sum of the first over the sum of the second, cluster-robust bounds",
        syntax: "ratio_of_totals_ci(candidate, incumbent, cluster [, confidence [, limit]])",
        arguments: &[Number, Number, Cluster, Constant, Constant],
        optional: 2,
        shape: ESTIMATE,
        compute: |rows, constants| totals(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "ratio_of_ratios_ci",
        description: "Ratio of two ratios of totals, cluster-robust bounds",
        syntax: "ratio_of_ratios_ci(candidate_total, candidate_units, incumbent_total, \
                 incumbent_units, cluster, confidence, limit)",
        arguments: &[Number, Number, Number, Number, Cluster, Constant, Constant],
        optional: 0,
        shape: ESTIMATE,
        compute: |rows, constants| ratios(&sorted(rows), constants).into_cells(),
    },
    Method {
        name: "limit_rejections",
        description: "Share of the marked arrivals (1 or 0) that limits per minute reject: token \
                      buckets that begin full, hold burst_s seconds of the limit and fill evenly; \
                      what is rejected takes nothing and does not come again; no bounds",
        syntax: "limit_rejections(at_us, tokens, marked, requests_per_minute, \
                 tokens_per_minute, burst_s)",
        arguments: &[Number, Number, Number, Constant, Constant, Constant],
        optional: 0,
        shape: ESTIMATE,
        compute: |rows, constants| rejections(&sorted(rows), constants).into_cells(),
    },
];

/// The rows in one order, whatever the order in which they came.
fn sorted(rows: &Rows) -> Rows {
    if rows.width == 1 {
        let mut data = rows.data.clone();
        data.sort_unstable_by(f64::total_cmp);
        return Rows::new(data, 1, Vec::new());
    }
    let mut order: Vec<&[f64]> = rows.iter().collect();
    order.sort_unstable_by(|a, b| {
        let mut differing = a.iter().zip(*b).map(|(a, b)| a.total_cmp(b));
        differing.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    Rows::new(order.concat(), rows.width, Vec::new())
}

fn clustered(rows: &Rows, value: usize, of: usize) -> Vec<(f64, u64)> {
    rows.iter().map(|row| (row[value], cluster(row[of]))).collect()
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

fn quantile_independent(rows: &Rows, constants: &Constants) -> EstimateRow {
    let values: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let p = constants.number(0).unwrap_or(f64::NAN);
    let confidence = constants.confidence(1);
    let bounds = stats::sorted(&values).and_then(|sorted| quantile_bounds(&sorted, p, confidence));
    from_estimate(bounds, rows.len())
}

fn quantile_clustered(rows: &Rows, constants: &Constants) -> EstimateRow {
    let values = clustered(rows, 0, 1);
    let p = constants.number(0).unwrap_or(f64::NAN);
    let confidence = constants.confidence(1);
    let mut estimate = from_estimate(quantile_bounds_clustered(&values, p, confidence), rows.len());
    if estimate.value.is_none() {
        let plain: Vec<f64> = values.iter().map(|(value, _)| *value).collect();
        let sorted = stats::sorted(&plain);
        estimate.value = sorted.and_then(|sorted| stats::type1(&sorted, p)).ok();
    }
    let gate = constants.number(2).map(|limit| quantile_gate(&values, p, limit, confidence));
    with_gate(estimate, gate)
}

fn pairs(rows: &Rows) -> Vec<PairedValue> {
    rows.iter()
        .map(|row| PairedValue { candidate: row[0], incumbent: row[1], cluster: cluster(row[2]) })
        .collect()
}

fn ratio_of_quantiles(rows: &Rows, constants: &Constants) -> EstimateRow {
    let p = constants.number(0).unwrap_or(f64::NAN);
    let confidence = constants.confidence(1);
    let seed = constants.number(3).unwrap_or(0.0) as u64;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let ratio = match quantile_ratio(&pairs(rows), p, confidence, DRAWS, &mut rng) {
        Ok(ratio) => ratio,
        Err(error) => return EstimateRow::failed(rows.len(), None, &error),
    };
    let limit = constants.number(2);
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

fn bootstrapped_ratio(rows: &Rows, constants: &Constants) -> EstimateRow {
    let p = constants.number(0).unwrap_or(f64::NAN);
    let confidence = constants.confidence(1);
    let seed = constants.number(2).unwrap_or(0.0) as u64;
    match cluster_bootstrap_ratio(&pairs(rows), p, confidence, REPLICATES, seed) {
        Ok(ratio) => EstimateRow {
            value: Some(ratio.value),
            low: Some(ratio.low),
            high: Some(ratio.high),
            n: ratio.n,
            clusters: Some(ratio.clusters),
            ..EstimateRow::default()
        },
        Err(error) => EstimateRow::failed(rows.len(), None, &error),
    }
}

fn rate(rows: &Rows, constants: &Constants) -> EstimateRow {
    let events: Vec<(bool, u64)> = rows.iter().map(|row| (row[0] > 0.5, cluster(row[1]))).collect();
    let confidence = constants.confidence(0);
    let mut estimate = from_estimate(rate_bounds(&events, confidence), rows.len());
    let count = events.iter().filter(|(event, _)| *event).count();
    if estimate.value.is_none() && !events.is_empty() {
        estimate.value = Some(count as f64 / events.len() as f64);
    }
    estimate.events = Some(count as u64);
    let gate = constants.number(1).map(|limit| rate_gate(&events, limit, confidence));
    with_gate(estimate, gate)
}

fn mean(rows: &Rows, constants: &Constants) -> EstimateRow {
    let confidence = constants.confidence(0);
    mean_of(rows, confidence, constants.number(1), None)
}

fn bounded_mean(rows: &Rows, constants: &Constants) -> EstimateRow {
    let confidence = constants.confidence(0);
    let range = (constants.number(2), constants.number(3));
    let range = range.0.zip(range.1);
    mean_of(rows, confidence, constants.number(1), range)
}

fn mean_of(
    rows: &Rows,
    confidence: f64,
    limit: Option<f64>,
    range: Option<(f64, f64)>,
) -> EstimateRow {
    let x: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let cluster = rows.clusters(1);
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

fn totals(rows: &Rows, constants: &Constants) -> EstimateRow {
    let y: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let x: Vec<f64> = rows.iter().map(|row| row[1]).collect();
    let cluster = rows.clusters(2);
    let confidence = constants.confidence(0);
    let ratio = match ratio_of_totals(&y, &x, Some(&cluster), confidence) {
        Ok(ratio) => ratio,
        Err(error) => return EstimateRow::failed(rows.len(), None, &error),
    };
    let limit = constants.number(1);
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

fn ratios(rows: &Rows, constants: &Constants) -> EstimateRow {
    let rate_rows: Vec<RateRow> = rows
        .iter()
        .map(|row| RateRow {
            candidate_total: row[0],
            candidate_units: row[1],
            incumbent_total: row[2],
            incumbent_units: row[3],
            cluster: cluster(row[4]),
        })
        .collect();
    let confidence = constants.confidence(0);
    match ratio_of_ratios(&rate_rows, confidence) {
        Ok(ratio) => EstimateRow {
            value: Some(ratio.ratio),
            low: Some(ratio.low),
            high: Some(ratio.high),
            n: ratio.n,
            clusters: Some(ratio.clusters),
            p_above: constants.number(1).map(|limit| ratio.p_greater(limit)),
            p_below: constants.number(1).map(|limit| 1.0 - ratio.p_greater(limit)),
            ..EstimateRow::default()
        },
        Err(error) => EstimateRow::failed(rows.len(), None, &error),
    }
}

fn rejections(rows: &Rows, constants: &Constants) -> EstimateRow {
    let arrivals: Vec<Arrival> = rows
        .iter()
        .map(|row| Arrival { at_us: row[0], tokens: row[1], counted: row[2] > 0.5 })
        .collect();
    let limits = MinuteLimits {
        requests: constants.number(0).unwrap_or(f64::INFINITY),
        tokens: constants.number(1).unwrap_or(f64::INFINITY),
        burst_s: constants.number(2).unwrap_or(f64::NAN),
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
