//! Fills a [`Report`] from the verdict and the named queries.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;

use super::build_latency::latency_series;
use super::build_load::{QUERIES_OF_LOAD, client, load};
use super::model::{
    ArmSummary, CaptureSummary, ConsistencyRow, CostRow, ErrorBucket, ErrorClassCount, LossRow,
    Outage, PriceRow, QueryUse, REPORT_SCHEMA_VERSION, Report, TokenRow,
};
use crate::compare::{Finding, Measurement, measure};
use crate::dataset::CaptureManifest;
use crate::plan::{Plan, WarmUp};
use crate::query::{Parameters, QueryError, Session, find};
use crate::verdict::Verdict;

/// Slices of the replay's time in the chart of errors.
const SLICES: i64 = 24;

/// Consecutive failures that make an outage of failures: where four in ten fail, so many in a row
/// come by chance once in a million attempts.
const OUTAGE_ATTEMPTS: i64 = 15;

/// Level of the one-sided bounds of figures that no criterion asks for.
const CONFIDENCE: f64 = 0.95;

const MICROSECONDS_PER_MONTH: f64 = 30.4375 * 86_400.0 * 1e6;

const MEASURES: [&str; 5] = ["exact", "normalised", "edit", "json", "tool_calls"];

const QUERIES_OF_REPORT: &[&str] = &[
    "report/coverage",
    "report/money",
    "report/latency_values",
    "report/error_classes",
    "report/errors_over_time",
    "report/outages",
    "report/tokens",
    "report/cost",
    "report/losses",
    "report/prices",
    "report/capture_models",
    "report/client_health",
    "criteria/consistency",
];

/// Builds the report of a judged run; `generated_at` is a label.
///
/// # Errors
/// The queries'.
pub async fn build(
    session: &Session,
    plan: &Plan,
    capture: &CaptureManifest,
    verdict: Verdict,
    generated_at: &str,
) -> Result<Report, QueryError> {
    let none = Parameters::new();
    let models: Vec<ModelCount> = session.rows("report/capture_models", &none).await?;
    let load = load(session, plan).await?;
    let queries = queries(&verdict, load.is_some())?;
    let notes = notes(plan, capture, &verdict);
    Ok(Report {
        schema_version: REPORT_SCHEMA_VERSION,
        generated_at: generated_at.to_owned(),
        title: plan.title.clone(),
        capture: capture_summary(capture, models),
        arms: arms(plan),
        latency: latency_series(session).await?,
        load,
        client: client(session).await?,
        error_classes: error_classes(session).await?,
        errors_over_time: errors_over_time(session).await?,
        outages: outages(session).await?,
        consistency: consistency(session, plan).await?,
        tokens: tokens(session).await?,
        cost: cost(session, plan, capture).await?,
        prices: prices(session).await?,
        losses: losses(session).await?,
        queries,
        notes,
        verdict,
    })
}

#[derive(Debug, Deserialize)]
struct ModelCount {
    request_model: String,
    exchanges: i64,
}

fn capture_summary(capture: &CaptureManifest, models: Vec<ModelCount>) -> CaptureSummary {
    let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
    for source in &capture.sources {
        for (reason, count) in &source.rejected {
            *rejected.entry(reason.clone()).or_default() += count;
        }
    }
    CaptureSummary {
        exchanges: capture.exchanges,
        from: capture.from_us.and_then(rfc3339),
        to: capture.to_us.and_then(rfc3339),
        models: models.into_iter().map(|m| (m.request_model, m.exchanges.unsigned_abs())).collect(),
        rejected,
        duplicates: capture.sources.iter().map(|source| source.duplicates).sum(),
    }
}

fn rfc3339(micros: i64) -> Option<String> {
    DateTime::from_timestamp_micros(micros)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn arms(plan: &Plan) -> Vec<ArmSummary> {
    let incumbent = ArmSummary {
        name: "incumbent".to_owned(),
        role: "incumbent".to_owned(),
        protocol: None,
        base_url: None,
        models: BTreeMap::new(),
    };
    let replayed = plan.arms().map(|arm| ArmSummary {
        name: arm.name.clone(),
        role: if arm.is_control { "control" } else { "candidate" }.to_owned(),
        protocol: Some(arm.protocol.as_str().to_owned()),
        base_url: Some(arm.base_url.clone()),
        models: arm.models.entries().into_iter().collect(),
    });
    std::iter::once(incumbent).chain(replayed).collect()
}

async fn error_classes(session: &Session) -> Result<Vec<ErrorClassCount>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        error_class: String,
        first_attempts: i64,
        attempts: i64,
    }
    let rows: Vec<Row> = session.rows("report/error_classes", &Parameters::new()).await?;
    let counts = rows.into_iter().map(|row| ErrorClassCount {
        arm: row.arm,
        error_class: row.error_class,
        first_attempts: row.first_attempts.unsigned_abs(),
        attempts: row.attempts.unsigned_abs(),
    });
    Ok(counts.collect())
}

async fn errors_over_time(session: &Session) -> Result<Vec<ErrorBucket>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        slice: i64,
        width_us: i64,
        attempts: i64,
        errors: i64,
    }
    let slices = Parameters::from([("slices".to_owned(), SLICES.to_string())]);
    let rows: Vec<Row> = session.rows("report/errors_over_time", &slices).await?;
    let buckets = rows.into_iter().map(|row| ErrorBucket {
        arm: row.arm,
        start_s: row.slice as f64 * row.width_us as f64 / 1e6,
        width_s: row.width_us as f64 / 1e6,
        attempts: row.attempts.unsigned_abs(),
        errors: row.errors.unsigned_abs(),
    });
    Ok(buckets.collect())
}

async fn outages(session: &Session) -> Result<Vec<Outage>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        start_s: f64,
        to_at: Option<String>,
        outage_ms: f64,
        attempts: i64,
        cost_nanousd: Option<i64>,
    }
    let at_least = Parameters::from([("min_attempts".to_owned(), OUTAGE_ATTEMPTS.to_string())]);
    let rows: Vec<Row> = session.rows("report/outages", &at_least).await?;
    let outages = rows.into_iter().map(|row| Outage {
        arm: row.arm,
        start_s: row.start_s,
        length_s: row.outage_ms / 1e3,
        ended: row.to_at.is_some(),
        attempts: row.attempts.unsigned_abs(),
        cost_usd: row.cost_nanousd.unwrap_or(0) as f64 / 1e9,
    });
    Ok(outages.collect())
}

async fn consistency(session: &Session, plan: &Plan) -> Result<Vec<ConsistencyRow>, QueryError> {
    let mut rows = Vec::new();
    for arm in plan.arms() {
        let answered = answered(session, &arm.name).await?;
        for measure_name in MEASURES {
            let parameters = Parameters::from([
                ("arm".to_owned(), arm.name.clone()),
                ("segment".to_owned(), "(all)".to_owned()),
                ("min_n".to_owned(), "0".to_owned()),
                ("confidence".to_owned(), CONFIDENCE.to_string()),
                ("limit".to_owned(), "0".to_owned()),
                ("measure".to_owned(), measure_name.to_owned()),
            ]);
            let query = "criteria/consistency";
            let found = measure(session, &Measurement { query, parameters }).await?;
            let finding: Option<&Finding> = found.first();
            let n = finding.and_then(|finding| finding.n).unwrap_or(0).unsigned_abs();
            rows.push(ConsistencyRow {
                arm: arm.name.clone(),
                measure: measure_name.to_owned(),
                n,
                not_applicable: answered.saturating_sub(n),
                disagreement: finding.and_then(|finding| finding.value),
                low: finding.and_then(|finding| finding.low),
                high: finding.and_then(|finding| finding.high),
            });
        }
    }
    Ok(rows)
}

/// Exchanges of an arm with an outcome, over repeats.
async fn answered(session: &Session, arm: &str) -> Result<u64, QueryError> {
    let rows = crate::compare::coverage(session).await?;
    let done = rows.iter().filter(|row| row.arm == arm && row.outcome == "done");
    Ok(done.map(|row| row.exchanges.unsigned_abs()).sum())
}

async fn cost(
    session: &Session,
    plan: &Plan,
    capture: &CaptureManifest,
) -> Result<Vec<CostRow>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        exchanges: i64,
        cost_nanousd: Option<i64>,
        estimated_nanousd: i64,
        mean_nanousd: Option<f64>,
        low_nanousd: Option<f64>,
        high_nanousd: Option<f64>,
    }
    let parameters = Parameters::from([("confidence".to_owned(), CONFIDENCE.to_string())]);
    let rows: Vec<Row> = session.rows("report/cost", &parameters).await?;
    let monthly = monthly_requests(plan, capture);
    let usd = |nanos: Option<f64>| nanos.map(|nanos| nanos / 1e9);
    let bill = |mean: Option<f64>| Some(usd(mean)? * monthly?).filter(|value| value.is_finite());
    let rows = rows.into_iter().map(|row| CostRow {
        arm: row.arm,
        exchanges: row.exchanges.unsigned_abs(),
        cost_usd: row.cost_nanousd.unwrap_or(0) as f64 / 1e9,
        estimated_usd: row.estimated_nanousd as f64 / 1e9,
        mean_usd: usd(row.mean_nanousd),
        monthly_usd: bill(row.mean_nanousd),
        monthly_low_usd: bill(row.low_nanousd),
        monthly_high_usd: bill(row.high_nanousd),
    });
    Ok(rows.collect())
}

/// Requests a month: as the plan says, else the captured ones over the captured time.
fn monthly_requests(plan: &Plan, capture: &CaptureManifest) -> Option<f64> {
    if let Some(requests) = plan.cost.monthly_requests {
        return Some(requests as f64);
    }
    let span = capture.to_us?.saturating_sub(capture.from_us?);
    (span > 0).then(|| capture.exchanges as f64 / span as f64 * MICROSECONDS_PER_MONTH)
}

async fn tokens(session: &Session) -> Result<Vec<TokenRow>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        request_model: String,
        exchanges: i64,
        input_tokens: i64,
        output_tokens: i64,
        cache_read_input_tokens: i64,
        reasoning_output_tokens: i64,
    }
    let rows: Vec<Row> = session.rows("report/tokens", &Parameters::new()).await?;
    let rows = rows.into_iter().map(|row| TokenRow {
        arm: row.arm,
        model: row.request_model,
        exchanges: row.exchanges.unsigned_abs(),
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cache_read_input_tokens: row.cache_read_input_tokens,
        reasoning_output_tokens: row.reasoning_output_tokens,
    });
    Ok(rows.collect())
}

async fn prices(session: &Session) -> Result<Vec<PriceRow>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        model: String,
        input_usd_per_million: String,
        output_usd_per_million: String,
        source: String,
    }
    let rows: Vec<Row> = session.rows("report/prices", &Parameters::new()).await?;
    let rows = rows.into_iter().map(|row| PriceRow {
        arm: row.arm,
        model: row.model,
        input_usd_per_million: row.input_usd_per_million,
        output_usd_per_million: row.output_usd_per_million,
        source: row.source,
    });
    Ok(rows.collect())
}

async fn losses(session: &Session) -> Result<Vec<LossRow>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        feature: String,
        action: String,
        severity: String,
        requests: i64,
        prepared: i64,
    }
    let rows: Vec<Row> = session.rows("report/losses", &Parameters::new()).await?;
    let rows = rows.into_iter().map(|row| LossRow {
        arm: row.arm,
        feature: row.feature,
        action: row.action,
        severity: row.severity,
        requests: row.requests.unsigned_abs(),
        share: row.requests as f64 / (row.prepared as f64).max(1.0),
    });
    Ok(rows.collect())
}

fn queries(verdict: &Verdict, with_load: bool) -> Result<Vec<QueryUse>, QueryError> {
    let mut names: Vec<&str> = verdict.criteria.iter().map(|c| c.query.as_str()).collect();
    names.extend(QUERIES_OF_REPORT);
    if with_load {
        names.extend(QUERIES_OF_LOAD);
    }
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let query = find(name)?;
            let header = query
                .header()
                .map_err(|source| QueryError::Header { name: name.to_owned(), source })?;
            Ok(QueryUse { name: name.to_owned(), sha256: query.sha256(), purpose: header.purpose })
        })
        .collect()
}

fn notes(plan: &Plan, capture: &CaptureManifest, verdict: &Verdict) -> Vec<String> {
    let mut notes = vec![
        "A criterion is met only if its unfavourable one-sided bound is within the limit, and not \
         met only if the favourable one is beyond it; a point estimate never decides."
            .to_owned(),
        "Latency and errors are judged on first attempts, a failure or timeout as infinitely slow; \
         429 and configuration faults have figures of their own. Answers are compared on the final \
         attempt, and cost counts every attempt."
            .to_owned(),
        "Exchanges of one conversation, or with the same prompt, count as one cluster; where all \
         exchanges of a rate agree, they count one by one."
            .to_owned(),
    ];
    let pace = if plan.replay.pace.is_open() {
        "The replay ran as an open loop: requests were sent by a schedule, whatever came back; how \
         punctually they left stands under Load."
    } else {
        "The replay ran as a closed loop: its latencies hold for the concurrency of the plan, \
         and say nothing of the tail under a peak load."
    };
    notes.push(pace.to_owned());
    if let Some(warm_up) = plan.replay.warm_up {
        let part = match warm_up {
            WarmUp::Time(time) => format!("first {}", humantime::format_duration(time)),
            WarmUp::Requests(count) => format!("first {count} exchanges of each arm"),
        };
        notes.push(format!(
            "The {part} of the replay (of each part of it, where it was resumed) are its warm-up: \
             sent, counted and compared like the others, but left out of every latency."
        ));
    }
    if plan.control.is_none() {
        notes.push(
            "There is no control arm: the incumbent's figures come from the log, taken elsewhere \
             and at another time, and relative criteria only advise."
                .to_owned(),
        );
    }
    let week_us = 7 * 86_400 * 1_000_000;
    let span = capture.to_us.unwrap_or(0).saturating_sub(capture.from_us.unwrap_or(0));
    if plan.cost.monthly_requests.is_none() && span < week_us {
        notes.push(
            "The capture spans less than a week: the monthly bill is projected from it without \
             knowing the days that were not captured."
                .to_owned(),
        );
    }
    if verdict.candidates.len() > 1 {
        notes.push(
            "The decision over several candidates is GO only if each may go, and NO-GO if any \
             must not; each has a decision of its own."
                .to_owned(),
        );
    }
    notes
}
