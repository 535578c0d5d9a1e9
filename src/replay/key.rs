//! Which attempt is meant: the key of the journal and the identifier that is sent.

use std::fmt;

/// One attempt of one exchange in one arm and repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey {
    /// Index of the arm in the run's manifest.
    pub arm: u16,
    /// Row number of the captured exchange.
    pub ordinal: i32,
    /// Repeat, from 1.
    pub repeat: u32,
    /// Attempt, from 1.
    pub attempt: u32,
}

impl AttemptKey {
    /// The exchange, arm and repeat without the attempt.
    pub fn item(self) -> ItemKey {
        ItemKey { arm: self.arm, ordinal: self.ordinal, repeat: self.repeat }
    }
}

/// One exchange in one arm and repeat: what is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// Index of the arm in the run's manifest.
    pub arm: u16,
    /// Row number of the captured exchange.
    pub ordinal: i32,
    /// Repeat, from 1.
    pub repeat: u32,
}

impl ItemKey {
    /// One of its attempts.
    pub fn attempt(self, attempt: u32) -> AttemptKey {
        AttemptKey { arm: self.arm, ordinal: self.ordinal, repeat: self.repeat, attempt }
    }
}

/// The identifier that is sent as `X-Request-Id`: `run.arm.ordinal.repeat.attempt`.
///
/// What follows the first dot is the same in every run of the same plan.
#[derive(Debug, Clone, Copy)]
pub struct AttemptId<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The arm's name.
    pub arm: &'a str,
    /// The rest of the key.
    pub key: AttemptKey,
}

impl fmt::Display for AttemptId<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A dot within the run's name would hide where the rest begins.
        let run = self.run_id.replace('.', "-");
        let AttemptKey { ordinal, repeat, attempt, .. } = self.key;
        write!(formatter, "{run}.{}.{ordinal}.{repeat}.{attempt}", self.arm)
    }
}
