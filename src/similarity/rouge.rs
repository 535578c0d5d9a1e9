//! Longest common subsequences of words: ROUGE-L, and its F1 over words of any script.

use unicode_segmentation::UnicodeSegmentation;

use super::interner::Interner;
use super::lcs::common_length;

/// ROUGE-L of a candidate against a reference (Lin 2004).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RougeL {
    /// Share of the candidate's tokens that are in the longest common subsequence.
    pub precision: f64,
    /// Share of the reference's tokens that are in it.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

/// ROUGE-L as Google's `rouge_score` computes it, without stemming.
///
/// Lower case; whatever is not a letter or digit of ASCII separates tokens, so a text in Cyrillic
/// or Chinese has none. All three are 0 when a text has no token, also for two empty texts:
/// [`word_lcs_f1`] has neither property.
pub fn rouge_l(reference: &str, candidate: &str) -> RougeL {
    let (reference, candidate) = (reference.to_lowercase(), candidate.to_lowercase());
    let (reference, candidate) = (ascii_tokens(&reference), ascii_tokens(&candidate));
    let length = lcs_length(&reference, &candidate) as f64;
    if length <= 0.0 {
        return RougeL { precision: 0.0, recall: 0.0, f1: 0.0 };
    }
    let (precision, recall) = (length / candidate.len() as f64, length / reference.len() as f64);
    RougeL { precision, recall, f1: 2.0 * precision * recall / (precision + recall) }
}

fn ascii_tokens(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|token| !token.is_empty()).collect()
}

/// The longest common subsequence of two token lists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LcsOverlap {
    /// Length of the longest common subsequence.
    pub length: usize,
    /// Harmonic mean of its shares in the two lists; 1 when both are empty, 0 when one is.
    pub f1: f64,
}

/// The F1 of the longest common subsequence of two token lists.
pub fn lcs_f1<T: AsRef<str>>(reference: &[T], candidate: &[T]) -> LcsOverlap {
    let length = lcs_length(reference, candidate);
    let f1 = match (reference.len(), candidate.len()) {
        (0, 0) => 1.0,
        (reference, candidate) => 2.0 * length as f64 / (reference + candidate) as f64,
    };
    LcsOverlap { length, f1 }
}

/// [`lcs_f1`] over the words of two texts in any script (UAX #29), in lower case, without white
/// space and punctuation.
pub fn word_lcs_f1(reference: &str, candidate: &str) -> LcsOverlap {
    let (reference, candidate) = (reference.to_lowercase(), candidate.to_lowercase());
    let words = |text| UnicodeSegmentation::unicode_words(text).collect::<Vec<&str>>();
    lcs_f1(&words(reference.as_str()), &words(candidate.as_str()))
}

fn lcs_length<T: AsRef<str>>(a: &[T], b: &[T]) -> usize {
    let mut interner = Interner::default();
    let (a, b) = (interner.identifiers(a), interner.identifiers(b));
    common_length(&a, &b, interner.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook's table.
    fn naive(a: &[String], b: &[String]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (index, y) in b.iter().enumerate() {
                let above = row[index + 1];
                row[index + 1] = if x == y { diagonal + 1 } else { above.max(row[index]) };
                diagonal = above;
            }
        }
        row[b.len()]
    }

    #[test]
    fn order_matters_to_the_common_subsequence() {
        let overlap = lcs_f1(&["x", "y", "z"], &["z", "x", "y"]);
        assert_eq!(overlap.length, 2);
        assert!((overlap.f1 - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn words_of_every_script_count() {
        assert!((word_lcs_f1("Привет, мир!", "привет мир").f1 - 1.0).abs() < 1e-15);
        assert_eq!(word_lcs_f1("日本語", "日本人").length, 2);
        assert!(rouge_l("Привет, мир!", "привет мир").f1.abs() < 1e-15);
    }

    #[test]
    fn nothing_is_like_nothing_but_not_to_rouge() {
        assert!((word_lcs_f1("", " ").f1 - 1.0).abs() < 1e-15);
        assert!(word_lcs_f1("", "word").f1.abs() < 1e-15);
        assert!(rouge_l("", "").f1.abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn the_length_is_that_of_the_table(
            a in proptest::collection::vec("[abc]", 0..200),
            b in proptest::collection::vec("[abcd]", 0..200),
        ) {
            prop_assert_eq!(lcs_f1(&a, &b).length, naive(&a, &b));
        }
    }
}
