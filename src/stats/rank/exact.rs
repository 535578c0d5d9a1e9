//! Exact null distributions of rank statistics, all by recursions with positive terms only, so
//! that the smallest tail keeps its digits.

use super::super::error::StatsError;

/// The most steps that an exact distribution may take: about a tenth of a second.
const MOST_STEPS: u128 = 100_000_000;

/// P(U = u) for u = 0..=m n, without ties: Mann and Whitney's recursion (1947) on probabilities.
pub(super) fn mann_whitney_null(m: u64, n: u64) -> Result<Vec<f64>, StatsError> {
    let (m, n) = (m as usize, n as usize);
    let most = m as u128 * n as u128;
    check_steps(most.saturating_mul(most))?;
    let most = m * n;
    // Row i of the recursion, indexed by j: the distribution for sizes (i, j).
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for i in 1..=m {
        let mut previous = vec![1.0];
        for (j, upper) in row.iter_mut().enumerate().skip(1) {
            let (i, size) = (i as f64, j as f64);
            let mut next = vec![0.0; (i * size) as usize + 1];
            // The largest value is one of the first sample, above all j of the second ...
            for (u, p) in upper.iter().enumerate() {
                next[u + j] += p * i / (i + size);
            }
            // ... or one of the second, above which nothing counts.
            for (u, p) in previous.iter().enumerate() {
                next[u] += p * size / (i + size);
            }
            upper.clone_from(&next);
            previous = next;
        }
    }
    let null = row.pop().unwrap_or_default();
    debug_assert_eq!(null.len(), most + 1);
    Ok(null)
}

/// (P(S <= s), P(S >= s)) for the sum S of `drawn` doubled mid-ranks out of all, where each group
/// is (values, doubled mid-rank): every choice is equally likely.
pub(super) fn subset_tails(
    groups: &[(u64, u64)],
    drawn: u64,
    sum: u64,
) -> Result<(f64, f64), StatsError> {
    let largest: u64 = groups.iter().map(|(size, rank)| size * rank).sum();
    let total: u64 = groups.iter().map(|(size, _)| size).sum();
    check_steps(u128::from(total) * u128::from(drawn) * u128::from(largest))?;
    let (width, rows) = (largest as usize + 1, drawn as usize + 1);
    let mut ways = vec![0.0; width * rows];
    ways[0] = 1.0;
    for (size, rank) in groups {
        let mut next = vec![0.0; width * rows];
        for taken in 0..=(*size).min(drawn) {
            let factor = choose(*size, taken);
            let shift = (taken * rank) as usize;
            for row in 0..rows - taken as usize {
                let from = &ways[row * width..(row + 1) * width];
                let at = (row + taken as usize) * width;
                for (s, count) in from.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                    next[at + s + shift] += count * factor;
                }
            }
        }
        ways = next;
    }
    let last = &ways[(rows - 1) * width..];
    let all: f64 = last.iter().sum();
    let below: f64 = last.iter().take(sum as usize + 1).sum();
    let above: f64 = last.iter().skip(sum as usize).sum();
    Ok((below / all, above / all))
}

/// P(S = s) for the sum S of the ranks with a positive sign, each sign being a fair coin.
pub(super) fn signed_sum_null(ranks: &[u64]) -> Result<Vec<f64>, StatsError> {
    let largest: u64 = ranks.iter().sum();
    check_steps(u128::from(largest) * ranks.len() as u128)?;
    let mut null = vec![0.0; largest as usize + 1];
    null[0] = 1.0;
    let mut reach = 0;
    for rank in ranks {
        let rank = *rank as usize;
        reach += rank;
        for s in (0..=reach).rev() {
            let with = if s >= rank { null[s - rank] } else { 0.0 };
            null[s] = 0.5 * (null[s] + with);
        }
    }
    Ok(null)
}

/// (P(S <= s), P(S >= s)) of a distribution over 0, 1, 2, ...
pub(super) fn tails(null: &[f64], s: u64) -> (f64, f64) {
    let below: f64 = null.iter().take(s as usize + 1).sum();
    let above: f64 = null.iter().skip(s as usize).rev().sum();
    (below.min(1.0), above.min(1.0))
}

fn choose(n: u64, k: u64) -> f64 {
    (0..k).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64)
}

fn check_steps(steps: u128) -> Result<(), StatsError> {
    if steps > MOST_STEPS { Err(StatsError::TooLargeForExact) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_against_three_have_ten_orders() {
        let null = mann_whitney_null(2, 3).unwrap();
        let counts: Vec<f64> = null.iter().map(|p| (p * 10.0).round()).collect();
        assert_eq!(counts, [1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
        assert!((null.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn three_signs_have_eight_outcomes() {
        let null = signed_sum_null(&[1, 2, 3]).unwrap();
        let counts: Vec<f64> = null.iter().map(|p| p * 8.0).collect();
        assert_eq!(counts, [1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn drawing_ranks_without_ties_agrees_with_the_recursion() {
        let groups: Vec<(u64, u64)> = (1..=7).map(|rank| (1, 2 * rank)).collect();
        let null = mann_whitney_null(3, 4).unwrap();
        for u in 0..=12 {
            let (below, above) = subset_tails(&groups, 3, 2 * u + 12).unwrap();
            let (wanted_below, wanted_above) = tails(&null, u);
            assert!((below - wanted_below).abs() < 1e-14 && (above - wanted_above).abs() < 1e-14);
        }
    }

    #[test]
    fn sizes_beyond_reach_are_refused() {
        assert_eq!(mann_whitney_null(1000, 1000), Err(StatsError::TooLargeForExact));
        assert_eq!(signed_sum_null(&[1_000_000; 1000]), Err(StatsError::TooLargeForExact));
    }
}
