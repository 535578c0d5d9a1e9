//! In which order exchanges leave, and when.

use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::planner::Item;
use crate::dataset::CaptureStore;
use crate::plan::Pace;

/// One captured exchange with all that is sent for it, arms in seeded random order.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    /// Row number of the captured exchange.
    pub ordinal: i32,
    /// When it leaves, since the start; `None`: as soon as there is room.
    pub due: Option<Duration>,
    /// Index into the planned items and repeat, in the order of sending.
    pub sends: Vec<(u32, u32)>,
}

/// Orders the departures of a run.
///
/// A closed loop is sent in random order, so that the time of day within the capture does not
/// meet the time of the replay: blocks of the capture are shuffled, and exchanges within each.
/// An open loop keeps the recorded order; if it follows the arrivals of another log, which say
/// nothing of these exchanges, it is sent in random order as well. Arms and repeats of one exchange leave together, in
/// random order, so that control and candidate meet the same minutes.
pub(super) fn departures(
    items: &[Item],
    capture: &CaptureStore,
    pace: Pace,
    repeats: u32,
    seed: u64,
    arrivals: Option<&[Duration]>,
) -> Vec<Departure> {
    let mut departures = group(items, repeats);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    match pace {
        Pace::Open { .. } if arrivals.is_none() => {
            departures.sort_by_key(|d| (captured_at(items, d), d.ordinal));
        }
        _ => shuffle_by_block(&mut departures, capture, &mut rng),
    }
    let start = departures.iter().map(|d| captured_at(items, d)).min().unwrap_or(0);
    for (index, departure) in departures.iter_mut().enumerate() {
        departure.sends.shuffle(&mut rng);
        departure.due = match (pace, arrivals) {
            (Pace::Closed, _) => None,
            (Pace::Open { speed }, Some(arrivals)) => {
                Some(seconds(arrival(arrivals, index).as_secs_f64() / speed))
            }
            (Pace::Open { speed }, None) => {
                let since = captured_at(items, departure).saturating_sub(start);
                Some(seconds(since as f64 / 1e6 / speed))
            }
            (Pace::Rate { per_second }, _) => Some(seconds(index as f64 / per_second)),
        };
    }
    departures
}

/// When the request of an index leaves by a schedule, which begins anew once it is used up.
fn arrival(arrivals: &[Duration], index: usize) -> Duration {
    let (Some(last), count) = (arrivals.last(), arrivals.len()) else { return Duration::ZERO };
    // Between two rounds lies as much time as between two arrivals on average.
    let gaps = u32::try_from(count.saturating_sub(1).max(1)).unwrap_or(u32::MAX);
    let round = *last + *last / gaps;
    let rounds = u32::try_from(index / count).unwrap_or(u32::MAX);
    let within = arrivals.get(index % count).copied().unwrap_or_default();
    round.saturating_mul(rounds).saturating_add(within)
}

/// A duration from seconds that may be out of range.
fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0)).unwrap_or(Duration::MAX)
}

fn captured_at(items: &[Item], departure: &Departure) -> i64 {
    departure
        .sends
        .first()
        .and_then(|(item, _)| items.get(*item as usize))
        .map_or(0, |item| item.captured_at)
}

fn group(items: &[Item], repeats: u32) -> Vec<Departure> {
    let mut departures: Vec<Departure> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let sends = (1..=repeats).map(|repeat| (index, repeat));
        match departures.last_mut() {
            Some(last) if last.ordinal == item.ordinal => last.sends.extend(sends),
            _ => departures.push(Departure {
                ordinal: item.ordinal,
                due: None,
                sends: sends.collect(),
            }),
        }
    }
    departures
}

fn shuffle_by_block(departures: &mut Vec<Departure>, capture: &CaptureStore, rng: &mut ChaCha8Rng) {
    let mut blocks: Vec<Vec<Departure>> = std::mem::take(departures)
        .chunk_by(|a, b| capture.block_of(a.ordinal) == capture.block_of(b.ordinal))
        .map(<[Departure]>::to_vec)
        .collect();
    blocks.shuffle(rng);
    for mut block in blocks {
        block.shuffle(rng);
        departures.extend(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_begins_anew_once_it_is_used_up() {
        let arrivals = [0, 100, 400].map(Duration::from_millis);
        let at = |index| arrival(&arrivals, index).as_millis();
        assert_eq!([0, 1, 2, 3, 4, 7].map(at), [0, 100, 400, 600, 700, 1_300]);
        assert_eq!(arrival(&[], 5), Duration::ZERO);
        assert_eq!(arrival(&[Duration::ZERO], 5), Duration::ZERO);
    }
}
