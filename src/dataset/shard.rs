//! One of several parts of a run, each replayed by a process of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Most parts that a run may be divided into.
const MOST: u32 = 10_000;

/// What stands between the name of a run and that of its shard.
const MARK: &str = ".shard-";

/// A part of a run: shard `number` (from 1) of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    number: u32,
    count: u32,
}

/// A text that names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard: write `2/8` for the second of eight, at most {MOST}")]
pub struct ShardError(String);

impl Shard {
    /// Shard `number` (from 1) of `count`.
    ///
    /// # Errors
    /// A number outside of 1 to `count`, or more than 10,000 shards.
    pub fn new(number: u32, count: u32) -> Result<Self, ShardError> {
        if (1..=count).contains(&number) && count <= MOST {
            return Ok(Shard { number, count });
        }
        Err(ShardError(format!("{number}/{count}")))
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many shards there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether this shard holds a unit: a session, or an exchange without one.
    ///
    /// The hash has nothing to do with that of the sample, so that a sample is divided evenly.
    pub fn holds(self, unit: &str) -> bool {
        let mut hash = Sha256::new();
        hash.update(b"shard\0");
        hash.update(unit);
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(first) % u64::from(self.count) == u64::from(self.number - 1)
    }

    /// This shard's part of something that all shards together must not exceed.
    ///
    /// The parts of all shards add up to the whole; what does not divide goes to the first ones.
    pub fn part_of(self, whole: u64) -> u64 {
        let count = u64::from(self.count);
        whole / count + u64::from(u64::from(self.number - 1) < whole % count)
    }

    /// The name of the folder of this shard of a run.
    pub fn folder_name(self, run_id: &str) -> String {
        format!("{run_id}{MARK}{}-of-{}", self.number, self.count)
    }

    /// Divides the name of a folder into the run's and the shard.
    pub(super) fn split_name(name: &str) -> (&str, Option<Shard>) {
        let parsed = name.rsplit_once(MARK).and_then(|(run, shard)| {
            let (number, count) = shard.split_once("-of-")?;
            let shard = Shard::new(number.parse().ok()?, count.parse().ok()?).ok()?;
            (!run.is_empty()).then_some((run, Some(shard)))
        });
        parsed.unwrap_or((name, None))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (number, count) = text.split_once('/').ok_or_else(wrong)?;
        let parse = |part: &str| part.trim().parse().map_err(|_| wrong());
        Shard::new(parse(number)?, parse(count)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shard_is_written_from_one_to_the_count() {
        assert_eq!("2/8".parse::<Shard>().unwrap(), Shard { number: 2, count: 8 });
        for wrong in ["0/8", "9/8", "2", "2/0", "-1/8", "1/10001", "a/b", "1/8/9", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_name_of_a_folder_leads_back_to_run_and_shard() {
        let shard = Shard::new(2, 8).unwrap();
        let name = shard.folder_name("run-1.a");
        assert_eq!(name, "run-1.a.shard-2-of-8");
        assert_eq!(Shard::split_name(&name), ("run-1.a", Some(shard)));
        for whole in ["run-1", "run.shard-9-of-8", "run.shard-a-of-b", ".shard-1-of-2"] {
            assert_eq!(Shard::split_name(whole), (whole, None));
        }
    }

    proptest! {
        #[test]
        fn every_unit_is_in_exactly_one_shard(unit in ".{0,40}", count in 1_u32..40) {
            let holders = (1..=count).filter(|n| Shard::new(*n, count).unwrap().holds(&unit));
            prop_assert_eq!(holders.count(), 1);
        }

        #[test]
        fn the_parts_add_up_to_the_whole(whole in 0..u64::MAX / 2, count in 1_u32..200) {
            let parts: Vec<u64> =
                (1..=count).map(|n| Shard::new(n, count).unwrap().part_of(whole)).collect();
            prop_assert_eq!(parts.iter().sum::<u64>(), whole);
            prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
