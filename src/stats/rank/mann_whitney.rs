//! The Mann-Whitney test: does one sample tend to be larger than the other?

use super::super::error::StatsError;
use super::super::outcome::Alternative;
use super::super::quantile::sorted;
use super::super::special::normal_sf;
use super::RankMethod;
use super::exact::{mann_whitney_null, subset_tails, tails};
use super::ties::{tie_groups, tie_term};

/// The Mann-Whitney statistic (1947) of two independent samples and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the value of `x` is larger; equal ones count one half.
    pub u1: f64,
    /// Pairs in which the value of `y` is larger; equal ones count one half.
    pub u2: f64,
    /// P-value of "both samples come from one distribution". 1 where all values are equal.
    pub p: f64,
}

/// Tests whether `x` tends to be greater (or less) than `y`, any units, +infinity allowed.
///
/// The null hypothesis is equality of the distributions: where they may differ in spread, use
/// [`super::brunner_munzel`]. [`RankMethod::Exact`] enumerates all assignments of the observed
/// ranks (twice the smaller tail, at most 1, when two-sided) and refuses samples beyond its
/// reach; the asymptotic form takes O(n log n).
///
/// `statrs` 0.19 has a test of this name, which is wrong for its exact form and quadratic.
pub fn mann_whitney(
    x: &[f64],
    y: &[f64],
    method: RankMethod,
    alternative: Alternative,
) -> Result<MannWhitney, StatsError> {
    let (x, y) = rayon::join(|| sorted(x), || sorted(y));
    let ranks = count(&x?, &y?);
    let p = if ranks.all_tied() {
        1.0
    } else {
        match method {
            RankMethod::Exact => ranks.exact(alternative)?,
            RankMethod::Asymptotic { continuity } => ranks.asymptotic(continuity, alternative),
        }
    };
    let pairs = ranks.m as f64 * ranks.n as f64;
    let u1 = ranks.doubled_u1 as f64 / 2.0;
    Ok(MannWhitney { u1, u2: pairs - u1, p })
}

struct Ranks {
    m: u64,
    n: u64,
    doubled_u1: u128,
    ties: u128,
    /// (values, doubled mid-rank) of each group, kept only where an exact form could use it.
    groups: Vec<(u64, u64)>,
}

/// Beyond this many values no exact form is tried.
const MOST_FOR_EXACT: usize = 2_000;

fn count(x: &[f64], y: &[f64]) -> Ranks {
    let mut ranks =
        Ranks { m: x.len() as u64, n: y.len() as u64, doubled_u1: 0, ties: 0, groups: Vec::new() };
    let keep = x.len() + y.len() <= MOST_FOR_EXACT;
    let mut doubled_u1: u64 = 0;
    for group in tie_groups(x, y) {
        doubled_u1 += group.x * (2 * group.y_below + group.y);
        let equal = group.x + group.y;
        if equal > 1 {
            ranks.ties += tie_term(equal);
        }
        if keep {
            ranks.groups.push((equal, 2 * (group.x_below + group.y_below) + equal + 1));
        }
    }
    ranks.doubled_u1 = u128::from(doubled_u1);
    ranks
}

impl Ranks {
    fn all_tied(&self) -> bool {
        self.ties == tie_term(self.m + self.n)
    }

    fn exact(&self, alternative: Alternative) -> Result<f64, StatsError> {
        let doubled = u64::try_from(self.doubled_u1).unwrap_or(u64::MAX);
        let (below, above) = if self.ties == 0 {
            tails(&mann_whitney_null(self.m, self.n)?, doubled / 2)
        } else if self.groups.is_empty() {
            return Err(StatsError::TooLargeForExact);
        } else {
            subset_tails(&self.groups, self.m, doubled + self.m * (self.m + 1))?
        };
        Ok(match alternative {
            Alternative::Less => below,
            Alternative::Greater => above,
            Alternative::TwoSided => (2.0 * below.min(above)).min(1.0),
        })
    }

    fn asymptotic(&self, continuity: bool, alternative: Alternative) -> f64 {
        let (m, n) = (self.m as f64, self.n as f64);
        let total = m + n;
        let spread = total + 1.0 - self.ties as f64 / (total * (total - 1.0));
        let sd = (m * n / 12.0 * spread).sqrt();
        let from_mean = self.doubled_u1 as f64 / 2.0 - m * n / 2.0;
        let toward = if continuity { 0.5 } else { 0.0 };
        match alternative {
            Alternative::Greater => normal_sf((from_mean - toward) / sd),
            Alternative::Less => normal_sf((-from_mean - toward) / sd),
            Alternative::TwoSided => (2.0 * normal_sf((from_mean.abs() - toward) / sd)).min(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: RankMethod = RankMethod::Asymptotic { continuity: true };

    #[test]
    fn a_monotone_transformation_changes_nothing() {
        let x: Vec<f64> = (0..50).map(|i| f64::from(i * 37 % 53)).collect();
        let y: Vec<f64> = (0..40).map(|i| f64::from(i * 29 % 47) + 3.0).collect();
        let exp = |v: &[f64]| v.iter().map(|x| (x / 10.0).exp()).collect::<Vec<f64>>();
        let plain = mann_whitney(&x, &y, NORMAL, Alternative::TwoSided).unwrap();
        let mapped = mann_whitney(&exp(&x), &exp(&y), NORMAL, Alternative::TwoSided).unwrap();
        assert_eq!(plain, mapped);
    }

    #[test]
    fn failures_are_the_largest_values() {
        let x = [1.0, f64::INFINITY, f64::INFINITY, 2.0];
        let test = mann_whitney(&x, &[3.0, 4.0], RankMethod::Exact, Alternative::Greater).unwrap();
        assert!((test.u1 - 4.0).abs() < 1e-15 && (test.u2 - 4.0).abs() < 1e-15);
        assert_eq!(
            mann_whitney(&[f64::NAN], &[1.0], NORMAL, Alternative::Less),
            Err(StatsError::NotANumber)
        );
        assert_eq!(
            mann_whitney(&[], &[1.0], NORMAL, Alternative::Less),
            Err(StatsError::EmptySample)
        );
    }

    #[test]
    fn an_exact_test_of_many_rows_is_refused() {
        let x: Vec<f64> = (0..3000).map(|i| f64::from(i % 7)).collect();
        let refused = mann_whitney(&x, &x[..2000], RankMethod::Exact, Alternative::Less);
        assert_eq!(refused, Err(StatsError::TooLargeForExact));
    }
}
