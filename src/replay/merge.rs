//! Joins the shards of a run into the run that one process would have left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::recover::recover_locked;
use super::{MergeError, ReplayError, run};
use crate::dataset::{
    CaptureStore, DatasetError, PlannedRow, Project, RunFolder, RunManifest, Shard, Table,
    create_private_dir, file_sha256, read_rows, sync_dir, sync_file, write_json, write_segment,
};

/// What the caller decides about joining shards.
#[derive(Debug, Clone, Copy, Default)]
pub struct MergeOptions {
    /// Join shards that have not sent everything; what they did not send counts as not sent.
    pub allow_unfinished: bool,
    /// Replace a run that was merged before.
    pub replace: bool,
}

/// A run that was put together from its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The run.
    pub run_id: String,
    /// Its shards.
    pub shards: u32,
    /// Exchanges over arms and repeats.
    pub planned: u64,
    /// Those with a final outcome.
    pub done: u64,
    /// Attempts of all shards.
    pub attempts: u64,
}

/// The folders of shards among some folders and the folders in them, sorted.
///
/// # Errors
/// A folder that cannot be listed, or one that is a whole run.
pub fn shard_folders(folders: &[PathBuf]) -> Result<Vec<PathBuf>, ReplayError> {
    let mut found = BTreeSet::new();
    for folder in folders {
        if folder.join("run.json").is_file() {
            let run = RunFolder::open(folder.clone())?;
            if run.shard().is_none() {
                let run = run.run_id().to_owned();
                return Err(MergeError::NotAShard { folder: folder.clone(), run }.into());
            }
            found.insert(folder.clone());
            continue;
        }
        let failed = |source| DatasetError::io("list", folder, source);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // Whole runs may lie beside shards, as they do in the folder of a project.
            if path.join("run.json").is_file() && RunFolder::open(path.clone())?.shard().is_some() {
                found.insert(path);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Joins shards into one run of the project.
///
/// Every shard is locked, its journal sealed, its files held against each other; only then is
/// the run written, aside, and put in its place in one step. The shards stay as they are.
///
/// # Errors
/// [`MergeError`] with the folders that do not fit; files that cannot be read or written.
pub async fn merge(
    project: &Project,
    folders: &[PathBuf],
    options: MergeOptions,
) -> Result<Merged, ReplayError> {
    let shards = open_all(folders)?;
    let Some(first) = shards.first() else {
        return Err(MergeError::NoShards(project.runs_folder()).into());
    };
    let target = project.run(&first.manifest.run_id)?;
    if target.manifest_file().is_file() {
        let merged_before = target.manifest()?.merged_shards.is_some();
        if !(merged_before && options.replace) {
            return Err(MergeError::Exists(target.run_id().to_owned()).into());
        }
    }
    let mut locks: Vec<File> = Vec::new();
    for shard in &shards {
        locks.push(run::lock(&shard.folder)?);
        recover_locked(&shard.folder).await?;
    }
    let whole = check(project, &shards, options)?;
    create_private_dir(&project.runs_folder())?;
    let aside = tempfile::Builder::new()
        .prefix(".merging-")
        .tempdir_in(project.runs_folder())
        .map_err(|source| DatasetError::io("write in", project.runs_folder(), source))?;
    write(aside.path(), &shards, &whole)?;
    put_in_place(project, aside, &target)?;
    Ok(Merged {
        run_id: target.run_id().to_owned(),
        shards: u32::try_from(shards.len()).unwrap_or(u32::MAX),
        planned: whole.to_send,
        done: whole.done,
        attempts: whole.attempts,
    })
}

struct Part {
    folder: RunFolder,
    manifest: RunManifest,
    number: u32,
}

/// Opens folders as the shards of one run, in order, or says what keeps them from being that.
fn open_all(folders: &[PathBuf]) -> Result<Vec<Part>, ReplayError> {
    let mut shards: BTreeMap<u32, Part> = BTreeMap::new();
    let mut first: Option<(PathBuf, RunManifest, Shard)> = None;
    for path in folders {
        let folder = RunFolder::open(path.clone())?;
        let manifest = folder.manifest()?;
        let Some(shard) = manifest.shard else {
            let run = manifest.run_id;
            return Err(MergeError::NotAShard { folder: path.clone(), run }.into());
        };
        let (first_path, first_manifest, _) =
            first.get_or_insert_with(|| (path.clone(), manifest.clone(), shard));
        let differences = differences(first_manifest, &manifest);
        if !differences.is_empty() {
            let (first, other) = (first_path.clone(), path.clone());
            return Err(MergeError::Foreign { first, other, differences }.into());
        }
        let number = shard.number();
        if let Some(earlier) = shards.get(&number) {
            let first = earlier.folder.folder().to_owned();
            return Err(MergeError::Duplicated { number, first, second: path.clone() }.into());
        }
        shards.insert(number, Part { folder, manifest, number });
    }
    if let Some((_, manifest, shard)) = first {
        let missing = (1..=shard.count()).filter(|number| !shards.contains_key(number));
        let numbers: Vec<u32> = missing.collect();
        if !numbers.is_empty() {
            let (run, count) = (manifest.run_id, shard.count());
            return Err(MergeError::Missing { run, count, numbers }.into());
        }
    }
    Ok(shards.into_values().collect())
}

fn differences(first: &RunManifest, other: &RunManifest) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |what: &str, same: bool| {
        if !same {
            found.push(what.to_owned());
        }
    };
    note("the run", first.run_id == other.run_id);
    note("the capture", first.capture_sha256 == other.capture_sha256);
    note("the plan", first.replay_identity == other.replay_identity);
    note("the arms", first.arms == other.arms);
    note("the repeats", first.repeats == other.repeats);
    let count = |manifest: &RunManifest| manifest.shard.map(Shard::count);
    note("the number of shards", count(first) == count(other));
    note("the version of the tables", first.schema_version == other.schema_version);
    found
}

/// What the shards are together.
#[derive(Default)]
struct Whole {
    planned: Vec<PlannedRow>,
    to_send: u64,
    done: u64,
    attempts: u64,
}

fn check(project: &Project, shards: &[Part], options: MergeOptions) -> Result<Whole, ReplayError> {
    let mut whole = Whole::default();
    let mut unfinished = Vec::new();
    let mut owners: BTreeMap<i32, u32> = BTreeMap::new();
    for shard in shards {
        let planned: Vec<PlannedRow> =
            read_rows(&shard.folder.planned_file(), Table::Planned, None, None)?;
        let found = count(shard, &planned)?;
        if found.done < found.to_send {
            unfinished.push((shard.folder.folder().to_owned(), found.to_send - found.done));
        }
        for row in &planned {
            let owner = *owners.entry(row.ordinal).or_insert(shard.number);
            if owner != shard.number {
                let message = format!("exchange {} is in shard {owner} too", row.ordinal);
                return Err(inconsistent(shard, message));
            }
        }
        whole.planned.extend(planned);
        whole.to_send += found.to_send;
        whole.done += found.done;
        whole.attempts += found.attempts;
    }
    if !unfinished.is_empty() && !options.allow_unfinished {
        return Err(MergeError::Unfinished(unfinished).into());
    }
    check_capture(project, shards, &whole)?;
    let arms: BTreeMap<&str, usize> = shards
        .first()
        .map(|shard| shard.manifest.arms.as_slice())
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, arm)| (arm.name.as_str(), index))
        .collect();
    whole.planned.sort_by_key(|row| (row.ordinal, arms.get(row.arm.as_str()).copied()));
    Ok(whole)
}

/// Where the capture is at hand, every exchange of it must be in a shard.
fn check_capture(project: &Project, shards: &[Part], whole: &Whole) -> Result<(), ReplayError> {
    let (Ok(capture), Some(first)) = (CaptureStore::open(project), shards.first()) else {
        return Ok(());
    };
    let manifest = capture.manifest();
    let run = || first.manifest.run_id.clone();
    if manifest.rows_sha256 != first.manifest.capture_sha256 {
        return Err(MergeError::OtherCapture { run: run() }.into());
    }
    let expected = manifest.exchanges * first.manifest.arms.len() as u64;
    let planned = whole.planned.len() as u64;
    if planned != expected {
        let message = format!("the shards plan {planned} rows, the capture needs {expected}");
        return Err(inconsistent(first, message));
    }
    Ok(())
}

/// What is needed of an attempt to see whether a shard is complete.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AttemptKeyRow {
    arm: String,
    ordinal: i32,
    repeat: i32,
    attempt: i32,
    #[serde(rename = "final")]
    is_final: bool,
}

#[derive(Debug, Default)]
struct Sent {
    attempts: BTreeSet<i32>,
    finals: u32,
}

/// Counts a shard, and holds its results against what it planned.
fn count(shard: &Part, planned: &[PlannedRow]) -> Result<Whole, ReplayError> {
    let wanted: BTreeSet<(&str, i32)> = planned
        .iter()
        .filter(|row| row.excluded_reason.is_none())
        .map(|row| (row.arm.as_str(), row.ordinal))
        .collect();
    let mut sent: BTreeMap<(String, i32, i32), Sent> = BTreeMap::new();
    let columns: &[&str] = &["arm", "ordinal", "repeat", "attempt", "final"];
    let mut found = Whole {
        to_send: wanted.len() as u64 * u64::from(shard.manifest.repeats),
        ..Whole::default()
    };
    for file in segments(&shard.folder)? {
        let rows: Vec<AttemptKeyRow> = read_rows(&file, Table::Results, Some(columns), None)?;
        for row in rows {
            if !wanted.contains(&(row.arm.as_str(), row.ordinal)) {
                let message = format!("exchange {} of `{}` is not planned", row.ordinal, row.arm);
                return Err(inconsistent(shard, message));
            }
            found.attempts += 1;
            let of_item = sent.entry((row.arm, row.ordinal, row.repeat)).or_default();
            of_item.finals += u32::from(row.is_final);
            if !of_item.attempts.insert(row.attempt) {
                let message = format!("an attempt of exchange {} is there twice", row.ordinal);
                return Err(inconsistent(shard, message));
            }
        }
    }
    for ((arm, ordinal, _), item) in &sent {
        // Attempts are numbered without a gap: one shows that a segment is missing.
        let last = item.attempts.last().copied().unwrap_or(0);
        if usize::try_from(last) != Ok(item.attempts.len()) || item.finals > 1 {
            let message = format!("attempts of exchange {ordinal} of `{arm}` are missing");
            return Err(inconsistent(shard, message));
        }
        found.done += u64::from(item.finals);
    }
    Ok(found)
}

fn inconsistent(shard: &Part, message: String) -> ReplayError {
    MergeError::Inconsistent { folder: shard.folder.folder().to_owned(), message }.into()
}

/// The segments of a run's results, by name.
fn segments(folder: &RunFolder) -> Result<Vec<PathBuf>, DatasetError> {
    let results = folder.results_folder();
    let failed = |source| DatasetError::io("list", &results, source);
    let mut files = Vec::new();
    for entry in fs::read_dir(&results).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "parquet") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn write(aside: &Path, shards: &[Part], whole: &Whole) -> Result<(), ReplayError> {
    let Some(first) = shards.first() else { return Ok(()) };
    let results = aside.join("results");
    create_private_dir(&results)?;
    let mut number = 0;
    // A merged run has no journal that would know its segments.
    let mut files = BTreeMap::new();
    for shard in shards {
        for segment in segments(&shard.folder)? {
            number += 1;
            let name = format!("part-{number:05}.parquet");
            let copy = results.join(&name);
            fs::copy(&segment, &copy).map_err(|e| DatasetError::io("copy", &segment, e))?;
            sync_file(&copy)?;
            files.insert(format!("results/{name}"), file_sha256(&copy)?);
        }
    }
    sync_dir(&results)?;
    let planned = aside.join("planned.parquet");
    write_segment(&planned, Table::Planned, &whole.planned, |_| 0)?;
    files.insert("planned.parquet".to_owned(), file_sha256(&planned)?);
    let plan = aside.join("plan.json");
    fs::copy(first.folder.plan_file(), &plan)
        .map_err(|e| DatasetError::io("copy", first.folder.plan_file(), e))?;
    sync_file(&plan)?;
    files.insert("plan.json".to_owned(), file_sha256(&plan)?);
    let began = shards.iter().map(|shard| shard.manifest.started_at.as_str()).min();
    let manifest = RunManifest {
        started_at: began.unwrap_or_default().to_owned(),
        shard: None,
        merged_shards: first.manifest.shard.map(Shard::count),
        files,
        prices: shards.iter().flat_map(|shard| shard.manifest.prices.clone()).collect(),
        ..first.manifest.clone()
    };
    write_json(&aside.join("run.json"), &manifest.with_checksum())?;
    Ok(())
}

fn put_in_place(
    project: &Project,
    aside: tempfile::TempDir,
    target: &RunFolder,
) -> Result<(), ReplayError> {
    let place = target.folder();
    let runs = project.runs_folder();
    // Held until the end: what is replaced goes only once the new run is in its place.
    let mut replaced = None;
    if place.exists() {
        let old = tempfile::Builder::new()
            .prefix(".replaced-")
            .tempdir_in(&runs)
            .map_err(|source| DatasetError::io("write in", &runs, source))?;
        fs::rename(place, old.path().join("run"))
            .map_err(|source| DatasetError::io("replace", place, source))?;
        replaced = Some(old);
    }
    let merged = aside.keep();
    fs::rename(&merged, place).map_err(|source| DatasetError::io("replace", place, source))?;
    sync_dir(&runs)?;
    drop(replaced);
    Ok(())
}
