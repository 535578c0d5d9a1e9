//! Finds phrases in lists of words.

use std::collections::HashMap;

/// Most words that `~` in a phrase stands for.
pub(super) const GAP: usize = 8;

/// Phrases by the words they can begin with.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    by_first: HashMap<&'static str, Vec<Vec<Element>>>,
    /// Lengths of the words of `by_first`, one bit each, by their first byte: most words of a text
    /// need no look-up.
    lengths: Lengths,
    /// Beginnings of words that begin a phrase.
    by_prefix: Vec<(&'static str, Vec<Element>)>,
}

#[derive(Debug)]
struct Lengths([u64; 256]);

impl Default for Lengths {
    fn default() -> Self {
        Lengths([0; 256])
    }
}

impl Lengths {
    fn place(word: &str) -> (usize, u64) {
        let first = word.bytes().next().unwrap_or(0);
        (usize::from(first), 1 << word.len().min(63))
    }

    fn add(&mut self, word: &str) {
        let (first, bit) = Self::place(word);
        self.0[first] |= bit;
    }

    fn may_hold(&self, word: &str) -> bool {
        let (first, bit) = Self::place(word);
        self.0[first] & bit != 0
    }
}

#[derive(Debug, Clone)]
enum Element {
    Gap,
    Word(Vec<Alternative>),
}

#[derive(Debug, Clone, Copy)]
struct Alternative {
    text: &'static str,
    is_prefix: bool,
}

impl Alternative {
    fn new(text: &'static str) -> Self {
        let prefix = text.strip_suffix('*');
        Alternative { text: prefix.unwrap_or(text), is_prefix: prefix.is_some() }
    }

    fn matches(self, word: &str) -> bool {
        if self.is_prefix { word.starts_with(self.text) } else { word == self.text }
    }
}

impl Phrases {
    /// Reads phrases; `names` are lists of alternatives that stand under a name in them.
    pub(super) fn new(phrases: &[&'static str], names: &[(&str, &'static str)]) -> Self {
        let mut read = Phrases::default();
        for phrase in phrases {
            let mut elements = phrase.split(' ').map(|part| {
                if part == "~" {
                    return Element::Gap;
                }
                let list =
                    names.iter().find(|(known, _)| *known == part).map_or(part, |(_, list)| list);
                Element::Word(list.split('|').map(Alternative::new).collect())
            });
            let Some(Element::Word(first)) = elements.next() else { continue };
            let rest: Vec<Element> = elements.collect();
            for alternative in first {
                if alternative.is_prefix {
                    read.by_prefix.push((alternative.text, rest.clone()));
                } else {
                    read.lengths.add(alternative.text);
                    read.by_first.entry(alternative.text).or_default().push(rest.clone());
                }
            }
        }
        read
    }

    /// Where the first phrase begins.
    pub(super) fn find(&self, words: &[&str]) -> Option<usize> {
        (0..words.len()).find(|start| words.get(*start..).is_some_and(|rest| self.begins(rest)))
    }

    /// Whether a phrase stands at the beginning.
    pub(super) fn begins(&self, words: &[&str]) -> bool {
        let Some((first, rest)) = words.split_first() else { return false };
        let exact = self
            .lengths
            .may_hold(first)
            .then(|| self.by_first.get(first))
            .flatten()
            .is_some_and(|phrases| phrases.iter().any(|phrase| follows(phrase, rest)));
        exact
            || self
                .by_prefix
                .iter()
                .any(|(prefix, phrase)| first.starts_with(prefix) && follows(phrase, rest))
    }
}

fn follows(phrase: &[Element], words: &[&str]) -> bool {
    match phrase.split_first() {
        None => true,
        Some((Element::Gap, phrase)) => {
            (0..=GAP).any(|gap| words.get(gap..).is_some_and(|words| follows(phrase, words)))
        }
        Some((Element::Word(alternatives), phrase)) => {
            words.split_first().is_some_and(|(word, words)| {
                alternatives.iter().any(|alternative| alternative.matches(word))
                    && follows(phrase, words)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(phrase: &'static str, text: &str) -> Option<usize> {
        let words: Vec<&str> = text.split(' ').collect();
        Phrases::new(&[phrase], &[("$verb", "help*|assist")]).find(&words)
    }

    #[test]
    fn gaps_beginnings_and_alternatives_match() {
        assert_eq!(found("i|we cannot ~ $verb", "well we cannot really be helpful"), Some(1));
        assert_eq!(found("i|we cannot ~ $verb", "we cannot assist"), Some(0));
        assert_eq!(found("i|we cannot ~ $verb", "we never assist"), None);
        assert_eq!(found("i|we cannot ~ $verb", "we cannot a b c d e f g h i assist"), None);
    }
}
