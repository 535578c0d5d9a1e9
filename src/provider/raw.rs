//! Edits of a JSON text that leave every byte alone that is not edited.
//!
//! Key order, white space and the spelling of numbers and escapes matter for prompt caches and for
//! the fidelity of a replay, and a parse-and-print round trip keeps none of them for sure.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

/// Why a text cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RawError {
    /// It is not JSON.
    #[error("the body is not JSON (byte {0})")]
    Syntax(usize),
    /// It is JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A member occurs twice, so that two readers may see different requests.
    #[error("the body has two members of the same name")]
    DuplicateMember,
}

/// A member of an object, as positions in the object's text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member<'a> {
    name: Cow<'a, str>,
    start: usize,
    value: Range<usize>,
}

/// A JSON object as text, with its members found.
#[derive(Debug, Clone)]
pub(super) struct RawObject<'a> {
    text: &'a str,
    members: Vec<Member<'a>>,
}

impl<'a> RawObject<'a> {
    /// Checks a body as a whole and finds its members.
    pub(super) fn parse(text: &'a str) -> Result<Self, RawError> {
        let checked: &RawValue =
            serde_json::from_str(text).map_err(|error| RawError::Syntax(byte_of(text, &error)))?;
        if !checked.get().starts_with('{') {
            return Err(RawError::NotAnObject);
        }
        let object = Self::of_checked(text).ok_or(RawError::NotAnObject)?;
        let mut names: Vec<&str> = object.members.iter().map(|member| &*member.name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(RawError::DuplicateMember);
        }
        Ok(object)
    }

    /// Finds the members of an object inside a text that was checked before; `None` for any other
    /// kind of value.
    pub(super) fn of_checked(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
        let mut members = Vec::new();
        scanner.open(b'{')?;
        while !scanner.closes(b'}')? {
            let start = scanner.at;
            let name = scanner.value()?;
            let name = text.get(name)?;
            scanner.expect(b':')?;
            let value = scanner.value()?;
            members.push(Member { name: unquoted(name)?, start, value });
        }
        Some(RawObject { text, members })
    }

    /// The raw text of a member's value, null included.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let member = self.members.iter().find(|member| member.name == name)?;
        self.text.get(member.value.clone())
    }

    /// The raw text of a member's value, unless it is null.
    pub(super) fn present(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| *value != "null")
    }

    /// A member that is a text, with its escapes resolved.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(unquoted)
    }

    /// A member that is a whole number from zero on.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        let raw = self.get(name)?;
        raw.parse().ok().or_else(|| raw.parse().ok().and_then(super::json::whole))
    }

    /// Whether a member is `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// Changes to one object, written out at the end.
#[derive(Debug)]
pub struct Edit<'a> {
    object: RawObject<'a>,
    changes: Vec<(&'static str, Option<String>)>,
}

impl<'a> Edit<'a> {
    /// Begins with nothing changed.
    pub(super) fn new(object: RawObject<'a>) -> Self {
        Edit { object, changes: Vec::new() }
    }

    /// The object as it was.
    pub(super) fn object(&self) -> &RawObject<'a> {
        &self.object
    }

    /// Gives a member a new value, in place; a member that is not there comes last.
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        self.changes.push((name, Some(value)));
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, name: &'static str) {
        self.changes.push((name, None));
    }

    fn change(&self, name: &str) -> Option<&Option<String>> {
        self.changes.iter().rev().find(|(changed, _)| *changed == name).map(|(_, value)| value)
    }

    /// The object's text with the changes made.
    pub(super) fn finish(self) -> String {
        let text = self.object.text;
        let piece = |range: Range<usize>| text.get(range).unwrap_or_default();
        let mut output = String::with_capacity(text.len() + 64);
        let inner = text.find('{').map_or(0, |at| at + 1);
        let first = self.object.members.first().map_or(inner, |member| member.start);
        output.push_str(piece(0..first));
        let mut before = first;
        let mut is_first = true;
        for member in &self.object.members {
            let change = self.change(&member.name);
            if change != Some(&None) {
                if !std::mem::take(&mut is_first) {
                    output.push_str(piece(before..member.start));
                }
                output.push_str(piece(member.start..member.value.start));
                match change {
                    Some(Some(value)) => output.push_str(value),
                    _ => output.push_str(piece(member.value.clone())),
                }
            }
            before = member.value.end;
        }
        for (name, value) in &self.changes {
            if let Some(value) = value
                && self.object.get(name).is_none()
            {
                output.push_str(if std::mem::take(&mut is_first) { "\"" } else { ",\"" });
                output.push_str(name);
                output.push_str("\":");
                output.push_str(value);
            }
        }
        output.push_str(piece(before..text.len()));
        output
    }
}

/// The elements of a list inside a text that was checked before; empty for any other value.
pub(super) fn elements(text: &str) -> Vec<&str> {
    ranges(text).into_iter().filter_map(|range| text.get(range)).collect()
}

/// The list without the elements whose place `keep` refuses, all other bytes as they were but for
/// the white space around what was taken out.
pub(super) fn retain(text: &str, keep: impl Fn(usize) -> bool) -> String {
    let ranges = ranges(text);
    let piece = |range: Range<usize>| text.get(range).unwrap_or_default();
    let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
        return text.to_owned();
    };
    let mut output = String::with_capacity(text.len());
    output.push_str(piece(0..first.start));
    let mut before = first.start;
    let mut is_first = true;
    for (index, range) in ranges.iter().enumerate() {
        if keep(index) {
            if !std::mem::take(&mut is_first) {
                output.push_str(piece(before..range.start));
            }
            output.push_str(piece(range.clone()));
        }
        before = range.end;
    }
    output.push_str(piece(last.end..text.len()));
    output
}

fn ranges(text: &str) -> Vec<Range<usize>> {
    fn scan(text: &str) -> Option<Vec<Range<usize>>> {
        let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
        let mut ranges = Vec::new();
        scanner.open(b'[')?;
        while !scanner.closes(b']')? {
            ranges.push(scanner.value()?);
        }
        Some(ranges)
    }
    scan(text).unwrap_or_default()
}

/// The text that a JSON string literal stands for; `None` for any other literal.
fn unquoted(literal: &str) -> Option<Cow<'_, str>> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(literal).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn byte_of(text: &str, error: &serde_json::Error) -> usize {
    let before: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    before + error.column()
}

/// Walks over JSON that is known to be well formed.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.expect(bracket)?;
        self.skip_space();
        Some(())
    }

    /// Steps over a comma, if there is one, and says whether the bracket closes here.
    fn closes(&mut self, bracket: u8) -> Option<bool> {
        self.skip_space();
        if self.peek()? == b',' {
            self.at += 1;
            self.skip_space();
        }
        Some(self.peek()? == bracket)
    }

    /// Steps over one value and says where it stands.
    fn value(&mut self) -> Option<Range<usize>> {
        self.skip_space();
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => self.at += 1,
                Some(b' ' | b'\t' | b'\n' | b'\r') if depth > 0 => self.skip_space(),
                Some(b',' | b':' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r') | None => break,
                Some(_) => {
                    self.word();
                }
            }
            if depth == 0 {
                break;
            }
        }
        (self.at > start).then_some(start..self.at)
    }

    /// Steps over a number, `true`, `false` or `null`.
    fn word(&mut self) {
        self.at += 1;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            self.at += stop;
            if self.peek()? == b'"' {
                self.at += 1;
                return Some(());
            }
            self.at += 2;
        }
    }
}

#[cfg(test)]
#[path = "raw_tests.rs"]
mod tests;
