//! Runs the detectors over a text and settles which finds stand where they overlap.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use regex::{Regex, RegexSet};

use super::context::Text;
use super::groups::{Token, begins, groups, tokens};
use super::names::Names;
use super::policy::{Kind, RedactionPolicy, RedactionPolicyError};
use super::prefilter::Traits;
use super::pseudonym::Label;
use super::{card, email, iban, ip, national, phone};

/// Shortest text that can be a block of encoded bytes, and longest head of a data URL.
const SHORTEST_BLOCK: usize = 256;
const DATA_URL_HEAD: usize = 128;

/// A value to replace.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Find {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: Label,
    /// The value in its normal form, so that two spellings of one value have one stand-in.
    pub(super) value: String,
}

/// All that is looked for in texts.
pub(super) struct Detectors {
    kinds: Vec<Kind>,
    names: Option<Names>,
    /// Finds in one pass which patterns a text may have.
    any_pattern: RegexSet,
    patterns: Vec<Regex>,
}

impl Detectors {
    pub(super) fn new(policy: &RedactionPolicy) -> Result<Self, RedactionPolicyError> {
        let has_word = |name: &String| name.contains(char::is_alphanumeric);
        if let Some(index) = policy.names.iter().position(|name| !has_word(name)) {
            return Err(RedactionPolicyError::EmptyName { index: index + 1 });
        }
        let patterns = policy.compile()?;
        let sources = patterns.iter().map(Regex::as_str);
        let any_pattern =
            RegexSet::new(sources).map_err(|error| RedactionPolicyError::Pattern {
                index: policy.patterns.len(),
                name: policy.patterns.last().map(|last| last.0.clone()).unwrap_or_default(),
                problem: error.to_string(),
            })?;
        let kinds = policy.kinds.iter().copied().collect();
        Ok(Self { kinds, names: Names::new(&policy.names), any_pattern, patterns })
    }

    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The traits of a text that some detector asks for.
    fn traits(&self, text: &str) -> Traits {
        if self.kinds.is_empty() {
            return Traits::default();
        }
        let traits = Traits::of(text);
        let only_addresses = self.kinds.iter().all(|kind| *kind == Kind::Email);
        Traits {
            at: traits.at && self.has(Kind::Email),
            digits: traits.digits && !only_addresses,
            colons: traits.colons && self.has(Kind::Ip),
        }
    }

    /// Whether a text could have something to replace; `true` may be a false alarm.
    pub(super) fn may_find(&self, text: &str) -> bool {
        !self.traits(text).is_clear()
            || self.names.as_ref().is_some_and(|names| names.may_be_in(text))
            || (!self.patterns.is_empty() && self.any_pattern.is_match(text))
    }

    /// Whether all of a JSON document can be cleared at once, though its texts are looked at one
    /// by one: a pattern may be bound to the beginning or end of a text.
    pub(super) fn clears_documents(&self) -> bool {
        self.patterns.is_empty()
    }

    /// What is to be replaced, in order, without overlaps; `protected` stays as it is.
    pub(super) fn find(&self, text: Text<'_>, protected: &[Range<usize>]) -> Vec<Find> {
        self.find_with(self.traits(text.text), text, protected)
    }

    /// The same without the fast pass.
    #[cfg(test)]
    pub(super) fn find_unfiltered(&self, text: &str) -> Vec<Find> {
        let traits = Traits { at: true, digits: true, colons: true };
        self.find_with(traits, Text { text, name: "" }, &[])
    }

    fn find_with(&self, traits: Traits, text: Text<'_>, protected: &[Range<usize>]) -> Vec<Find> {
        let mut finds = self.find_patterns(text.text, protected);
        let mut add = |label, start, end, value| finds.push(Find { start, end, label, value });
        if traits.at {
            email::find(text.text, |start, end, value| add(Label::EMAIL, start, end, value));
        }
        if traits.colons {
            ip::find_v6(text.text, |start, end, value| add(Label::IP, start, end, value));
        }
        if traits.digits {
            let tokens = tokens(text.text);
            for (index, token) in tokens.iter().enumerate() {
                let rest = tokens.get(index..).unwrap_or_default();
                if token.is_number {
                    self.find_numbers(text, rest, &mut add);
                } else {
                    self.find_words(text.text, token, &mut add);
                }
            }
        }
        if let Some(names) = &self.names {
            names.find(text.text, |start, end, value| add(Label::NAME, start, end, value));
        }
        settle(finds, protected)
    }

    fn find_words(
        &self,
        text: &str,
        token: &Token,
        add: &mut impl FnMut(Label, usize, usize, String),
    ) {
        if self.has(Kind::Iban)
            && let Some((end, value)) = iban::find(text, token.start)
        {
            add(Label::IBAN, token.start, end, value);
        }
        if self.has(Kind::NationalId)
            && let Some(value) = national::find_word(text, token.start, token.end)
        {
            add(Label::NATIONAL_ID, token.start, token.end, value);
        }
    }

    fn find_numbers(
        &self,
        text: Text<'_>,
        tokens: &[Token],
        add: &mut impl FnMut(Label, usize, usize, String),
    ) {
        let Some(start) = tokens.first().map(|token| token.start) else { return };
        let groups = groups(text.text, tokens);
        let is_abroad = text.text.get(..start).is_some_and(|before| before.ends_with('+'));
        if self.has(Kind::Card)
            && !is_abroad
            && begins(text.text, start)
            && let Some((count, digits)) = card::find(text.text, &groups)
            && let Some(last) = groups.get(count - 1)
        {
            add(Label::CARD, start, last.end, digits);
        }
        if self.has(Kind::Ip)
            && let Some((end, address)) = ip::find_v4(text, start, &groups)
        {
            add(Label::IP, start, end, address);
        }
        if self.has(Kind::NationalId)
            && !is_abroad
            && let Some(found) = national::find(text, start, &groups)
        {
            add(Label::NATIONAL_ID, found.start, found.end, found.value);
        }
        if self.has(Kind::Phone)
            && let Some(found) = phone::find(text, start, &groups)
        {
            add(Label::PHONE, found.start, found.end, found.digits);
        }
    }

    fn find_patterns(&self, text: &str, protected: &[Range<usize>]) -> Vec<Find> {
        let mut finds = Vec::new();
        if self.patterns.is_empty() {
            return finds;
        }
        for index in self.any_pattern.matches(text) {
            let Some(regex) = self.patterns.get(index) else { continue };
            let mut from = 0;
            while let Some(found) = regex.find_at(text, from) {
                // A match that runs into a stand-in must not hide what comes after it.
                let (start, end) = (found.start(), found.end());
                if let Some(stand_in) = overlapped(start, end, protected) {
                    from = stand_in.end;
                } else {
                    let value = found.as_str().to_owned();
                    finds.push(Find { start, end, label: Label::pattern(index), value });
                    from = end;
                }
            }
        }
        finds
    }
}

/// Whether a text is one block of encoded bytes, such as a picture: it has nothing to find, and
/// digits in it look like numbers by chance.
pub(super) fn is_encoded(text: &str) -> bool {
    if text.len() < SHORTEST_BLOCK {
        return false;
    }
    let data = match text.strip_prefix("data:") {
        Some(rest) => match rest.split_once(";base64,") {
            Some((head, data)) if head.len() <= DATA_URL_HEAD => data,
            _ => return false,
        },
        None => text,
    };
    data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte))
}

fn overlapped(start: usize, end: usize, protected: &[Range<usize>]) -> Option<&Range<usize>> {
    let next = protected.partition_point(|range| range.end <= start);
    protected.get(next).filter(|range| range.start < end)
}

/// Which find stands where several overlap: the user's pattern, then the surest kind, then the
/// longest.
fn settle(mut finds: Vec<Find>, protected: &[Range<usize>]) -> Vec<Find> {
    finds.sort_by_key(|find| (rank(find.label), Reverse(find.end - find.start), find.start));
    let mut settled: BTreeMap<usize, Find> = BTreeMap::new();
    for find in finds {
        let before = settled.range(..find.end).next_back();
        let is_free = before.is_none_or(|(_, other)| other.end <= find.start);
        if is_free && overlapped(find.start, find.end, protected).is_none() {
            settled.insert(find.start, find);
        }
    }
    settled.into_values().collect()
}

/// Kinds with check digits before those without; a name that is part of an address is that
/// address.
fn rank(label: Label) -> usize {
    let order = [
        Label::EMAIL,
        Label::IBAN,
        Label::CARD,
        Label::IP,
        Label::NATIONAL_ID,
        Label::PHONE,
        Label::NAME,
    ];
    order.iter().position(|other| *other == label).map_or(0, |place| place + 1)
}
