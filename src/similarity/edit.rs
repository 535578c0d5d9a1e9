//! Edit distance between two texts.

use rapidfuzz::distance::levenshtein;

/// Texts longer than this many Unicode scalar values are compared by their ends, see
/// [`edit_similarity`].
pub const EDIT_LIMIT_CHARS: usize = 20_000;

/// The Levenshtein distance: the least number of insertions, deletions and substitutions of
/// Unicode scalar values. Quadratic time in the length; no limit.
pub fn edit_distance(a: &str, b: &str) -> usize {
    levenshtein::distance(a.chars(), b.chars())
}

/// 1 - distance / length of the longer text, over Unicode scalar values; 1 for two empty texts.
///
/// Equal beginnings and ends cost nothing, so they are cut off first. If what is left of either
/// text exceeds [`EDIT_LIMIT_CHARS`], its first and its last half of the limit are compared each
/// with its counterpart and **everything between them counts as different**, as many edits as
/// the longer middle has values. The result is then a lower bound: a long answer can look less
/// alike than it is, never more.
pub fn edit_similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let longest = a.len().max(b.len());
    let (a, b) = without_common_ends(&a, &b);
    let edits = if a.len().max(b.len()) <= EDIT_LIMIT_CHARS {
        distance(a, b)
    } else {
        let (a_head, a_middle, a_tail) = ends_and_middle(a);
        let (b_head, b_middle, b_tail) = ends_and_middle(b);
        distance(a_head, b_head) + a_middle.max(b_middle) + distance(a_tail, b_tail)
    };
    (1.0 - edits as f64 / longest as f64).max(0.0)
}

fn distance(a: &[char], b: &[char]) -> usize {
    levenshtein::distance(a.iter().copied(), b.iter().copied())
}

fn without_common_ends<'a>(a: &'a [char], b: &'a [char]) -> (&'a [char], &'a [char]) {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(head..).unwrap_or_default(), b.get(head..).unwrap_or_default());
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let keep = |text: &'a [char]| text.get(..text.len() - tail).unwrap_or_default();
    (keep(a), keep(b))
}

/// First half of the limit, length of the middle, last half of the limit. A text within the
/// limit is divided in two, with an empty middle.
fn ends_and_middle(text: &[char]) -> (&[char], usize, &[char]) {
    let half = (EDIT_LIMIT_CHARS / 2).min(text.len() / 2);
    let (head, rest) = text.split_at(half);
    let tail_length = rest.len().min(EDIT_LIMIT_CHARS / 2);
    let (middle, tail) = rest.split_at(rest.len() - tail_length);
    (head, middle.len(), tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalar_values_count_not_bytes() {
        assert_eq!(edit_distance("naïve", "naive"), 1);
        assert!((edit_similarity("日本語", "日本") - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn nothing_is_like_nothing_and_unlike_something() {
        assert!((edit_similarity("", "") - 1.0).abs() < 1e-15);
        assert!(edit_similarity("", "abc").abs() < 1e-15);
    }

    #[test]
    fn common_ends_do_not_count_against_the_limit() {
        let shared = "x".repeat(3 * EDIT_LIMIT_CHARS);
        let (a, b) = (format!("{shared}cat{shared}"), format!("{shared}cart{shared}"));
        let expected = 1.0 - 1.0 / (6 * EDIT_LIMIT_CHARS + 4) as f64;
        assert!((edit_similarity(&a, &b) - expected).abs() < 1e-12);
    }

    #[test]
    fn beyond_the_limit_the_similarity_is_never_too_high() {
        let a = format!("p{}q", "ab".repeat(12_000));
        let b = format!("r{}s", "ba".repeat(12_000));
        let limited = edit_similarity(&a, &b);
        let exact = 1.0 - edit_distance(&a, &b) as f64 / a.len() as f64;
        assert!(limited <= exact && limited > 0.7, "{limited} {exact}");
    }

    #[test]
    fn a_short_text_against_a_long_one_stays_between_zero_and_one() {
        let long = "y".repeat(5 * EDIT_LIMIT_CHARS);
        for short in ["", "a", "abc"] {
            let similarity = edit_similarity(short, &long);
            assert!((0.0..=1.0).contains(&similarity), "{similarity}");
        }
    }
}
