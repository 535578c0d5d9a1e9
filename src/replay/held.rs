//! Why a request left later than its schedule wanted: the plan's own limits, or this program.

use std::time::{Duration, Instant};

/// What held a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldBy {
    /// As many requests were in flight as the arm may have.
    Concurrency,
    /// The plan's requests or tokens a minute.
    Rate,
    /// The provider had refused others.
    BackOff,
    /// The turn before it in its session had not come back.
    Session,
    /// The rest of the budget was reserved.
    Budget,
}

impl HeldBy {
    /// The name as it stands in tables.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            HeldBy::Concurrency => "concurrency",
            HeldBy::Rate => "rate",
            HeldBy::BackOff => "back_off",
            HeldBy::Session => "session",
            HeldBy::Budget => "budget",
        }
    }
}

/// A wait below this is none: asking alone takes some microseconds.
const LEAST: Duration = Duration::from_micros(100);

/// The time past its due moment that a request spent waiting for limits of the plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Time before this is accounted for.
    until: Instant,
    time: Duration,
    by: Option<(HeldBy, Duration)>,
}

impl Held {
    /// A request that is due and has not been held yet.
    pub(super) fn new(due: Instant) -> Self {
        Held { until: due, time: Duration::ZERO, by: None }
    }

    /// A limit held the request from one moment to another.
    pub(super) fn wait(&mut self, by: HeldBy, from: Instant, to: Instant) {
        let share = to.saturating_duration_since(from.max(self.until));
        if share < LEAST {
            return;
        }
        self.time += share;
        self.until = to;
        if self.by.is_none_or(|(_, longest)| share > longest) {
            self.by = Some((by, share));
        }
    }

    /// The request was journaled. That is done ahead of the due moment, unless a limit took the
    /// time for it: then it is part of the hold.
    pub(super) fn journal(&mut self, from: Instant, to: Instant) {
        if self.by.is_some() {
            self.time += to.saturating_duration_since(from.max(self.until));
            self.until = self.until.max(to);
        }
    }

    /// How long limits of the plan held it beyond its due moment.
    pub(super) fn time(&self) -> Duration {
        self.time
    }

    /// What held it longest.
    pub(super) fn by(&self) -> Option<HeldBy> {
        self.by.map(|(by, _)| by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_count_beyond_the_due_moment_and_the_longest_gives_its_name() {
        let due = Instant::now();
        let at = |ms| due + Duration::from_millis(ms);
        let mut held = Held::new(at(10));
        // A limit that let go in time holds nothing back, and the journal is our own affair.
        held.wait(HeldBy::Concurrency, at(0), at(8));
        held.journal(at(8), at(13));
        assert_eq!((held.time(), held.by()), (Duration::ZERO, None));
        held.wait(HeldBy::Session, at(4), at(20));
        held.wait(HeldBy::Rate, at(20), at(50));
        held.journal(at(50), at(54));
        // Between 54 and 60 nothing but this program kept it.
        held.wait(HeldBy::BackOff, at(60), at(61));
        assert_eq!(held.time(), Duration::from_millis(10 + 30 + 4 + 1));
        assert_eq!(held.by(), Some(HeldBy::Rate));
    }
}
