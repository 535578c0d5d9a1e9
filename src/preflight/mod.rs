//! The dry run: what a replay will send, where, at what cost, and what it cannot send.
//!
//! `replay` plans exactly as it does before sending; the figures are the answers of
//! `queries/plan/` over that intention; forecasts of time and money are pure functions of them.
//! Nothing here opens a connection.

mod model;
mod money;
mod proxy;
mod wall_time;

use std::time::Duration;

pub use model::{
    ArmPlan, ArmTraffic, Destination, ExcludedRow, HostedToolRow, LimitRow, LossRow, ModelRow,
    Preflight, SamplePlan, StratumRow,
};
pub use money::{Covers, MoneyForecast};
pub use wall_time::WallTime;

use crate::dataset::CaptureManifest;
use crate::plan::{Arm, Plan};
use crate::query::{Parameters, QueryError, Session};
use crate::replay::Planned;

/// Version of the shape of the dry run's JSON.
const SCHEMA_VERSION: u32 = 1;

/// What a dry run is made from, beside the session.
pub struct Circumstances<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The capture.
    pub capture: &'a CaptureManifest,
    /// What the replay intends.
    pub planned: &'a Planned,
    /// The run that it begins or resumes.
    pub run_id: String,
    /// Whether that run was begun already.
    pub is_begun: bool,
    /// When the last request is due; nothing in a closed loop.
    pub schedule_end: Option<Duration>,
    /// The environment, for proxies and for whether keys are there.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Circumstances<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Circumstances")
    }
}

/// Finds out what a replay will do.
///
/// # Errors
/// The engine's.
pub async fn preflight(
    session: &Session,
    circumstances: &Circumstances<'_>,
) -> Result<Preflight, QueryError> {
    let Circumstances { plan, capture, planned, .. } = circumstances;
    session.preview(plan, &planned.rows).await?;
    let none = Parameters::new();
    let mut traffic: Vec<ArmTraffic> = session.rows("plan/arms", &none).await?;
    let arms: Vec<ArmPlan> =
        plan.arms().map(|arm| arm_plan(arm, &mut traffic, circumstances)).collect();
    let of_arms: Vec<&ArmTraffic> = arms.iter().map(|arm| &arm.traffic).collect();
    let replay = &plan.replay;
    let times = || arms.iter().map(|arm| arm.wall_time.expected_s);
    Ok(Preflight {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: circumstances.run_id.clone(),
        is_begun: circumstances.is_begun,
        capture_sha256: capture.rows_sha256.clone(),
        captured: capture.exchanges,
        pace: serde_json::to_value(replay.pace).unwrap_or_default(),
        seed: replay.seed,
        repeats: replay.repeats,
        retries: replay.retries,
        sample: SamplePlan {
            share: replay.sample,
            stratify_by: replay.strata.as_ref().map(|strata| strata.stratify_by.clone()),
            min_per_stratum: replay.strata.as_ref().map(|strata| strata.min_per_stratum),
            strata: session.rows("plan/strata", &none).await?,
        },
        models: session.rows("plan/models", &none).await?,
        excluded: session.rows("plan/excluded", &none).await?,
        losses: session.rows("report/losses", &none).await?,
        hosted_tools: session.rows("plan/hosted_tools", &none).await?,
        limits: session.rows("plan/limits", &none).await?,
        wall_time_s: times()
            .all(|time| time.is_some())
            .then(|| times().flatten().fold(0.0, f64::max)),
        money: money::forecast(&of_arms, replay.budget.map(|budget| budget.0)),
        refusals: refusals(circumstances),
        arms,
    })
}

fn arm_plan(
    arm: &Arm,
    traffic: &mut Vec<ArmTraffic>,
    circumstances: &Circumstances<'_>,
) -> ArmPlan {
    // An arm is missing only from a capture without exchanges.
    let found = traffic.iter().position(|row| row.arm == arm.name);
    let traffic = match found {
        Some(index) => traffic.swap_remove(index),
        None => ArmTraffic {
            arm: arm.name.clone(),
            is_control: arm.is_control,
            ..ArmTraffic::default()
        },
    };
    let variable = circumstances.variable;
    let is_set = |name: &String| variable(name).is_some_and(|value| !value.is_empty());
    ArmPlan {
        destination: Destination {
            protocol: arm.protocol.as_str().to_owned(),
            base_url: arm.base_url.clone(),
            proxy: proxy::proxy_for(&arm.base_url, variable),
            api_key_env: arm.api_key_env.clone(),
            api_key_is_set: arm.api_key_env.as_ref().is_some_and(is_set),
        },
        wall_time: wall_time::wall_time(&traffic, arm.limits, circumstances.schedule_end),
        traffic,
    }
}

/// Why a replay would be refused, in the order in which it would find out.
fn refusals(circumstances: &Circumstances<'_>) -> Vec<String> {
    let mut refusals = Vec::new();
    if circumstances.plan.replay.budget.is_none() {
        refusals.push("the plan sets no budget".to_owned());
    }
    for ((arm, _), message) in &circumstances.planned.unpriced {
        refusals.push(format!("arm `{arm}`: {message}"));
    }
    refusals
}
