//! Begins a run or resumes it: its name, its lock, its manifest.

use std::collections::BTreeMap;
use std::fs::File;

use serde::Serialize;

use super::ReplayError;
use crate::dataset::{
    ArmRecord, CaptureManifest, DatasetError, PlannedRow, Project, RunFolder, RunManifest, Table,
    sha256_hex, write_json, write_segment,
};
use crate::plan::{Arm, Plan};

/// A run that this process alone replays.
#[derive(Debug)]
pub(super) struct OpenRun {
    /// Its folder.
    pub folder: RunFolder,
    /// Held as long as the run is open.
    _lock: File,
}

/// Every part of a plan that changes what is sent, by name, each as canonical JSON.
///
/// Budget, limits, criteria and keys are not among them: they may change between two parts of a
/// run without making its results another run's.
pub fn replay_identity(plan: &Plan) -> BTreeMap<String, String> {
    let mut identity = BTreeMap::new();
    let mut put = |name: String, value: &dyn erased::Json| {
        identity.insert(name, value.json());
    };
    for arm in plan.arms() {
        let name = &arm.name;
        put(format!("{name}.protocol"), &arm.protocol.as_str());
        put(format!("{name}.base_url"), &arm.base_url);
        put(format!("{name}.models"), &arm.models);
        put(format!("{name}.max_output_tokens"), &arm.max_output_tokens);
        put(format!("{name}.anthropic_version"), &arm.anthropic_version);
        put(format!("{name}.allow_hosted_tools"), &arm.allow_hosted_tools);
        put(format!("{name}.allow_store"), &arm.allow_store);
    }
    let replay = &plan.replay;
    put("replay.pace".to_owned(), &replay.pace);
    if let Some(schedule) = &replay.schedule {
        put("replay.schedule".to_owned(), &schedule.sha256);
    }
    put("replay.sample".to_owned(), &replay.sample);
    put("replay.repeats".to_owned(), &replay.repeats);
    put("replay.retries".to_owned(), &replay.retries);
    put("replay.seed".to_owned(), &replay.seed);
    put("replay.timeouts".to_owned(), &replay.timeouts);
    put("replay.include".to_owned(), &replay.include);
    identity
}

/// Serialisation behind a reference, so that values of many types go through one closure.
mod erased {
    use super::Serialize;

    pub(super) trait Json {
        fn json(&self) -> String;
    }

    impl<T: Serialize> Json for T {
        fn json(&self) -> String {
            serde_json::to_string(self).unwrap_or_default()
        }
    }
}

/// The name of the run that a plan and capture lead to: the same for the same.
pub fn default_run_id(plan: &Plan, capture: &CaptureManifest) -> String {
    let mut text = capture.rows_sha256.clone();
    for (name, value) in replay_identity(plan) {
        text.push_str(&name);
        text.push('=');
        text.push_str(&value);
        text.push('\n');
    }
    format!("run-{}", &sha256_hex(text)[..12])
}

/// Checks that a run was begun with this plan and capture.
///
/// # Errors
/// [`ReplayError::OtherPlan`] with every part that differs.
pub fn check_belongs(
    manifest: &RunManifest,
    plan: &Plan,
    capture_sha256: &str,
) -> Result<(), ReplayError> {
    let identity = replay_identity(plan);
    let names = identity.keys().chain(manifest.replay_identity.keys());
    let mut differences: Vec<String> = names
        .filter(|name| identity.get(*name) != manifest.replay_identity.get(*name))
        .cloned()
        .collect();
    if manifest.capture_sha256 != capture_sha256 {
        differences.push("the capture".to_owned());
    }
    differences.sort();
    differences.dedup();
    if differences.is_empty() {
        return Ok(());
    }
    Err(ReplayError::OtherPlan { run: manifest.run_id.clone(), differences })
}

/// Opens a run: begins it, or checks that it may be resumed.
///
/// # Errors
/// A folder that cannot be written, a run of another plan, or a run that is being replayed.
pub(super) fn open(
    project: &Project,
    run_id: &str,
    plan: &Plan,
    capture: &CaptureManifest,
    planned: &[PlannedRow],
    started_at: &str,
) -> Result<OpenRun, ReplayError> {
    let folder = project.run(run_id)?;
    if folder.manifest_file().is_file() {
        check_belongs(&folder.manifest()?, plan, &capture.rows_sha256)?;
    }
    folder.create()?;
    let lock = lock(&folder)?;
    if !folder.manifest_file().is_file() {
        write_segment(&folder.planned_file(), Table::Planned, planned, |_| 0)?;
        write_json(&folder.plan_file(), plan)?;
        let manifest = RunManifest {
            schema_version: 1,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            run_id: run_id.to_owned(),
            started_at: started_at.to_owned(),
            capture_sha256: capture.rows_sha256.clone(),
            replay_identity: replay_identity(plan),
            arms: plan.arms().map(arm_record).collect(),
            repeats: plan.replay.repeats,
        };
        // Last: a run without a manifest was never begun.
        write_json(&folder.manifest_file(), &manifest)?;
    }
    Ok(OpenRun { folder, _lock: lock })
}

/// Takes the run for this process alone.
///
/// # Errors
/// [`ReplayError::Locked`] when another process has it.
pub(super) fn lock(folder: &RunFolder) -> Result<File, ReplayError> {
    let path = folder.lock_file();
    let file = File::create(&path).map_err(|source| DatasetError::io("create", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(ReplayError::Locked(folder.run_id().to_owned()))
        }
        Err(std::fs::TryLockError::Error(source)) => {
            Err(DatasetError::io("lock", &path, source).into())
        }
    }
}

fn arm_record(arm: &Arm) -> ArmRecord {
    ArmRecord {
        name: arm.name.clone(),
        is_control: arm.is_control,
        protocol: arm.protocol.as_str().to_owned(),
        base_url: arm.base_url.clone(),
    }
}
