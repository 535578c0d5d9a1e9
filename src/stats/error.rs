//! Why an estimate cannot be computed.

/// A sample or a parameter for which a statistic is not defined.
///
/// No variant carries a value of the sample; only counts and parameters appear in messages.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum StatsError {
    /// The sample has no values.
    #[error("the sample is empty")]
    EmptySample,
    /// A value is NaN; missing values must be removed and counted by the caller.
    #[error("the sample contains a value that is not a number")]
    NotANumber,
    /// A value is infinite where only finite values have a meaning (means, totals).
    #[error("the sample contains an infinite value, which has no mean")]
    NotFinite,
    /// A value is negative where durations or amounts are expected.
    #[error("the sample contains a negative value")]
    NegativeValue,
    /// A weight is negative or not finite, or all weights are zero.
    #[error("weights must be finite, not negative and not all zero")]
    WeightOutOfRange,
    /// A count is larger than the total that it is a part of.
    #[error("a count of {count} exceeds its total of {total}")]
    CountExceedsTotal {
        /// The part.
        count: f64,
        /// The whole.
        total: f64,
    },
    /// Two columns that belong together differ in length.
    #[error("columns of {left} and {right} values cannot be paired")]
    LengthMismatch {
        /// Length of the first column.
        left: usize,
        /// Length of the second column.
        right: usize,
    },
    /// A confidence level outside the open interval (0, 1).
    #[error("confidence must lie between 0 and 1, both excluded; it is {0}")]
    ConfidenceOutOfRange(f64),
    /// A probability, rate or quantile level outside its range.
    #[error("a probability must lie between 0 and 1; it is {0}")]
    ProbabilityOutOfRange(f64),
    /// A limit, margin or scale that must be positive (or finite) and is not.
    #[error("the parameter {name} has the unusable value {value}")]
    ParameterOutOfRange {
        /// The parameter's name.
        name: &'static str,
        /// The value given.
        value: f64,
    },
    /// The cluster-robust variance is not usable with so few independent units.
    #[error("{clusters} independent clusters are too few; at least {needed} are needed")]
    TooFewClusters {
        /// Clusters in the sample.
        clusters: u64,
        /// The least number with which the method works.
        needed: u64,
    },
    /// Fewer values (or samples, or strata) than the method needs.
    #[error("{values} values are too few; at least {needed} are needed")]
    TooFewValues {
        /// Values in the sample.
        values: usize,
        /// The least number with which the method works.
        needed: usize,
    },
    /// All values are equal where the method needs some spread.
    #[error("all values are equal")]
    AllEqual,
    /// The exact distribution would take too long; the asymptotic form answers.
    #[error("the sample is too large for the exact method; use the asymptotic one")]
    TooLargeForExact,
    /// The denominator of a ratio is zero.
    #[error("the total in the denominator is zero")]
    ZeroDenominator,
    /// A planning question whose answer is beyond any feasible replay.
    #[error("more than {limit} requests would be needed")]
    SampleTooLarge {
        /// The largest number that is searched.
        limit: u64,
    },
}

/// Refuses a confidence level outside (0, 1).
pub(super) fn check_confidence(confidence: f64) -> Result<(), StatsError> {
    if confidence > 0.0 && confidence < 1.0 {
        Ok(())
    } else {
        Err(StatsError::ConfidenceOutOfRange(confidence))
    }
}

/// Refuses a probability outside the open interval (0, 1).
pub(super) fn check_open_probability(p: f64) -> Result<(), StatsError> {
    if p > 0.0 && p < 1.0 { Ok(()) } else { Err(StatsError::ProbabilityOutOfRange(p)) }
}

/// Refuses a probability outside the closed interval [0, 1].
pub(super) fn check_probability(p: f64) -> Result<(), StatsError> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(StatsError::ProbabilityOutOfRange(p)) }
}

/// Refuses columns of different length and empty ones.
pub(super) fn check_columns(left: usize, right: usize) -> Result<(), StatsError> {
    if left != right {
        return Err(StatsError::LengthMismatch { left, right });
    }
    if left == 0 { Err(StatsError::EmptySample) } else { Ok(()) }
}

/// Refuses values without a mean: NaN and infinities.
pub(super) fn check_finite(values: &[f64]) -> Result<(), StatsError> {
    if values.iter().any(|x| x.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    if values.iter().any(|x| x.is_infinite()) { Err(StatsError::NotFinite) } else { Ok(()) }
}
