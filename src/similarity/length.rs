//! How long one answer is beside another.

/// Length of `b` over length of `a` in Unicode scalar values; `None` when `a` is empty.
///
/// The logarithm of it is symmetric: half and double as long are equally far from 1.
pub fn length_ratio(a: &str, b: &str) -> Option<f64> {
    let (a, b) = (a.chars().count(), b.chars().count());
    (a > 0).then(|| b as f64 / a as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_not_bytes() {
        assert!((length_ratio("ab", "日本語").unwrap() - 1.5).abs() < 1e-15);
        assert_eq!(length_ratio("", "a"), None);
    }
}
