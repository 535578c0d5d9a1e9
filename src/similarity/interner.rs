//! Small numbers for words.

use std::collections::HashMap;

/// Gives equal words equal identifiers, counted from zero.
#[derive(Debug, Default)]
pub(super) struct Interner<'a> {
    identifiers: HashMap<&'a str, u32>,
}

impl<'a> Interner<'a> {
    pub(super) fn identifier(&mut self, word: &'a str) -> u32 {
        let next = self.identifiers.len() as u32;
        *self.identifiers.entry(word).or_insert(next)
    }

    pub(super) fn identifiers<T: AsRef<str>>(&mut self, words: &'a [T]) -> Vec<u32> {
        words.iter().map(|word| self.identifier(word.as_ref())).collect()
    }

    /// How many identifiers were given.
    pub(super) fn len(&self) -> usize {
        self.identifiers.len()
    }
}
