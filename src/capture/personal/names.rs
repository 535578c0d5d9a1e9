//! Listed names, found as whole words in any case.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

/// Finds the names of a list in one pass, however many they are.
pub(super) struct Names {
    /// Finds the first words of the names.
    first_words: AhoCorasick,
    /// The names that begin with the pattern of this number, in small letters, longest first.
    by_pattern: Vec<Vec<Vec<String>>>,
}

impl Names {
    /// `None` if there are no names, or more than can be searched for.
    pub(super) fn new(names: &[String]) -> Option<Self> {
        let mut by_word: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for name in names {
            let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
            let Some(first) = name.split_whitespace().next() else { continue };
            for form in forms(first) {
                by_word.entry(form).or_default().push(words.clone());
            }
        }
        if by_word.is_empty() {
            return None;
        }
        for listed in by_word.values_mut() {
            listed.sort_by_key(|words| std::cmp::Reverse(words.len()));
            listed.dedup();
        }
        // ASCII is matched in any case by the automaton; other letters have forms of their own.
        let first_words =
            AhoCorasick::builder().ascii_case_insensitive(true).build(by_word.keys()).ok()?;
        Some(Self { first_words, by_pattern: by_word.into_values().collect() })
    }

    /// Whether a name's first word stands anywhere, as a word or not.
    pub(super) fn may_be_in(&self, text: &str) -> bool {
        self.first_words.is_match(text)
    }

    /// Calls `found` with the start, the end and the normal form of each name.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(usize, usize, String)) {
        for word in self.first_words.find_overlapping_iter(text) {
            let Some(listed) = self.by_pattern.get(word.pattern().as_usize()) else { continue };
            if !is_boundary(text, word.start()) {
                continue;
            }
            let whole = listed.iter().find_map(|words| {
                let end = rest_end(text, word.end(), words.get(1..)?)?;
                is_boundary(text, end).then(|| (end, words.join(" ")))
            });
            if let Some((end, name)) = whole {
                found(word.start(), end, name);
            }
        }
    }
}

/// How a word may be written: as listed, in small letters, in capitals, with a capital.
fn forms(word: &str) -> impl Iterator<Item = String> {
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    let title = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let mut forms = vec![word.to_owned(), word.to_uppercase(), title, lower];
    for form in &mut forms {
        form.make_ascii_lowercase();
    }
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter()
}

/// Where the rest of a name ends that follows at `at`; blanks and one line end may be between.
fn rest_end(text: &str, mut at: usize, words: &[String]) -> Option<usize> {
    for word in words {
        let rest = text.get(at..)?;
        let trimmed = rest.trim_start();
        let blanks = rest.len() - trimmed.len();
        if blanks == 0 || blanks > 8 {
            return None;
        }
        let mut lower = word.chars();
        let mut length = 0;
        while !lower.as_str().is_empty() {
            let char = trimmed.get(length..)?.chars().next()?;
            for expected in char.to_lowercase() {
                if lower.next() != Some(expected) {
                    return None;
                }
            }
            length += char.len_utf8();
        }
        at += blanks + length;
    }
    Some(at)
}

/// Whether a word begins or ends between two characters.
///
/// Scripts that are written without blanks, or with particles on the name, have no such place.
fn is_boundary(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return false };
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    match (before.chars().next_back(), after.chars().next()) {
        (Some(left), Some(right)) if is_word(left) && is_word(right) => {
            is_unspaced(left) || is_unspaced(right)
        }
        _ => true,
    }
}

/// Thai, Lao, Khmer, Han, Kana and Hangul.
fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{0e00}'..='\u{0eff}' | '\u{1780}'..='\u{17ff}' | '\u{1100}'..='\u{11ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}
