//! P-values adjusted for the number of tests.
//!
//! Every function returns adjusted p-values in the order of its input. A NaN p-value counts as
//! 1: a test that could not be done rejects nothing.

/// Holm's step-down procedure (1979): controls the chance of any false rejection under any
/// dependence.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    let mut largest = 0.0_f64;
    adjust(ascending(p), |rank, p| {
        largest = largest.max((m - rank + 1.0) * p);
        largest
    })
}

/// Hochberg's step-up procedure (1988): the same control as Holm's under independence or
/// positive dependence, with more power.
pub fn hochberg(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    step_up(p, |rank| m - rank + 1.0)
}

/// Benjamini and Hochberg (1995): controls the false discovery rate under independence.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    step_up(p, |rank| m / rank)
}

/// Benjamini and Yekutieli (2001): controls the false discovery rate under any dependence.
pub fn benjamini_yekutieli(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    let harmonic: f64 = (1..=p.len()).map(|i| 1.0 / i as f64).sum();
    step_up(p, |rank| m / rank * harmonic)
}

/// Bonferroni: each p-value times the number of tests.
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    let m = p.len() as f64;
    adjust(ascending(p), |_, p| m * p)
}

/// The smallest of `factor(rank) * p` over all ranks from the own one upward.
fn step_up(p: &[f64], factor: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut smallest = f64::INFINITY;
    adjust(ascending(p).into_iter().rev(), |rank, p| {
        smallest = smallest.min(factor(rank) * p);
        smallest
    })
}

/// (rank from 1, position in the input, p-value), ascending in the p-value.
fn ascending(p: &[f64]) -> Vec<(f64, usize, f64)> {
    let mut order: Vec<(usize, f64)> =
        p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    order.into_iter().enumerate().map(|(i, (at, p))| (i as f64 + 1.0, at, p)).collect()
}

/// Visits the tests in the given order and puts the results back into input order.
fn adjust(
    order: impl IntoIterator<Item = (f64, usize, f64)>,
    mut value: impl FnMut(f64, f64) -> f64,
) -> Vec<f64> {
    let mut adjusted: Vec<(usize, f64)> =
        order.into_iter().map(|(rank, at, p)| (at, value(rank, p).clamp(0.0, 1.0))).collect();
    adjusted.sort_by_key(|(at, _)| *at);
    adjusted.into_iter().map(|(_, p)| p).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_could_not_be_done_rejects_nothing_but_still_counts() {
        let adjusted = holm(&[0.02, f64::NAN]);
        assert!((adjusted[0] - 0.04).abs() < 1e-15);
        assert!((adjusted[1] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn no_tests_give_no_results() {
        assert!(holm(&[]).is_empty());
        assert!(benjamini_yekutieli(&[]).is_empty());
    }
}
