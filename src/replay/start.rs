//! Starts a replay, carries it to its end, and says what came of it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use tokio::sync::oneshot;

use super::backoff::RetryBudget;
use super::bodies::Bodies;
use super::breaker::Breaker;
use super::budget::Ledger;
use super::client::{Client, Unreachable};
use super::clock::ReplayClock;
use super::consent::{Consent, intended};
use super::engine::{self, ArmContext, Context};
use super::event_loop;
use super::journal::{ItemState, Journal, Recovered};
use super::key::ItemKey;
use super::limiter::Limiter;
use super::loop_lag::LoopLag;
use super::order::{Departure, departures, ordering};
use super::pacer::Pacer;
use super::planner::{Planned, plan_items};
use super::progress::Progress;
use super::recover::{Names, book_uncertain};
use super::run::{self, Begun, OpenRun};
use super::shard::{self, Part};
use super::shared::{Shared, SharedStore};
use super::slip::{Slip, SlipRecorder};
use super::stop::{Halt, StopRule};
use super::transport::Keys;
use super::{ReplayError, StopReason, descriptors, seal};
use crate::dataset::{CaptureStore, Project, RunFolder, Shard};
use crate::plan::{Plan, PriceBook, UncertainPolicy};

/// What the caller decides about a replay.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// The run's name; absent: the name that follows from plan and capture.
    pub run_id: Option<String>,
    /// The part of the run to replay; absent: all of it.
    pub shard: Option<Shard>,
    /// Where the run's state is kept for other machines; absent: on this disk alone.
    pub store: Option<SharedStore>,
    /// When the run began, RFC 3339; a label.
    pub started_at: String,
    /// When requests leave, from the first on, ascending, where the plan names a schedule.
    pub arrivals: Option<Vec<std::time::Duration>>,
    /// The folder of the plan, to which the files that it names are relative.
    pub plan_folder: std::path::PathBuf,
    /// Who is asked before anything is sent; absent: nobody.
    pub consent: Option<Consent>,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayOutcome {
    /// The run, with the shard if it is one: what `--run` takes.
    pub run_name: String,
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
    /// What processes that were lost may have spent beyond that; it is kept from the budget.
    pub unaccounted_nanousd: i64,
    /// The budget.
    pub budget_nanousd: i64,
    /// The arm whose outage ended it.
    pub out_arm: Option<String>,
    /// How late requests left against their schedule in this part of the run, per arm.
    pub slips: Vec<Slip>,
    /// Retries that were not made because the plan's retry budget was used up.
    pub retries_denied: u64,
}

/// Stops a running replay from outside.
///
/// It holds no part of the replay that must end with it, such as the journal.
#[derive(Debug, Clone)]
pub struct Stopper {
    halt: Arc<Halt>,
    ledger: Arc<Ledger>,
    run_name: String,
}

impl Stopper {
    /// Lets nothing leave any more; what is under way may finish within the drain time.
    pub fn stop(&self, reason: StopReason) {
        self.halt.stop(reason);
    }

    /// Why the replay is stopping, once it is.
    pub fn reason(&self) -> Option<StopReason> {
        self.halt.reason()
    }

    /// The run, with the shard if it is one.
    pub fn run_name(&self) -> &str {
        &self.run_name
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
    let requested = options.run_id.as_deref().map(|name| project.run(name)).transpose()?;
    let shard = options.shard.or_else(|| requested.as_ref().and_then(RunFolder::shard));
    let whole = plan;
    let plan = &shard::plan_of(whole, shard)?;
    let budget = plan.replay.budget.ok_or(ReplayError::NoBudget)?.0;
    descriptors::make_room(plan)?;
    let lags = Arc::new(LoopLag::new(Instant::now()));
    let clients = clients(plan, key_of, options, &lags)?;
    let capture = Arc::new(CaptureStore::open_checked(project)?);
    let part = Part::new(shard, &capture)?;
    let mut planned = plan_items(plan, &prices, &capture)?;
    refuse_unpriced(&planned, plan, &prices)?;
    refuse_missing_arrivals(plan, options)?;
    planned.rows = part.planned(planned.rows);
    let default_id = || run::default_run_id(plan, capture.manifest());
    let run_id = requested.map_or_else(default_id, |run| run.run_id().to_owned());
    let agreed = |recovered: &Recovered| {
        let own = planned.items.iter().copied().filter(|item| part.holds(item.ordinal));
        let asks = options.consent.as_ref();
        let is_given = |it: &Consent| it.is_given(&intended(plan, own, recovered, budget));
        if asks.is_none_or(is_given) { Ok(()) } else { Err(ReplayError::NotAgreed) }
    };
    let begun = Begun { run_id: &run_id, shard, plan: whole, started_at: &options.started_at };
    let is_begun = begun.folder(project)?.manifest_file().is_file();
    if !is_begun {
        // A run that nobody agreed to leaves no trace.
        agreed(&Recovered::default())?;
    }
    let claimed = take_claim(options, project, &begun, budget, &planned).await?;
    let booked_with = run::prices_of(&planned.rows, &prices);
    let open = run::open(project, &begun, capture.manifest(), &planned.rows, booked_with)?;
    let (journal, writer, recovered) = Journal::open(&open.folder.journal_file())?;
    let arm_names: Vec<String> = plan.arms().map(|arm| arm.name.clone()).collect();
    seal::check_results(&open.folder, &arm_names, &recovered.segments)?;
    let names = Names::new(arm_names, &planned.rows);
    let recovered = settle_open(&journal, &open, plan, &names, recovered).await?;

    let items = planned.items.iter().filter(|item| part.holds(item.ordinal)).count();
    let total = items as u64 * u64::from(plan.replay.repeats);
    let done_before = recovered.items.values().filter(|state| state.is_final).count() as u64;
    progress.set_total(total, done_before);
    if is_begun && done_before < total {
        agreed(&recovered)?;
    }
    let order = order(plan, &planned, &capture, options, &part);
    let (ledger, unaccounted_nanousd) =
        ledger(claimed.as_deref(), budget, recovered.spent_nanousd).await?;
    let clock = ReplayClock::start();
    let context = Arc::new(Context {
        plan: plan.clone(),
        prices,
        folder: open.folder.clone(),
        arms: arms_at_work(plan, clients, clock.started()),
        items: planned.items,
        ledger,
        recovered: recovered.items,
        journal,
        clock,
        pacer: Pacer::start()?,
        stop_rule: StopRule::new(&plan.replay),
        sent: AtomicU64::new(0),
        progress: progress.clone(),
        halt: Arc::new(Halt::new()),
    });
    let kept = claimed.as_ref().map(|s| s.keep(context.ledger.clone(), context.halt.clone()));
    if done_before < total {
        let work = Work { context: context.clone(), order, bodies: Bodies::new(capture), lags };
        if let Err(ended) = work.run(|| started(stopper(&context, &open))).await {
            drop(context);
            return Err(why_it_ended(ended, writer));
        }
    }
    let outcome = finish(context, &open, plan, &names, writer, total).await?;
    if let (Some(claimed), Some(kept)) = (claimed, kept) {
        kept.end().await;
        if outcome.stopped != Some(StopReason::ClaimLost) {
            claimed.release(outcome.spent_nanousd, outcome.done == outcome.planned).await?;
        }
    }
    Ok(ReplayOutcome { unaccounted_nanousd, ..outcome })
}

/// A schedule by another log needs that log's arrivals, which the caller reads.
fn refuse_missing_arrivals(plan: &Plan, options: &ReplayOptions) -> Result<(), ReplayError> {
    let complete = plan.replay.schedule.is_some() == options.arrivals.is_some();
    if complete { Ok(()) } else { Err(ReplayError::NoArrivals) }
}

/// What the event loop of a replay is given.
struct Work {
    context: Arc<Context>,
    order: Vec<Departure>,
    bodies: Bodies,
    lags: Arc<LoopLag>,
}

impl Work {
    /// Sends everything; `reached` is called once every arm has shown that it is there.
    async fn run(self, reached: impl FnOnce()) -> Result<(), ReplayError> {
        let Work { context, order, bodies, lags } = self;
        let (tell, told) = oneshot::channel();
        let work = move || async move {
            // Here, because a connection belongs to the loop that opened it.
            check_reachable(&context).await?;
            let _ = tell.send(());
            engine::run(&context, order, bodies).await
        };
        let mut running = std::pin::pin!(event_loop::run(lags, work));
        tokio::select! {
            ended = &mut running => return ended,
            Ok(()) = told => reached(),
        }
        running.await
    }
}

fn stopper(context: &Context, open: &OpenRun) -> Stopper {
    Stopper {
        halt: context.halt.clone(),
        ledger: context.ledger.clone(),
        run_name: open.folder.name().to_owned(),
    }
}

/// What leaves in this part of the run, in its order in the whole.
fn order(
    plan: &Plan,
    planned: &Planned,
    capture: &CaptureStore,
    options: &ReplayOptions,
    part: &Part,
) -> Vec<Departure> {
    let ordering = ordering(&plan.replay, options.arrivals.as_deref());
    let mut order = departures(&planned.items, capture, ordering);
    order.retain(|departure| part.holds(departure.ordinal));
    order
}

/// A failure of the loop; that of the journal's writer says more than that it has stopped.
fn why_it_ended(failure: ReplayError, writer: super::journal::JournalWriter) -> ReplayError {
    match failure {
        ReplayError::JournalClosed => writer.join().err().unwrap_or(ReplayError::JournalClosed),
        other => other,
    }
}

/// Takes the claim on the run, where a store keeps it.
async fn take_claim(
    options: &ReplayOptions,
    project: &Project,
    begun: &Begun<'_>,
    budget: i64,
    planned: &Planned,
) -> Result<Option<Arc<Shared>>, ReplayError> {
    let Some(store) = &options.store else { return Ok(None) };
    let largest = planned.items.iter().map(|item| item.worst_case_nanousd).max().unwrap_or(0);
    let folder = begun.folder(project)?;
    Ok(Some(Arc::new(Shared::take(store, project, folder, budget, largest).await?)))
}

/// The ledger of this part of a run, and what lost processes may have spent.
async fn ledger(
    shared: Option<&Shared>,
    budget: i64,
    recovered: i64,
) -> Result<(Arc<Ledger>, i64), ReplayError> {
    let Some(shared) = shared else { return Ok((Arc::new(Ledger::new(budget, recovered)), 0)) };
    let unaccounted = shared.unaccounted(recovered).await?;
    let spent = recovered.saturating_add(unaccounted);
    let ledger = Ledger::new(budget, spent).with_ceiling(shared.ceiling(spent));
    Ok((Arc::new(ledger), unaccounted))
}

fn clients(
    plan: &Plan,
    key_of: &(dyn Fn(&str) -> Option<String> + Sync),
    options: &ReplayOptions,
    lags: &Arc<LoopLag>,
) -> Result<Vec<Client>, ReplayError> {
    let keys = Keys { variable: key_of, folder: &options.plan_folder };
    let replay = &plan.replay;
    plan.arms()
        .map(|arm| {
            let key = keys.of(arm)?;
            let keep = replay.keep_event_offsets;
            Client::new(arm, key, replay.timeouts, keep, keys.folder, lags.clone())
        })
        .collect()
}

fn arms_at_work(plan: &Plan, clients: Vec<Client>, now: Instant) -> Vec<ArmContext> {
    plan.arms()
        .zip(clients)
        .map(|(arm, client)| ArmContext {
            limiter: Limiter::new(arm.limits, now),
            breaker: Breaker::new(plan.replay.give_up_after, plan.replay.circuit_breaker),
            retries: RetryBudget::new(plan.replay.retry_budget, arm.limits.concurrency),
            slips: SlipRecorder::default(),
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
    book_uncertain(journal, run_id, names, &recovered.open, policy).await?;
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
        reached.map_err(|reason| {
            let (arm, base_url) = (at_work.arm.name.clone(), at_work.arm.base_url.clone());
            match reason {
                Unreachable::Forbidden(reason) => ReplayError::ForbiddenAddress { arm, reason },
                Unreachable::Untrusted(message) => {
                    ReplayError::Untrusted { arm, base_url, message }
                }
                Unreachable::NobodyThere(message) => {
                    ReplayError::Unreachable { arm, base_url, message }
                }
            }
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
    let out_arm = match stopped {
        Some(StopReason::Outage { arm }) => context.arms.get(arm).map(|it| it.arm.name.clone()),
        _ => None,
    };
    let slips = context.arms.iter().filter_map(|arm| arm.slips.summary(&arm.arm.name)).collect();
    let retries_denied = context.arms.iter().map(|arm| arm.retries.denied()).sum();
    drop(context);
    writer.join()?;
    // Read anew, so that what is reported is what is on disk.
    let (journal, writer, recovered) = Journal::open(&open.folder.journal_file())?;
    let run_id = open.folder.run_id();
    let policy = plan.replay.on_uncertain;
    book_uncertain(&journal, run_id, names, &recovered.open, policy).await?;
    seal::seal(&open.folder, &journal, 1).await?;
    drop(journal);
    writer.join()?;
    let (journal, writer, recovered) = Journal::open(&open.folder.journal_file())?;
    drop(journal);
    writer.join()?;
    let uncertain = |(_, state): (&ItemKey, &ItemState)| u64::from(state.attempts - state.known);
    Ok(ReplayOutcome {
        run_name: open.folder.name().to_owned(),
        stopped,
        planned: total,
        done: recovered.items.values().filter(|state| state.is_final).count() as u64,
        uncertain: recovered.items.iter().map(uncertain).sum(),
        spent_nanousd: recovered.spent_nanousd,
        unaccounted_nanousd: 0,
        budget_nanousd,
        out_arm,
        slips,
        retries_denied,
    })
}
