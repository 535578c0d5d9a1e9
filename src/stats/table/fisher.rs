//! Fisher's exact test of a two-by-two table.

use super::super::error::StatsError;
use super::super::outcome::Alternative;
use super::super::special::binomial_pmf;

/// The most outcomes that are summed.
const MOST_OUTCOMES: u64 = 50_000_000;

/// Fisher's exact test (1935) of [[a, b], [c, d]].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fisher {
    /// a d / (b c); +infinity where only the denominator is zero, NaN where a margin is empty.
    pub odds_ratio: f64,
    /// P-value of "rows and columns are independent"; 1 where a margin is empty.
    pub p: f64,
}

/// Tests whether the odds of the first row are greater (less, different) than those of the
/// second; the table is row by row.
///
/// Two-sided: the sum over all tables that are not more likely than the one seen, up to a
/// relative 1e-7, as in R. `statrs` 0.19 takes 1e-4 there and reaches only six digits.
pub fn fisher_exact(table: [u64; 4], alternative: Alternative) -> Result<Fisher, StatsError> {
    let [a, b, c, d] = table;
    let (row, other, column) = (a + b, c + d, a + c);
    let odds_ratio = (a as f64 * d as f64) / (b as f64 * c as f64);
    if row == 0 || other == 0 || column == 0 || b + d == 0 {
        return Ok(Fisher { odds_ratio: f64::NAN, p: 1.0 });
    }
    let (first, last) = (column.saturating_sub(other), row.min(column));
    if last - first > MOST_OUTCOMES {
        return Err(StatsError::TooLargeForExact);
    }
    let share = column as f64 / (row + other) as f64;
    let whole = binomial_pmf(column, row + other, share);
    // The hypergeometric probability as a quotient of three binomial ones (Loader 2000).
    let probability =
        |x: u64| binomial_pmf(x, row, share) * binomial_pmf(column - x, other, share) / whole;
    let seen = probability(a) * (1.0 + 1e-7);
    let p = match alternative {
        Alternative::Less => sum_from_small((first..=a).map(probability)),
        Alternative::Greater => sum_from_small((a..=last).rev().map(probability)),
        Alternative::TwoSided => {
            let unlikely = |p: &f64| *p <= seen;
            sum_from_small((first..=last).map(probability).filter(unlikely))
        }
    };
    Ok(Fisher { odds_ratio, p: p.min(1.0) })
}

fn sum_from_small(terms: impl Iterator<Item = f64>) -> f64 {
    super::super::sum::compensated_sum(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lady_tasting_tea_is_right_by_chance_once_in_seventy() {
        let test = fisher_exact([4, 0, 0, 4], Alternative::Greater).unwrap();
        assert!((test.p - 1.0 / 70.0).abs() < 1e-14 && test.odds_ratio.is_infinite());
        let both = fisher_exact([4, 0, 0, 4], Alternative::TwoSided).unwrap();
        assert!((both.p - 2.0 / 70.0).abs() < 1e-14);
    }

    #[test]
    fn tables_beyond_reach_are_refused() {
        let huge = [100_000_000; 4];
        assert_eq!(fisher_exact(huge, Alternative::Less), Err(StatsError::TooLargeForExact));
    }
}
