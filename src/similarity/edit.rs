//! Edit distance between two texts.

use super::levenshtein::{Symbol, distance};

/// Texts longer than this many Unicode scalar values are compared by their ends, see
/// [`edit_similarity`].
pub const EDIT_LIMIT_CHARS: usize = 20_000;

/// The Levenshtein distance: the least number of insertions, deletions and substitutions of
/// Unicode scalar values. Quadratic time in the length where the texts are unlike; no limit.
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b) = without_common_ends(a, b);
    if a.is_ascii() && b.is_ascii() {
        distance(a.as_bytes(), b.as_bytes())
    } else {
        distance(&scalar_values(a), &scalar_values(b))
    }
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
    let longest = a.chars().count().max(b.chars().count());
    let (a, b) = without_common_ends(a, b);
    let edits = if a.is_ascii() && b.is_ascii() {
        limited_distance(a.as_bytes(), b.as_bytes())
    } else {
        limited_distance(&scalar_values(a), &scalar_values(b))
    };
    (1.0 - edits as f64 / longest as f64).max(0.0)
}

fn scalar_values(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// The texts without the scalar values with which both begin and then both end.
fn without_common_ends<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    let head = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let head = a.floor_char_boundary(head);
    let (a, b) = (a.get(head..).unwrap_or_default(), b.get(head..).unwrap_or_default());
    let tail = a.bytes().rev().zip(b.bytes().rev()).take_while(|(x, y)| x == y).count();
    let end = a.ceil_char_boundary(a.len() - tail);
    let tail = a.len() - end;
    let keep = |text: &'a str| text.get(..text.len() - tail).unwrap_or_default();
    (keep(a), keep(b))
}

fn limited_distance<S: Symbol>(a: &[S], b: &[S]) -> usize {
    if a.len().max(b.len()) <= EDIT_LIMIT_CHARS {
        return distance(a, b);
    }
    let (a_head, a_middle, a_tail) = ends_and_middle(a);
    let (b_head, b_middle, b_tail) = ends_and_middle(b);
    distance(a_head, b_head) + a_middle.max(b_middle) + distance(a_tail, b_tail)
}

/// First half of the limit, length of the middle, last half of the limit. A text within the
/// limit is divided in two, with an empty middle.
fn ends_and_middle<S>(text: &[S]) -> (&[S], usize, &[S]) {
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
