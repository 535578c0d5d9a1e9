//! Begins a run or resumes it: its name, its lock, its manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::{ReplayError, journal};
use crate::dataset::{
    ArmRecord, CaptureManifest, DatasetError, PlannedRow, Project, RunFolder, RunManifest, Shard,
    Table, file_sha256, sha256_hex, write_json, write_segment,
};
use crate::plan::{Arm, Plan, PriceBook};

/// How often a held lock is looked at again before the run counts as taken.
const LOCK_LOOKS: u32 = 10;

/// The time between two looks at a held lock.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A run that this process alone replays.
#[derive(Debug)]
pub(super) struct OpenRun {
    /// Its folder.
    pub folder: RunFolder,
    /// Held as long as the run is open.
    _lock: File,
}

/// What a run is begun with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun<'a> {
    /// The name of the whole run.
    pub run_id: &'a str,
    /// The part of it to replay.
    pub shard: Option<Shard>,
    /// The plan of the whole run.
    pub plan: &'a Plan,
    /// When it began, RFC 3339.
    pub started_at: &'a str,
}

impl Begun<'_> {
    /// The folder of the run or shard.
    pub(super) fn folder(&self, project: &Project) -> Result<RunFolder, DatasetError> {
        match self.shard {
            Some(shard) => project.run(&shard.folder_name(self.run_id)),
            None => project.run(self.run_id),
        }
    }
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
    if let Some(strata) = &replay.strata {
        put("replay.strata".to_owned(), strata);
    }
    put("replay.repeats".to_owned(), &replay.repeats);
    put("replay.retries".to_owned(), &replay.retries);
    put("replay.seed".to_owned(), &replay.seed);
    put("replay.timeouts".to_owned(), &replay.timeouts);
    put("replay.include".to_owned(), &replay.include);
    if let Some(warm_up) = &replay.warm_up {
        put("replay.warm_up".to_owned(), warm_up);
    }
    if !replay.session_order {
        put("replay.session_order".to_owned(), &replay.session_order);
    }
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

/// The price of every model that a plan asks for, by arm and model.
pub(super) fn prices_of(planned: &[PlannedRow], prices: &PriceBook) -> BTreeMap<String, String> {
    let asked: BTreeSet<(&str, &str)> = planned
        .iter()
        .filter_map(|row| Some((row.arm.as_str(), row.target_model.as_deref()?)))
        .collect();
    let line = |(arm, model)| {
        let price = prices.arm(arm, model).ok()?;
        Some((format!("{arm}/{model}"), price.rates_line()))
    };
    asked.into_iter().filter_map(line).collect()
}

/// Checks that a run's costs were booked with the prices that hold now.
fn check_prices(
    manifest: &RunManifest,
    prices: &BTreeMap<String, String>,
) -> Result<(), ReplayError> {
    let changed = |(model, was): (&String, &String)| {
        let now = prices.get(model).map_or("unknown", String::as_str);
        (now != was).then(|| format!("{model} was {was} and is {now}"))
    };
    let differences: Vec<String> = manifest.prices.iter().filter_map(changed).collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(ReplayError::OtherPrices { run: manifest.run_id.clone(), differences })
}

/// Opens a run: begins it, or checks that it may be resumed.
///
/// # Errors
/// A folder that cannot be written, a run of another plan, capture or prices, a damaged file, or
/// a run that is being replayed.
pub(super) fn open(
    project: &Project,
    begun: &Begun<'_>,
    capture: &CaptureManifest,
    planned: &[PlannedRow],
    prices: BTreeMap<String, String>,
) -> Result<OpenRun, ReplayError> {
    let Begun { run_id, shard, plan, started_at } = *begun;
    let folder = begun.folder(project)?;
    folder.create()?;
    let lock = lock(&folder)?;
    if folder.manifest_file().is_file() {
        let manifest = folder.manifest()?;
        check_belongs(&manifest, plan, &capture.rows_sha256)?;
        if manifest.merged_shards.is_some() {
            return Err(ReplayError::Merged(run_id.to_owned()));
        }
        check_prices(&manifest, &prices)?;
        folder.check_documents()?;
        if !folder.journal_file().is_file() {
            let (path, what) = (folder.journal_file(), "it is missing".to_owned());
            return Err(ReplayError::JournalDamaged { path, what });
        }
        return Ok(OpenRun { folder, _lock: lock });
    }
    journal::create(&folder.journal_file())?;
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
        shard,
        merged_shards: None,
        files: documents(&folder)?,
        prices,
        checksum: String::new(),
    };
    // Last: a run without a manifest was never begun.
    write_json(&folder.manifest_file(), &manifest.with_checksum())?;
    Ok(OpenRun { folder, _lock: lock })
}

/// SHA-256 of each file that a run is begun with, by name.
fn documents(folder: &RunFolder) -> Result<BTreeMap<String, String>, ReplayError> {
    let mut files = BTreeMap::new();
    for path in [folder.planned_file(), folder.plan_file()] {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, file_sha256(&path)?);
    }
    Ok(files)
}

/// Takes the run for this process alone, as long as it lives, and leaves its number in the file.
///
/// # Errors
/// [`ReplayError::Locked`] when another process has it.
pub(super) fn lock(folder: &RunFolder) -> Result<File, ReplayError> {
    let path = folder.lock_file();
    // Not emptied before it is ours: it says whose it is.
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let mut file = opened.map_err(|source| DatasetError::io("create", &path, source))?;
    let mut looks = 0;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            // Whoever only looks at a run shares its lock for an instant, which must not count.
            Err(std::fs::TryLockError::WouldBlock) if looks < LOCK_LOOKS => {
                looks += 1;
                std::thread::sleep(BETWEEN_LOOKS);
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(ReplayError::Locked(folder.name().to_owned()));
            }
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(DatasetError::io("lock", &path, source).into());
            }
        }
    }
    let own_number = format!("{}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.write_all(own_number.as_bytes()))
        .map_err(|source| DatasetError::io("write", &path, source))?;
    Ok(file)
}

fn arm_record(arm: &Arm) -> ArmRecord {
    ArmRecord {
        name: arm.name.clone(),
        is_control: arm.is_control,
        protocol: arm.protocol.as_str().to_owned(),
        base_url: arm.base_url.clone(),
    }
}
