//! Which shapes a text can have at all, told without regular expressions.
//!
//! Every text of an import is searched for secrets and almost none has one, so what this pass
//! costs is what the search costs. Each shape has a mark in it: a fixed text, which one automaton
//! finds for all shapes, or a name before a colon or equals sign. A false alarm costs time; a
//! missed mark would leave a secret in.

use aho_corasick::{AhoCorasick, Input, MatchKind};
use memchr::{memchr, memchr2_iter, memmem};

use super::shapes::{Mark, SHAPES};

/// Length of the shortest text that a shape matches (`://a:bcd@`).
const SHORTEST: usize = 9;

/// Shapes by their place in the table, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found(u64);

impl Found {
    fn add(&mut self, other: Found) {
        self.0 |= other.0;
    }

    pub(super) fn has(self, shape: usize) -> bool {
        self.0 & bit(shape).0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

fn bit(shape: usize) -> Found {
    Found(1_u64.checked_shl(shape as u32).unwrap_or(0))
}

/// From this length on marks are searched for together. The vectorised search compares as many
/// bytes as the shortest mark has, and with three bytes it would have to look twice far too often.
const TOGETHER: usize = 4;

/// How many places are looked at together; the compiler makes vector instructions of the look.
const STRIDE: usize = 32;

/// Finds the marks of all shapes.
pub(super) struct Marks {
    texts: AhoCorasick,
    /// The shapes of the automaton's pattern of this number.
    by_text: Vec<Found>,
    /// Marks that are too short for that, each searched for alone by its rarest bytes.
    short: Vec<(memmem::Finder<'static>, Found)>,
    twilio: memmem::Finder<'static>,
    names: Found,
    schemes: Found,
    bot_tokens: Found,
    twilio_keys: Found,
    url_passwords: Found,
}

impl Marks {
    /// `None` if there are more shapes than bits.
    pub(super) fn new() -> Option<Self> {
        if SHAPES.len() > 64 {
            return None;
        }
        let with = |wanted: fn(&Mark) -> bool| {
            let mut found = Found::default();
            for (at, _) in SHAPES.iter().enumerate().filter(|(_, shape)| wanted(&shape.3)) {
                found.add(bit(at));
            }
            found
        };
        let mut texts: Vec<&'static str> = Vec::new();
        let mut by_text: Vec<Found> = Vec::new();
        for (at, shape) in SHAPES.iter().enumerate() {
            let Mark::Any(marks) = shape.3 else { continue };
            for mark in marks {
                let known = texts.iter().position(|text| text == mark).unwrap_or_else(|| {
                    texts.push(mark);
                    by_text.push(Found::default());
                    texts.len() - 1
                });
                by_text.get_mut(known)?.add(bit(at));
            }
        }
        let (long, short): (Vec<_>, Vec<_>) =
            texts.into_iter().zip(by_text).partition(|(text, _)| text.len() >= TOGETHER);
        let (texts, by_text): (Vec<&str>, Vec<Found>) = long.into_iter().unzip();
        let finder = |(text, shapes): (&'static str, Found)| (memmem::Finder::new(text), shapes);
        let short = short.into_iter().map(finder).collect();
        // This kind of match is the one that the vectorised search can answer.
        let texts =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts).ok()?;
        Some(Self {
            texts,
            by_text,
            short,
            twilio: memmem::Finder::new("SK"),
            names: with(|mark| *mark == Mark::Name),
            schemes: with(|mark| *mark == Mark::Scheme),
            bot_tokens: with(|mark| *mark == Mark::BotToken),
            twilio_keys: with(|mark| *mark == Mark::TwilioKey),
            url_passwords: with(|mark| *mark == Mark::UrlPassword),
        })
    }

    /// The shapes that a text may have.
    pub(super) fn of(&self, text: &str) -> Found {
        let bytes = text.as_bytes();
        if bytes.len() < SHORTEST {
            return Found::default();
        }
        let mut found = self.fixed(bytes);
        if memchr(b'@', bytes).is_some() && memmem::find(bytes, b"://").is_some() {
            found.add(self.url_passwords);
        }
        for (before, after) in
            memchr2_iter(b':', b'=', bytes).filter_map(|at| text.split_at_checked(at))
        {
            if ends_with_name(before) && begins_value(after) {
                found.add(self.names);
            }
            if after.starts_with(":AA") && before.ends_with(|last: char| last.is_ascii_digit()) {
                found.add(self.bot_tokens);
            }
            if ends_with(before, "authorization") {
                found.add(self.schemes);
            }
        }
        if has_scheme(bytes) {
            found.add(self.schemes);
        }
        let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        if self
            .twilio
            .find_iter(bytes)
            .any(|at| is_hex(bytes.get(at + 2)) && is_hex(bytes.get(at + 3)))
        {
            found.add(self.twilio_keys);
        }
        found
    }

    /// Whether there is the name of a secret with a value.
    pub(super) fn is_named(&self, found: Found) -> bool {
        found.0 & self.names.0 != 0
    }

    /// The shapes whose fixed text is there; fixed texts may overlap.
    fn fixed(&self, bytes: &[u8]) -> Found {
        let mut found = Found::default();
        for (mark, shapes) in &self.short {
            if mark.find(bytes).is_some() {
                found.add(*shapes);
            }
        }
        let mut from = 0;
        while let Some(mark) = self.texts.find(Input::new(bytes).range(from..)) {
            if let Some(shapes) = self.by_text.get(mark.pattern().as_usize()) {
                found.add(*shapes);
            }
            from = mark.start() + 1;
        }
        found
    }
}

/// Whether a text, but for blanks, a quote and its escapes, ends with the name of a secret.
fn ends_with_name(before: &str) -> bool {
    // Most colons and equals signs are ruled out by the one byte before them.
    let may_end =
        |last: &u8| !matches!(last.to_ascii_lowercase(), b'!'..=b'~') || is_near_name(*last);
    if !before.as_bytes().last().is_some_and(may_end) {
        return false;
    }
    let before = before.trim_end();
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_end_matches('\\');
    let any = |before: &str, names: &[&str]| names.iter().any(|name| ends_with(before, name));
    let after_one_of = |noun: &str, names: &[&str]| {
        let Some(at) = before.len().checked_sub(noun.len()).filter(|_| ends_with(before, noun))
        else {
            return false;
        };
        let before = before.get(..at).unwrap_or_default();
        any(before.strip_suffix(['_', '-']).unwrap_or(before), names)
    };
    match before.as_bytes().last().map(u8::to_ascii_lowercase) {
        Some(b'd') => any(before, &["password", "passwd", "pwd"]),
        Some(b't') => ends_with(before, "secret"),
        Some(b'y') => after_one_of("key", KEYS),
        Some(b'n') => after_one_of("token", TOKENS),
        _ => false,
    }
}

/// Whether a colon or equals sign is followed by six characters of a value, in quotes or not.
fn begins_value(sign: &str) -> bool {
    const LENGTH: usize = 6;
    let value = sign.get(1..).unwrap_or_default().trim_start().trim_start_matches('\\');
    let quoted = value.strip_prefix(['"', '\'']);
    let no_part: &[u8] = if quoted.is_some() { b"\"" } else { b" \t\r\n\"'\\<>(){}[]$&;,`" };
    let value = quoted.unwrap_or(value).as_bytes().get(..LENGTH);
    value.is_some_and(|value| !value.iter().any(|byte| no_part.contains(byte)))
}

/// Whether the last letter of a name, a quote or an escape.
fn is_near_name(byte: u8) -> bool {
    matches!(byte.to_ascii_lowercase(), b'd' | b't' | b'y' | b'n' | b'"' | b'\'' | b'\\')
}

/// Words before `key` and before `token` in names of secrets.
const KEYS: &[&str] = &[
    "api",
    "private",
    "secret",
    "account",
    "subscription",
    "app",
    "application",
    "access",
    "functions",
];
const TOKENS: &[&str] = &["access", "auth", "refresh", "private", "security"];

/// Whether a text ends with a word, in any case.
fn ends_with(text: &str, word: &str) -> bool {
    let end = text.len().checked_sub(word.len()).and_then(|at| text.as_bytes().get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
}

/// Whether there is `bearer` or `basic` before a long word.
fn has_scheme(bytes: &[u8]) -> bool {
    let (second, third) = (bytes.get(1..).unwrap_or_default(), bytes.get(2..).unwrap_or_default());
    let places = third.len();
    let strides = bytes.chunks_exact(STRIDE).zip(second.chunks_exact(STRIDE));
    let strides = strides.zip(third.chunks_exact(STRIDE)).enumerate();
    let begins_here = |at: usize| {
        matches!(bytes.get(at), Some(b'b' | b'B')) && bytes.get(at + 1..).is_some_and(is_scheme)
    };
    let mut near = strides.filter(|(_, ((first, second), third))| {
        let bytes = first.iter().zip(*second).zip(*third);
        bytes
            .fold(false, |found, ((first, second), third)| found | is_near(*first, *second, *third))
    });
    let rest = places - places % STRIDE;
    near.any(|(stride, _)| (stride * STRIDE..(stride + 1) * STRIDE).any(begins_here))
        || (rest..places).any(begins_here)
}

/// Whether three bytes are `bea` or `bas`, in any case.
#[expect(clippy::needless_bitwise_bool, reason = "branches would keep it from vector code")]
fn is_near(first: u8, second: u8, third: u8) -> bool {
    let (second, third) = (second | 0x20, third | 0x20);
    (first | 0x20 == b'b')
        & (((second == b'e') & (third == b'a')) | ((second == b'a') & (third == b's')))
}

/// Whether what follows a `b` makes it `bearer` or `basic` before a long word.
fn is_scheme(after: &[u8]) -> bool {
    let is =
        |word: &[u8]| after.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let length = if is(b"earer") {
        5
    } else if is(b"asic") {
        4
    } else {
        return false;
    };
    let rest = after.get(length..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._~+/-".contains(byte);
    blanks > 0 && rest.iter().skip(blanks).take(16).take_while(is_part).count() == 16
}
