//! Two one-sided t tests: are two means equivalent within margins?

use super::error::{StatsError, check_columns, check_finite};
use super::quantile::sorted;
use super::special::student_sf;
use super::sum::compensated_sum;

/// Which variance the tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EquivalenceDesign {
    /// Independent samples with variances of their own (Welch 1947).
    Welch,
    /// Independent samples with one common variance.
    Pooled,
    /// The same units in both samples, in the same order.
    Paired,
}

/// Schuirmann's two one-sided tests (1987) of mean(x) - mean(y) against two margins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equivalence {
    /// mean(x) - mean(y).
    pub difference: f64,
    /// The larger of both p-values: small means that the means are equivalent.
    pub p: f64,
    /// t of the difference against the lower margin.
    pub t_low: f64,
    /// P-value of "the difference is at most the lower margin".
    pub p_low: f64,
    /// t of the difference against the upper margin.
    pub t_high: f64,
    /// P-value of "the difference is at least the upper margin".
    pub p_high: f64,
    /// Degrees of freedom.
    pub df: f64,
}

/// Tests whether mean(`x`) - mean(`y`) lies between `low` and `high`, in the unit of the values.
///
/// At least two values on a side, and not all equal. Rows must be independent.
pub fn equivalence(
    x: &[f64],
    y: &[f64],
    (low, high): (f64, f64),
    design: EquivalenceDesign,
) -> Result<Equivalence, StatsError> {
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Err(StatsError::ParameterOutOfRange { name: "margins", value: high - low });
    }
    let (difference, se, df) = if design == EquivalenceDesign::Paired {
        check_columns(x.len(), y.len())?;
        let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
        let d = Moments::of(&differences)?;
        (d.mean, (d.variance / d.n).sqrt(), d.n - 1.0)
    } else {
        let (x, y) = (Moments::of(x)?, Moments::of(y)?);
        let (se, df) = x.error_of_difference(&y, design);
        (x.mean - y.mean, se, df)
    };
    if se.is_nan() || se <= 0.0 {
        return Err(StatsError::AllEqual);
    }
    let (t_low, t_high) = ((difference - low) / se, (difference - high) / se);
    let (p_low, p_high) = (student_sf(t_low, df), student_sf(-t_high, df));
    Ok(Equivalence { difference, p: p_low.max(p_high), t_low, p_low, t_high, p_high, df })
}

struct Moments {
    n: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Result<Self, StatsError> {
        check_finite(values)?;
        if values.len() < 2 {
            return Err(StatsError::TooFewValues { values: values.len(), needed: 2 });
        }
        let values = sorted(values)?;
        let n = values.len() as f64;
        let mean = compensated_sum(values.iter().copied()) / n;
        let squares = compensated_sum(values.iter().map(|x| (x - mean) * (x - mean)));
        Ok(Self { n, mean, variance: squares / (n - 1.0) })
    }

    /// Standard error of the difference of means, and its degrees of freedom.
    fn error_of_difference(&self, other: &Self, design: EquivalenceDesign) -> (f64, f64) {
        let (a, b) = (self.variance / self.n, other.variance / other.n);
        if design == EquivalenceDesign::Welch {
            let df = (a + b) * (a + b) / (a * a / (self.n - 1.0) + b * b / (other.n - 1.0));
            return ((a + b).sqrt(), df);
        }
        let df = self.n + other.n - 2.0;
        let squares = self.variance * (self.n - 1.0) + other.variance * (other.n - 1.0);
        ((squares / df * (1.0 / self.n + 1.0 / other.n)).sqrt(), df)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_means_of_few_values_are_not_yet_equivalent() {
        let few = [1.0, 2.0, 3.0];
        let many: Vec<f64> = (0..300).map(|i| f64::from(i % 3) + 1.0).collect();
        let test = |x: &[f64]| equivalence(x, x, (-0.3, 0.3), EquivalenceDesign::Welch).unwrap();
        assert!(test(&few).p > 0.05 && test(&many).p < 0.05);
    }

    #[test]
    fn samples_without_spread_or_size_are_refused() {
        let test = |x: &[f64], y: &[f64], design| equivalence(x, y, (-1.0, 1.0), design);
        assert_eq!(
            test(&[1.0], &[1.0, 2.0], EquivalenceDesign::Welch),
            Err(StatsError::TooFewValues { values: 1, needed: 2 })
        );
        assert_eq!(
            test(&[1.0, 2.0], &[2.0, 3.0], EquivalenceDesign::Paired),
            Err(StatsError::AllEqual)
        );
        assert!(equivalence(&[1.0, 2.0], &[1.0], (1.0, 1.0), EquivalenceDesign::Paired).is_err());
    }
}
