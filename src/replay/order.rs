//! In which order exchanges leave.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::planner::Item;
use super::schedule::{Schedule, Slot};
use crate::dataset::CaptureStore;
use crate::plan::ReplaySettings;

/// One captured exchange in one repeat, arms in seeded random order.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    /// Row number of the captured exchange.
    pub(super) ordinal: i32,
    /// Repeat, from 1.
    pub(super) repeat: u32,
    /// The conversation of the exchange, where its turns are kept in order.
    pub(super) session: Option<u32>,
    /// When it leaves.
    pub(super) slot: Slot,
    /// Index into the planned items, in the order of sending.
    pub(super) sends: Vec<u32>,
    captured_at: i64,
}

/// What decides the order, beside the items themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordering<'a> {
    /// When departures leave.
    pub(super) schedule: Schedule<'a>,
    /// How often every exchange is sent to each arm.
    pub(super) repeats: u32,
    /// Seed of every random choice.
    pub(super) seed: u64,
    /// Whether turns of a session keep their order.
    pub(super) session_order: bool,
}

/// The order that a plan asks for; `arrivals` are those of another log, since its start.
pub(super) fn ordering<'a>(
    settings: &ReplaySettings,
    arrivals: Option<&'a [Duration]>,
) -> Ordering<'a> {
    Ordering {
        schedule: Schedule::new(settings.pace, arrivals),
        repeats: settings.repeats,
        seed: settings.seed,
        session_order: settings.session_order,
    }
}

/// Orders the departures of a run.
///
/// A closed loop is sent in random order, so that the time of day within the capture does not
/// meet the time of the replay: blocks of the capture are shuffled, and exchanges within each. A
/// loop that is open at the recorded times keeps the recorded order; any other schedule says
/// nothing of these exchanges, which are then sent in random order too. Turns of a session keep
/// their order among themselves. The arms of one exchange leave together, in random order, so
/// that control and candidate meet the same minutes.
pub(super) fn departures(
    items: &[Item],
    capture: &CaptureStore,
    ordering: Ordering<'_>,
) -> Vec<Departure> {
    let block_of = |ordinal| capture.block_of(ordinal);
    order(group(items, ordering), block_of, ordering)
}

fn order<B: PartialEq>(
    mut departures: Vec<Departure>,
    block_of: impl Fn(i32) -> B,
    ordering: Ordering<'_>,
) -> Vec<Departure> {
    let mut rng = ChaCha8Rng::seed_from_u64(ordering.seed);
    if ordering.schedule.follows_capture() {
        departures.sort_by_key(|d| (d.repeat, d.captured_at, d.ordinal));
    } else {
        shuffle_by_block(&mut departures, block_of, &mut rng);
        keep_turns_in_order(&mut departures);
    }
    let recorded: Vec<_> = departures.iter().map(|d| (d.captured_at, d.repeat)).collect();
    let slots = ordering.schedule.slots(&recorded);
    for (departure, slot) in departures.iter_mut().zip(slots) {
        departure.sends.shuffle(&mut rng);
        departure.slot = slot;
    }
    departures
}

fn group(items: &[Item], ordering: Ordering<'_>) -> Vec<Departure> {
    let mut departures: Vec<Departure> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let repeats = usize::try_from(ordering.repeats).unwrap_or(usize::MAX);
        let known = departures.last().is_some_and(|last| last.ordinal == item.ordinal);
        if !known {
            departures.extend((1..=ordering.repeats).map(|repeat| Departure {
                ordinal: item.ordinal,
                repeat,
                session: item.session.filter(|_| ordering.session_order),
                slot: Slot::default(),
                sends: Vec::new(),
                captured_at: item.captured_at,
            }));
        }
        for departure in departures.iter_mut().rev().take(repeats) {
            departure.sends.push(index);
        }
    }
    departures
}

fn shuffle_by_block<B: PartialEq>(
    departures: &mut Vec<Departure>,
    block_of: impl Fn(i32) -> B,
    rng: &mut ChaCha8Rng,
) {
    let mut blocks: Vec<Vec<Departure>> = std::mem::take(departures)
        .chunk_by(|a, b| block_of(a.ordinal) == block_of(b.ordinal))
        .map(<[Departure]>::to_vec)
        .collect();
    blocks.shuffle(rng);
    for mut block in blocks {
        block.shuffle(rng);
        departures.extend(block);
    }
}

/// Puts the turns of each session and repeat into their recorded order, within the places that
/// chance gave to them.
fn keep_turns_in_order(departures: &mut [Departure]) {
    let mut places: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (place, departure) in departures.iter().enumerate() {
        if let Some(session) = departure.session {
            places.entry((session, departure.repeat)).or_default().push(place);
        }
    }
    for places in places.into_values().filter(|places| places.len() > 1) {
        let mut turns: Vec<Departure> =
            places.iter().filter_map(|place| departures.get(*place).cloned()).collect();
        turns.sort_by_key(|turn| (turn.captured_at, turn.ordinal));
        for (place, turn) in places.into_iter().zip(turns) {
            departures[place] = turn;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::Pace;

    /// Exchanges of sessions in turn, each in two arms.
    fn items(exchanges: i32, sessions: i32) -> Vec<Item> {
        (0..exchanges)
            .flat_map(|ordinal| {
                (0..2).map(move |arm| Item {
                    arm,
                    ordinal,
                    captured_at: i64::from(ordinal) * 1_000_000,
                    session: u32::try_from(ordinal % sessions).ok(),
                    worst_case_nanousd: 1,
                    expected_nanousd: 1,
                    low_nanousd: 1,
                    token_bound: 1,
                    sample_weight: 1.0,
                })
            })
            .collect()
    }

    fn ordered(pace: Pace, repeats: u32, seed: u64) -> Vec<Departure> {
        let schedule = Schedule::new(pace, None);
        let ordering = Ordering { schedule, repeats, seed, session_order: true };
        order(group(&items(120, 7), ordering), |ordinal| ordinal / 50, ordering)
    }

    proptest! {
        #[test]
        fn everything_leaves_once_and_turns_keep_their_order(seed in any::<u64>(), repeats in 1_u32..4) {
            for pace in [Pace::Closed, Pace::Rate { per_second: 5.0 }, Pace::Open { speed: 2.0 }] {
                let departures = ordered(pace, repeats, seed);
                prop_assert_eq!(departures.len(), 120 * repeats as usize);
                let mut seen = BTreeSet::new();
                let mut last: BTreeMap<(u32, u32), i32> = BTreeMap::new();
                for departure in &departures {
                    prop_assert!(seen.insert((departure.ordinal, departure.repeat)));
                    let mut arms = departure.sends.clone();
                    arms.sort_unstable();
                    let first = departure.ordinal.unsigned_abs() * 2;
                    prop_assert_eq!(arms, [first, first + 1]);
                    let chain = (departure.session.unwrap(), departure.repeat);
                    let before = last.insert(chain, departure.ordinal);
                    prop_assert!(before.is_none_or(|before| before < departure.ordinal));
                }
                let due: Vec<Option<Duration>> = departures.iter().map(|d| d.slot.due).collect();
                prop_assert!(due.is_sorted());
            }
        }
    }

    #[test]
    fn arms_take_turns_at_being_first() {
        let departures = ordered(Pace::Closed, 1, 3);
        let first = departures.iter().filter(|d| d.sends[0] % 2 == 0).count();
        assert!((40..=80).contains(&first), "one arm was first {first} times of 120");
        let sends = |seed| -> Vec<Vec<u32>> {
            ordered(Pace::Closed, 1, seed).into_iter().map(|d| d.sends).collect()
        };
        assert_eq!(sends(3), sends(3));
        assert_ne!(sends(3), sends(4));
    }

    #[test]
    fn a_closed_loop_mixes_what_was_recorded_in_order() {
        let ordinals: Vec<i32> = ordered(Pace::Closed, 1, 1).iter().map(|d| d.ordinal).collect();
        let ascending = ordinals.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((30..90).contains(&ascending), "{ascending} of 119 neighbours are in order");
    }
}
