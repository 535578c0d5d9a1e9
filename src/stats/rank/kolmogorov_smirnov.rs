//! The two-sample Kolmogorov-Smirnov test: the largest gap between two distribution functions.

use super::super::error::StatsError;
use super::super::outcome::Alternative;
use super::super::quantile::sorted;
use super::super::special::kolmogorov_sf;
use super::ties::tie_groups;

/// The most lattice points that the exact form visits.
const MOST_POINTS: usize = 50_000_000;

/// The gap and its p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest gap: of F_x above F_y (`Greater`), below it (`Less`), or either.
    pub d: f64,
    /// P-value of "both samples come from one distribution".
    pub p: f64,
}

/// Tests whether the distribution functions of `x` and `y` differ anywhere.
///
/// `Greater` looks for F_x above F_y, that is for values of `x` that tend to be *smaller*.
/// Exact: the share of lattice paths that reach the gap, given the ties (Hodges 1958, Schröer
/// and Trenkler 1995). Otherwise Kolmogorov's limit, one-sided with the correction of
/// Hodges (1958, formula 5.3).
///
/// The loop of `statrs` 0.19 never ends for identical samples, hence our own.
pub fn kolmogorov_smirnov(
    x: &[f64],
    y: &[f64],
    exact: bool,
    alternative: Alternative,
) -> Result<KolmogorovSmirnov, StatsError> {
    let (x, y) = (sorted(x)?, sorted(y)?);
    let (m, n) = (x.len() as u64, y.len() as u64);
    // Gaps times m n are whole numbers; ends[k] says whether a group of equal values ends there.
    let mut ends = vec![false; if exact { x.len() + y.len() + 1 } else { 0 }];
    let mut gap = 0_i128;
    for group in tie_groups(&x, &y) {
        let (i, j) = (group.x_below + group.x, group.y_below + group.y);
        gap = gap.max(deviation(i, j, m, n, alternative));
        if let Some(end) = ends.get_mut((i + j) as usize) {
            *end = true;
        }
    }
    let d = gap as f64 / (m as f64 * n as f64);
    let p = if gap == 0 {
        1.0
    } else if exact {
        share_of_paths(m, n, gap, &ends, alternative)?
    } else {
        limit(m as f64, n as f64, d, alternative)
    };
    Ok(KolmogorovSmirnov { d, p })
}

/// The gap after `i` values of x and `j` of y, times m n.
fn deviation(i: u64, j: u64, m: u64, n: u64, alternative: Alternative) -> i128 {
    let gap = i128::from(i) * i128::from(n) - i128::from(j) * i128::from(m);
    match alternative {
        Alternative::Greater => gap,
        Alternative::Less => -gap,
        Alternative::TwoSided => gap.abs(),
    }
}

/// The probability that a random order of the values shows a gap of at least `gap`.
///
/// touched(i, j) is that probability given the first i + j values; a path to (i, j) came from
/// (i - 1, j) with probability i / (i + j). All terms are positive, so small results keep their
/// digits.
fn share_of_paths(
    m: u64,
    n: u64,
    gap: i128,
    ends: &[bool],
    alternative: Alternative,
) -> Result<f64, StatsError> {
    let points = (m as usize + 1).saturating_mul(n as usize + 1);
    if points > MOST_POINTS {
        return Err(StatsError::TooLargeForExact);
    }
    let mut touched = vec![0.0_f64; n as usize + 1];
    for i in 0..=m {
        let mut left = 0.0;
        for (j, here) in touched.iter_mut().enumerate() {
            let (j, reached) = (j as u64, (i as usize) + j);
            let ended = ends.get(reached).copied().unwrap_or(false);
            *here = if ended && deviation(i, j, m, n, alternative) >= gap {
                1.0
            } else if reached == 0 {
                0.0
            } else {
                (*here * i as f64 + left * j as f64) / (i + j) as f64
            };
            left = *here;
        }
    }
    Ok(touched.last().copied().unwrap_or(1.0).min(1.0))
}

fn limit(m: f64, n: f64, d: f64, alternative: Alternative) -> f64 {
    let (more, fewer) = (m.max(n), m.min(n));
    let z = (m * n / (m + n)).sqrt() * d;
    let p = if alternative == Alternative::TwoSided {
        kolmogorov_sf(z)
    } else {
        let skew = (more + 2.0 * fewer) / (m * n * (m + n)).sqrt() / 3.0;
        (-2.0 * z * z - 2.0 * z * skew).exp()
    };
    p.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_samples_do_not_differ() {
        for exact in [false, true] {
            let same = kolmogorov_smirnov(&[1.0, 2.0], &[1.0, 2.0], exact, Alternative::TwoSided);
            assert_eq!(same, Ok(KolmogorovSmirnov { d: 0.0, p: 1.0 }));
        }
    }

    #[test]
    fn ties_leave_fewer_orders_to_tell_apart() {
        // Values 1, 1 against 1, 2: of the 6 choices of two rows, 3 put the 2 into x, so a gap
        // of 1/2 in either direction is certain.
        let test = kolmogorov_smirnov(&[1.0, 1.0], &[1.0, 2.0], true, Alternative::TwoSided);
        assert_eq!(test, Ok(KolmogorovSmirnov { d: 0.5, p: 1.0 }));
    }

    #[test]
    fn an_exact_test_of_many_rows_is_refused() {
        let x: Vec<f64> = (0..10_000).map(f64::from).collect();
        let refused = kolmogorov_smirnov(&x, &x[1..], true, Alternative::TwoSided);
        assert_eq!(refused, Err(StatsError::TooLargeForExact));
    }
}
