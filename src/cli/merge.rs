//! `rehearsal merge`.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::{Common, load, print, say};
use crate::dataset::{DatasetError, Project, RunFolder, create_private_dir};
use crate::replay::{self, MergeOptions};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Joins the shards that `rehearsal replay --shard I/N` left behind into the run that one process would \
have left. Folders may be shards, or hold shards; shards from other machines are copied first, or fetched from \
the store that they share. \
Missing, duplicated, unfinished, running or foreign shards are refused by name.

Examples:
  rehearsal merge
  rehearsal merge shards-of-machine-1 shards-of-machine-2
  rehearsal merge --store s3://bucket/prefix
  rehearsal merge --allow-unfinished")]
pub(super) struct MergeArguments {
    /// Shards, or folders that hold them [default: runs/ of the project]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Join shards that have not sent everything
    #[arg(long)]
    allow_unfinished: bool,
    /// Replace a run that was merged before
    #[arg(long)]
    replace: bool,
}

pub(super) async fn merge(common: &Common, own: &MergeArguments) -> Result<u8, Failure> {
    let project = load::project(common);
    let store = load::store(common)?.filter(|_| own.folders.is_empty());
    // Held until the shards in it are joined.
    let fetched = store.as_ref().map(|_| folder_for_shards(&project)).transpose()?;
    let folders = match (&store, &fetched) {
        (Some(store), Some(into)) => {
            let run_id = common.run.as_deref().map(|name| project.run(name)).transpose()?;
            let run_id = run_id.as_ref().map(RunFolder::run_id);
            replay::fetch_shards(store, run_id, into.path()).await?
        }
        _ if own.folders.is_empty() => shards_of_project(common)?,
        _ => replay::shard_folders(&own.folders)?,
    };
    let options = MergeOptions { allow_unfinished: own.allow_unfinished, replace: own.replace };
    let merged = replay::merge(&project, &folders, options).await?;
    print(&format!(
        "{} shards: {} planned = {} done + {} not done, {} attempts\n",
        merged.shards,
        merged.planned,
        merged.done,
        merged.planned.saturating_sub(merged.done),
        merged.attempts,
    ))?;
    say(common, &format!("run: {}", project.run(&merged.run_id)?.folder().display()));
    Ok(0)
}

/// A folder beside the runs, gone when it is let go, for shards that come from a store.
fn folder_for_shards(project: &Project) -> Result<tempfile::TempDir, Failure> {
    let runs = project.runs_folder();
    create_private_dir(&runs)?;
    let folder = tempfile::Builder::new()
        .prefix(".shards-")
        .tempdir_in(&runs)
        .map_err(|source| DatasetError::io("write in", &runs, source))?;
    Ok(folder)
}

/// The shards of one run: the named one, else that of the shard that began last.
fn shards_of_project(common: &Common) -> Result<Vec<PathBuf>, Failure> {
    let project = load::project(common);
    let shards: Vec<_> = project.runs()?.into_iter().filter(|run| run.shard().is_some()).collect();
    let run_id = if let Some(name) = &common.run {
        Some(project.run(name)?.run_id().to_owned())
    } else {
        let mut latest: Option<(String, String)> = None;
        for shard in &shards {
            let key = (shard.manifest()?.started_at, shard.run_id().to_owned());
            latest = latest.max(Some(key));
        }
        latest.map(|(_, run_id)| run_id)
    };
    let of_run = |shard: &&RunFolder| Some(shard.run_id()) == run_id.as_deref();
    Ok(shards.iter().filter(of_run).map(|shard| shard.folder().to_owned()).collect())
}
