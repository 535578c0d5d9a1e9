//! Rows of named queries turned into typed findings; estimates come from SQL, decisions do not.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::query::{Parameters, QueryError, Session};

/// What a criterion needs to know: which query, with which parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// A query of the catalogue with the columns of [`Finding`].
    pub query: &'static str,
    /// Its parameters.
    pub parameters: Parameters,
}

/// One estimate: the fixed columns of every query under `queries/criteria`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Finding {
    /// The part of the traffic, `(all)`, or `(other)` for what is too small to stand alone.
    pub segment: String,
    /// Point estimate.
    pub value: Option<f64>,
    /// Lower one-sided bound.
    pub low: Option<f64>,
    /// Upper one-sided bound.
    pub high: Option<f64>,
    /// Exchanges in the estimate.
    pub n: Option<i64>,
    /// Independent clusters among them.
    pub clusters: Option<i64>,
    /// Exchanges with the counted event.
    pub events: Option<i64>,
    /// p-value of the true value being at most the limit.
    pub p_above: Option<f64>,
    /// p-value of the true value being at least the limit.
    pub p_below: Option<f64>,
    /// Why bounds are absent.
    pub problem: Option<String>,
    /// Whether it speaks of a sample whose exchanges weigh differently: more of the same would
    /// not decide.
    #[serde(skip)]
    pub is_of_sample: bool,
}

/// What became of captured exchanges: one row of `report/coverage`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CoverageRow {
    /// The arm.
    pub arm: String,
    /// The repeat, from 1.
    pub repeat: i32,
    /// `excluded`, `done`, `failed`, `uncertain` or `not_sent`.
    pub outcome: String,
    /// Why it is excluded.
    pub excluded_reason: Option<String>,
    /// Exchanges.
    pub exchanges: i64,
}

/// What an arm cost: one row of `report/money`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MoneyRow {
    /// The arm.
    pub arm: String,
    /// Known cost.
    pub spent_nanousd: i64,
    /// Part of it that is a reservation.
    pub estimated_nanousd: i64,
    /// Most that uncertain attempts can have cost.
    pub uncertain_nanousd: i64,
    /// Attempts.
    pub attempts: i64,
}

/// Whether the client was the bottleneck: one row of `report/client_health`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ClientHealthRow {
    /// The arm.
    pub arm: String,
    /// Attempts with an answer.
    pub attempts: i64,
    /// Median latency.
    pub latency_p50_ms: Option<f64>,
    /// Median time to the first token of streamed answers.
    pub ttft_p50_ms: Option<f64>,
    /// Median of the time spent in the client.
    pub overhead_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub overhead_p99_ms: Option<f64>,
    /// The largest.
    pub overhead_max_ms: Option<f64>,
    /// Median of the worst lateness of the event loop during an attempt.
    pub lag_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub lag_p99_ms: Option<f64>,
    /// The largest.
    pub lag_max_ms: Option<f64>,
    /// Median of the worst lateness until the first output of a streamed answer.
    pub first_token_lag_p50_ms: Option<f64>,
    /// Attempts that opened a connection of their own.
    pub connections: i64,
    /// Median of the time that this took.
    pub connect_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub connect_p99_ms: Option<f64>,
}

/// Share of the median latency beyond which a request that leaves after its time is late.
pub const LATE_SHARE: f64 = 0.05;

/// How late requests left against the schedule: one row of `load/schedule_slip`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ScheduleSlipRow {
    /// The arm.
    pub arm: String,
    /// First attempts.
    pub attempts: i64,
    /// Those that left later than scheduled by more than [`LATE_SHARE`] of the median latency.
    pub late: i64,
    /// Their share.
    pub late_share: f64,
    /// Median of sent minus scheduled.
    pub slip_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub slip_p99_ms: Option<f64>,
    /// The largest.
    pub slip_max_ms: Option<f64>,
    /// Attempts that this program alone made late.
    pub client_late: i64,
    /// Their share.
    pub client_late_share: f64,
    /// Median of the part of the slip that no limit of the plan accounts for.
    pub client_slip_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub client_slip_p99_ms: Option<f64>,
    /// The largest.
    pub client_slip_max_ms: Option<f64>,
    /// Attempts that limits of the plan held back.
    pub held_back: i64,
    /// 99th percentile of the time that they were held back.
    pub held_back_p99_ms: Option<f64>,
    /// Median latency of answered attempts.
    pub latency_p50_ms: Option<f64>,
    /// 99th percentile of the latency from the moment of sending.
    pub from_sent_p99_ms: Option<f64>,
    /// The same from the scheduled moment.
    pub from_schedule_p99_ms: Option<f64>,
}

/// Runs one measurement; a segment without exchanges has no row.
///
/// # Errors
/// The query's.
pub async fn measure(
    session: &Session,
    measurement: &Measurement,
) -> Result<Vec<Finding>, QueryError> {
    session.rows(measurement.query, &measurement.parameters).await
}

/// The weights of one part of the traffic: one row of `report/sample_weights`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct WeightRow {
    segment: String,
    least: f64,
    most: f64,
}

/// Leaves findings without bounds where the exchanges behind them weigh differently.
///
/// The estimates weigh all exchanges alike. In a stratified sample that is right within a part of
/// the traffic whose sessions all had the same probability to be taken; across several it would
/// speak of the sample, in which rare traffic is frequent.
///
/// # Errors
/// The query's.
pub async fn refuse_unequal_weights(
    session: &Session,
    measurement: &Measurement,
    findings: &mut [Finding],
) -> Result<(), QueryError> {
    let given = |name: &str| measurement.parameters.get(name).cloned().unwrap_or_default();
    let parameters =
        ["arm", "segment"].into_iter().map(|name| (name.to_owned(), given(name))).collect();
    let weights: Vec<WeightRow> = session.rows("report/sample_weights", &parameters).await?;
    let named: BTreeSet<String> = findings.iter().map(|finding| finding.segment.clone()).collect();
    for finding in findings {
        // What is too small to stand alone is pooled.
        let is_of = |row: &&WeightRow| match finding.segment.as_str() {
            "(all)" => true,
            "(other)" => !named.contains(&row.segment),
            segment => row.segment == segment,
        };
        let rows: Vec<&WeightRow> = weights.iter().filter(is_of).collect();
        let least = rows.iter().map(|row| row.least).fold(f64::INFINITY, f64::min);
        let most = rows.iter().map(|row| row.most).fold(0.0, f64::max);
        if least < most {
            finding.problem = Some(format!(
                "the sample is stratified and its exchanges weigh {least:.3} to {most:.3}, which \
                 this figure leaves aside: it is of the sample, not of the traffic; judge by the \
                 column of the strata, or sample without strata"
            ));
            finding.is_of_sample = true;
        }
    }
    Ok(())
}

/// What became of every captured exchange.
///
/// # Errors
/// The query's.
pub async fn coverage(session: &Session) -> Result<Vec<CoverageRow>, QueryError> {
    session.rows("report/coverage", &Parameters::new()).await
}

/// What every arm cost.
///
/// # Errors
/// The query's.
pub async fn money(session: &Session) -> Result<Vec<MoneyRow>, QueryError> {
    session.rows("report/money", &Parameters::new()).await
}

/// How far the client itself was from being the bottleneck.
///
/// # Errors
/// The query's.
pub async fn client_health(session: &Session) -> Result<Vec<ClientHealthRow>, QueryError> {
    session.rows("report/client_health", &Parameters::new()).await
}

/// How late requests left against the schedule.
///
/// # Errors
/// The query's.
pub async fn schedule_slip(session: &Session) -> Result<Vec<ScheduleSlipRow>, QueryError> {
    let late = Parameters::from([("late_share".to_owned(), LATE_SHARE.to_string())]);
    session.rows("load/schedule_slip", &late).await
}
