//! The Anderson-Darling test of k samples: do several groups share one distribution?

use super::super::error::StatsError;
use super::super::quantile::sorted;
use super::super::sum::compensated_sum;

/// How equal values enter the statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TieRule {
    /// Half of the equal values count as smaller: for rounded data.
    MidRank,
    /// The empirical distribution function is continuous from the right.
    RightContinuous,
}

/// The standardised statistic of Scholz and Stephens (1987).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AndersonDarling {
    /// (A2 - (k - 1)) / sd: large where the samples differ, in the tails above all.
    pub statistic: f64,
    /// Values of the statistic that are exceeded by chance in 25, 10, 5, 2.5, 1, 0.5, 0.1 %.
    pub critical: [f64; 7],
    /// P-value between these, clipped to 0.001 to 0.25, where the table ends.
    pub p: f64,
}

const LEVELS: [f64; 7] = [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001];

/// Coefficients of the critical values (Scholz and Stephens 1987, table 2, extended to 0.1 %
/// as in SciPy): b0 + b1 / sqrt(k - 1) + b2 / (k - 1).
const CRITICAL: [(f64, f64, f64); 7] = [
    (0.675, -0.245, -0.105),
    (1.281, 0.25, -0.305),
    (1.645, 0.678, -0.362),
    (1.96, 1.149, -0.391),
    (2.326, 1.822, -0.396),
    (2.573, 2.364, -0.345),
    (3.085, 3.615, -0.154),
];

/// Tests whether all `samples` come from one distribution; +infinity allowed.
///
/// At least two samples, none empty, at least four values in all and not all equal.
pub fn anderson_darling(
    samples: &[Vec<f64>],
    rule: TieRule,
) -> Result<AndersonDarling, StatsError> {
    if samples.len() < 2 {
        return Err(StatsError::TooFewValues { values: samples.len(), needed: 2 });
    }
    let samples = samples.iter().map(|sample| sorted(sample)).collect::<Result<Vec<_>, _>>()?;
    let pooled = sorted(&samples.concat())?;
    if pooled.len() < 4 {
        return Err(StatsError::TooFewValues { values: pooled.len(), needed: 4 });
    }
    if pooled.first() == pooled.last() {
        return Err(StatsError::AllEqual);
    }
    let n = pooled.len() as f64;
    let by_sample = samples.iter().map(|sample| term(sample, &pooled, rule) / sample.len() as f64);
    let raw = compensated_sum(by_sample);
    let a2 = if rule == TieRule::MidRank { raw * (n - 1.0) / n } else { raw };
    let m = samples.len() as f64 - 1.0;
    let statistic = (a2 - m) / variance(&samples, pooled.len()).sqrt();
    let critical = CRITICAL.map(|(b0, b1, b2)| b0 + b1 / m.sqrt() + b2 / m);
    Ok(AndersonDarling { statistic, critical, p: p_value(statistic, &critical) })
}

/// The sum over the distinct values for one sample (formulas 6 and 7 of the paper).
fn term(sample: &[f64], pooled: &[f64], rule: TieRule) -> f64 {
    let (n, own) = (pooled.len() as f64, sample.len() as f64);
    let (mut below, mut own_below) = (0_usize, 0_usize);
    let mut parts = Vec::new();
    for group in pooled.chunk_by(|a, b| a >= b) {
        let value = group.first().copied().unwrap_or_default();
        let rest = sample.get(own_below..).unwrap_or_default();
        let own_equal = rest.partition_point(|x| *x <= value);
        let equal = group.len() as f64;
        let (b, own_b, scale) = match rule {
            TieRule::MidRank => {
                let b = below as f64 + equal / 2.0;
                (b, own_below as f64 + own_equal as f64 / 2.0, b * (n - b) - n * equal / 4.0)
            }
            TieRule::RightContinuous => {
                let b = below as f64 + equal;
                (b, (own_below + own_equal) as f64, b * (n - b))
            }
        };
        // The largest value has no share in the right-continuous form.
        if scale > 0.0 {
            parts.push(equal / n * (n * own_b - b * own).powi(2) / scale);
        }
        below += group.len();
        own_below += own_equal;
    }
    compensated_sum(parts)
}

/// The variance of A2 under the hypothesis (formula 4 of the paper).
fn variance(samples: &[Vec<f64>], total: usize) -> f64 {
    let k = samples.len() as f64;
    let n = total as f64;
    let inverse_sizes = compensated_sum(samples.iter().map(|s| 1.0 / s.len() as f64));
    let (mut harmonic, mut g) = (0.0, 0.0);
    // Partial sums of 1/(n-1) + 1/(n-2) + ... + 1/2, divided by 2, 3, ..., n - 1.
    for (i, divisor) in (2..total).rev().zip(2..total) {
        harmonic += 1.0 / i as f64;
        g += harmonic / divisor as f64;
    }
    let h = harmonic + 1.0;
    let a = (4.0 * g - 6.0) * (k - 1.0) + (10.0 - 6.0 * g) * inverse_sizes;
    let b = (2.0 * g - 4.0) * k * k + 8.0 * h * k + (2.0 * g - 14.0 * h - 4.0) * inverse_sizes
        - 8.0 * h
        + 4.0 * g
        - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * k * k
        + (4.0 * h - 4.0 * g + 6.0) * k
        + (2.0 * h - 6.0) * inverse_sizes
        + 4.0 * h;
    let d = (2.0 * h + 6.0) * k * k - 4.0 * h * k;
    (((a * n + b) * n + c) * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
}

/// exp of the parabola of least squares through (critical value, ln level).
fn p_value(statistic: f64, critical: &[f64; 7]) -> f64 {
    let [least, .., most] = *critical;
    if statistic < least {
        return 0.25;
    }
    if statistic > most {
        return 0.001;
    }
    // Centred, so that the normal equations keep their digits.
    let centre = critical.iter().sum::<f64>() / 7.0;
    let points = || critical.iter().zip(LEVELS).map(|(c, level)| (c - centre, level.ln()));
    let power = |k: i32| points().map(|(t, _)| t.powi(k)).sum::<f64>();
    let moment = |k: i32| points().map(|(t, y)| t.powi(k) * y).sum::<f64>();
    let (s1, s2, s3, s4) = (power(1), power(2), power(3), power(4));
    let rows = [[7.0, s1, s2, moment(0)], [s1, s2, s3, moment(1)], [s2, s3, s4, moment(2)]];
    let [c0, c1, c2] = solve(rows);
    let t = statistic - centre;
    (c0 + t * (c1 + t * c2)).exp()
}

/// Three linear equations by Gaussian elimination; the matrix is positive definite.
fn solve(mut rows: [[f64; 4]; 3]) -> [f64; 3] {
    for pivot in 0..3 {
        for below in pivot + 1..3 {
            let factor = rows[below][pivot] / rows[pivot][pivot];
            let above = rows[pivot];
            for (cell, above) in rows[below].iter_mut().zip(above) {
                *cell -= factor * above;
            }
        }
    }
    let mut solution = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|column| rows[row][column] * solution[column]).sum();
        solution[row] = (rows[row][3] - known) / rows[row][row];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_compare_is_an_error() {
        let test = |samples: &[Vec<f64>]| anderson_darling(samples, TieRule::MidRank);
        assert_eq!(test(&[vec![1.0, 2.0]]), Err(StatsError::TooFewValues { values: 1, needed: 2 }));
        assert_eq!(test(&[vec![1.0, 2.0], vec![]]), Err(StatsError::EmptySample));
        assert_eq!(test(&[vec![1.0; 3], vec![1.0; 3]]), Err(StatsError::AllEqual));
    }

    #[test]
    fn the_order_of_samples_and_values_does_not_matter() {
        let a: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 19)).collect();
        let b: Vec<f64> = (0..30).map(|i| f64::from(i * 5 % 23) + 2.0).collect();
        let reversed: Vec<f64> = a.iter().rev().copied().collect();
        let first = anderson_darling(&[a, b.clone()], TieRule::MidRank).unwrap();
        let second = anderson_darling(&[b, reversed], TieRule::MidRank).unwrap();
        assert!((first.statistic - second.statistic).abs() < 1e-12);
    }
}
