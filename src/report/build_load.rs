//! The load findings of a report: what a replay on a schedule shows.

use serde::Deserialize;

use super::load_model::{
    ArmKnee, AtPeak, ClientHealth, CriterionKnee, Incident, LimitRejections, LoadReport, LoadStep,
    PeakDemand, ScheduleSlip, Settling,
};
use super::model::Percentile;
use crate::compare;
use crate::plan::{Arm, Pace, Plan};
use crate::query::{Parameters, QueryError, Session};
use crate::verdict::measurements;

/// Level of the one-sided bounds of figures that no criterion asks for.
const CONFIDENCE: f64 = 0.95;

/// Least share of the offered rate at which answers must come back in a sustained step.
const MIN_THROUGHPUT: f64 = 0.95;

/// Slices of a step in which its latency may settle, and how near the end level is settled.
const SLICES: i64 = 20;
const BAND: f64 = 0.2;

/// Length of a window of the replay in which answers are counted.
const WINDOW_S: i64 = 10;

/// Length of the busiest window of the captured time.
const PEAK_S: f64 = 60.0;

/// Longer than any replay.
const WHOLE_REPLAY_S: f64 = 1e9;

/// Successes in a row that end an incident, the failures that make one, and how many are listed.
const SUCCESSES: i64 = 5;
const MIN_FAILURES: i64 = 2;
const MOST_INCIDENTS: i64 = 20;

/// Providers count by the minute, or enforce a limit by the second.
const BURSTS_S: [f64; 2] = [60.0, 1.0];

/// The queries of the load findings.
pub(super) const QUERIES_OF_LOAD: &[&str] = &[
    "load/at_peak",
    "load/knee",
    "load/limit_rejections",
    "load/peak_demand",
    "load/recovery",
    "load/schedule_slip",
    "load/settling",
    "load/steps",
];

/// The load findings of an open loop; a closed one has none.
pub(super) async fn load(session: &Session, plan: &Plan) -> Result<Option<LoadReport>, QueryError> {
    if !plan.replay.pace.is_open() {
        return Ok(None);
    }
    let criterion_knees = criterion_knees(session, plan).await?;
    Ok(Some(LoadReport {
        knees: knees(plan, &criterion_knees),
        criterion_knees,
        steps: steps(session).await?,
        settling: settling(session).await?,
        demand: demand(session).await?,
        rejections: rejections(session, plan).await?,
        at_peak: at_peak(session, plan).await?,
        incidents: incidents(session).await?,
        slip: slip(session).await?,
    }))
}

/// How the client held up, per arm.
pub(super) async fn client(session: &Session) -> Result<Vec<ClientHealth>, QueryError> {
    let rows = compare::client_health(session).await?;
    let health = rows.into_iter().map(|row| ClientHealth {
        arm: row.arm,
        attempts: row.attempts.unsigned_abs(),
        latency_p50_ms: row.latency_p50_ms,
        ttft_p50_ms: row.ttft_p50_ms,
        overhead_p50_ms: row.overhead_p50_ms,
        overhead_p99_ms: row.overhead_p99_ms,
        overhead_max_ms: row.overhead_max_ms,
        lag_p50_ms: row.lag_p50_ms,
        lag_p99_ms: row.lag_p99_ms,
        lag_max_ms: row.lag_max_ms,
        first_token_lag_p50_ms: row.first_token_lag_p50_ms,
        connections: row.connections.unsigned_abs(),
        connect_p50_ms: row.connect_p50_ms,
        connect_p99_ms: row.connect_p99_ms,
    });
    Ok(health.collect())
}

fn parameters<const N: usize>(pairs: [(&str, String); N]) -> Parameters {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn unsigned(value: Option<i32>) -> Option<u32> {
    value.map(i32::unsigned_abs)
}

/// A limit of the plan that a step of a ramp can hold or not.
struct Limited {
    metric: String,
    unit: String,
    limit: Option<f64>,
    measure: String,
    p: String,
    confidence: f64,
}

/// The sustained rate alone, then every absolute limit on durations and failures of all traffic.
fn limits(plan: &Plan) -> Vec<Limited> {
    let mut limits = vec![Limited {
        metric: "throughput".to_owned(),
        unit: String::new(),
        limit: None,
        measure: "throughput".to_owned(),
        p: "0.5".to_owned(),
        confidence: CONFIDENCE,
    }];
    for criterion in plan.criteria.iter().filter(|criterion| criterion.segment.is_none()) {
        let Ok(measured) = measurements(criterion, "", false, 0) else { continue };
        let asked = &measured.measurement.parameters;
        let measure = match measured.measurement.query {
            "criteria/latency_quantile" => asked.get("measure").cloned(),
            "criteria/error_rate" => Some("error_rate".to_owned()),
            "criteria/rate_limit_rate" => Some("rate_limit_rate".to_owned()),
            _ => None,
        };
        let Some(measure) = measure else { continue };
        limits.push(Limited {
            metric: criterion.metric.clone(),
            unit: measured.unit.to_owned(),
            limit: Some(measured.limit),
            measure,
            p: asked.get("p").cloned().unwrap_or_else(|| "0.5".to_owned()),
            confidence: criterion.confidence,
        });
    }
    limits
}

async fn criterion_knees(session: &Session, plan: &Plan) -> Result<Vec<CriterionKnee>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        steps: i64,
        highest_per_second: f64,
        holds_step: Option<i32>,
        holds_per_second: Option<f64>,
        holds_value: Option<f64>,
        holds_high: Option<f64>,
        fails_step: Option<i32>,
        fails_per_second: Option<f64>,
        fails_value: Option<f64>,
        fails_low: Option<f64>,
        fails_achieved_share: Option<f64>,
        fails_by: Option<String>,
        undecided: i64,
    }
    let mut knees = Vec::new();
    for limited in limits(plan) {
        let asked = parameters([
            ("measure", limited.measure.clone()),
            ("p", limited.p.clone()),
            ("limit", limited.limit.unwrap_or(f64::INFINITY).to_string()),
            ("confidence", limited.confidence.to_string()),
            ("min_throughput", MIN_THROUGHPUT.to_string()),
        ]);
        let rows: Vec<Row> = session.rows("load/knee", &asked).await?;
        knees.extend(rows.into_iter().map(|row| CriterionKnee {
            arm: row.arm,
            metric: limited.metric.clone(),
            unit: limited.unit.clone(),
            limit: limited.limit,
            steps: row.steps.unsigned_abs(),
            highest_per_second: row.highest_per_second,
            holds_step: unsigned(row.holds_step),
            holds_per_second: row.holds_per_second,
            holds_value: row.holds_value,
            holds_high: row.holds_high,
            fails_step: unsigned(row.fails_step),
            fails_per_second: row.fails_per_second,
            fails_value: row.fails_value,
            fails_low: row.fails_low,
            fails_achieved_share: row.fails_achieved_share,
            fails_by: row.fails_by,
            undecided: row.undecided.unsigned_abs(),
        }));
    }
    Ok(knees)
}

/// The lowest knee of each arm; none where one of its limits has none.
fn knees(plan: &Plan, all: &[CriterionKnee]) -> Vec<ArmKnee> {
    let of_arm = |arm: &Arm| {
        let own: Vec<&CriterionKnee> = all.iter().filter(|knee| knee.arm == arm.name).collect();
        let highest_per_second = own.first()?.highest_per_second;
        let holds: Option<Vec<f64>> = own.iter().map(|knee| knee.holds_per_second).collect();
        let fails = own.iter().filter_map(|knee| knee.fails_per_second);
        Some(ArmKnee {
            arm: arm.name.clone(),
            holds_per_second: holds.and_then(|holds| holds.into_iter().reduce(f64::min)),
            fails_per_second: fails.reduce(f64::min),
            highest_per_second,
        })
    };
    plan.arms().filter_map(of_arm).collect()
}

/// The columns of percentiles that `load/steps` and `load/at_peak` share.
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the columns, with their unit"
)]
struct PercentileColumns {
    latency_p50_ms: Option<f64>,
    latency_p50_low_ms: Option<f64>,
    latency_p50_high_ms: Option<f64>,
    latency_p95_ms: Option<f64>,
    latency_p95_low_ms: Option<f64>,
    latency_p95_high_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    latency_p99_low_ms: Option<f64>,
    latency_p99_high_ms: Option<f64>,
    ttft_p50_ms: Option<f64>,
    ttft_p50_low_ms: Option<f64>,
    ttft_p50_high_ms: Option<f64>,
    ttft_p95_ms: Option<f64>,
    ttft_p95_low_ms: Option<f64>,
    ttft_p95_high_ms: Option<f64>,
    ttft_p99_ms: Option<f64>,
    ttft_p99_low_ms: Option<f64>,
    ttft_p99_high_ms: Option<f64>,
}

impl PercentileColumns {
    fn latency(&self) -> Vec<Percentile> {
        percentiles([
            (0.5, self.latency_p50_ms, self.latency_p50_low_ms, self.latency_p50_high_ms),
            (0.95, self.latency_p95_ms, self.latency_p95_low_ms, self.latency_p95_high_ms),
            (0.99, self.latency_p99_ms, self.latency_p99_low_ms, self.latency_p99_high_ms),
        ])
    }

    /// Empty where nothing was streamed.
    fn ttft(&self) -> Vec<Percentile> {
        if self.ttft_p50_ms.is_none() {
            return Vec::new();
        }
        percentiles([
            (0.5, self.ttft_p50_ms, self.ttft_p50_low_ms, self.ttft_p50_high_ms),
            (0.95, self.ttft_p95_ms, self.ttft_p95_low_ms, self.ttft_p95_high_ms),
            (0.99, self.ttft_p99_ms, self.ttft_p99_low_ms, self.ttft_p99_high_ms),
        ])
    }
}

/// Level, value, lower and upper bound.
type Level = (f64, Option<f64>, Option<f64>, Option<f64>);

fn percentiles(levels: [Level; 3]) -> Vec<Percentile> {
    levels.map(|(p, value, low, high)| Percentile { p, value, low, high }).to_vec()
}

async fn steps(session: &Session) -> Result<Vec<LoadStep>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        load_step: i32,
        offered_per_second: f64,
        achieved_per_second: Option<f64>,
        achieved_share: Option<f64>,
        attempts: i64,
        n: i64,
        failures: i64,
        error_rate: Option<f64>,
        error_rate_low: Option<f64>,
        error_rate_high: Option<f64>,
        rate_limited: i64,
        slip_p99_ms: Option<f64>,
        #[serde(flatten)]
        percentiles: PercentileColumns,
    }
    let asked = parameters([("confidence", CONFIDENCE.to_string())]);
    let rows: Vec<Row> = session.rows("load/steps", &asked).await?;
    let steps = rows.into_iter().map(|row| LoadStep {
        arm: row.arm,
        step: row.load_step.unsigned_abs(),
        offered_per_second: row.offered_per_second,
        achieved_per_second: row.achieved_per_second,
        achieved_share: row.achieved_share,
        attempts: row.attempts.unsigned_abs(),
        n: row.n.unsigned_abs(),
        failures: row.failures.unsigned_abs(),
        error_rate: row.error_rate,
        error_rate_low: row.error_rate_low,
        error_rate_high: row.error_rate_high,
        rate_limited: row.rate_limited.unsigned_abs(),
        slip_p99_ms: row.slip_p99_ms,
        latency: row.percentiles.latency(),
        ttft: row.percentiles.ttft(),
    });
    Ok(steps.collect())
}

async fn settling(session: &Session) -> Result<Vec<Settling>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        load_step: i32,
        offered_per_second: f64,
        answered: i64,
        step_s: f64,
        end_level_ms: Option<f64>,
        highest_ms: Option<f64>,
        settling_s: Option<f64>,
    }
    let asked = parameters([("slices", SLICES.to_string()), ("band", BAND.to_string())]);
    let rows: Vec<Row> = session.rows("load/settling", &asked).await?;
    let settling = rows.into_iter().map(|row| Settling {
        arm: row.arm,
        step: row.load_step.unsigned_abs(),
        offered_per_second: row.offered_per_second,
        answered: row.answered.unsigned_abs(),
        step_s: row.step_s,
        end_level_ms: row.end_level_ms,
        highest_ms: row.highest_ms,
        settling_s: row.settling_s,
    });
    Ok(settling.collect())
}

async fn demand(session: &Session) -> Result<Vec<PeakDemand>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        span: String,
        measure: String,
        begins_at: String,
        demand: i64,
        demand_per_minute: f64,
        answered_per_minute: f64,
        answered_share: f64,
    }
    let asked = parameters([("window_s", WINDOW_S.to_string())]);
    let rows: Vec<Row> = session.rows("load/peak_demand", &asked).await?;
    let demand = rows.into_iter().map(|row| PeakDemand {
        arm: row.arm,
        span: row.span,
        measure: row.measure,
        begins_at: row.begins_at,
        demand: row.demand.unsigned_abs(),
        demand_per_minute: row.demand_per_minute,
        answered_per_minute: row.answered_per_minute,
        answered_share: row.answered_share,
    });
    Ok(demand.collect())
}

async fn rejections(session: &Session, plan: &Plan) -> Result<Vec<LimitRejections>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        part: String,
        begins_at: Option<String>,
        requests: i64,
        with_tokens: i64,
        rejected: i64,
        rejected_share: Option<f64>,
    }
    let mut found = Vec::new();
    for arm in &plan.candidates {
        let (rpm, tpm) = (arm.limits.rpm, arm.limits.tpm);
        if rpm.is_none() && tpm.is_none() {
            continue;
        }
        let limit = |limit: Option<u64>| limit.map_or(f64::INFINITY, |limit| limit as f64);
        for burst_s in BURSTS_S {
            let asked = parameters([
                ("rpm", limit(rpm).to_string()),
                ("tpm", limit(tpm).to_string()),
                ("burst_s", burst_s.to_string()),
            ]);
            let rows: Vec<Row> = session.rows("load/limit_rejections", &asked).await?;
            found.extend(rows.into_iter().map(|row| LimitRejections {
                arm: arm.name.clone(),
                rpm,
                tpm,
                burst_s,
                part: row.part,
                begins_at: row.begins_at,
                requests: row.requests.unsigned_abs(),
                with_tokens: row.with_tokens.unsigned_abs(),
                rejected: row.rejected.unsigned_abs(),
                rejected_share: row.rejected_share,
            }));
        }
    }
    Ok(found)
}

async fn at_peak(session: &Session, plan: &Plan) -> Result<Vec<AtPeak>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        part: String,
        begins_s: Option<f64>,
        sent: i64,
        n: i64,
        failures: i64,
        error_rate: Option<f64>,
        error_rate_low: Option<f64>,
        error_rate_high: Option<f64>,
        #[serde(flatten)]
        percentiles: PercentileColumns,
    }
    // When the pace is the peak itself, the whole replay is.
    let window_s = match plan.replay.pace {
        Pace::Open { speed } => Some(PEAK_S / speed),
        Pace::Peak { .. } => None,
        Pace::Closed | Pace::Rate { .. } | Pace::Ramp(_) => Some(PEAK_S),
    };
    let asked = parameters([
        ("window_s", window_s.unwrap_or(WHOLE_REPLAY_S).to_string()),
        ("confidence", CONFIDENCE.to_string()),
    ]);
    let rows: Vec<Row> = session.rows("load/at_peak", &asked).await?;
    let parts = rows.into_iter().map(|row| AtPeak {
        arm: row.arm,
        part: row.part,
        window_s,
        begins_s: row.begins_s,
        sent: row.sent.unsigned_abs(),
        n: row.n.unsigned_abs(),
        failures: row.failures.unsigned_abs(),
        error_rate: row.error_rate,
        error_rate_low: row.error_rate_low,
        error_rate_high: row.error_rate_high,
        latency: row.percentiles.latency(),
        ttft: row.percentiles.ttft(),
    });
    Ok(parts.collect())
}

async fn incidents(session: &Session) -> Result<Vec<Incident>, QueryError> {
    #[derive(Deserialize)]
    struct Row {
        arm: String,
        incident: i64,
        kind: String,
        begins_s: f64,
        failures: i64,
        attempts: i64,
        failing_ms: f64,
        retry_after_ms: Option<i64>,
        recovery_ms: Option<f64>,
        incidents: i64,
        unrecovered: i64,
    }
    let asked = parameters([
        ("successes", SUCCESSES.to_string()),
        ("min_failures", MIN_FAILURES.to_string()),
        ("most", MOST_INCIDENTS.to_string()),
    ]);
    let rows: Vec<Row> = session.rows("load/recovery", &asked).await?;
    let incidents = rows.into_iter().map(|row| Incident {
        arm: row.arm,
        incident: row.incident.unsigned_abs(),
        kind: row.kind,
        begins_s: row.begins_s,
        failures: row.failures.unsigned_abs(),
        attempts: row.attempts.unsigned_abs(),
        failing_ms: row.failing_ms,
        retry_after_ms: row.retry_after_ms.map(i64::unsigned_abs),
        recovery_ms: row.recovery_ms,
        incidents: row.incidents.unsigned_abs(),
        unrecovered: row.unrecovered.unsigned_abs(),
    });
    Ok(incidents.collect())
}

async fn slip(session: &Session) -> Result<Vec<ScheduleSlip>, QueryError> {
    let rows = compare::schedule_slip(session).await?;
    let slip = rows.into_iter().map(|row| ScheduleSlip {
        arm: row.arm,
        attempts: row.attempts.unsigned_abs(),
        late: row.late.unsigned_abs(),
        late_share: row.late_share,
        late_beyond_share: compare::LATE_SHARE,
        slip_p50_ms: row.slip_p50_ms,
        slip_p99_ms: row.slip_p99_ms,
        slip_max_ms: row.slip_max_ms,
        client_late: row.client_late.unsigned_abs(),
        client_late_share: row.client_late_share,
        client_slip_p50_ms: row.client_slip_p50_ms,
        client_slip_p99_ms: row.client_slip_p99_ms,
        client_slip_max_ms: row.client_slip_max_ms,
        held_back: row.held_back.unsigned_abs(),
        held_back_p99_ms: row.held_back_p99_ms,
        from_sent_p99_ms: row.from_sent_p99_ms,
        from_schedule_p99_ms: row.from_schedule_p99_ms,
    });
    Ok(slip.collect())
}
