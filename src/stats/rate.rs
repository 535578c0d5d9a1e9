//! The share of events among rows, and the exact test behind gates on rates and quantiles.

use super::design::{DesignEffect, design_effect};
use super::error::{StatsError, check_open_probability};
use super::outcome::Side;
use super::proportion::clopper_pearson_effective;
use super::quantile_bounds::Estimate;
use super::special::upper_tail;

/// A test of a share against a limit, from both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateTest {
    /// Rows with the event: for a quantile, those above the bound.
    pub exceed: u64,
    /// Rows.
    pub n: u64,
    /// Independent clusters of rows.
    pub clusters: u64,
    /// The design effect of the event.
    pub deff: f64,
    /// Independent rows with the same information.
    pub n_eff: f64,
    /// P-value of "the true share is within the limit": small means the criterion fails.
    pub p_not_met: f64,
    /// P-value of "the true share is beyond the limit": small means the criterion is met.
    pub p_met: f64,
}

/// Tests "the `p`-quantile is at most `bound`" by counting the rows above `bound`.
///
/// The claim holds exactly when at most a share of 1 - `p` of all requests exceeds the bound.
/// For independent rows `p_met <= 1 - confidence` iff the order-statistic upper bound of
/// [`crate::stats::quantile_bounds`] is at most `bound`. Rows are (value, cluster); a failed
/// request is +infinity. `confidence` matters only where clusters are few.
pub fn quantile_gate(
    values: &[(f64, u64)],
    p: f64,
    bound: f64,
    confidence: f64,
) -> Result<GateTest, StatsError> {
    check_open_probability(p)?;
    if bound.is_nan() || values.iter().any(|(x, _)| x.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    let effect = design_effect(values.iter().map(|(x, c)| (*x > bound, *c)), confidence)?;
    Ok(binomial_gate(&effect, p, 1.0 - p))
}

/// Tests "the share of events is at most `limit`" on rows of (event, cluster).
pub fn rate_gate(
    rows: &[(bool, u64)],
    limit: f64,
    confidence: f64,
) -> Result<GateTest, StatsError> {
    check_open_probability(limit)?;
    let effect = design_effect(rows.iter().copied(), confidence)?;
    Ok(binomial_gate(&effect, 1.0 - limit, limit))
}

/// Both binomial tails at the effective counts; `limit` and its complement are given apart, so
/// that neither is a rounded difference where the caller knows it exactly.
fn binomial_gate(effect: &DesignEffect, complement: f64, limit: f64) -> GateTest {
    let exceed = effect.events_eff();
    GateTest {
        exceed: effect.events,
        n: effect.n,
        clusters: effect.clusters,
        deff: effect.deff,
        n_eff: effect.n_eff,
        p_not_met: upper_tail(exceed, effect.n_eff, limit),
        p_met: upper_tail(effect.n_eff - exceed, effect.n_eff, complement),
    }
}

/// The share of events among rows of (event, cluster), with one-sided Clopper-Pearson bounds at
/// the effective counts (Korn and Graubard 1998).
pub fn rate_bounds(rows: &[(bool, u64)], confidence: f64) -> Result<Estimate, StatsError> {
    let effect = design_effect(rows.iter().copied(), confidence)?;
    let (k, n) = (effect.events_eff(), effect.n_eff);
    Ok(Estimate {
        value: effect.events as f64 / effect.n as f64,
        low: clopper_pearson_effective(k, n, confidence, Side::Lower)?.low,
        high: clopper_pearson_effective(k, n, confidence, Side::Upper)?.high,
        n: effect.n,
        clusters: effect.clusters,
        n_eff: effect.n_eff,
        deff: effect.deff,
    })
}

#[cfg(test)]
mod tests {
    use super::super::special::{binomial_pmf, lower_tail};
    use super::super::{quantile_bounds, sorted};
    use super::*;

    fn singletons(values: &[f64]) -> Vec<(f64, u64)> {
        values.iter().copied().zip(0..).collect()
    }

    #[test]
    fn counting_exceedances_and_bounding_the_quantile_decide_alike() {
        let values: Vec<f64> = (0..700).map(|i| f64::from(i * 7919 % 1009)).collect();
        let bounds = quantile_bounds(&sorted(&values).unwrap(), 0.95, 0.95).unwrap();
        for bound in 900..1009 {
            let bound = f64::from(bound);
            let gate = quantile_gate(&singletons(&values), 0.95, bound, 0.95).unwrap();
            assert_eq!(gate.p_met <= 0.05 + 1e-12, bounds.high <= bound, "{bound} {gate:?}");
            assert_eq!(gate.p_not_met <= 0.05 + 1e-12, bounds.low > bound, "{bound} {gate:?}");
        }
    }

    #[test]
    fn the_rule_of_three_holds_for_requests_without_errors() {
        let rows: Vec<(bool, u64)> = (0..2995).map(|i| (false, i)).collect();
        let bounds = rate_bounds(&rows, 0.95).unwrap();
        assert!(bounds.high < 0.001 && bounds.low <= 0.0, "{bounds:?}");
        let fewer = rate_bounds(&rows[..2994], 0.95).unwrap();
        assert!(fewer.high > 0.001, "{fewer:?}");
        assert!(rate_gate(&rows, 0.001, 0.95).unwrap().p_met < 0.05);
    }

    #[test]
    fn errors_that_come_in_bursts_weaken_the_evidence() {
        let burst: Vec<(bool, u64)> = (0..3000).map(|i| (i < 20, i / 10)).collect();
        let spread: Vec<(bool, u64)> = (0..3000).map(|i| (i % 150 == 0, i / 10)).collect();
        let (burst, spread) =
            (rate_bounds(&burst, 0.95).unwrap(), rate_bounds(&spread, 0.95).unwrap());
        assert!((burst.value - spread.value).abs() < 1e-15);
        assert!(burst.high > spread.high && burst.low < spread.low);
        assert!(spread.deff < 1.1 && burst.deff > 9.0, "{} {}", spread.deff, burst.deff);
    }

    #[test]
    fn the_tails_of_a_gate_overlap_in_the_observed_count_alone() {
        let rows: Vec<(bool, u64)> = (0..500).map(|i| (i < 7, i)).collect();
        let gate = rate_gate(&rows, 0.01, 0.95).unwrap();
        let point = binomial_pmf(7, 500, 0.01);
        assert!((gate.p_met + gate.p_not_met - 1.0 - point).abs() < 1e-12);
        assert!((gate.p_met - lower_tail(7.0, 500.0, 0.01)).abs() < 1e-12);
    }
}
