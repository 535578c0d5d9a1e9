//! chrF and chrF++: the F-score of character n-grams (Popović 2015, 2017), as sacrebleu has it.
//!
//! For every order the n-grams of both texts are counted as multisets. All orders come from one
//! sorted list per text: each position gives one number that holds the six characters which
//! follow it, so n-grams of a lower order are equal beginnings of neighbouring numbers.

use super::interner::Interner;

/// Longest n-gram of characters.
const CHAR_ORDER: usize = 6;
/// Longest n-gram of words in chrF++.
const WORD_ORDER: usize = 2;
/// Recall weighs twice as much as precision.
const BETA: f64 = 2.0;

/// chrF of one sentence, 0 to 100: character n-grams up to order 6, β = 2, white space left out.
///
/// As sacrebleu's `CHRF().sentence_score(candidate, [reference])`: orders that one of the texts is
/// too short for are left out of the averages, nothing is smoothed, and two texts without any
/// n-gram score 0. It is not symmetric, since recall of the reference weighs more.
pub fn chrf(reference: &str, candidate: &str) -> f64 {
    score(&character_counts(reference, candidate))
}

/// chrF++ of one sentence, 0 to 100: [`chrf`] with words and pairs of words as two to three
/// further orders, as sacrebleu's `CHRF(word_order=2)`.
pub fn chrf_plus_plus(reference: &str, candidate: &str) -> f64 {
    let mut counts = character_counts(reference, candidate);
    counts.extend(word_counts(reference, candidate));
    score(&counts)
}

/// N-grams of one order.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    reference: usize,
    candidate: usize,
    common: usize,
}

/// `CHRF._compute_f_score` of sacrebleu 2.6 without smoothing.
fn score(orders: &[Counts]) -> f64 {
    let (mut precision, mut recall, mut effective) = (0.0, 0.0, 0.0);
    for order in orders.iter().filter(|order| order.reference > 0 && order.candidate > 0) {
        precision += order.common as f64 / order.candidate as f64;
        recall += order.common as f64 / order.reference as f64;
        effective += 1.0;
    }
    if precision + recall <= 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / effective, recall / effective);
    let factor = BETA * BETA;
    100.0 * ((1.0 + factor) * precision * recall / (factor * precision + recall))
}

fn character_counts(reference: &str, candidate: &str) -> Vec<Counts> {
    if reference.is_ascii() && candidate.is_ascii() {
        let keys = |text: &str| {
            let visible = text.bytes().rev().filter(|byte| !is_space(char::from(*byte)));
            keys::<u64, 8, CHAR_ORDER>(visible.map(u64::from), text.len())
        };
        counts::<u64, 8, CHAR_ORDER>(&keys(reference), &keys(candidate))
    } else {
        let keys = |text: &str| {
            let visible = text.chars().rev().filter(|c| !is_space(*c));
            keys::<u128, 21, CHAR_ORDER>(visible.map(|c| u128::from(u32::from(c))), text.len())
        };
        counts::<u128, 21, CHAR_ORDER>(&keys(reference), &keys(candidate))
    }
}

/// What Python's `str.split` splits at: the white space of Unicode and four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

fn word_counts(reference: &str, candidate: &str) -> Vec<Counts> {
    let (reference, candidate) = (words(reference), words(candidate));
    let mut interner = Interner::default();
    let [reference, candidate] = [&reference, &candidate].map(|words| {
        let ids = interner.identifiers(words);
        keys::<u64, 32, WORD_ORDER>(ids.iter().rev().map(|id| u64::from(*id)), ids.len())
    });
    counts::<u64, 32, WORD_ORDER>(&reference, &candidate)
}

/// Words at white space, with one mark of ASCII punctuation split off at the end of a word or else
/// at its beginning.
fn words(text: &str) -> Vec<&str> {
    let is_mark = |c: char| c.is_ascii_punctuation();
    let mut words = Vec::new();
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        let one = word.chars().count() == 1;
        let mark = |at_end: bool| {
            let c = if at_end { word.chars().next_back() } else { word.chars().next() };
            !one && c.is_some_and(is_mark)
        };
        if mark(true) {
            let (head, tail) = word.split_at(word.len() - 1);
            words.extend([head, tail]);
        } else if mark(false) {
            let (head, tail) = word.split_at(1);
            words.extend([head, tail]);
        } else {
            words.push(word);
        }
    }
    words
}

/// An integer that holds several symbols.
trait Key: Copy + Ord {
    const WIDTH: u32;
    /// This symbol, then the symbols of `next` without the last.
    fn before(symbol: Self, next: Self, bits: u32, order: usize) -> Self;
    /// Bits above the highest in which two keys differ.
    fn equal_bits(self, other: Self) -> u32;
    /// Zero bits at the lower end.
    fn zero_bits(self) -> u32;
}

macro_rules! key {
    ($integer:ty) => {
        impl Key for $integer {
            const WIDTH: u32 = <$integer>::BITS;

            fn before(symbol: Self, next: Self, bits: u32, order: usize) -> Self {
                // Zero stands for the end of the text.
                (symbol + 1) << (bits * (order as u32 - 1)) | next >> bits
            }

            fn equal_bits(self, other: Self) -> u32 {
                (self ^ other).leading_zeros()
            }

            fn zero_bits(self) -> u32 {
                self.trailing_zeros()
            }
        }
    };
}

key!(u64);
key!(u128);

/// One key per position of a text, sorted: the `ORDER` symbols from there on, `BITS` for each.
fn keys<K: Key + Default, const BITS: u32, const ORDER: usize>(
    reversed: impl Iterator<Item = K>,
    capacity: usize,
) -> Vec<K> {
    let mut keys = Vec::with_capacity(capacity);
    let mut next = K::default();
    for symbol in reversed {
        next = K::before(symbol, next, BITS, ORDER);
        keys.push(next);
    }
    keys.sort_unstable();
    keys
}

/// Counts of all orders from 1 to `ORDER`, in one pass over both lists.
fn counts<K: Key, const BITS: u32, const ORDER: usize>(
    reference: &[K],
    candidate: &[K],
) -> Vec<Counts> {
    let unused = K::WIDTH - BITS * ORDER as u32;
    let of_order = |list: &[K], order: usize| (list.len() + 1).saturating_sub(order);
    let mut totals: [Counts; ORDER] = std::array::from_fn(|index| Counts {
        reference: of_order(reference, index + 1),
        candidate: of_order(candidate, index + 1),
        common: 0,
    });
    // How often the current n-gram of each order has been seen in each text, without what the
    // open n-grams of higher orders will add.
    let mut open = [[0_usize; 2]; ORDER];
    let mut close = |open: &mut [[usize; 2]; ORDER], shared: usize| {
        let mut carried = [0; 2];
        for (seen, total) in open.iter_mut().zip(&mut totals).skip(shared).rev() {
            let all = [seen[0] + carried[0], seen[1] + carried[1]];
            total.common += all[0].min(all[1]);
            carried = all;
            *seen = [0; 2];
        }
        if let Some(seen) = shared.checked_sub(1).and_then(|index| open.get_mut(index)) {
            *seen = [seen[0] + carried[0], seen[1] + carried[1]];
        }
    };
    let mut lists = [reference, candidate];
    let mut last: Option<K> = None;
    loop {
        let (text, key) = match [lists[0].first(), lists[1].first()] {
            [Some(a), Some(b)] if b < a => (1, *b),
            [Some(a), _] => (0, *a),
            [None, Some(b)] => (1, *b),
            [None, None] => break,
        };
        lists[text] = lists[text].get(1..).unwrap_or_default();
        if let Some(last) = last.filter(|last| *last != key) {
            let shared = (last.equal_bits(key) - unused) / BITS;
            close(&mut open, shared as usize);
        }
        let length = ORDER - (key.zero_bits() / BITS) as usize;
        if let Some(seen) = length.checked_sub(1).and_then(|index| open.get_mut(index)) {
            seen[text] += 1;
        }
        last = Some(key);
    }
    close(&mut open, 0);
    totals.to_vec()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn naive(reference: &str, candidate: &str, order: usize) -> (usize, usize, usize) {
        let ngrams = |text: &str| {
            let visible: Vec<char> = text.chars().filter(|c| !is_space(*c)).collect();
            let mut counts: BTreeMap<Vec<char>, usize> = BTreeMap::new();
            for ngram in visible.windows(order) {
                *counts.entry(ngram.to_vec()).or_default() += 1;
            }
            counts
        };
        let (reference, candidate) = (ngrams(reference), ngrams(candidate));
        let common = |(ngram, count): (&Vec<char>, &usize)| {
            candidate.get(ngram).map_or(0, |other| *count.min(other))
        };
        let total = |counts: &BTreeMap<Vec<char>, usize>| counts.values().sum();
        (total(&reference), total(&candidate), reference.iter().map(common).sum())
    }

    #[test]
    fn equal_texts_score_one_hundred_and_strangers_nothing() {
        assert!((chrf("The cat sat.", "The  cat sat.") - 100.0).abs() < 1e-12);
        assert!(chrf("abc", "xyz").abs() < 1e-12 && chrf("", "").abs() < 1e-12);
    }

    #[test]
    fn a_mark_is_split_off_one_end_of_a_word_only() {
        assert_eq!(words("(hi) \"you x , don't"), ["(hi", ")", "\"", "you", "x", ",", "don't"]);
    }

    proptest! {
        #[test]
        fn counts_are_those_of_multisets(a in "[ab c\u{0}é日]{0,24}", b in "[ab c\u{0}é日]{0,24}") {
            for (index, counts) in character_counts(&a, &b).iter().enumerate() {
                let got = (counts.reference, counts.candidate, counts.common);
                prop_assert_eq!(got, naive(&a, &b, index + 1));
            }
        }

        #[test]
        fn counts_of_ascii_are_those_of_multisets(a in "[ab\u{0}]{0,24}", b in "[ab\u{7f}]{0,24}") {
            for (index, counts) in character_counts(&a, &b).iter().enumerate() {
                let got = (counts.reference, counts.candidate, counts.common);
                prop_assert_eq!(got, naive(&a, &b, index + 1));
            }
        }
    }
}
