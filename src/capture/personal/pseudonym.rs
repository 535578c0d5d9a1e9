//! Typed, keyed stand-ins such as `[email:3f9a2c714be0]`.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Hex digits of a stand-in: 48 bits, so that a million values share one with 1 chance in 500.
const HEX_DIGITS: usize = 12;

/// Names that stand-ins have whatever the policy.
pub(super) const BUILT_IN_LABELS: [&str; 10] =
    ["email", "phone", "iban", "card", "ip", "national_id", "name", "field", "user", "session"];

/// Which name a stand-in has: its place in [`Pseudonyms::labels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label(pub(super) usize);

impl Label {
    pub(super) const EMAIL: Label = Label(0);
    pub(super) const PHONE: Label = Label(1);
    pub(super) const IBAN: Label = Label(2);
    pub(super) const CARD: Label = Label(3);
    pub(super) const IP: Label = Label(4);
    pub(super) const NATIONAL_ID: Label = Label(5);
    pub(super) const NAME: Label = Label(6);
    /// A value that stands at a place which the user named.
    pub(super) const FIELD: Label = Label(7);
    pub(super) const USER: Label = Label(8);
    pub(super) const SESSION: Label = Label(9);

    /// The label of the user's pattern at `index`.
    pub(super) fn pattern(index: usize) -> Label {
        Label(BUILT_IN_LABELS.len() + index)
    }
}

/// Makes stand-ins, recognises them and counts them.
pub(super) struct Pseudonyms {
    keyed: Hmac<Sha256>,
    labels: Vec<String>,
    counts: Vec<AtomicU64>,
}

impl Pseudonyms {
    /// `patterns` are the names of the user's own kinds.
    pub(super) fn new(key: &[u8; 32], patterns: impl Iterator<Item = String>) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        // A key shorter than the block is padded with zeros by the definition of HMAC.
        for (slot, byte) in block.iter_mut().zip(key) {
            *slot = *byte;
        }
        let labels: Vec<String> =
            BUILT_IN_LABELS.iter().map(|label| (*label).to_owned()).chain(patterns).collect();
        let counts = labels.iter().map(|_| AtomicU64::new(0)).collect();
        Self { keyed: Hmac::new(&block), labels, counts }
    }

    /// The stand-in of a normalised value; counts it.
    pub(super) fn stand_in(&self, label: Label, value: &str) -> String {
        let name = self.labels.get(label.0).map_or("field", String::as_str);
        if let Some(count) = self.counts.get(label.0) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut keyed = self.keyed.clone();
        keyed.update(name.as_bytes());
        keyed.update(&[0x1f]);
        keyed.update(value.as_bytes());
        let mut stand_in = format!("[{name}:");
        for byte in keyed.finalize().into_bytes().iter().take(HEX_DIGITS / 2) {
            let _ = write!(stand_in, "{byte:02x}");
        }
        stand_in.push(']');
        stand_in
    }

    /// How many values were replaced, by the name of their kind; kinds without any are left out.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        self.labels.iter().map(String::as_str).zip(counts).filter(|(_, count)| *count > 0)
    }

    /// The stand-ins in a text, those of secrets too; nothing in them is replaced again.
    pub(super) fn protected(&self, text: &str) -> Vec<Range<usize>> {
        let opens = memchr::memchr_iter(b'[', text.as_bytes());
        opens.filter_map(|at| Some(at..at + self.length(text.get(at..)?)?)).collect()
    }

    /// Whether a text has a stand-in for personal data; one for a secret does not count.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.protected(text)
            .into_iter()
            .any(|range| text.get(range).is_some_and(|stand_in| !stand_in.starts_with("[secret:")))
    }

    /// Whether the whole text is one stand-in.
    pub(super) fn is_stand_in(&self, text: &str) -> bool {
        self.length(text) == Some(text.len())
    }

    /// The length of the stand-in that a text begins with.
    fn length(&self, text: &str) -> Option<usize> {
        let inside = text.strip_prefix('[')?;
        let end = inside.bytes().take(64).position(|byte| byte == b']')?;
        let (label, value) = inside.get(..end)?.split_once(':')?;
        let is_stand_in = if label == "secret" {
            !value.is_empty() && value.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
        } else {
            value.len() == HEX_DIGITS
                && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                && self.labels.iter().any(|known| known == label)
        };
        is_stand_in.then_some(end + 2)
    }
}
