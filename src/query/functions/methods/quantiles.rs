//! Quantiles beside those of criteria: other definitions, weights, censored durations.

use super::super::estimate::{ESTIMATE, EstimateRow};
use super::super::record::{Cell, Kind, Outcome, PROBLEM, Shape, into_cells, outcome};
use super::Argument::{Cluster, Constant, Number};
use super::{Constants, Method, Rows};
use crate::stats::{
    QuantileType, WeightedRow, harrell_davis, kaplan_meier, quantile, sorted, weighted_type1,
    woodruff_bounds,
};

const VALUE: Shape = &[("value", Kind::Float), ("n", Kind::Count), PROBLEM];

const SURVIVAL: Shape = &[
    ("value", Kind::Float),
    ("survival", Kind::Float),
    ("se", Kind::Float),
    ("n", Kind::Count),
    ("events", Kind::Count),
    PROBLEM,
];

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "sample_quantile",
        description: "Quantile by a definition of Hyndman and Fan: 1 (an observed value, the \
                      default), 6, 7 (PERCENTILE_CONT) or 8",
        syntax: "sample_quantile(x, p [, type])",
        arguments: &[Number, Constant, Constant],
        optional: 1,
        shape: VALUE,
        compute: |rows, constants| into_cells(VALUE, of_type(rows, constants)),
    },
    Method {
        name: "harrell_davis",
        description: "Smooth estimate of a quantile up to p = 0.95, for trends; finite values",
        syntax: "harrell_davis(x, p)",
        arguments: &[Number, Constant],
        optional: 0,
        shape: VALUE,
        compute: |rows, constants| {
            let p = constants.number(0).unwrap_or(f64::NAN);
            let smooth = sorted(&rows.column(0)).and_then(|sample| harrell_davis(&sample, p));
            into_cells(VALUE, outcome(smooth, |value| vec![value.into(), rows.len().into()]))
        },
    },
    Method {
        name: "weighted_quantile",
        description: "Smallest value whose cumulative weight reaches the share p",
        syntax: "weighted_quantile(x, weight, p)",
        arguments: &[Number, Number, Constant],
        optional: 0,
        shape: VALUE,
        compute: |rows, constants| {
            let p = constants.number(0).unwrap_or(f64::NAN);
            let found = weighted_type1(&rows.column(0), &rows.column(1), p);
            into_cells(VALUE, outcome(found, |value| vec![value.into(), rows.len().into()]))
        },
    },
    Method {
        name: "quantile_weighted_ci",
        description: "Type-1 quantile of weighted and clustered rows, Woodruff's one-sided bounds",
        syntax: "quantile_weighted_ci(x, weight, cluster, p [, confidence])",
        arguments: &[Number, Number, Cluster, Constant, Constant],
        optional: 1,
        shape: ESTIMATE,
        compute: |rows, constants| weighted(rows, constants).into_cells(),
    },
    Method {
        name: "kaplan_meier_quantile",
        description: "Quantile of durations of which some are known only to exceed x (ended = \
                      0), with the share that lasts longer and its Greenwood error; value NULL \
                      where the curve does not get so far",
        syntax: "kaplan_meier_quantile(x, ended, p)",
        arguments: &[Number, Number, Constant],
        optional: 0,
        shape: SURVIVAL,
        compute: |rows, constants| into_cells(SURVIVAL, survival(rows, constants)),
    },
];

fn of_type(rows: &Rows, constants: &Constants) -> Outcome {
    let p = constants.number(0).unwrap_or(f64::NAN);
    let kind = match constants.word(1) {
        None | Some("1") => QuantileType::InvertedCdf,
        Some("6") => QuantileType::Weibull,
        Some("7") => QuantileType::Linear,
        Some("8") => QuantileType::MedianUnbiased,
        Some(other) => return Err(format!("`{other}` is no type of quantile: 1, 6, 7 or 8")),
    };
    let found = sorted(&rows.column(0)).and_then(|sample| quantile(&sample, p, kind));
    outcome(found, |value| vec![value.into(), rows.len().into()])
}

fn weighted(rows: &Rows, constants: &Constants) -> EstimateRow {
    let clusters = rows.clusters(2);
    let weighted: Vec<WeightedRow> = rows
        .iter()
        .zip(clusters)
        .map(|(row, cluster)| WeightedRow { value: row[0], weight: row[1], cluster })
        .collect();
    let p = constants.number(0).unwrap_or(f64::NAN);
    match woodruff_bounds(&weighted, p, constants.confidence(1)) {
        Ok(estimate) => EstimateRow {
            value: Some(estimate.value),
            low: Some(estimate.low),
            high: Some(estimate.high),
            n: estimate.n,
            clusters: Some(estimate.clusters),
            deff: Some(estimate.deff),
            ..EstimateRow::default()
        },
        Err(error) => EstimateRow::failed(rows.len(), None, &error),
    }
}

fn survival(rows: &Rows, constants: &Constants) -> Outcome {
    let ended: Vec<bool> = rows.iter().map(|row| row[1] > 0.5).collect();
    let p = constants.number(0).unwrap_or(f64::NAN);
    let found = kaplan_meier(&rows.column(0), &ended)
        .and_then(|curve| curve.quantile(p).map(|value| (curve, value)));
    outcome(found, |(curve, value)| {
        let step = curve.steps.iter().rfind(|step| value.is_none_or(|value| step.time <= value));
        vec![
            Cell::Float(value),
            Cell::Float(step.map(|step| step.survival)),
            Cell::Float(step.and_then(|step| step.se)),
            curve.n.into(),
            curve.events.into(),
        ]
    })
}
