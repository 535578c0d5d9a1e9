//! Durations of which some are known only to exceed a time, such as requests still in flight
//! when a replay stopped.

use super::error::{StatsError, check_columns, check_probability};

/// One step of the curve: the share that lasts longer than `time`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalStep {
    /// A time at which at least one event was seen.
    pub time: f64,
    /// The estimated share that lasts longer.
    pub survival: f64,
    /// Greenwood's standard error (1926) of `survival`; absent where the curve reaches zero.
    pub se: Option<f64>,
}

/// The product-limit curve of Kaplan and Meier (1958).
#[derive(Debug, Clone, PartialEq)]
pub struct SurvivalCurve {
    /// Steps in ascending time.
    pub steps: Vec<SurvivalStep>,
    /// Rows.
    pub n: u64,
    /// Rows whose event was seen.
    pub events: u64,
}

/// Estimates how long durations last; `ended` says whether a row's end was seen or only that it
/// lasted at least so long (right-censored).
///
/// Censoring must say nothing about the duration. A failed request is not censored: it never
/// gives a usable answer and counts as +infinity in the other estimates.
pub fn kaplan_meier(time: &[f64], ended: &[bool]) -> Result<SurvivalCurve, StatsError> {
    check_columns(time.len(), ended.len())?;
    if time.iter().any(|t| t.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    let mut rows: Vec<(f64, bool)> = time.iter().copied().zip(ended.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut at_risk = rows.len() as f64;
    let (mut survival, mut greenwood) = (1.0, 0.0);
    let mut steps = Vec::new();
    for group in rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let events = group.iter().filter(|(_, ended)| *ended).count() as f64;
        if events > 0.0 {
            survival *= 1.0 - events / at_risk;
            greenwood += events / (at_risk * (at_risk - events));
            let time = group.first().map_or(f64::NAN, |(time, _)| *time);
            let se = (at_risk > events).then(|| survival * f64::sqrt(greenwood));
            steps.push(SurvivalStep { time, survival, se });
        }
        at_risk -= group.len() as f64;
    }
    let events = ended.iter().filter(|ended| **ended).count() as u64;
    Ok(SurvivalCurve { steps, n: time.len() as u64, events })
}

impl SurvivalCurve {
    /// The `p`-quantile: the first time by which a share of at least `p` has ended. Absent where
    /// the curve does not get so far.
    pub fn quantile(&self, p: f64) -> Result<Option<f64>, StatsError> {
        check_probability(p)?;
        // The product of many factors may miss a whole share by rounding alone.
        let reached = |step: &&SurvivalStep| 1.0 - step.survival >= p - 1e-12;
        Ok(self.steps.iter().find(reached).map(|step| step.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_censoring_the_quantile_is_that_of_the_sample() {
        let time: Vec<f64> = (0..97).map(|i| f64::from(i * 31 % 97)).collect();
        let curve = kaplan_meier(&time, &[true; 97]).unwrap();
        let sample = super::super::sorted(&time).unwrap();
        for p in [0.1, 0.5, 0.9, 0.99] {
            let plain = super::super::type1(&sample, p).unwrap();
            assert_eq!(curve.quantile(p).unwrap().map(f64::to_bits), Some(plain.to_bits()));
        }
    }

    #[test]
    fn a_curve_that_ends_early_has_no_late_quantiles() {
        let curve = kaplan_meier(&[1.0, 2.0, 3.0], &[true, false, false]).unwrap();
        assert_eq!(curve.quantile(0.3).unwrap(), Some(1.0));
        assert_eq!(curve.quantile(0.9).unwrap(), None);
        assert_eq!(
            kaplan_meier(&[1.0], &[]),
            Err(StatsError::LengthMismatch { left: 1, right: 0 })
        );
    }
}
