//! The budget over thousands of schedules of requests that are reserved, sent, answered, refused,
//! lost in crashes and resumed: it is never exceeded, and the ledger is the sum of the attempts.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::budget::{Ledger, Reservation};
use super::journal::{Intent, Journal, JournalWriter, Outcome};
use super::key::AttemptKey;

/// What a schedule does next.
#[derive(Debug, Clone)]
enum Step {
    /// A request asks for its worst case in nano-dollars.
    Begin(i64),
    /// One of the requests under way, by its place, goes one stage on.
    Go(usize),
    /// The process is killed and the run resumed with a budget raised by so much.
    Crash(i64),
}

/// How a request ends: the share of its worst case that the provider charges.
#[derive(Debug, Clone, Copy)]
enum End {
    /// An answer with usage.
    Charged(i64),
    /// An answer without usage, which may have cost anything up to its worst case.
    Silent(i64),
    /// A refusal, which costs nothing.
    Refused,
}

/// How far a request under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reserved,
    Intended,
    Sent,
    Answered,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    key: AttemptKey,
    worst: i64,
    end: End,
    stage: Stage,
}

/// What survives a crash.
trait Store {
    fn intent(&mut self, intent: Intent);
    fn outcome(&mut self, outcome: Outcome);
    /// Kills the process; then the attempts without an outcome.
    fn crash(&mut self) -> Vec<Intent>;
    /// Sum of the costs of all attempts, each without a known cost at its reservation.
    fn sum_of_attempts(&mut self) -> i64;
}

/// The journal as a map.
#[derive(Debug, Default)]
struct Map(BTreeMap<i32, (Intent, Option<Outcome>)>);

impl Store for Map {
    fn intent(&mut self, intent: Intent) {
        self.0.insert(intent.key.ordinal, (intent, None));
    }

    fn outcome(&mut self, outcome: Outcome) {
        if let Some((_, known)) = self.0.get_mut(&outcome.key.ordinal) {
            *known = Some(outcome);
        }
    }

    fn crash(&mut self) -> Vec<Intent> {
        self.0
            .values()
            .filter(|(_, outcome)| outcome.is_none())
            .map(|(intent, _)| *intent)
            .collect()
    }

    fn sum_of_attempts(&mut self) -> i64 {
        let cost = |(intent, outcome): &(Intent, Option<Outcome>)| {
            let known = outcome.as_ref().and_then(|outcome| outcome.cost_nanousd);
            known.unwrap_or(intent.reserved_nanousd)
        };
        self.0.values().map(cost).sum()
    }
}

/// The journal itself, in a file.
struct File {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    open: Option<(Journal, JournalWriter)>,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (journal, writer, _) = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        File { folder, runtime, open: Some((journal, writer)) }
    }

    /// Everything that was acknowledged is on disk; a crash loses only what waits in memory.
    fn reopen(&mut self) -> super::journal::Recovered {
        if let Some((journal, writer)) = self.open.take() {
            drop(journal);
            writer.join().unwrap();
        }
        let path = self.folder.path().join("journal.sqlite");
        let (journal, writer, recovered) = Journal::open(&path).unwrap();
        self.open = Some((journal, writer));
        recovered
    }
}

impl Store for File {
    fn intent(&mut self, intent: Intent) {
        let (journal, _) = self.open.as_ref().unwrap();
        self.runtime.block_on(journal.intent(intent)).unwrap();
    }

    fn outcome(&mut self, outcome: Outcome) {
        let (journal, _) = self.open.as_ref().unwrap();
        self.runtime.block_on(journal.outcome(outcome)).unwrap();
    }

    fn crash(&mut self) -> Vec<Intent> {
        self.reopen().open
    }

    fn sum_of_attempts(&mut self) -> i64 {
        let recovered = self.reopen();
        let open: i64 = recovered.open.iter().map(|intent| intent.reserved_nanousd).sum();
        recovered.spent_nanousd + open
    }
}

/// A run in the middle of its schedule.
struct World<S> {
    store: S,
    ledger: Ledger,
    flights: Vec<Flight>,
    /// What the provider has really charged.
    charged: i64,
    next_ordinal: i32,
}

impl<S: Store> World<S> {
    fn new(store: S, budget: i64) -> Self {
        let ledger = Ledger::new(budget, 0);
        World { store, ledger, flights: Vec::new(), charged: 0, next_ordinal: 0 }
    }

    fn step(&mut self, step: &Step, end: End) {
        match step {
            Step::Begin(worst) => {
                if self.ledger.try_reserve(*worst) == Reservation::Granted {
                    let key =
                        AttemptKey { arm: 0, ordinal: self.next_ordinal, repeat: 1, attempt: 1 };
                    self.next_ordinal += 1;
                    self.flights.push(Flight { key, worst: *worst, end, stage: Stage::Reserved });
                }
            }
            Step::Go(place) => {
                if let Some(place) = place.checked_rem(self.flights.len()) {
                    self.advance(place);
                }
            }
            Step::Crash(raise) => self.crash(*raise),
        }
    }

    /// The order of the engine: reserve, write the intent, send, write the outcome, settle.
    fn advance(&mut self, place: usize) {
        let Flight { key, worst, end, stage } = self.flights[place];
        let (cost, charge) = match end {
            End::Charged(percent) => (worst * percent / 100, worst * percent / 100),
            End::Silent(percent) => (worst, worst * percent / 100),
            End::Refused => (0, 0),
        };
        self.flights[place].stage = match stage {
            Stage::Reserved => {
                self.store.intent(Intent { key, reserved_nanousd: worst, at_us: 0 });
                Stage::Intended
            }
            Stage::Intended => {
                self.charged += charge;
                Stage::Sent
            }
            Stage::Sent => {
                self.store.outcome(outcome(key, Some(cost)));
                Stage::Answered
            }
            Stage::Answered => {
                self.ledger.settle(worst, cost);
                self.flights.swap_remove(place);
                return;
            }
        };
    }

    /// What is in memory is gone; attempts without an outcome are booked at their reservation.
    fn crash(&mut self, raise: i64) {
        self.flights.clear();
        for intent in self.store.crash() {
            self.store.outcome(outcome(intent.key, None));
        }
        let spent = self.store.sum_of_attempts();
        self.ledger = Ledger::new(self.ledger.budget() + raise, spent);
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (spent, reserved) = self.ledger.totals();
        prop_assert!(spent + reserved <= self.ledger.budget(), "over budget");
        prop_assert!(self.charged <= spent + reserved, "charged more than is booked");
        Ok(())
    }
}

fn outcome(key: AttemptKey, cost_nanousd: Option<i64>) -> Outcome {
    let uncertain = cost_nanousd.is_none();
    Outcome { key, payload: b"{}".to_vec(), is_final: !uncertain, uncertain, cost_nanousd }
}

fn steps(most: usize) -> impl Strategy<Value = Vec<(Step, End)>> {
    let step = prop_oneof![
        4 => (0_i64..2_000).prop_map(Step::Begin),
        12 => any::<usize>().prop_map(Step::Go),
        1 => (0_i64..500).prop_map(Step::Crash),
    ];
    let end = prop_oneof![
        3 => (0_i64..=100).prop_map(End::Charged),
        1 => (0_i64..=100).prop_map(End::Silent),
        1 => Just(End::Refused),
    ];
    prop::collection::vec((step, end), 0..most)
}

fn run_schedule<S: Store>(
    store: S,
    budget: i64,
    steps: &[(Step, End)],
) -> Result<(), TestCaseError> {
    let mut world = World::new(store, budget);
    for (step, end) in steps {
        world.step(step, *end);
        world.check()?;
    }
    while !world.flights.is_empty() {
        world.advance(0);
        world.check()?;
    }
    let (spent, reserved) = world.ledger.totals();
    prop_assert_eq!(reserved, 0);
    prop_assert_eq!(spent, world.store.sum_of_attempts());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn ten_thousand_schedules_stay_within_the_budget(
        budget in 0_i64..6_000,
        steps in steps(60),
    ) {
        run_schedule(Map::default(), budget, &steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_journal_on_disk_keeps_what_the_model_of_it_keeps(
        budget in 0_i64..6_000,
        steps in steps(40),
    ) {
        run_schedule(File::new(), budget, &steps)?;
    }
}

#[test]
fn threads_that_reserve_and_settle_at_once_never_meet_above_the_budget() {
    const BUDGET: i64 = 1_000;
    let ledger = Ledger::new(BUDGET, 0);
    let spent_by_all: i64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8_i64)
            .map(|worker| {
                let ledger = &ledger;
                scope.spawn(move || {
                    let mut own = 0;
                    for turn in 0..2_000_i64 {
                        let worst = (worker * 31 + turn * 17) % 300;
                        if ledger.try_reserve(worst) != Reservation::Granted {
                            continue;
                        }
                        let (spent, reserved) = ledger.totals();
                        assert!(spent + reserved <= BUDGET);
                        let cost = worst * (turn % 3) / 2_000;
                        ledger.settle(worst, cost);
                        own += cost;
                    }
                    own
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(ledger.totals(), (spent_by_all, 0));
}
