//! Overlap of words between two texts.

use std::collections::BTreeMap;

/// The F1 of the multisets of words after the normalisation of SQuAD (Rajpurkar et al. 2016).
///
/// Lower case, without ASCII punctuation and the English articles. 1 when neither text has a
/// word, 0 when one has none.
pub fn token_f1(reference: &str, candidate: &str) -> f64 {
    let (reference, candidate) = (words(reference), words(candidate));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in &reference {
        *counts.entry(word).or_default() += 1;
    }
    let mut common = 0;
    for word in &candidate {
        if let Some(left) = counts.get_mut(word.as_str()).filter(|left| **left > 0) {
            *left -= 1;
            common += 1;
        }
    }
    f1(common, reference.len(), candidate.len())
}

/// Whether two texts are equal after the normalisation of [`token_f1`].
pub fn token_exact(reference: &str, candidate: &str) -> bool {
    words(reference) == words(candidate)
}

fn words(text: &str) -> Vec<String> {
    let bare: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    without_articles(&bare).split_whitespace().map(str::to_owned).collect()
}

/// Replaces a, an and the by a space where they stand between characters that are no word
/// characters, which is where a regular expression sees `\b`.
fn without_articles(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut kept = String::with_capacity(text.len());
    let mut word = String::new();
    let finish = |word: &mut String, kept: &mut String| {
        kept.push_str(if matches!(word.as_str(), "a" | "an" | "the") { " " } else { word });
        word.clear();
    };
    for c in text.chars() {
        if is_word(c) {
            word.push(c);
        } else {
            finish(&mut word, &mut kept);
            kept.push(c);
        }
    }
    finish(&mut word, &mut kept);
    kept
}

fn f1(common: usize, reference: usize, candidate: usize) -> f64 {
    match (reference, candidate) {
        (0, 0) => 1.0,
        (0, _) | (_, 0) => 0.0,
        _ => 2.0 * common as f64 / (reference + candidate) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_case_and_punctuation_do_not_count() {
        assert!(token_exact("The cat, a dog!", "cat dog"));
        assert!(!token_exact("theory", "ory"));
    }

    #[test]
    fn repeated_words_count_as_often_as_they_occur() {
        // 2 of 3 and 2 of 2 words in common: F1 = 2 * 2 / 5.
        assert!((token_f1("red red blue", "red blue") - 0.8).abs() < 1e-15);
    }
}
