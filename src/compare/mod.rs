//! Rows of named queries turned into typed findings; estimates come from SQL, decisions do not.

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
    /// Median of the time spent in the client.
    pub overhead_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub overhead_p99_ms: Option<f64>,
    /// 95th percentile of sent minus scheduled.
    pub queue_p95_ms: Option<f64>,
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
