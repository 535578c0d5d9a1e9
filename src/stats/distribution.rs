//! The shape of a sample, reduced to what a chart can show.

use super::error::StatsError;
use super::quantile::type1;

/// The five quantiles of a box plot, all of type 1 and so perhaps +infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxStats {
    /// The 5th percentile.
    pub p05: f64,
    /// The first quartile.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// The third quartile.
    pub p75: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// Rows.
    pub n: u64,
}

/// The box-plot quantiles of an ascending sample.
pub fn box_stats(sorted: &[f64]) -> Result<BoxStats, StatsError> {
    Ok(BoxStats {
        p05: type1(sorted, 0.05)?,
        p25: type1(sorted, 0.25)?,
        p50: type1(sorted, 0.5)?,
        p75: type1(sorted, 0.75)?,
        p95: type1(sorted, 0.95)?,
        p99: type1(sorted, 0.99)?,
        n: sorted.len() as u64,
    })
}

/// At most `max_points` corners (value, cumulative share) of the empirical distribution function
/// of an ascending sample, evenly spaced in rank, first and last value included.
///
/// Infinite values have no place on an axis: they count in the shares but give no point, so a
/// curve with failures ends below 1.
pub fn ecdf_points(sorted: &[f64], max_points: usize) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let finite = sorted.partition_point(|x| *x < f64::INFINITY);
    let steps = max_points.min(finite);
    let last_step = steps.saturating_sub(1).max(1);
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(steps);
    for step in 0..steps {
        let at = if steps == 1 { finite - 1 } else { step * (finite - 1) / last_step };
        let Some(value) = sorted.get(at).copied().filter(|x| x.is_finite()) else { continue };
        let share = sorted.partition_point(|x| *x <= value) as f64 / n as f64;
        match points.last_mut() {
            Some(last) if last.0.total_cmp(&value).is_eq() => last.1 = share,
            _ => points.push((value, share)),
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_with_failures_ends_below_one() {
        let points = ecdf_points(&[1.0, 2.0, 2.0, f64::INFINITY], 10);
        assert_eq!(points, vec![(1.0, 0.25), (2.0, 0.75)]);
    }

    #[test]
    fn a_long_sample_is_thinned_but_keeps_its_ends() {
        let sample: Vec<f64> = (0..100_000).map(f64::from).collect();
        let points = ecdf_points(&sample, 50);
        assert_eq!(points.len(), 50);
        assert_eq!(points.first().map(|p| p.0.to_bits()), Some(0.0_f64.to_bits()));
        assert_eq!(points.last().copied(), Some((99_999.0, 1.0)));
        assert!(points.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
    }

    #[test]
    fn nothing_to_show_gives_no_points() {
        assert!(ecdf_points(&[], 10).is_empty());
        assert!(ecdf_points(&[f64::INFINITY], 10).is_empty());
        assert!(ecdf_points(&[1.0], 0).is_empty());
        assert_eq!(box_stats(&[]), Err(StatsError::EmptySample));
    }
}
