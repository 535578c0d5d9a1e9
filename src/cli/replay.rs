//! `rehearsal replay`.

use std::io::{BufRead, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Args;

use super::failure::Failure;
use super::{Common, EXIT_INTERRUPTED, EXIT_RESUMABLE, load, print, progress, say, signals};
use crate::plan::Plan;
use crate::replay::{self, Progress, ReplayOptions, ReplayOutcome, StopReason};

/// A budget above this is confirmed in a terminal, unless `--yes` says so.
const ASK_ABOVE_NANOUSD: i64 = 1_000_000_000;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Every attempt is journaled before it is sent and when it is back, so that the same command resumes \
after any crash. Nothing is sent beyond the plan's budget.

Examples:
  rehearsal replay
  rehearsal replay --yes --concurrency 32")]
pub(super) struct ReplayArguments {
    #[command(flatten)]
    pub(super) flags: ReplayFlags,
}

/// Flags that `run` takes too.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayFlags {
    /// Do not ask before spending
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Requests in flight per arm, instead of the plan's figure
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<u64>,
    /// Seed of every random choice, instead of the plan's
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

impl ReplayFlags {
    /// Puts the flags into the plan.
    pub(super) fn apply(&self, plan: &mut Plan) {
        if let Some(seed) = self.seed {
            plan.replay.seed = seed;
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
    own.flags.apply(&mut plan);
    let outcome = replay_plan(common, &plan, own.flags.yes).await?;
    print(&format!("{}\n", conservation(&outcome)))?;
    Ok(exit_code(common, &outcome))
}

/// Replays a plan, shows its progress and drains on signals.
pub(super) async fn replay_plan(
    common: &Common,
    plan: &Plan,
    yes: bool,
) -> Result<ReplayOutcome, Failure> {
    confirm(plan, yes)?;
    let project = load::project(common);
    let prices = load::prices(common, plan)?;
    let options = ReplayOptions {
        run_id: common.run.clone(),
        started_at: load::now(),
        arrivals: load::arrivals(common, plan)?,
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
            tasks.push(signals::drain_on_signal(stopper));
        },
    )
    .await;
    for task in tasks.into_inner().unwrap_or_else(PoisonError::into_inner) {
        task.abort();
    }
    let outcome = outcome?;
    let money = (outcome.spent_nanousd, 0, outcome.budget_nanousd);
    progress::last_line(common, &live, money);
    say(common, &format!("run: {}", project.run(&outcome.run_id)?.folder().display()));
    Ok(outcome)
}

/// Asks before spending much, when somebody is there to answer.
fn confirm(plan: &Plan, yes: bool) -> Result<(), Failure> {
    let budget = plan.replay.budget.map_or(0, |budget| budget.0);
    let interactive = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if yes || budget <= ASK_ABOVE_NANOUSD || !interactive {
        return Ok(());
    }
    progress::note(&format!("spend up to ${:.2}? [y/N] ", budget as f64 / 1e9));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::usage("nothing was sent").hint("confirm with `y`, or pass `--yes`"))
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
        Some(StopReason::Interrupted) => {
            say(common, "interrupted: run the same command again to go on");
            EXIT_INTERRUPTED
        }
        Some(StopReason::Terminated | StopReason::Failure) => {
            say(common, "stopped: run the same command again to go on");
            EXIT_RESUMABLE
        }
    }
}
