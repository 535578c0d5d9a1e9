//! Starts a replay, carries it to its end, and says what came of it.

use std::sync::Arc;
use std::time::Instant;

use super::bodies::Bodies;
use super::budget::Ledger;
use super::client::Client;
use super::clock::ReplayClock;
use super::engine::{self, ArmContext, Context, Halt};
use super::journal::{ItemState, Journal, Recovered};
use super::key::ItemKey;
use super::limiter::Limiter;
use super::order::departures;
use super::planner::{Planned, plan_items};
use super::progress::Progress;
use super::recover::{Names, book_uncertain};
use super::run::{self, OpenRun};
use super::{ReplayError, StopReason, seal};
use crate::dataset::{CaptureStore, Project};
use crate::plan::{Plan, PriceBook, UncertainPolicy};

/// What the caller decides about a replay.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// The run's name; absent: the name that follows from plan and capture.
    pub run_id: Option<String>,
    /// When the run began, RFC 3339; a label.
    pub started_at: String,
    /// When requests leave, from the first on, ascending, where the plan names a schedule.
    pub arrivals: Option<Vec<std::time::Duration>>,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayOutcome {
    /// The run.
    pub run_id: String,
    /// Why it ended early; absent when everything is done.
    pub stopped: Option<StopReason>,
    /// Exchanges over arms and repeats.
    pub planned: u64,
    /// Those with a final outcome.
    pub done: u64,
    /// Attempts whose outcome is unknown, in this and earlier parts of the run.
    pub uncertain: u64,
    /// Known cost of all attempts, with the reservations of uncertain ones.
    pub spent_nanousd: i64,
    /// The budget.
    pub budget_nanousd: i64,
}

/// Stops a running replay from outside.
///
/// It holds no part of the replay that must end with it, such as the journal.
#[derive(Debug, Clone)]
pub struct Stopper {
    halt: Arc<Halt>,
    ledger: Arc<Ledger>,
}

impl Stopper {
    /// Lets nothing leave any more; what is under way may finish within the drain time.
    pub fn stop(&self, reason: StopReason) {
        self.halt.stop(reason);
    }

    /// Spent, reserved and budgeted nano-dollars.
    pub fn money(&self) -> (i64, i64, i64) {
        let (spent, reserved) = self.ledger.totals();
        (spent, reserved, self.ledger.budget())
    }
}

/// Replays a capture as the plan says: begins the run or resumes it.
///
/// `key_of` gives the value of an environment variable; `started` is told how to stop the replay.
///
/// # Errors
/// Our own failures; a provider's are rows of the results.
pub async fn replay(
    project: &Project,
    plan: &Plan,
    prices: PriceBook,
    key_of: &(dyn Fn(&str) -> Option<String> + Sync),
    options: &ReplayOptions,
    progress: Arc<Progress>,
    started: impl FnOnce(Stopper),
) -> Result<ReplayOutcome, ReplayError> {
    let budget = plan.replay.budget.ok_or(ReplayError::NoBudget)?.0;
    let clients = clients(plan, key_of)?;
    let capture = Arc::new(CaptureStore::open(project)?);
    let planned = plan_items(plan, &prices, &capture)?;
    refuse_unpriced(&planned, plan, &prices)?;
    if plan.replay.schedule.is_some() != options.arrivals.is_some() {
        return Err(ReplayError::NoArrivals);
    }
    let run_id =
        options.run_id.clone().unwrap_or_else(|| run::default_run_id(plan, capture.manifest()));
    let started_at = &options.started_at;
    let open = run::open(project, &run_id, plan, capture.manifest(), &planned.rows, started_at)?;
    let (journal, writer, recovered) = Journal::open(&open.folder.journal_file())?;
    seal::remove_orphans(&open.folder, &recovered.segments)?;
    let arm_names = plan.arms().map(|arm| arm.name.clone()).collect();
    let names = Names::new(arm_names, &planned.rows);
    let recovered = settle_open(&journal, &open, plan, &names, recovered).await?;

    let total = planned.items.len() as u64 * u64::from(plan.replay.repeats);
    let done_before = recovered.items.values().filter(|state| state.is_final).count() as u64;
    progress.set_total(total, done_before);
    let order = departures(
        &planned.items,
        &capture,
        plan.replay.pace,
        plan.replay.repeats,
        plan.replay.seed,
        options.arrivals.as_deref(),
    );
    let clock = ReplayClock::start();
    let context = Arc::new(Context {
        plan: plan.clone(),
        prices,
        folder: open.folder.clone(),
        arms: arms_at_work(plan, clients, clock.started()),
        items: planned.items,
        ledger: Arc::new(Ledger::new(budget, recovered.spent_nanousd)),
        recovered: recovered.items,
        journal,
        clock,
        progress: progress.clone(),
        halt: Arc::new(Halt::new()),
    });
    if done_before < total {
        check_reachable(&context).await?;
        started(Stopper { halt: context.halt.clone(), ledger: context.ledger.clone() });
        engine::run(&context, order, Bodies::new(capture)).await?;
    }
    finish(context, &open, plan, &names, writer, total).await
}

fn clients(
    plan: &Plan,
    key_of: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Vec<Client>, ReplayError> {
    plan.arms()
        .map(|arm| {
            let key = match &arm.api_key_env {
                None => None,
                Some(variable) => Some(key_of(variable).ok_or_else(|| {
                    ReplayError::MissingKey { arm: arm.name.clone(), variable: variable.clone() }
                })?),
            };
            let replay = &plan.replay;
            Client::new(arm, key.as_deref(), replay.timeouts, replay.keep_event_offsets)
        })
        .collect()
}

fn arms_at_work(plan: &Plan, clients: Vec<Client>, now: Instant) -> Vec<ArmContext> {
    plan.arms()
        .zip(clients)
        .map(|(arm, client)| ArmContext {
            limiter: Limiter::new(arm.limits, now),
            arm: arm.clone(),
            client,
        })
        .collect()
}

fn refuse_unpriced(planned: &Planned, plan: &Plan, prices: &PriceBook) -> Result<(), ReplayError> {
    let Some((arm, model)) = planned.unpriced.keys().next() else { return Ok(()) };
    debug_assert!(plan.arms().any(|known| known.name == *arm));
    match prices.arm(arm, model) {
        Err(source) => Err(ReplayError::Price { arm: arm.clone(), source }),
        Ok(_) => Ok(()),
    }
}

/// Books open attempts of an earlier part as uncertain and reads the journal anew.
async fn settle_open(
    journal: &Journal,
    open: &OpenRun,
    plan: &Plan,
    names: &Names,
    mut recovered: Recovered,
) -> Result<Recovered, ReplayError> {
    let policy = plan.replay.on_uncertain;
    let run_id = open.folder.run_id();
    let sample = plan.replay.sample;
    book_uncertain(journal, run_id, names, &recovered.open, policy, sample).await?;
    for intent in std::mem::take(&mut recovered.open) {
        recovered.spent_nanousd += intent.reserved_nanousd;
        recovered.uncertain_nanousd += intent.reserved_nanousd;
        if policy == UncertainPolicy::Keep
            && let Some(state) = recovered.items.get_mut(&intent.key.item())
        {
            state.is_final = true;
        }
    }
    Ok(recovered)
}

async fn check_reachable(context: &Context) -> Result<(), ReplayError> {
    for at_work in &context.arms {
        let reached = at_work.client.reachable().await;
        reached.map_err(|message| ReplayError::Unreachable {
            arm: at_work.arm.name.clone(),
            base_url: at_work.arm.base_url.clone(),
            message,
        })?;
    }
    Ok(())
}

async fn finish(
    context: Arc<Context>,
    open: &OpenRun,
    plan: &Plan,
    names: &Names,
    writer: super::journal::JournalWriter,
    total: u64,
) -> Result<ReplayOutcome, ReplayError> {
    let stopped = context.halt.reason();
    let budget_nanousd = context.ledger.budget();
    drop(context);
    writer.join()?;
    // Read anew, so that what is reported is what is on disk.
    let (journal, writer, recovered) = Journal::open(&open.folder.journal_file())?;
    let run_id = open.folder.run_id();
    let policy = plan.replay.on_uncertain;
    let sample = plan.replay.sample;
    book_uncertain(&journal, run_id, names, &recovered.open, policy, sample).await?;
    seal::seal(&open.folder, &journal, 1).await?;
    drop(journal);
    writer.join()?;
    let (journal, writer, recovered) = Journal::open(&open.folder.journal_file())?;
    drop(journal);
    writer.join()?;
    let uncertain = |(_, state): (&ItemKey, &ItemState)| u64::from(state.attempts - state.known);
    Ok(ReplayOutcome {
        run_id: run_id.to_owned(),
        stopped,
        planned: total,
        done: recovered.items.values().filter(|state| state.is_final).count() as u64,
        uncertain: recovered.items.iter().map(uncertain).sum(),
        spent_nanousd: recovered.spent_nanousd,
        budget_nanousd,
    })
}
