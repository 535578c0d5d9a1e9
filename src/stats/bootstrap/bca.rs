//! The bootstrap of smooth statistics: means, ratios of totals, trimmed means.

use rand::Rng;
use rayon::prelude::*;

use super::super::error::{StatsError, check_confidence};
use super::super::proportion::Interval;
use super::super::quantile::{QuantileType, quantile, sorted};
use super::super::special::{normal_cdf, normal_isf, normal_ppf};
use super::super::sum::compensated_sum;
use super::generator;

/// A statistic with its bootstrap intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The statistic of the sample.
    pub value: f64,
    /// The acceleration, from the jackknife; 0 where the statistic never varies.
    pub acceleration: f64,
    /// The two-sided percentile interval.
    pub percentile: Interval,
    /// The bias-corrected and accelerated interval (Efron 1987); absent where all replicates lie
    /// on one side of the statistic.
    pub bca: Option<Interval>,
}

/// Bootstraps `statistic` over `rows` of `W` numbers each, two-sided at level `confidence`.
///
/// Rows are resampled as wholes; for clusters, hand over one row of totals per cluster. Rows are
/// sorted first, so their order does not matter, and the statistic sees them sorted or
/// resampled. It is evaluated once per replicate and once per row: O(n (n + replicates)). Not
/// for extreme quantiles, whose jackknife is unstable.
pub fn bca_bootstrap<const W: usize>(
    rows: &[[f64; W]],
    statistic: impl Fn(&[[f64; W]]) -> f64 + Sync,
    confidence: f64,
    replicates: usize,
    seed: u64,
) -> Result<Bootstrap, StatsError> {
    check_confidence(confidence)?;
    if replicates == 0 {
        return Err(StatsError::ParameterOutOfRange { name: "replicates", value: 0.0 });
    }
    if rows.len() < 2 {
        return Err(StatsError::TooFewValues { values: rows.len(), needed: 2 });
    }
    if rows.iter().flatten().any(|x| x.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    let mut rows = rows.to_vec();
    rows.sort_unstable_by(|a, b| {
        let mut orders = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
        orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let value = statistic(&rows);
    let draws: Vec<f64> = (0..replicates)
        .into_par_iter()
        .map(|replicate| statistic(&resampled(&rows, seed, replicate)))
        .collect();
    // A statistic that is undefined for some resample (a denominator of zero) has no interval.
    let draws = sorted(&draws)?;
    let acceleration = acceleration(&rows, &statistic);
    let half = (1.0 - confidence) / 2.0;
    let at = |p: f64| quantile(&draws, p, QuantileType::Linear);
    let percentile = Interval { low: at(half)?, high: at(1.0 - half)? };
    let bca = match bias(&draws, value) {
        Some(bias) => {
            let level = |z: f64| normal_cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
            let z = normal_isf(half);
            Some(Interval { low: at(level(-z))?, high: at(level(z))? })
        }
        None => None,
    };
    Ok(Bootstrap { value, acceleration, percentile, bca })
}

fn resampled<const W: usize>(rows: &[[f64; W]], seed: u64, replicate: usize) -> Vec<[f64; W]> {
    let mut generator = generator(seed, replicate);
    let count = rows.len() as u64;
    rows.iter().map(|_| rows[generator.random_range(0..count) as usize]).collect()
}

/// The normal quantile of the share of draws below the statistic, equal ones counting half.
fn bias(draws: &[f64], value: f64) -> Option<f64> {
    let below = draws.partition_point(|draw| *draw < value);
    let upto = draws.partition_point(|draw| *draw <= value);
    let share = (below + upto) as f64 / (2 * draws.len()) as f64;
    (share > 0.0 && share < 1.0).then(|| normal_ppf(share))
}

fn acceleration<const W: usize>(
    rows: &[[f64; W]],
    statistic: &(impl Fn(&[[f64; W]]) -> f64 + Sync),
) -> f64 {
    let without: Vec<f64> = (0..rows.len())
        .into_par_iter()
        .map(|left_out| {
            let mut rest = Vec::with_capacity(rows.len() - 1);
            rest.extend_from_slice(&rows[..left_out]);
            rest.extend_from_slice(&rows[left_out + 1..]);
            statistic(&rest)
        })
        .collect();
    let mean = compensated_sum(without.iter().copied()) / without.len() as f64;
    let squares = compensated_sum(without.iter().map(|x| (mean - x).powi(2)));
    let cubes = compensated_sum(without.iter().map(|x| (mean - x).powi(3)));
    if squares > 0.0 { cubes / (6.0 * squares.powf(1.5)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(rows: &[[f64; 1]]) -> f64 {
        rows.iter().map(|[x]| x).sum::<f64>() / rows.len() as f64
    }

    #[test]
    fn neither_the_order_of_rows_nor_the_threads_change_a_bit() {
        let rows: Vec<[f64; 1]> = (0..60).map(|i| [f64::from(i * 37 % 61).sqrt()]).collect();
        let reversed: Vec<[f64; 1]> = rows.iter().rev().copied().collect();
        let forward = bca_bootstrap(&rows, mean, 0.9, 300, 7).unwrap();
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let backward = one.install(|| bca_bootstrap(&reversed, mean, 0.9, 300, 7).unwrap());
        assert_eq!(forward, backward);
        assert!(forward.percentile.low < forward.value && forward.value < forward.percentile.high);
    }

    #[test]
    fn a_statistic_that_is_undefined_for_a_resample_has_no_interval() {
        let ratio = |rows: &[[f64; 2]]| {
            let total = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>();
            total(0) / total(1)
        };
        let rows = [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]];
        assert_eq!(bca_bootstrap(&rows, ratio, 0.9, 200, 1), Err(StatsError::NotANumber));
        assert_eq!(
            bca_bootstrap(&rows[..1], ratio, 0.9, 200, 1),
            Err(StatsError::TooFewValues { values: 1, needed: 2 })
        );
    }
}
