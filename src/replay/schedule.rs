//! When departures leave, as a value: pure, from the pace and what was recorded.

use std::time::Duration;

use crate::plan::{Pace, Ramp};

/// When one departure leaves, and at which rate the schedule then sends.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Slot {
    /// Since the start; `None`: as soon as there is room.
    pub(super) due: Option<Duration>,
    /// Step of the ramp, from 1.
    pub(super) load_step: Option<i32>,
    /// Requests a second that the schedule offers, where it names a rate.
    pub(super) offered_per_second: Option<f64>,
}

/// When the requests of a replay leave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule<'a> {
    pace: Pace,
    /// Arrival times of another log, ascending from the first on.
    arrivals: Option<&'a [Duration]>,
}

/// What of a departure a schedule looks at: when it was captured, in microseconds, and its repeat.
pub(super) type Recorded = (i64, u32);

impl<'a> Schedule<'a> {
    /// The schedule of a pace; `arrivals` are the times of the log that the plan names.
    pub(super) fn new(pace: Pace, arrivals: Option<&'a [Duration]>) -> Self {
        Schedule { pace, arrivals }
    }

    /// Whether departures leave in the order in which they were recorded.
    pub(super) fn follows_capture(&self) -> bool {
        self.arrivals.is_none() && matches!(self.pace, Pace::Open { .. } | Pace::Peak { .. })
    }

    /// The slots of departures, in the order of leaving.
    pub(super) fn slots(&self, departures: &[Recorded]) -> Vec<Slot> {
        let at = |offset| Slot { due: Some(offset), ..Slot::default() };
        match (self.pace, self.arrivals) {
            (Pace::Closed, _) => vec![Slot::default(); departures.len()],
            (Pace::Open { speed }, Some(arrivals)) => (0..departures.len())
                .map(|index| at(seconds(arrival(arrivals, index).as_secs_f64() / speed)))
                .collect(),
            (Pace::Open { speed } | Pace::Peak { factor: speed }, _) => {
                recorded(departures).map(|since| at(seconds(since / speed))).collect()
            }
            (Pace::Rate { per_second }, _) => (0..departures.len())
                .map(|index| Slot {
                    due: Some(seconds(index as f64 / per_second)),
                    offered_per_second: Some(per_second),
                    load_step: None,
                })
                .collect(),
            (Pace::Ramp(ramp), _) => ramp_slots(&ramp).take(departures.len()).collect(),
        }
    }
}

/// Seconds from the first departure to each, one repeat of the capture after the other.
fn recorded(departures: &[Recorded]) -> impl Iterator<Item = f64> {
    let times = departures.iter().map(|(at, _)| *at);
    let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let in_first = departures.iter().filter(|(_, repeat)| *repeat == 1).count();
    // Between two repeats lies as much time as between two exchanges on average.
    let gaps = in_first.saturating_sub(1).max(1) as f64;
    let span = last.saturating_sub(first) as f64 / 1e6;
    let round = span + span / gaps;
    departures.iter().map(move |(at, repeat)| {
        let rounds = f64::from(repeat.saturating_sub(1));
        at.saturating_sub(first) as f64 / 1e6 + rounds * round
    })
}

/// When the request of an index leaves by a list of arrivals, which begins anew once used up.
fn arrival(arrivals: &[Duration], index: usize) -> Duration {
    let (Some(last), count) = (arrivals.last(), arrivals.len()) else { return Duration::ZERO };
    // Between two rounds lies as much time as between two arrivals on average.
    let gaps = u32::try_from(count.saturating_sub(1).max(1)).unwrap_or(u32::MAX);
    let round = *last + *last / gaps;
    let rounds = u32::try_from(index / count).unwrap_or(u32::MAX);
    let within = arrivals.get(index % count).copied().unwrap_or_default();
    round.saturating_mul(rounds).saturating_add(within)
}

/// The departures of a ramp: evenly within each step, the last of which has no end.
fn ramp_slots(ramp: &Ramp) -> impl Iterator<Item = Slot> {
    let ramp = *ramp;
    let step_s = ramp.step.as_secs_f64();
    let (mut step, mut within) = (0, 0_u64);
    std::iter::from_fn(move || {
        loop {
            let rate = ramp.rate(step);
            let offset = within as f64 / rate;
            if offset >= step_s && step + 1 < ramp.steps {
                (step, within) = (step + 1, 0);
                continue;
            }
            within += 1;
            return Some(Slot {
                due: Some(seconds(f64::from(step) * step_s + offset)),
                load_step: i32::try_from(step + 1).ok(),
                offered_per_second: Some(rate),
            });
        }
    })
}

/// A duration from seconds that may be out of range.
fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0)).unwrap_or(Duration::MAX)
}

/// The busiest hour of arrival times in microseconds: its beginning and how many fall into it.
///
/// The hour begins with an arrival, wherever that is within the hour of the clock.
pub(super) fn busiest_hour(times: &mut [i64]) -> Option<(i64, usize)> {
    times.sort_unstable();
    let mut end = 0;
    let mut busiest: Option<(i64, usize)> = None;
    for (begin, first) in times.iter().enumerate() {
        while times.get(end).is_some_and(|at| at.saturating_sub(*first) < HOUR_US) {
            end += 1;
        }
        let count = end - begin;
        if busiest.is_none_or(|(_, most)| count > most) {
            busiest = Some((*first, count));
        }
    }
    busiest
}

/// One hour in microseconds.
pub(super) const HOUR_US: i64 = 3_600 * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn due_ms(slots: &[Slot]) -> Vec<u128> {
        slots.iter().map(|slot| slot.due.unwrap().as_millis()).collect()
    }

    fn schedule(pace: Pace) -> Schedule<'static> {
        Schedule::new(pace, None)
    }

    #[test]
    fn a_list_of_arrivals_begins_anew_once_it_is_used_up() {
        let arrivals = [0, 100, 400].map(Duration::from_millis);
        let at = |index| arrival(&arrivals, index).as_millis();
        assert_eq!([0, 1, 2, 3, 4, 7].map(at), [0, 100, 400, 600, 700, 1_300]);
        assert_eq!(arrival(&[], 5), Duration::ZERO);
        assert_eq!(arrival(&[Duration::ZERO], 5), Duration::ZERO);
        let twice_as_fast = Schedule::new(Pace::Open { speed: 2.0 }, Some(&arrivals));
        assert!(!twice_as_fast.follows_capture());
        assert_eq!(due_ms(&twice_as_fast.slots(&[(9, 1); 4])), [0, 50, 200, 300]);
    }

    #[test]
    fn recorded_times_are_followed_and_a_repeat_comes_after_the_whole() {
        let open = schedule(Pace::Open { speed: 2.0 });
        assert!(open.follows_capture());
        let departures = [(5_000_000, 1), (6_000_000, 1), (9_000_000, 1), (5_000_000, 2)];
        assert_eq!(due_ms(&open.slots(&departures)), [0, 500, 2_000, 3_000]);
        let closed = schedule(Pace::Closed).slots(&departures);
        assert!(closed.iter().all(|slot| slot.due.is_none()));
    }

    #[test]
    fn a_ramp_sends_evenly_within_each_step_and_keeps_its_last_rate() {
        let ramp = Ramp {
            from_per_second: 2.0,
            to_per_second: 4.0,
            steps: 2,
            step: Duration::from_secs(1),
        };
        let slots = schedule(Pace::Ramp(ramp)).slots(&[(0, 1); 8]);
        assert_eq!(due_ms(&slots), [0, 500, 1_000, 1_250, 1_500, 1_750, 2_000, 2_250]);
        let steps: Vec<i32> = slots.iter().filter_map(|slot| slot.load_step).collect();
        assert_eq!(steps, [1, 1, 2, 2, 2, 2, 2, 2]);
        let offered: Vec<i64> = slots
            .iter()
            .filter_map(|slot| slot.offered_per_second)
            .map(|rate| rate as i64)
            .collect();
        assert_eq!(offered, [2, 2, 4, 4, 4, 4, 4, 4]);
    }

    #[test]
    fn a_step_that_is_too_short_for_a_request_sends_one_at_its_beginning() {
        let ramp = Ramp {
            from_per_second: 0.1,
            to_per_second: 0.1,
            steps: 3,
            step: Duration::from_secs(1),
        };
        let slots = schedule(Pace::Ramp(ramp)).slots(&[(0, 1); 4]);
        assert_eq!(due_ms(&slots), [0, 1_000, 2_000, 12_000]);
    }

    #[test]
    fn the_busiest_hour_is_found_wherever_it_begins() {
        let minute = 60 * 1_000_000;
        let mut times = [0, 50, 70, 80, 100, 109, 110, 300].map(|minutes| minutes * minute);
        assert_eq!(busiest_hour(&mut times), Some((50 * minute, 5)));
        assert_eq!(busiest_hour(&mut []), None);
    }
}
