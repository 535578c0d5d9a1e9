//! `rehearsal run`: the whole job from the plan alone.

use std::path::PathBuf;

use clap::Args;

use super::assess::assess;
use super::failure::Failure;
use super::replay::ReplayFlags;
use super::{Common, import, judge, load, print, redaction, remote_inputs, replay, report};
use crate::capture::ImportOptions;
use crate::dataset::write_json;
use crate::plan::Plan;
use crate::verdict::Verdict;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Imports the inputs of `[capture]` (or takes the capture that is there), replays, judges, and writes \
the report. The exit code is the verdict: 0 GO, 10 NO-GO, 11 INCONCLUSIVE. The same command resumes.

Examples:
  rehearsal run --yes
  rehearsal run -C my-project --progress plain")]
pub(super) struct RunArguments {
    #[command(flatten)]
    flags: ReplayFlags,
}

pub(super) async fn run(common: &Common, own: &RunArguments) -> Result<u8, Failure> {
    let mut plan = load::plan(common)?;
    own.flags.overrides.apply(&mut plan);
    if !plan.capture.inputs.is_empty() {
        let code = import_inputs(common, &plan).await?;
        if code != 0 {
            return Ok(code);
        }
    }
    match replay_to_report(common, &plan, own.flags.yes).await? {
        Ended::Stopped(code) => Ok(code),
        Ended::Judged(verdict) => Ok(judge::exit_code(verdict.decision)),
    }
}

/// How a run ended.
pub(super) enum Ended {
    /// Before everything was replayed; with the exit code.
    Stopped(u8),
    /// With a verdict.
    Judged(Box<Verdict>),
}

/// Replays, judges, reports.
pub(super) async fn replay_to_report(
    common: &Common,
    plan: &Plan,
    yes: bool,
) -> Result<Ended, Failure> {
    let outcome = replay::replay_plan(common, plan, yes, None).await?;
    let code = replay::exit_code(common, &outcome);
    if code != 0 {
        return Ok(Ended::Stopped(code));
    }
    let project = load::project(common);
    let run = project.existing_run(Some(&outcome.run_name))?;
    let prices = load::prices(common, plan)?;
    let judged = assess(&project, &run, plan, &prices, None, common.threads).await?;
    write_json(&run.verdict_file(), &judged.verdict)?;
    let verdict = judged.verdict.clone();
    let report = report::build(plan, judged).await?;
    report::write_all(common, &run, &report)?;
    print(&judge::summary(&verdict))?;
    Ok(Ended::Judged(Box::new(verdict)))
}

/// Imports what the plan names; paths are relative to the project folder.
async fn import_inputs(common: &Common, plan: &Plan) -> Result<u8, Failure> {
    let folder = load::plan_path(common).parent().map(PathBuf::from).unwrap_or_default();
    let fetched = remote_inputs::fetch(common, import::inputs(common, &plan.capture)).await?;
    let options =
        ImportOptions { inputs: fetched.names.clone(), ..import::options(&plan.capture, &folder)? };
    let redactor = redaction::redactor(common, &plan.redaction)?;
    import::import_into(common, &load::project(common), &options, &redactor)
}
