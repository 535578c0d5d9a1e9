//! The limiting distribution of the two-sided Kolmogorov-Smirnov statistic.

use std::f64::consts::PI;

/// P(K > z) for Kolmogorov's distribution (1933); 1 for z <= 0.
///
/// Left of 1 by the theta-function form, right of it by the alternating series: each needs a
/// handful of terms there, and neither loses digits in its tail.
pub fn kolmogorov_sf(z: f64) -> f64 {
    if z.is_nan() || z <= 0.0 {
        return if z.is_nan() { f64::NAN } else { 1.0 };
    }
    if z < 1.0 {
        let base = -PI * PI / (8.0 * z * z);
        let sum: f64 = (0..20).map(|j| (base * f64::from(2 * j + 1).powi(2)).exp()).sum();
        return 1.0 - (2.0 * PI).sqrt() / z * sum;
    }
    let term = |j: i32| (-2.0 * f64::from(j * j) * z * z).exp();
    2.0 * (1..20).map(|j| if j % 2 == 1 { term(j) } else { -term(j) }).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_meet_at_one() {
        let (left, right) = (kolmogorov_sf(1.0 - 1e-12), kolmogorov_sf(1.0));
        assert!((left - right).abs() < 1e-11, "{left} {right}");
        assert!(kolmogorov_sf(f64::NAN).is_nan() && kolmogorov_sf(-1.0) >= 1.0);
    }
}
