//! Which sessions are replayed, and how much each of them stands for.
//!
//! Sessions are in or out as a whole, by the hash of session and seed. Without strata a session
//! is in when its hash lies below the share. With strata the sessions of each stratum are ordered
//! by their hashes and the first k of N are taken, so that each has the probability k / N. Either
//! way a larger share contains a smaller one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::planner::set_aside;
use crate::dataset::{CaptureStore, DatasetError, ReplayInput};
use crate::plan::{ReplaySettings, StrataSettings};

/// The drawn sample.
#[derive(Debug)]
pub(super) struct Sampling {
    seed: u64,
    share: f64,
    strata: Option<Strata>,
}

/// Whether an exchange is in the sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draw {
    /// Inverse of the probability to be in it; absent for what is not.
    pub(super) weight: Option<f64>,
    /// The stratum of its session, in a stratified sample.
    pub(super) stratum: Option<String>,
}

impl Sampling {
    /// Draws the sample that a plan asks for.
    ///
    /// # Errors
    /// A capture that cannot be read.
    pub(super) fn new(
        replay: &ReplaySettings,
        capture: &CaptureStore,
    ) -> Result<Self, DatasetError> {
        let strata = match &replay.strata {
            None => None,
            Some(settings) => {
                let mut census = Census::default();
                for block in capture.blocks() {
                    for input in capture.read_outline(block)? {
                        if set_aside(replay, &input).is_none() {
                            census.add(unit(&input), stratum_value(&settings.stratify_by, &input));
                        }
                    }
                }
                Some(census.draw(replay.seed, replay.sample, settings))
            }
        };
        Ok(Sampling { seed: replay.seed, share: replay.sample, strata })
    }

    /// Whether an exchange that is wanted otherwise is in the sample.
    pub(super) fn draw(&self, input: &ReplayInput) -> Draw {
        let unit = unit(input);
        match &self.strata {
            None => {
                let is_in =
                    self.share >= 1.0 || (hash(self.seed, unit) as f64) < self.share * MOST_HASH;
                Draw { weight: is_in.then_some(1.0 / self.share), stratum: None }
            }
            Some(strata) => strata.draw(self.seed, unit),
        }
    }
}

const MOST_HASH: f64 = u64::MAX as f64;

/// What is in or out as a whole: the session, or an exchange that belongs to none.
fn unit(input: &ReplayInput) -> &str {
    input.session_id.as_deref().unwrap_or(&input.request_id)
}

fn hash(seed: u64, unit: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(unit);
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

/// The value of the column that makes the strata, in the words of the queries' segments.
fn stratum_value(column: &str, input: &ReplayInput) -> String {
    let or_none = |text: &Option<String>| text.as_deref().unwrap_or("(none)").to_owned();
    match column {
        "route" => or_none(&input.route),
        "tenant" => or_none(&input.tenant),
        "stream" if input.stream == Some(true) => "streamed".to_owned(),
        "stream" => "not streamed".to_owned(),
        "has_tools" if input.tool_count > 0 => "tools".to_owned(),
        "has_tools" => "no tools".to_owned(),
        _ => input.request_model.clone(),
    }
}

/// Exchanges per value and the values of each session.
#[derive(Debug, Default)]
struct Census {
    exchanges: BTreeMap<String, u64>,
    values_of: BTreeMap<String, Vec<String>>,
}

/// Every session's stratum, and how far each stratum is taken.
#[derive(Debug)]
struct Strata {
    strata: Vec<Stratum>,
    of_unit: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Stratum {
    name: String,
    sessions: u64,
    taken: u64,
    /// Hash and name of the last session that is taken.
    last: (u64, String),
}

impl Census {
    fn add(&mut self, unit: &str, value: String) {
        *self.exchanges.entry(value.clone()).or_default() += 1;
        let values = self.values_of.entry(unit.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// Puts each session into the stratum of its rarest value, so that taking the stratum of a
    /// rare route whole takes every exchange of that route, and takes the first of each.
    fn draw(self, seed: u64, share: f64, settings: &StrataSettings) -> Strata {
        let Census { exchanges, values_of } = self;
        let rank = |value: &String| (exchanges.get(value).copied().unwrap_or(0), value.clone());
        let mut members: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        for (unit, values) in values_of {
            if let Some(rarest) = values.into_iter().min_by_key(rank) {
                members.entry(rarest).or_default().push((hash(seed, &unit), unit));
            }
        }
        let mut strata = Strata { strata: Vec::new(), of_unit: BTreeMap::new() };
        for (name, mut units) in members {
            units.sort_unstable();
            let sessions = units.len() as u64;
            let taken = taken(sessions, share, settings.min_per_stratum);
            let last = usize::try_from(taken.saturating_sub(1)).unwrap_or(usize::MAX);
            let last = units.get(last).cloned().unwrap_or_default();
            let index = strata.strata.len();
            strata.of_unit.extend(units.into_iter().map(|(_, unit)| (unit, index)));
            strata.strata.push(Stratum { name, sessions, taken, last });
        }
        strata
    }
}

/// Sessions to take of a stratum: the share, rounded up, and at least the minimum.
fn taken(sessions: u64, share: f64, least: u64) -> u64 {
    // A share such as 7 % of 100 comes out as 7.000000000000001.
    let by_share = (share * sessions as f64 - 1e-9).ceil().max(1.0) as u64;
    by_share.max(least).min(sessions)
}

impl Strata {
    fn draw(&self, seed: u64, unit: &str) -> Draw {
        let stratum = self.of_unit.get(unit).and_then(|index| self.strata.get(*index));
        let Some(stratum) = stratum else { return Draw { weight: None, stratum: None } };
        let (last_hash, last_unit) = &stratum.last;
        let is_in = (hash(seed, unit), unit) <= (*last_hash, last_unit.as_str());
        let weight = stratum.sessions as f64 / stratum.taken as f64;
        Draw { weight: is_in.then_some(weight), stratum: Some(stratum.name.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn settings(min_per_stratum: u64) -> StrataSettings {
        StrataSettings { stratify_by: "route".to_owned(), min_per_stratum }
    }

    /// Sessions with the routes that they touch.
    fn census(sessions: &[(u32, Vec<u8>)]) -> Census {
        let mut census = Census::default();
        for (session, routes) in sessions {
            for route in routes {
                census.add(&format!("s-{session}"), format!("route {route}"));
            }
        }
        census
    }

    fn in_sample(strata: &Strata, seed: u64) -> BTreeSet<String> {
        let units = strata.of_unit.keys();
        units.filter(|unit| strata.draw(seed, unit).weight.is_some()).cloned().collect()
    }

    #[test]
    fn a_rare_stratum_is_taken_whole_and_weighs_one() {
        let mut sessions: Vec<(u32, Vec<u8>)> = (0..1_000).map(|s| (s, vec![0, 0])).collect();
        sessions.extend((1_000..1_030).map(|s| (s, vec![1])));
        // One long session touches the rare route once, and so belongs to it.
        sessions.push((2_000, vec![0, 0, 0, 1]));
        let strata = census(&sessions).draw(5, 0.1, &settings(50));
        let rare = strata.draw(5, "s-2000");
        assert_eq!(rare, Draw { weight: Some(1.0), stratum: Some("route 1".to_owned()) });
        for session in 1_000..1_030 {
            assert_eq!(strata.draw(5, &format!("s-{session}")).weight, Some(1.0));
        }
        let common: Vec<Draw> = (0..1_000).map(|s| strata.draw(5, &format!("s-{s}"))).collect();
        let weights: Vec<f64> = common.iter().filter_map(|draw| draw.weight).collect();
        assert_eq!(weights, vec![10.0; 100]);
        let small_share = census(&sessions).draw(5, 0.01, &settings(50));
        let weights: Vec<f64> =
            (0..1_000).filter_map(|s| small_share.draw(5, &format!("s-{s}")).weight).collect();
        assert_eq!(weights, vec![20.0; 50], "the minimum holds");
    }

    #[test]
    fn the_share_of_a_stratum_is_rounded_up() {
        assert_eq!(taken(100, 0.07, 0), 7);
        assert_eq!(taken(101, 0.07, 0), 8);
        assert_eq!(taken(3, 0.01, 0), 1);
        assert_eq!(taken(3, 0.01, 50), 3);
        assert_eq!(taken(100, 1.0, 0), 100);
    }

    proptest! {
        #[test]
        fn a_larger_sample_contains_a_smaller_one_and_weights_add_up_to_the_sessions(
            sessions in prop::collection::btree_map(
                0_u32..400, prop::collection::vec(0_u8..5, 1..4), 1..120),
            seed in any::<u64>(),
            shares in (0.01_f64..=1.0, 0.01_f64..=1.0),
            least in (0_u64..20, 0_u64..20),
        ) {
            let sessions: Vec<(u32, Vec<u8>)> = sessions.into_iter().collect();
            let (small, large) = (shares.0.min(shares.1), shares.0.max(shares.1));
            let (few, many) = (least.0.min(least.1), least.0.max(least.1));
            let smaller = census(&sessions).draw(seed, small, &settings(few));
            let larger = census(&sessions).draw(seed, large, &settings(many));
            let (inner, outer) = (in_sample(&smaller, seed), in_sample(&larger, seed));
            prop_assert!(inner.is_subset(&outer));
            for strata in [&smaller, &larger] {
                for stratum in &strata.strata {
                    let weights: Vec<f64> = strata
                        .of_unit
                        .keys()
                        .map(|unit| strata.draw(seed, unit))
                        .filter(|draw| draw.stratum.as_ref() == Some(&stratum.name))
                        .filter_map(|draw| draw.weight)
                        .collect();
                    prop_assert_eq!(weights.len() as u64, stratum.taken);
                    let sum: f64 = weights.iter().sum();
                    prop_assert!((sum - stratum.sessions as f64).abs() < 1e-6);
                }
            }
        }
    }
}
