//! Sums that do not lose small terms.

/// The sum of `values` by Neumaier's compensated summation (1974).
///
/// The result still depends on the order in the last bit; callers sort first.
pub(super) fn compensated_sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_term_between_large_ones_survives() {
        let sum = compensated_sum([1e17, 1.0, -1e17]);
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}
