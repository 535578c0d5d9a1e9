//! `rehearsal replay`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;

use super::failure::Failure;
use super::{
    Common, EXIT_INTERRUPTED, EXIT_RESUMABLE, consent, load, print, progress, say, signals,
};
use crate::dataset::{Shard, ShardError, Store, share_capture};
use crate::plan::Plan;
use crate::replay::{self, Progress, ReplayOptions, ReplayOutcome, SharedStore, StopReason};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Every attempt is journaled before it is sent and when it is back, so that the same command resumes \
after any crash. Nothing is sent beyond the plan's budget. On a terminal it says what the requests \
cost and asks, where that may be more than 1 USD; elsewhere the budget of the plan is the consent. \
`rehearsal plan` says more, without sending anything.

`--shard 2/8` replays the second of eight parts: whole sessions by hash, with an eighth of the budget \
and of every limit. `--shard auto/8` takes the part from JOB_COMPLETION_INDEX (Kubernetes), \
AWS_BATCH_JOB_ARRAY_INDEX or CLOUD_RUN_TASK_INDEX, which count from 0. `rehearsal merge` joins the parts.

Examples:
  rehearsal replay
  rehearsal replay --yes --concurrency 32
  rehearsal replay --yes --shard 2/8")]
pub(super) struct ReplayArguments {
    #[command(flatten)]
    pub(super) flags: ReplayFlags,
    /// Replay one part of the run: `2/8`, or `auto/8` for the index of a batch job
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
}

/// Flags that `run` takes too.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayFlags {
    /// Do not ask before spending
    #[arg(short, long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

/// Flags in place of the plan's figures, which `plan` takes too.
#[derive(Debug, Clone, Args)]
pub(super) struct Overrides {
    /// Requests in flight per arm, instead of the plan's figure
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<u64>,
    /// Seed of every random choice, instead of the plan's
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Certificate authorities (PEM) to trust beside the system's, where the plan names none
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
}

impl Overrides {
    /// Puts the flags into the plan.
    pub(super) fn apply(&self, plan: &mut Plan) {
        if let Some(seed) = self.seed {
            plan.replay.seed = seed;
        }
        if let Some(path) = &self.ca_file {
            // The plan's own files are relative to the plan, a flag's to where it is typed.
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            for arm in plan.candidates.iter_mut().chain(&mut plan.control) {
                arm.ca_file.get_or_insert_with(|| path.to_string_lossy().into_owned());
            }
        }
        if let Some(concurrency) = self.concurrency.filter(|concurrency| *concurrency > 0) {
            for arm in plan.candidates.iter_mut().chain(&mut plan.control) {
                arm.limits.concurrency = concurrency;
            }
        }
    }
}

pub(super) async fn replay(common: &Common, own: &ReplayArguments) -> Result<u8, Failure> {
    let mut plan = load::plan(common)?;
    own.flags.overrides.apply(&mut plan);
    let shard = own.shard.as_deref().map(shard).transpose()?;
    let outcome = replay_plan(common, &plan, own.flags.yes, shard).await?;
    print(&format!("{}\n", conservation(&outcome)))?;
    Ok(exit_code(common, &outcome))
}

/// Replays a plan, shows its progress and drains on signals.
pub(super) async fn replay_plan(
    common: &Common,
    plan: &Plan,
    yes: bool,
    shard: Option<Shard>,
) -> Result<ReplayOutcome, Failure> {
    let plan_folder = load::plan_folder(common);
    for warning in replay::warnings(plan, &plan_folder) {
        say(common, &format!("note: {warning}"));
    }
    let project = load::project(common);
    let store = load::store(common)?;
    if let Some(store) = &store {
        share_capture(store, &project).await?;
    }
    let prices = load::prices(common, plan)?;
    let options = ReplayOptions {
        run_id: common.run.clone(),
        shard,
        store: store.map(shared).transpose()?,
        started_at: load::now(),
        arrivals: load::arrivals(common, plan)?,
        plan_folder,
        consent: consent::consent(plan, yes),
    };
    let live = Arc::new(Progress::new(Instant::now()));
    let tasks = Mutex::new(Vec::new());
    let outcome = replay::replay(
        &project,
        plan,
        prices,
        &load::variable,
        &options,
        live.clone(),
        |stopper| {
            let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.push(progress::show(common, live.clone(), stopper.clone()));
            tasks.push(signals::drain_on_signal(common, stopper));
        },
    )
    .await;
    for task in tasks.into_inner().unwrap_or_else(PoisonError::into_inner) {
        task.abort();
    }
    let outcome = outcome?;
    progress::ended(common, &live, &outcome);
    for slip in &outcome.slips {
        say(common, &progress::slip_line(slip));
    }
    if outcome.retries_denied > 0 {
        let percent = plan.replay.retry_budget * 100.0;
        say(
            common,
            &format!(
                "{} retries were not made: `retry_budget` allows retries of {percent:.0} % of the \
                 requests sent",
                outcome.retries_denied
            ),
        );
    }
    if outcome.unaccounted_nanousd > 0 {
        let lost = outcome.unaccounted_nanousd as f64 / 1e9;
        say(
            common,
            &format!(
                "an earlier process was lost: up to ${lost:.6} that it may have spent since its \
                 last commit is kept from the budget, and what it sent then may be sent again"
            ),
        );
    }
    say(common, &format!("run: {}", project.run(&outcome.run_name)?.folder().display()));
    Ok(outcome)
}

/// How long a claim may stand still, and the time between two commits; variables change them.
const CLAIM_TERM: Duration = Duration::from_secs(30);
const COMMIT_EVERY: Duration = Duration::from_secs(10);

/// How this process shares a store with others.
fn shared(store: Store) -> Result<SharedStore, Failure> {
    let duration = |name: &str, default: Duration| match load::variable(name) {
        None => Ok(default),
        Some(text) => humantime::parse_duration(&text)
            .ok()
            .filter(|value| *value >= Duration::from_millis(100))
            .ok_or_else(|| Failure::usage(format!("{name} = `{text}` is no duration, like `30s`"))),
    };
    let host = load::variable("HOSTNAME").unwrap_or_else(|| "this host".to_owned());
    Ok(SharedStore {
        store,
        owner: format!("process {} of {host}, begun {}", std::process::id(), load::now()),
        term: duration("REHEARSAL_CLAIM_TERM", CLAIM_TERM)?,
        commit_every: duration("REHEARSAL_COMMIT_EVERY", COMMIT_EVERY)?,
    })
}

/// Variables in which batch systems say which part of a job this is, from 0.
const JOB_INDEXES: &[&str] =
    &["JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX", "CLOUD_RUN_TASK_INDEX"];

/// The shard that a text means: `2/8`, or `auto/8` by the index of a batch job.
fn shard(text: &str) -> Result<Shard, Failure> {
    let Some(count) = text.strip_prefix("auto/") else {
        return text.parse().map_err(|error: ShardError| Failure::usage(error.to_string()));
    };
    let found = JOB_INDEXES.iter().find_map(|name| Some((name, load::variable(name)?)));
    let Some((name, index)) = found else {
        let message = format!("`--shard {text}`: none of {} is set", JOB_INDEXES.join(", "));
        return Err(Failure::usage(message).hint("name the part: `--shard 2/8`"));
    };
    let number = index.trim().parse::<u32>().ok().and_then(|index| index.checked_add(1));
    let (Some(number), Ok(count)) = (number, count.parse::<u32>()) else {
        let message = format!("`--shard {text}` with {name} = `{index}` names no shard");
        return Err(Failure::usage(message));
    };
    Shard::new(number, count)
        .map_err(|error| Failure::usage(format!("{error} ({name} counts from 0)")))
}

fn conservation(outcome: &ReplayOutcome) -> String {
    format!(
        "{} planned = {} done + {} not done; {} attempts uncertain; ${:.6} of ${:.2} spent",
        outcome.planned,
        outcome.done,
        outcome.planned.saturating_sub(outcome.done),
        outcome.uncertain,
        outcome.spent_nanousd as f64 / 1e9,
        outcome.budget_nanousd as f64 / 1e9,
    )
}

/// The exit code of a replay, with a word on how to go on.
pub(super) fn exit_code(common: &Common, outcome: &ReplayOutcome) -> u8 {
    match outcome.stopped {
        None => 0,
        Some(StopReason::Budget) => {
            say(
                common,
                "stopped: the rest does not fit into the budget\n\
                 hint: raise `budget` in the plan and run the same command again, or judge what is there",
            );
            EXIT_RESUMABLE
        }
        Some(reason @ (StopReason::Time | StopReason::Requests)) => {
            let key = if reason == StopReason::Time { "stop_after" } else { "max_requests" };
            say(
                common,
                &format!(
                    "stopped: `{key}` of the plan is reached\n\
                     hint: run the same command again to go on, or judge what is there",
                ),
            );
            EXIT_RESUMABLE
        }
        Some(StopReason::Interrupted) => {
            say(common, "interrupted: run the same command again to go on");
            EXIT_INTERRUPTED
        }
        Some(StopReason::ClaimLost) => {
            say(
                common,
                "stopped: the claim on the run was lost to another process, or the store could \
                 not be reached in time\nhint: run the same command again to go on",
            );
            EXIT_RESUMABLE
        }
        Some(StopReason::Outage { .. }) => {
            let arm = outcome.out_arm.as_deref().unwrap_or("an arm");
            let folder = common.folder.display();
            say(
                common,
                &format!(
                    "stopped: `{arm}` was out for longer than `give_up_after` allows\n\
                     hint: once it is back, go on with `rehearsal replay -C {folder}`"
                ),
            );
            EXIT_RESUMABLE
        }
        Some(StopReason::Terminated | StopReason::Failure) => {
            say(common, "stopped: run the same command again to go on");
            EXIT_RESUMABLE
        }
    }
}
