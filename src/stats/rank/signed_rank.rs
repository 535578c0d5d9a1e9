//! Wilcoxon's signed-rank test: are paired differences centred at zero?

use super::super::error::StatsError;
use super::super::outcome::Alternative;
use super::super::quantile::sorted;
use super::super::special::normal_sf;
use super::RankMethod;
use super::exact::{signed_sum_null, tails};
use super::ties::tie_term;

/// What happens to differences of exactly zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZeroMethod {
    /// They are dropped before ranking (Wilcoxon 1945).
    Wilcox,
    /// They are ranked and then dropped (Pratt 1959): the default of this program, because a
    /// tie between two arms is evidence of no difference.
    Pratt,
    /// They are ranked, and half of their ranks goes to either sign.
    Split,
}

/// The signed-rank statistic (Wilcoxon 1945) of differences and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Sum of the ranks of positive differences.
    pub w_plus: f64,
    /// Sum of the ranks of negative differences.
    pub w_minus: f64,
    /// P-value of "the differences are symmetric about zero". 1 where all are zero.
    pub p: f64,
    /// Differences that are not zero.
    pub nonzero: u64,
}

/// Tests whether `differences` tend to be greater (or less) than zero; finite or infinite.
///
/// [`RankMethod::Exact`] flips every sign; the asymptotic form corrects mean and variance for
/// ties and, with Pratt's method, for zeros (Cureton 1967).
pub fn signed_rank(
    differences: &[f64],
    zeros: ZeroMethod,
    method: RankMethod,
    alternative: Alternative,
) -> Result<SignedRank, StatsError> {
    let ranks = Ranks::of(differences, zeros)?;
    let p = if ranks.doubled.is_empty() {
        1.0
    } else {
        match method {
            RankMethod::Exact => ranks.exact(alternative)?,
            RankMethod::Asymptotic { continuity } => ranks.asymptotic(continuity, alternative),
        }
    };
    let half_of_zeros = ranks.doubled_of_zeros as f64 / 4.0;
    Ok(SignedRank {
        w_plus: ranks.doubled_plus as f64 / 2.0 + half_of_zeros,
        w_minus: ranks.doubled_minus as f64 / 2.0 + half_of_zeros,
        p,
        nonzero: ranks.doubled.len() as u64,
    })
}

/// Doubled mid-ranks, which are whole numbers.
struct Ranks {
    zeros: ZeroMethod,
    /// Of each difference that is not zero.
    doubled: Vec<u64>,
    doubled_plus: u128,
    doubled_minus: u128,
    doubled_of_zeros: u128,
    zero_count: u64,
    ties: u128,
}

impl Ranks {
    fn of(differences: &[f64], zeros: ZeroMethod) -> Result<Self, StatsError> {
        if differences.is_empty() {
            return Err(StatsError::EmptySample);
        }
        let side = |positive: bool| -> Result<Vec<f64>, StatsError> {
            let values: Vec<f64> = differences
                .iter()
                .filter(|d| if positive { **d > 0.0 } else { **d < 0.0 })
                .map(|d| d.abs())
                .collect();
            if values.is_empty() { Ok(values) } else { sorted(&values) }
        };
        if differences.iter().any(|d| d.is_nan()) {
            return Err(StatsError::NotANumber);
        }
        let (plus, minus) = (side(true)?, side(false)?);
        let zero_count = (differences.len() - plus.len() - minus.len()) as u64;
        let skipped = if zeros == ZeroMethod::Wilcox { 0 } else { zero_count };
        let mut ranks = Ranks {
            zeros,
            doubled: Vec::with_capacity(plus.len() + minus.len()),
            doubled_plus: 0,
            doubled_minus: 0,
            doubled_of_zeros: 0,
            zero_count,
            ties: 0,
        };
        if zeros == ZeroMethod::Split {
            ranks.doubled_of_zeros = u128::from(zero_count) * u128::from(zero_count + 1);
            ranks.ties = tie_term(zero_count);
        }
        for group in super::ties::tie_groups(&plus, &minus) {
            let equal = group.x + group.y;
            let rank = 2 * (skipped + group.x_below + group.y_below) + equal + 1;
            ranks.doubled_plus += u128::from(group.x) * u128::from(rank);
            ranks.doubled_minus += u128::from(group.y) * u128::from(rank);
            ranks.ties += tie_term(equal);
            ranks.doubled.extend((0..equal).map(|_| rank));
        }
        Ok(ranks)
    }

    fn exact(&self, alternative: Alternative) -> Result<f64, StatsError> {
        // Zeros add the same to every outcome, so they may stay out of the distribution.
        let (below, above) = tails(&signed_sum_null(&self.doubled)?, self.doubled_plus as u64);
        Ok(match alternative {
            Alternative::Less => below,
            Alternative::Greater => above,
            Alternative::TwoSided => (2.0 * below.min(above)).min(1.0),
        })
    }

    fn asymptotic(&self, continuity: bool, alternative: Alternative) -> f64 {
        let zeros = self.zero_count as f64;
        let used = self.doubled.len() as f64;
        let ranked = if self.zeros == ZeroMethod::Wilcox { used } else { used + zeros };
        let mut mean = ranked * (ranked + 1.0) / 4.0;
        let mut spread = ranked * (ranked + 1.0) * (2.0 * ranked + 1.0);
        if self.zeros == ZeroMethod::Pratt {
            mean -= zeros * (zeros + 1.0) / 4.0;
            spread -= zeros * (zeros + 1.0) * (2.0 * zeros + 1.0);
        }
        let sd = ((spread - 0.5 * self.ties as f64) / 24.0).sqrt();
        let plus = self.doubled_plus as f64 / 2.0 + self.doubled_of_zeros as f64 / 4.0;
        let from_mean = plus - mean;
        let toward = if continuity { 0.5 } else { 0.0 };
        match alternative {
            Alternative::Greater => normal_sf((from_mean - toward) / sd),
            Alternative::Less => normal_sf((-from_mean - toward) / sd),
            Alternative::TwoSided => {
                let distance = if from_mean.abs() > 0.0 { from_mean.abs() - toward } else { 0.0 };
                (2.0 * normal_sf(distance.abs() / sd)).min(1.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negated_differences_swap_the_sides() {
        let d = [1.5, -0.5, 2.0, 0.0, -3.0, 4.0, 4.0];
        let negated: Vec<f64> = d.iter().map(|d| -d).collect();
        for method in [RankMethod::Exact, RankMethod::Asymptotic { continuity: true }] {
            for zeros in [ZeroMethod::Wilcox, ZeroMethod::Pratt, ZeroMethod::Split] {
                let test = signed_rank(&d, zeros, method, Alternative::Greater).unwrap();
                let mirror = signed_rank(&negated, zeros, method, Alternative::Less).unwrap();
                assert!((test.p - mirror.p).abs() < 1e-15);
                assert!((test.w_plus - mirror.w_minus).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn missing_values_are_refused() {
        let exact =
            |d: &[f64]| signed_rank(d, ZeroMethod::Pratt, RankMethod::Exact, Alternative::TwoSided);
        assert_eq!(exact(&[]), Err(StatsError::EmptySample));
        assert_eq!(exact(&[1.0, f64::NAN]), Err(StatsError::NotANumber));
        assert!((exact(&[0.0, 0.0]).unwrap().p - 1.0).abs() < 1e-15);
    }
}
