//! The ratio of two totals over the same requests, such as candidate cost to incumbent cost.

use super::design::LEAST_CLUSTERS;
use super::error::{StatsError, check_columns, check_confidence, check_finite};
use super::mean::{check_clusters, critical_value, upper_p_value};
use super::special::normal_isf;
use super::sum::compensated_sum;

/// Above this coefficient of variation of the denominator's mean, bounds follow Fieller.
const UNSTABLE_DENOMINATOR: f64 = 0.1;

/// The ratio sum(y) / sum(x) with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioOfTotals {
    /// sum(y) / sum(x).
    pub ratio: f64,
    /// The linearised (Taylor) standard error, cluster-robust where clusters are given.
    pub se: f64,
    /// The one-sided lower bound.
    pub low: f64,
    /// The one-sided upper bound.
    pub high: f64,
    /// Lower end of the two-sided normal interval `ratio` - z `se` at the same confidence.
    pub wald_low: f64,
    /// Upper end of the two-sided normal interval.
    pub wald_high: f64,
    /// Lower end of Fieller's two-sided interval; absent where it is unbounded.
    pub fieller_low: Option<f64>,
    /// Upper end of Fieller's two-sided interval; absent where it is unbounded.
    pub fieller_high: Option<f64>,
    /// Rows.
    pub n: u64,
    /// Independent clusters of rows.
    pub clusters: u64,
    moments: Moments,
}

/// Means of y and x with the (co)variances of these means.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moments {
    y: f64,
    x: f64,
    var_y: f64,
    var_x: f64,
    cov: f64,
}

/// Estimates sum(`y`) / sum(`x`), paired by row; `cluster` groups rows that depend on each other.
///
/// Linearisation e = y - R x (Cochran 1977, section 6.4); `low` and `high` follow Fieller (1954)
/// where the mean of `x` is known to no better than a tenth. Quantiles of Student's t below 20
/// clusters; below 5 the bounds are infinite, because the variance is not usable, and a single
/// cluster is an error. Rows are put into a fixed order first.
pub fn ratio_of_totals(
    y: &[f64],
    x: &[f64],
    cluster: Option<&[u64]>,
    confidence: f64,
) -> Result<RatioOfTotals, StatsError> {
    check_confidence(confidence)?;
    let rows = ordered_rows(y, x, cluster)?;
    let total_x = compensated_sum(rows.iter().map(|r| r.x));
    if total_x.abs() <= 0.0 {
        return Err(StatsError::ZeroDenominator);
    }
    let ratio = compensated_sum(rows.iter().map(|r| r.y)) / total_x;
    let groups: Vec<&[Row]> = rows.chunk_by(|a, b| a.cluster == b.cluster).collect();
    let clusters = groups.len() as u64;
    if clusters < 2 {
        return Err(StatsError::TooFewClusters { clusters, needed: 2 });
    }
    let inflation = clusters as f64 / (clusters as f64 - 1.0);
    let residual = |group: &&[Row]| {
        let sum = compensated_sum(group.iter().map(|r| r.y - ratio * r.x));
        sum * sum
    };
    let se = (inflation * compensated_sum(groups.iter().map(residual))).sqrt() / total_x.abs();
    let moments = moments(&rows, &groups, inflation);
    let two_sided = normal_isf((1.0 - confidence) / 2.0);
    let fieller = moments.fieller(two_sided);
    let reach = critical_value(1.0 - confidence, clusters);
    let (low, high) = if clusters < LEAST_CLUSTERS {
        (f64::NEG_INFINITY, f64::INFINITY)
    } else if moments.unstable() {
        moments.fieller(reach).unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
    } else {
        (ratio - reach * se, ratio + reach * se)
    };
    Ok(RatioOfTotals {
        ratio,
        se,
        low,
        high,
        wald_low: ratio - two_sided * se,
        wald_high: ratio + two_sided * se,
        fieller_low: fieller.map(|(low, _)| low),
        fieller_high: fieller.map(|(_, high)| high),
        n: rows.len() as u64,
        clusters,
        moments,
    })
}

impl RatioOfTotals {
    /// P-value of "the true ratio is at most `bound`": small means that it is greater. An error
    /// below 5 clusters.
    pub fn p_greater(&self, bound: f64) -> Result<f64, StatsError> {
        check_clusters(self.clusters)?;
        let (distance, se) = self.distance(bound);
        upper_p_value(distance, se, self.clusters)
    }

    /// P-value of "the true ratio is at least `bound`": small means that it is less. An error
    /// below 5 clusters.
    pub fn p_less(&self, bound: f64) -> Result<f64, StatsError> {
        check_clusters(self.clusters)?;
        let (distance, se) = self.distance(bound);
        upper_p_value(-distance, se, self.clusters)
    }

    /// Distance from the bound and its standard error, by the method that made `low` and `high`.
    fn distance(&self, bound: f64) -> (f64, f64) {
        let m = &self.moments;
        if !m.unstable() {
            return (self.ratio - bound, self.se);
        }
        let variance = m.var_y - 2.0 * bound * m.cov + bound * bound * m.var_x;
        ((m.y - bound * m.x) * m.x.signum(), variance.max(0.0).sqrt())
    }
}

impl Moments {
    fn unstable(&self) -> bool {
        self.var_x.sqrt() > UNSTABLE_DENOMINATOR * self.x.abs()
    }

    /// Roots of (y - r x)^2 = q^2 Var(y - r x); bounded only if x differs from 0 by q errors.
    fn fieller(&self, q: f64) -> Option<(f64, f64)> {
        let Self { y, x, var_y, var_x, cov } = *self;
        let q2 = q * q;
        let leading = x * x - q2 * var_x;
        if leading <= 0.0 {
            return None;
        }
        let centre = x * y - q2 * cov;
        // The discriminant, written without the terms of order (x y)^2 that cancel.
        let spread = x * x * var_y - 2.0 * x * y * cov + y * y * var_x;
        let root = (q2 * (spread - q2 * (var_x * var_y - cov * cov))).max(0.0).sqrt();
        Some(((centre - root) / leading, (centre + root) / leading))
    }
}

struct Row {
    cluster: u64,
    x: f64,
    y: f64,
}

fn ordered_rows(y: &[f64], x: &[f64], cluster: Option<&[u64]>) -> Result<Vec<Row>, StatsError> {
    check_columns(y.len(), x.len())?;
    check_finite(y)?;
    check_finite(x)?;
    if let Some(cluster) = cluster {
        check_columns(y.len(), cluster.len())?;
    }
    let pairs = y.iter().zip(x);
    let mut rows: Vec<Row> = match cluster {
        Some(ids) => {
            pairs.zip(ids).map(|((y, x), id)| Row { cluster: *id, x: *x, y: *y }).collect()
        }
        None => pairs.map(|(y, x)| Row { cluster: 0, x: *x, y: *y }).collect(),
    };
    rows.sort_unstable_by(|a, b| {
        a.cluster.cmp(&b.cluster).then(a.x.total_cmp(&b.x)).then(a.y.total_cmp(&b.y))
    });
    if cluster.is_none() {
        // Numbering after sorting keeps the order of sums independent of the input's order.
        for (id, row) in rows.iter_mut().enumerate() {
            row.cluster = id as u64;
        }
    }
    Ok(rows)
}

fn moments(rows: &[Row], groups: &[&[Row]], inflation: f64) -> Moments {
    let n = rows.len() as f64;
    let y = compensated_sum(rows.iter().map(|r| r.y)) / n;
    let x = compensated_sum(rows.iter().map(|r| r.x)) / n;
    let deviations: Vec<(f64, f64)> = groups
        .iter()
        .map(|group| {
            let dy = compensated_sum(group.iter().map(|r| r.y - y));
            let dx = compensated_sum(group.iter().map(|r| r.x - x));
            (dy, dx)
        })
        .collect();
    let scale = inflation / (n * n);
    let mean_of = |f: fn(&(f64, f64)) -> f64| scale * compensated_sum(deviations.iter().map(f));
    Moments {
        y,
        x,
        var_y: mean_of(|(dy, _)| dy * dy),
        var_x: mean_of(|(_, dx)| dx * dx),
        cov: mean_of(|(dy, dx)| dy * dx),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs() -> (Vec<f64>, Vec<f64>) {
        let x: Vec<f64> = (1..=40).map(|i| f64::from(i * 37 % 41) + 5.0).collect();
        let y = x.iter().enumerate().map(|(i, x)| x * 1.1 + (i % 3) as f64).collect();
        (y, x)
    }

    #[test]
    fn the_same_bill_twice_has_ratio_one_without_error() {
        let (_, x) = costs();
        let estimate = ratio_of_totals(&x, &x, None, 0.95).unwrap();
        assert!((estimate.ratio - 1.0).abs() < 1e-15 && estimate.se < 1e-15);
        assert!((estimate.high - 1.0).abs() < 1e-12);
        assert!(estimate.p_greater(1.0).unwrap() >= 0.5);
        assert!(estimate.p_less(1.01).unwrap() < 1e-12);
    }

    #[test]
    fn a_permutation_of_rows_changes_no_bit() {
        let (y, x) = costs();
        let reversed = |v: &[f64]| v.iter().rev().copied().collect::<Vec<f64>>();
        let forward = ratio_of_totals(&y, &x, None, 0.95).unwrap();
        let backward = ratio_of_totals(&reversed(&y), &reversed(&x), None, 0.95).unwrap();
        assert_eq!(forward, backward);
    }

    #[test]
    fn p_values_and_bounds_agree_for_stable_and_unstable_denominators() {
        let (y, mut x) = costs();
        for unstable in [false, true] {
            if unstable {
                x[0] = 900.0;
            }
            let estimate = ratio_of_totals(&y, &x, None, 0.95).unwrap();
            assert_eq!(estimate.moments.unstable(), unstable);
            assert!((estimate.p_greater(estimate.low).unwrap() - 0.05).abs() < 1e-9);
            assert!((estimate.p_less(estimate.high).unwrap() - 0.05).abs() < 1e-9);
        }
    }

    #[test]
    fn four_clusters_bound_nothing() {
        let (y, x) = costs();
        let cluster: Vec<u64> = (0..40).map(|i| i % 4).collect();
        let estimate = ratio_of_totals(&y, &x, Some(&cluster), 0.95).unwrap();
        assert!(estimate.low < f64::MIN && estimate.high > f64::MAX && estimate.ratio > 1.0);
        let refused = StatsError::TooFewClusters { clusters: 4, needed: 5 };
        assert_eq!(estimate.p_greater(1.0), Err(refused));
    }

    #[test]
    fn free_of_charge_has_no_ratio() {
        assert_eq!(
            ratio_of_totals(&[1.0; 6], &[0.0; 6], None, 0.95),
            Err(StatsError::ZeroDenominator)
        );
    }
}
