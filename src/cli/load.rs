//! Loads what most subcommands need: project, plan, prices.

use std::path::PathBuf;
use std::time::Duration;

use super::Common;
use super::failure::Failure;
use crate::capture;
use crate::dataset::{Project, RunFolder, Store};
use crate::plan::{self, ImportSettings, Plan, PlanError, PriceBook};
use crate::verdict::check_criteria;

/// The project folder.
pub(super) fn project(common: &Common) -> Project {
    Project::new(common.folder.clone())
}

/// Where the plan is.
pub(super) fn plan_path(common: &Common) -> PathBuf {
    common.config.clone().unwrap_or_else(|| project(common).plan_file())
}

/// The folder of the plan, to which the files that it names are relative.
pub(super) fn plan_folder(common: &Common) -> PathBuf {
    plan_path(common).parent().map(PathBuf::from).unwrap_or_default()
}

/// The plan, checked as a whole: metrics are known one layer above the plan itself.
pub(super) fn plan(common: &Common) -> Result<Plan, Failure> {
    let path = plan_path(common);
    let plan = plan::load(&path)?;
    check_criteria(&plan.criteria).map_err(|problems| {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        PlanError::Invalid { path, text, problems }
    })?;
    Ok(plan)
}

/// The prices of a plan.
pub(super) fn prices(common: &Common, plan: &Plan) -> Result<PriceBook, Failure> {
    let folder = plan_folder(common);
    Ok(PriceBook::new(plan, &folder)?)
}

/// The plan of a run that was replayed: as [`plan()`], with the seed that the run was begun with,
/// which a flag of `replay` may have set.
pub(super) fn plan_of_run(common: &Common, run: &RunFolder) -> Result<Plan, Failure> {
    let mut plan = plan(common)?;
    let begun_with = run.manifest()?.replay_identity.get("replay.seed").cloned();
    if let Some(seed) = begun_with.and_then(|seed| seed.parse().ok()) {
        plan.replay.seed = seed;
    }
    Ok(plan)
}

/// The arrival times that the plan's schedule names.
pub(super) fn arrivals(common: &Common, plan: &Plan) -> Result<Option<Vec<Duration>>, Failure> {
    let Some(schedule) = &plan.replay.schedule else { return Ok(None) };
    let folder = plan_folder(common);
    let options = super::import::options(&plan.capture, &folder)?;
    Ok(Some(capture::arrivals(&folder.join(&schedule.path), &common.folder, &options)?))
}

/// What an import heeds of the plan; the defaults where there is none.
pub(super) fn import_settings(common: &Common) -> Result<Option<ImportSettings>, Failure> {
    let path = plan_path(common);
    if common.config.is_none() && !path.exists() {
        return Ok(None);
    }
    Ok(Some(plan::load_import(&path)?))
}

/// The store that a flag or the environment names.
pub(super) fn store(common: &Common) -> Result<Option<Store>, Failure> {
    let address = common.store.clone().or_else(|| variable("REHEARSAL_STORE"));
    Ok(address.map(|address| Store::open(&address, &variable)).transpose()?)
}

/// The value of a variable that holds something.
#[expect(clippy::disallowed_methods, reason = "keys are named by environment variable")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable, which may be empty.
#[expect(clippy::disallowed_methods, reason = "proxies are named by environment variable")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The time as RFC 3339, for labels.
#[expect(clippy::disallowed_methods, reason = "the command line labels what it makes")]
pub(super) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The time in microseconds since 1970, for a look at a run that is going on.
#[expect(clippy::disallowed_methods, reason = "the command line asks for the time")]
pub(super) fn now_us() -> i64 {
    chrono::Utc::now().timestamp_micros()
}
