//! Stops sending to an arm that is out, and finds out when it is back.
//!
//! A breaker looks at an arm's latest outcomes. When half of them are failures of an outage
//! ([`ErrorClass::is_outage`]) it opens: nothing is reserved and nothing leaves. Single probes go
//! out at growing distances, and the first that is no such failure closes it again. A breaker that
//! stays open longer than the plan allows gives up, so that the run ends resumably.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::chat::ErrorClass;

/// How many of the latest outcomes count.
const WINDOW: usize = 40;

/// Fewer outcomes than this open nothing.
const MIN_OUTCOMES: usize = 20;

/// From opening to the first probe; each failed probe doubles it up to [`MAX_PROBE_WAIT`].
const FIRST_PROBE_WAIT: Duration = Duration::from_secs(1);
const MAX_PROBE_WAIT: Duration = Duration::from_secs(30);

/// The circuit breaker of one arm.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    give_up_after: Duration,
    is_at_work: bool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Counts openings and closings, so that a late outcome of an earlier phase is not taken for
    /// one of this.
    generation: u64,
    /// Time spent open, without the present opening.
    paused: Duration,
}

#[derive(Debug)]
enum Phase {
    /// Whether each of the latest outcomes was a failure of an outage.
    Closed(VecDeque<bool>),
    Open {
        since: Instant,
        probe_at: Instant,
        wait: Duration,
        probing: bool,
    },
}

/// Leave to send one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    generation: u64,
    is_probe: bool,
    /// Whether the attempt had to wait for it.
    pub(super) waited: bool,
}

/// The arm was out for longer than the plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GivenUp;

/// What a breaker says to an attempt that wants to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Go(Pass),
    /// Not before this moment; absent: not before the probe under way is back.
    Wait(Option<Instant>),
    GiveUp,
}

impl Breaker {
    /// A closed breaker that gives up once it has been open for `give_up_after`; one that is not
    /// at work never opens.
    pub(super) fn new(give_up_after: Duration, is_at_work: bool) -> Self {
        let state =
            State { phase: Phase::Closed(VecDeque::new()), generation: 0, paused: Duration::ZERO };
        let changed = watch::Sender::new(());
        Breaker { state: Mutex::new(state), changed, give_up_after, is_at_work }
    }

    /// Waits until an attempt may leave.
    ///
    /// # Errors
    /// [`GivenUp`] once the breaker has been open for too long.
    pub(super) async fn pass(&self) -> Result<Pass, GivenUp> {
        self.until_admitted(|now| self.admit(now)).await
    }

    /// Waits until [`Breaker::pass`] would give leave at once, without taking it.
    ///
    /// # Errors
    /// [`GivenUp`] once the breaker has been open for too long.
    pub(super) async fn ready(&self) -> Result<(), GivenUp> {
        self.until_admitted(|now| self.look(now)).await.map(|_| ())
    }

    async fn until_admitted(&self, ask: impl Fn(Instant) -> Answer) -> Result<Pass, GivenUp> {
        let mut changed = self.changed.subscribe();
        let mut waited = false;
        loop {
            changed.borrow_and_update();
            let until = match ask(Instant::now()) {
                Answer::Go(pass) => return Ok(Pass { waited, ..pass }),
                Answer::GiveUp => return Err(GivenUp),
                Answer::Wait(until) => until,
            };
            waited = true;
            let given_up_at = self.given_up_at();
            let until = [until, given_up_at].into_iter().flatten().min();
            tokio::select! {
                // The sender lives as long as `self`.
                _ = changed.changed() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Whether a pass that was given some time ago still holds.
    pub(super) fn allows(&self, pass: Pass) -> bool {
        self.lock().generation == pass.generation
    }

    /// Takes note of an attempt's outcome.
    pub(super) fn record(&self, pass: Pass, class: Option<ErrorClass>, now: Instant) {
        let out = self.is_at_work && class.is_some_and(ErrorClass::is_outage);
        let mut state = self.lock();
        if state.generation != pass.generation {
            return;
        }
        match &mut state.phase {
            Phase::Closed(recent) => {
                if recent.len() == WINDOW {
                    recent.pop_front();
                }
                recent.push_back(out);
                let failures = recent.iter().filter(|out| **out).count();
                if recent.len() < MIN_OUTCOMES || 2 * failures < recent.len() {
                    return;
                }
                let (wait, probe_at) = (FIRST_PROBE_WAIT, now + FIRST_PROBE_WAIT);
                state.phase = Phase::Open { since: now, probe_at, wait, probing: false };
                state.generation += 1;
            }
            Phase::Open { probe_at, wait, probing, .. } if pass.is_probe && out => {
                *wait = (*wait * 2).min(MAX_PROBE_WAIT);
                *probe_at = now + *wait;
                *probing = false;
            }
            Phase::Open { since, .. } if pass.is_probe => {
                let open_for = now.saturating_duration_since(*since);
                state.paused += open_for;
                state.phase = Phase::Closed(VecDeque::new());
                state.generation += 1;
            }
            Phase::Open { .. } => return,
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// How long the breaker has been open until now, all openings together.
    pub(super) fn paused(&self, now: Instant) -> Duration {
        let state = self.lock();
        match state.phase {
            Phase::Open { since, .. } => state.paused + now.saturating_duration_since(since),
            Phase::Closed(_) => state.paused,
        }
    }

    fn admit(&self, now: Instant) -> Answer {
        let answer = self.look(now);
        if let Answer::Go(Pass { is_probe: true, .. }) = answer
            && let Phase::Open { probing, .. } = &mut self.lock().phase
        {
            if *probing {
                return Answer::Wait(None);
            }
            *probing = true;
        }
        answer
    }

    fn look(&self, now: Instant) -> Answer {
        let state = self.lock();
        let generation = state.generation;
        match state.phase {
            Phase::Closed(_) => Answer::Go(Pass { generation, is_probe: false, waited: false }),
            Phase::Open { since, .. }
                if now.saturating_duration_since(since) >= self.give_up_after =>
            {
                Answer::GiveUp
            }
            Phase::Open { probing: true, .. } => Answer::Wait(None),
            Phase::Open { probe_at, .. } if now < probe_at => Answer::Wait(Some(probe_at)),
            Phase::Open { .. } => Answer::Go(Pass { generation, is_probe: true, waited: false }),
        }
    }

    fn given_up_at(&self) -> Option<Instant> {
        match self.lock().phase {
            Phase::Open { since, .. } => since.checked_add(self.give_up_after),
            Phase::Closed(_) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn pass(breaker: &Breaker, now: Instant) -> Pass {
        match breaker.admit(now) {
            Answer::Go(pass) => pass,
            other => panic!("no leave: {other:?}"),
        }
    }

    fn tell(breaker: &Breaker, class: Option<ErrorClass>, times: usize, now: Instant) {
        for _ in 0..times {
            breaker.record(pass(breaker, now), class, now);
        }
    }

    fn open(now: Instant) -> Breaker {
        let breaker = Breaker::new(10 * MINUTE, true);
        tell(&breaker, Some(ErrorClass::Refused), MIN_OUTCOMES, now);
        assert_eq!(breaker.look(now), Answer::Wait(Some(now + FIRST_PROBE_WAIT)));
        breaker
    }

    #[test]
    fn half_of_twenty_or_more_outcomes_open_it_and_nineteen_do_not() {
        let now = Instant::now();
        let breaker = Breaker::new(10 * MINUTE, true);
        tell(&breaker, Some(ErrorClass::TimeoutFirstToken), 19, now);
        assert!(matches!(breaker.look(now), Answer::Go(_)));
        tell(&breaker, Some(ErrorClass::ServerError), 1, now);
        assert!(matches!(breaker.look(now), Answer::Wait(Some(_))));

        let breaker = Breaker::new(10 * MINUTE, true);
        tell(&breaker, None, 20, now);
        tell(&breaker, Some(ErrorClass::Overloaded), 19, now);
        assert!(matches!(breaker.look(now), Answer::Go(_)), "19 of 39 are less than half");
        tell(&breaker, Some(ErrorClass::Overloaded), 1, now);
        assert!(matches!(breaker.look(now), Answer::Wait(_)), "20 of 40 are half");
    }

    #[test]
    fn our_quota_our_faults_and_broken_answers_are_no_outage() {
        let now = Instant::now();
        let breaker = Breaker::new(10 * MINUTE, true);
        for class in [ErrorClass::RateLimitTokens, ErrorClass::Auth, ErrorClass::StreamTruncated] {
            tell(&breaker, Some(class), WINDOW, now);
        }
        assert!(matches!(breaker.look(now), Answer::Go(_)));
    }

    #[test]
    fn one_probe_at_a_time_goes_out_at_growing_distances() {
        let now = Instant::now();
        let breaker = open(now);
        let mut at = now + FIRST_PROBE_WAIT;
        let mut waits = Vec::new();
        for _ in 0..7 {
            let probe = pass(&breaker, at);
            assert_eq!(breaker.admit(at), Answer::Wait(None), "a second probe");
            breaker.record(probe, Some(ErrorClass::Refused), at);
            let Answer::Wait(Some(next)) = breaker.look(at) else { panic!("it must wait") };
            waits.push((next - at).as_secs());
            at = next;
        }
        assert_eq!(waits, [2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn a_probe_that_is_answered_closes_it_and_the_pause_is_known() {
        let now = Instant::now();
        let breaker = open(now);
        let late = now + MINUTE;
        assert_eq!(breaker.paused(late), MINUTE);
        // A 429 shows that somebody is there.
        breaker.record(pass(&breaker, late), Some(ErrorClass::RateLimitOther), late);
        assert!(matches!(breaker.look(late), Answer::Go(Pass { is_probe: false, .. })));
        assert_eq!(breaker.paused(late + MINUTE), MINUTE);
    }

    #[test]
    fn outcomes_of_attempts_sent_before_it_closed_do_not_open_it_again() {
        let now = Instant::now();
        let breaker = Breaker::new(10 * MINUTE, true);
        let early: Vec<Pass> = (0..60).map(|_| pass(&breaker, now)).collect();
        for sent in &early[..20] {
            breaker.record(*sent, Some(ErrorClass::Refused), now);
        }
        assert!(!breaker.allows(early[59]));
        let later = now + MINUTE;
        breaker.record(pass(&breaker, later), None, later);
        for sent in &early[20..] {
            breaker.record(*sent, Some(ErrorClass::TimeoutTotal), later);
        }
        assert!(matches!(breaker.look(later), Answer::Go(_)));
    }

    #[test]
    fn it_gives_up_after_the_stated_time_and_not_before() {
        let now = Instant::now();
        let breaker = open(now);
        let end = now + 10 * MINUTE;
        assert!(matches!(
            breaker.look(end.checked_sub(Duration::from_millis(1)).unwrap()),
            Answer::Go(_)
        ));
        assert_eq!(breaker.look(end), Answer::GiveUp);
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_it_closes_and_ends_when_it_gives_up() {
        let now = Instant::now();
        let breaker = open(now);
        let probe = pass(&breaker, now + FIRST_PROBE_WAIT);
        let waiting = breaker.pass();
        let closing = async { breaker.record(probe, None, now + FIRST_PROBE_WAIT) };
        let (waited, ()) = tokio::join!(waiting, closing);
        assert!(waited.is_ok_and(|pass| pass.waited && !pass.is_probe));

        let breaker = Breaker::new(Duration::ZERO, true);
        tell(&breaker, Some(ErrorClass::Refused), MIN_OUTCOMES, now);
        assert_eq!(breaker.pass().await, Err(GivenUp));
        assert_eq!(breaker.ready().await, Err(GivenUp));
    }
}
