//! Stochastic order of two samples: the chance that one value exceeds another.

use super::super::error::StatsError;
use super::super::outcome::Alternative;
use super::super::quantile::sorted;
use super::super::special::{normal_sf, student_sf};
use super::ties::tie_groups;

/// What the statistic is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullDistribution {
    /// Student's t with Satterthwaite's degrees of freedom: for small samples.
    Student,
    /// The normal distribution.
    Normal,
}

/// The generalised Wilcoxon test of Brunner and Munzel (2000).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BrunnerMunzel {
    /// The statistic, positive where `y` tends to be larger; infinite where the samples do not
    /// overlap, because ranks then have no variance.
    pub statistic: f64,
    /// Degrees of freedom; absent where no rank varies.
    pub df: Option<f64>,
    /// P-value of theta = 1/2. 1 where all values are equal; absent for samples that do not
    /// overlap (the exact Mann-Whitney test answers there).
    pub p: Option<f64>,
    /// P(X < Y) + P(X = Y) / 2.
    pub theta: f64,
}

/// Tests P(X < Y) + P(X = Y) / 2 = 1/2 without assuming equal distributions.
///
/// `Alternative::Less`: `x` tends to be smaller than `y`. Values of any unit, +infinity allowed;
/// at least two on either side.
pub fn brunner_munzel(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    null: NullDistribution,
) -> Result<BrunnerMunzel, StatsError> {
    if x.len().min(y.len()) == 1 {
        return Err(StatsError::TooFewValues { values: 1, needed: 2 });
    }
    let (x, y) = (sorted(x)?, sorted(y)?);
    let mut of_x = Placements::default();
    let mut of_y = Placements::default();
    for group in tie_groups(&x, &y) {
        of_x.add(group.x, 2 * group.y_below + group.y);
        of_y.add(group.y, 2 * group.x_below + group.x);
    }
    let (m, n) = (x.len() as f64, y.len() as f64);
    let theta = of_y.sum as f64 / 2.0 / (m * n);
    // Placements of y average m theta, those of x n (1 - theta); exact in whole numbers.
    let from_even = of_y.sum as f64 - m * n;
    let weighted = m * of_x.variance(x.len()) + n * of_y.variance(y.len());
    if weighted <= 0.0 {
        let equal = from_even.abs() <= 0.0;
        return Ok(BrunnerMunzel {
            statistic: if equal { 0.0 } else { f64::INFINITY.copysign(from_even) },
            df: None,
            p: equal.then_some(1.0),
            theta,
        });
    }
    // The difference of mean ranks is (m + n) (theta - 1/2).
    let difference = (m + n) * from_even / (2.0 * m * n);
    let statistic = m * n * difference / ((m + n) * weighted.sqrt());
    let satterthwaite = |count: f64, variance: f64| (count * variance).powi(2) / (count - 1.0);
    let df = weighted * weighted
        / (satterthwaite(m, of_x.variance(x.len())) + satterthwaite(n, of_y.variance(y.len())));
    let upper = |t: f64| match null {
        NullDistribution::Student => student_sf(t, df),
        NullDistribution::Normal => normal_sf(t),
    };
    let p = match alternative {
        Alternative::Less => upper(statistic),
        Alternative::Greater => upper(-statistic),
        Alternative::TwoSided => (2.0 * upper(statistic.abs())).min(1.0),
    };
    Ok(BrunnerMunzel { statistic, df: Some(df), p: Some(p), theta })
}

/// Sums over doubled placements: how many values of the other sample lie below, twice.
#[derive(Default)]
struct Placements {
    sum: u128,
    squares: u128,
}

impl Placements {
    fn add(&mut self, values: u64, doubled: u64) {
        let (values, doubled) = (u128::from(values), u128::from(doubled));
        self.sum += values * doubled;
        self.squares += values * doubled * doubled;
    }

    /// The sample variance of the placements; the numerator is exact.
    fn variance(&self, count: usize) -> f64 {
        let count_exact = count as u128;
        let numerator = count_exact * self.squares - self.sum * self.sum;
        let n = count as f64;
        numerator as f64 / (4.0 * n * (n - 1.0))
    }
}

/// Cliff's delta (1993) and the measure A12 of Vargha and Delaney (2000).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CliffsDelta {
    /// P(X > Y) - P(X < Y), from -1 to 1.
    pub delta: f64,
    /// P(X > Y) + P(X = Y) / 2 = (delta + 1) / 2.
    pub a12: f64,
}

/// The share of pairs in which `x` is larger minus the share in which `y` is.
pub fn cliffs_delta(x: &[f64], y: &[f64]) -> Result<CliffsDelta, StatsError> {
    let (x, y) = (sorted(x)?, sorted(y)?);
    let pairs = x.len() as u128 * y.len() as u128;
    let (mut larger, mut smaller) = (0_u128, 0_u128);
    for group in tie_groups(&x, &y) {
        larger += u128::from(group.x) * u128::from(group.y_below);
        smaller += u128::from(group.y) * u128::from(group.x_below);
    }
    let share = |count: u128| count as f64 / pairs as f64;
    let equal = pairs - larger - smaller;
    Ok(CliffsDelta {
        delta: (larger as f64 - smaller as f64) / pairs as f64,
        a12: share(larger) + share(equal) / 2.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapping_the_samples_mirrors_the_answer() {
        let x = [1.0, 4.0, 2.0, 2.0, 9.0, f64::INFINITY];
        let y = [3.0, 2.0, 8.0, 7.0];
        let test = |x: &[f64], y: &[f64], alternative| {
            brunner_munzel(x, y, alternative, NullDistribution::Student).unwrap()
        };
        let forward = test(&x, &y, Alternative::Less);
        let backward = test(&y, &x, Alternative::Greater);
        assert!((forward.theta + backward.theta - 1.0).abs() < 1e-15);
        assert!((forward.p.unwrap() - backward.p.unwrap()).abs() < 1e-15);
        let delta = cliffs_delta(&x, &y).unwrap();
        assert!((delta.a12 - (1.0 - forward.theta)).abs() < 1e-15);
    }

    #[test]
    fn one_value_has_no_variance_of_ranks() {
        let refused =
            brunner_munzel(&[1.0], &[2.0, 3.0], Alternative::Less, NullDistribution::Normal);
        assert_eq!(refused, Err(StatsError::TooFewValues { values: 1, needed: 2 }));
        assert_eq!(cliffs_delta(&[], &[1.0]), Err(StatsError::EmptySample));
    }
}
