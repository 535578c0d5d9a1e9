//! One fast pass that says which detectors a text could need; most texts need none.

use memchr::{memchr2_iter, memmem};

/// Bytes that are counted together; what is looked for lies within two neighbours.
const BLOCK: usize = 64;

/// Fewest digits close together in a number of any kind (a British insurance number has six).
const FEWEST_DIGITS: u8 = 6;

/// What a text could have. False alarms are cheap; there is no false all-clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// An at sign, plain or as `%40`.
    pub(super) at: bool,
    /// Digits enough for a number of a person, or for an IP address of version 4.
    pub(super) digits: bool,
    /// Colons enough for an IP address of version 6.
    pub(super) colons: bool,
}

impl Traits {
    /// What the text could have.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut traits = Traits { at: has_at_sign(bytes), ..Traits::default() };
        let mut before = Counts::default();
        for block in bytes.chunks(BLOCK) {
            let counts = Counts::of(block);
            let digits = before.digits + counts.digits;
            let (dots, colons) = (before.dots + counts.dots, before.colons + counts.colons);
            traits.digits |= digits >= FEWEST_DIGITS || (digits >= 4 && dots >= 3);
            traits.colons |= colons >= 7;
            before = counts;
        }
        traits.colons |= memmem::find(bytes, b"::").is_some();
        traits
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_clear(self) -> bool {
        self == Traits::default()
    }
}

/// Whether there is an at sign, plain or as URLs write it.
fn has_at_sign(bytes: &[u8]) -> bool {
    memchr2_iter(b'@', b'%', bytes).any(|at| {
        bytes.get(at) == Some(&b'@') || bytes.get(at + 1..at + 3) == Some(b"40".as_slice())
    })
}

#[derive(Clone, Copy, Default)]
struct Counts {
    digits: u8,
    dots: u8,
    colons: u8,
}

impl Counts {
    /// A block is short enough for counters of one byte, which the compiler turns into vectors.
    fn of(block: &[u8]) -> Self {
        let mut counts = Counts::default();
        for byte in block {
            counts.digits += u8::from(byte.is_ascii_digit());
            counts.dots += u8::from(*byte == b'.');
            counts.colons += u8::from(*byte == b':');
        }
        counts
    }
}
