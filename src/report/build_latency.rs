//! The latency distributions of a report, from one query over all arms and models.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::model::{BoxPlot, LatencySeries, Percentile};
use crate::query::{Parameters, QueryError, Session};
use crate::stats;

const PERCENTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Level of the one-sided bounds.
const CONFIDENCE: f64 = 0.95;

/// Points of an ECDF: enough for a smooth line, few enough for a small file.
const ECDF_POINTS: usize = 120;

const MEASURES: [&str; 3] = ["latency_ms", "ttft_ms", "tpot_ms"];

#[derive(Debug, Deserialize)]
struct ValueRow {
    arm: String,
    request_model: String,
    cluster_id: i64,
    latency_ms: Option<f64>,
    ttft_ms: Option<f64>,
    tpot_ms: Option<f64>,
    with_retries_latency_ms: Option<f64>,
}

#[derive(Debug, Default)]
struct Values {
    clustered: Vec<(f64, u64)>,
    with_retries: Vec<f64>,
}

/// Every distribution: per measure, arm, and model, with `(all)` for all models.
pub(super) async fn latency_series(session: &Session) -> Result<Vec<LatencySeries>, QueryError> {
    let rows: Vec<ValueRow> = session.rows("report/latency_values", &Parameters::new()).await?;
    let mut groups: BTreeMap<(usize, String, String), Values> = BTreeMap::new();
    for row in rows {
        let measured = [row.latency_ms, row.ttft_ms, row.tpot_ms];
        for (index, value) in measured.into_iter().enumerate() {
            let Some(value) = value else { continue };
            for model in ["(all)", row.request_model.as_str()] {
                let key = (index, row.arm.clone(), model.to_owned());
                let values = groups.entry(key).or_default();
                values.clustered.push((value, row.cluster_id.unsigned_abs()));
                if index == 0 {
                    values.with_retries.extend(row.with_retries_latency_ms);
                }
            }
        }
    }
    Ok(groups
        .into_iter()
        .map(|((measure, arm, model), values)| series(MEASURES[measure], arm, model, &values))
        .collect())
}

fn series(measure: &str, arm: String, model: String, values: &Values) -> LatencySeries {
    let all: Vec<f64> = values.clustered.iter().map(|(value, _)| *value).collect();
    let sorted = stats::sorted(&all).unwrap_or_default();
    let finite = sorted.iter().filter(|value| value.is_finite()).count();
    let successes = &sorted[..finite];
    let with_retries = stats::sorted(&values.with_retries).unwrap_or_default();
    LatencySeries {
        arm,
        model,
        measure: measure.to_owned(),
        n: sorted.len() as u64,
        failures: (sorted.len() - finite) as u64,
        percentiles: PERCENTILES.iter().map(|p| bounded(&values.clustered, &sorted, *p)).collect(),
        success_percentiles: plain(successes),
        with_retries_percentiles: plain(&with_retries),
        box_plot: box_plot(successes),
        ecdf: stats::ecdf_points(&sorted, ECDF_POINTS)
            .into_iter()
            .filter(|(value, _)| value.is_finite())
            .collect(),
    }
}

fn bounded(clustered: &[(f64, u64)], sorted: &[f64], p: f64) -> Percentile {
    match stats::quantile_bounds_clustered(clustered, p, CONFIDENCE) {
        Ok(estimate) => Percentile {
            p,
            value: Some(estimate.value),
            low: Some(estimate.low),
            high: Some(estimate.high),
        },
        Err(_) => Percentile { p, value: stats::type1(sorted, p).ok(), low: None, high: None },
    }
}

fn plain(sorted: &[f64]) -> Vec<Percentile> {
    let value = |p: &f64| stats::type1(sorted, *p).ok();
    PERCENTILES
        .iter()
        .map(|p| Percentile { p: *p, value: value(p), low: None, high: None })
        .collect()
}

fn box_plot(sorted: &[f64]) -> Option<BoxPlot> {
    let at = |p| stats::type1(sorted, p).ok();
    Some(BoxPlot { p05: at(0.05)?, p25: at(0.25)?, p50: at(0.5)?, p75: at(0.75)?, p95: at(0.95)? })
}
