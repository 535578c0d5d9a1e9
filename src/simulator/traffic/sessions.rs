//! Who talks, when and how: the frame of every session before a word is drawn.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::phrases::{ARABIC, CHINESE, ENGLISH, GERMAN, HINDI, JAPANESE, Language, SPANISH};

/// No session is longer, in exchanges.
pub(super) const MOST_TURNS: usize = 8;

/// The models of the log and their shares in percent.
pub(super) const MODELS: [(&str, u32); 2] =
    [("gpt-4o-2024-05-13", 60), ("gpt-4-turbo-2024-04-09", 40)];

const TENANTS: [(&str, u32); 4] =
    [("willowmart", 40), ("bluebarn", 30), ("pinecone-outdoor", 20), ("lumen-home", 10)];

const KINDS: [(Kind, u32); 4] = [
    (Kind::Support, 69),
    (Kind::Agent, 16),
    (Kind::Extract { by_schema: false }, 7),
    (Kind::Extract { by_schema: true }, 8),
];

const LANGUAGES: [(&Language, u32); 7] = [
    (&ENGLISH, 80),
    (&GERMAN, 5),
    (&SPANISH, 5),
    (&JAPANESE, 3),
    (&ARABIC, 2),
    (&CHINESE, 3),
    (&HINDI, 2),
];

/// Sessions of each length from 1 to [`MOST_TURNS`] exchanges, in percent: mean 4.0.
const TURNS: [(usize, u32); MOST_TURNS] =
    [(1, 9), (2, 14), (3, 19), (4, 21), (5, 16), (6, 10), (7, 6), (8, 5)];

/// How many sessions begin in each hour, relative to each other: quiet nights, a busy morning and
/// a second, lower peak in the evening.
const HOUR_WEIGHTS: [u32; 24] =
    [3, 2, 2, 1, 1, 2, 4, 8, 14, 19, 21, 20, 16, 17, 19, 18, 15, 13, 12, 14, 13, 10, 7, 4];

const HOUR_MS: i64 = 3_600_000;

/// Sessions of the last hour begin in its first part, so that they end within the day: seven
/// pauses of at most [`LONGEST_PAUSE_MS`] and the answers between them.
const LAST_START_MS: i64 = 24 * HOUR_MS - 20 * 60_000;

const SHORTEST_PAUSE_MS: i64 = 8_000;
const LONGEST_PAUSE_MS: i64 = 130_000;

/// What a session is about, which decides its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Free text.
    Support,
    /// Fields read from a message, answered in JSON.
    Extract {
        /// Whether the request holds a JSON Schema.
        by_schema: bool,
    },
    /// Tools are offered and called.
    Agent,
}

impl Kind {
    /// The gateway's route.
    pub(super) fn route(self) -> &'static str {
        match self {
            Kind::Support => "/support",
            Kind::Extract { .. } => "/extract",
            Kind::Agent => "/agent",
        }
    }
}

/// The frame of one session.
#[derive(Debug, Clone)]
pub(super) struct SessionFrame {
    /// Counts from 0.
    pub(super) index: usize,
    pub(super) turns: usize,
    pub(super) kind: Kind,
    pub(super) model: &'static str,
    pub(super) tenant: &'static str,
    pub(super) language: &'static Language,
    pub(super) stream: bool,
    /// Milliseconds after the capture's start.
    pub(super) start_ms: i64,
}

/// The frames of all sessions; their turns add up to `exchanges`.
///
/// Attributes are dealt by quota instead of drawn one by one, so that the shares hold in small
/// captures too.
pub(super) fn frames(exchanges: usize, sessions: usize, rng: &mut ChaCha8Rng) -> Vec<SessionFrame> {
    let turns = turns(exchanges, sessions, rng);
    let kinds = deal(&KINDS, sessions, rng);
    let models = deal(&MODELS, sessions, rng);
    let tenants = deal(&TENANTS, sessions, rng);
    let languages = deal(&LANGUAGES, sessions, rng);
    let streams = deal(&[(true, 45), (false, 55)], sessions, rng);
    let attributes = turns.into_iter().zip(kinds).zip(models).zip(tenants).zip(languages);
    attributes
        .zip(streams)
        .enumerate()
        .map(|(index, (((((turns, kind), model), tenant), language), stream))| SessionFrame {
            index,
            turns,
            kind,
            model,
            tenant,
            language,
            stream,
            start_ms: start_ms(rng),
        })
        .collect()
}

/// `count` items in the given shares, in random order.
pub(super) fn deal<T: Copy>(shares: &[(T, u32)], count: usize, rng: &mut ChaCha8Rng) -> Vec<T> {
    let total: usize = shares.iter().map(|(_, share)| *share as usize).sum();
    let mut items = Vec::with_capacity(count);
    let mut reached = 0;
    for (item, share) in shares {
        reached += *share as usize;
        // Rounding the running sum keeps every share within one item of its quota.
        items.resize((reached * count + total / 2) / total.max(1), *item);
    }
    // Fisher-Yates.
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
    items
}

/// Lengths that add up to `exchanges`; dealt lengths are moved by single turns until they do.
fn turns(exchanges: usize, sessions: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut turns = deal(&TURNS, sessions, rng);
    let mut sum: usize = turns.iter().sum();
    while sum != exchanges {
        let index = rng.random_range(0..sessions);
        let Some(length) = turns.get_mut(index) else { break };
        if sum < exchanges && *length < MOST_TURNS {
            *length += 1;
            sum += 1;
        } else if sum > exchanges && *length > 1 {
            *length -= 1;
            sum -= 1;
        }
    }
    turns
}

fn start_ms(rng: &mut ChaCha8Rng) -> i64 {
    let total: u32 = HOUR_WEIGHTS.iter().sum();
    let mut left = rng.random_range(0..total);
    let mut hour = 0;
    for weight in HOUR_WEIGHTS {
        if left < weight {
            break;
        }
        left -= weight;
        hour += 1;
    }
    let begin_ms = hour * HOUR_MS;
    rng.random_range(begin_ms..LAST_START_MS.min(begin_ms + HOUR_MS))
}

/// How long a customer reads and writes before the next turn.
pub(super) fn pause_ms(rng: &mut ChaCha8Rng) -> i64 {
    rng.random_range(SHORTEST_PAUSE_MS..=LONGEST_PAUSE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn dealt_shares_are_met_within_one_item() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for count in [0, 1, 7, 60, 900] {
            let dealt = deal(&TENANTS, count, &mut rng);
            assert_eq!(dealt.len(), count);
            for (tenant, share) in TENANTS {
                let found = dealt.iter().filter(|it| **it == tenant).count() as f64;
                let quota = f64::from(share) * count as f64 / 100.0;
                assert!((found - quota).abs() <= 1.0, "{tenant}: {found} of {count}");
            }
        }
    }

    #[test]
    fn lengths_add_up_even_at_the_limits() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for (exchanges, sessions) in [(3600, 900), (240, 60), (10, 10), (80, 10), (1, 1), (0, 0)] {
            let turns = turns(exchanges, sessions, &mut rng);
            assert_eq!((turns.len(), turns.iter().sum::<usize>()), (sessions, exchanges));
            assert!(turns.iter().all(|length| (1..=MOST_TURNS).contains(length)));
        }
    }

    #[test]
    fn more_sessions_begin_in_the_morning_than_at_night() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let starts: Vec<i64> = (0..2000).map(|_| start_ms(&mut rng)).collect();
        let between = |from: i64, to: i64| {
            starts.iter().filter(|at| (from * HOUR_MS..to * HOUR_MS).contains(*at)).count()
        };
        // Weights 60 against 5, of which 2000 draws leave no doubt.
        assert!(between(9, 12) > 5 * between(2, 5));
        assert!(starts.iter().all(|at| (0..LAST_START_MS).contains(at)));
    }
}
