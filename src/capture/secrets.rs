//! Shapes of keys, tokens and passwords, and how they are replaced in texts and in JSON.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

// The paths are those that the names stand for anyway; they also hold where this file is mounted
// by a path of its own.
#[path = "secrets/marks.rs"]
mod marks;
#[path = "secrets/shapes.rs"]
mod shapes;
#[cfg(test)]
#[path = "secrets/tests.rs"]
mod tests;

use self::marks::Marks;
use self::shapes::{Check, SECRET_MEMBER, SECRET_MEMBER_WRITTEN, SHAPES, Shape};

struct Rules {
    /// Tells which shapes a text may have; most texts have none.
    marks: Marks,
    shapes: Vec<Regex>,
    member: Regex,
    member_written: Regex,
}

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    let shapes: Result<Vec<Regex>, _> = SHAPES.iter().map(|shape| Regex::new(shape.1)).collect();
    Some(Rules {
        marks: Marks::new()?,
        shapes: shapes.ok()?,
        member: Regex::new(SECRET_MEMBER).ok()?,
        member_written: Regex::new(SECRET_MEMBER_WRITTEN).ok()?,
    })
});

/// The names of all kinds of secrets, sorted.
pub(super) fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = SHAPES.iter().map(|shape| shape.0).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A text that is not longer is searched together with others.
pub(super) const SHORT_BYTES: usize = 512;

/// Whether one of some texts may hold a secret; `false` is certain.
///
/// They are searched as one text, as the begin of a search costs more than a short text. Nothing
/// is missed by that: a mark asks for no more than some of the bytes around it.
pub(super) fn may_hold<'t>(texts: impl Iterator<Item = &'t str>) -> bool {
    let Some(rules) = RULES.as_ref() else { return false };
    let mut all = String::with_capacity(SHORT_BYTES);
    for text in texts {
        all.push_str(text);
        all.push('\n');
    }
    !rules.marks.of(&all).is_empty()
}

/// Replaces the secrets in a text.
pub(super) fn scrub_text(text: &str) -> Cow<'_, str> {
    match RULES.as_ref() {
        Some(rules) => scrub(text, rules),
        None => Cow::Borrowed(text),
    }
}

/// Replaces until nothing is left to replace: a stand-in may free a secret that was glued to
/// another.
fn scrub<'t>(text: &'t str, rules: &Rules) -> Cow<'t, str> {
    let mut scrubbed = Cow::Borrowed(text);
    loop {
        let found = rules.marks.of(&scrubbed);
        let mut is_changed = false;
        for (index, (shape, regex)) in SHAPES.iter().zip(&rules.shapes).enumerate() {
            if found.has(index)
                && let Some(changed) = replace_all(&scrubbed, regex, shape)
            {
                scrubbed = Cow::Owned(changed);
                is_changed = true;
            }
        }
        if !is_changed {
            return scrubbed;
        }
    }
}

/// Replaces the secrets in a JSON text, which stays JSON.
///
/// The texts are scrubbed as they read without escapes, object keys too; the value of a member
/// whose name says so is a secret if it looks like one.
pub(super) fn scrub_json(json: &str) -> Cow<'_, str> {
    let Some(rules) = RULES.as_ref() else { return Cow::Borrowed(json) };
    let found = rules.marks.of(json);
    if found.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut shapes = rules.shapes.iter().enumerate().filter(|(index, _)| found.has(*index));
    let is_likely = shapes.any(|(_, regex)| regex.is_match(json))
        || (rules.marks.is_named(found) && rules.member_written.is_match(json));
    if !is_likely {
        return Cow::Borrowed(json);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(json) else { return scrub(json, rules) };
    if scrub_value(&mut value, false, rules) {
        Cow::Owned(value.to_string())
    } else {
        Cow::Borrowed(json)
    }
}

fn scrub_value(value: &mut Value, is_secret: bool, rules: &Rules) -> bool {
    match value {
        Value::String(text) if is_secret && looks_like_password(text) => {
            *text = stand_in("password");
            true
        }
        Value::String(text) => match scrub_text(text) {
            Cow::Owned(scrubbed) => {
                *text = scrubbed;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Array(items) => {
            items.iter_mut().fold(false, |changed, item| scrub_value(item, false, rules) | changed)
        }
        Value::Object(members) => scrub_members(members, rules),
        _ => false,
    }
}

fn scrub_members(members: &mut Map<String, Value>, rules: &Rules) -> bool {
    let mut changed = false;
    let mut has_secret_name = false;
    for (name, value) in members.iter_mut() {
        changed |= scrub_value(value, rules.member.is_match(name), rules);
        has_secret_name |= matches!(scrub_text(name), Cow::Owned(_));
    }
    if has_secret_name {
        let scrubbed = std::mem::take(members).into_iter();
        *members = scrubbed.map(|(name, value)| (scrub_text(&name).into_owned(), value)).collect();
    }
    changed | has_secret_name
}

fn stand_in(kind: &str) -> String {
    format!("[secret:{kind}]")
}

fn replace_all(text: &str, regex: &Regex, shape: &Shape) -> Option<String> {
    let Shape(kind, _, check, _) = shape;
    let mut replaced = String::new();
    let mut kept_from = 0;
    for found in regex.captures_iter(text) {
        let Some(secret) = secret_of(&found) else { continue };
        let (before, after) = (text.get(..secret.start())?, text.get(secret.end()..)?);
        let is_secret = match check {
            Check::Pattern => true,
            Check::RandomWord => begins_word(before) && is_random(secret.as_str()),
            Check::Password => {
                looks_like_password(secret.as_str()) && !after.starts_with(['(', '['])
            }
        };
        if is_secret {
            replaced.push_str(text.get(kept_from..secret.start())?);
            replaced.push_str(&stand_in(kind));
            kept_from = secret.end();
        }
    }
    if kept_from == 0 {
        return None;
    }
    replaced.push_str(text.get(kept_from..)?);
    Some(replaced)
}

fn secret_of<'t>(found: &Captures<'t>) -> Option<regex::Match<'t>> {
    found.name("secret").or_else(|| found.get(0))
}

/// Whether a word begins after `before`; the letter of an escape (`\n`, `\u0022`, `%3D`) does not
/// belong to the word.
fn begins_word(before: &str) -> bool {
    let mut back = before.bytes().rev();
    let Some(last) = back.next().filter(u8::is_ascii_alphanumeric) else { return true };
    let escaped = |length: usize, mark: &[u8]| {
        let at = before.len().checked_sub(length);
        at.and_then(|at| before.as_bytes().get(at..)).is_some_and(|tail| tail.starts_with(mark))
    };
    (matches!(last, b'n' | b'r' | b't' | b'b' | b'f') && back.next() == Some(b'\\'))
        || escaped(6, b"\\u")
        || escaped(3, b"%")
}

/// Whether a word has a digit and a long run without punctuation, or a longer run of both cases,
/// as random keys have and hyphenated words do not.
fn is_random(key: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| key.as_bytes().iter().any(kind);
    let longest = key.split(['-', '_']).map(str::len).max().unwrap_or(0);
    let mixed = || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    (has(u8::is_ascii_digit) && longest >= 10) || (longest >= 24 && mixed())
}

fn looks_like_password(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    let length = value.len();
    let is_one_word = !value.contains(char::is_whitespace) && !is_stand_in(value);
    is_one_word
        && ((length >= 6 && has(u8::is_ascii_digit))
            || (length >= 16 && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)))
}

/// Whether a value was replaced before, by this or another redactor: `[secret:jwt]`.
fn is_stand_in(value: &str) -> bool {
    let inside = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.and_then(|inside| inside.split_once(':')).is_some_and(|(kind, rest)| {
        let is_word =
            |word: &str| word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        kind.starts_with(|first: char| first.is_ascii_lowercase()) && is_word(kind) && is_word(rest)
    })
}
