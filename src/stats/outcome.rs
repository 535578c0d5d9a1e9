//! The three-way decision about one criterion.

/// Which tail of a distribution a bound leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A lower bound alone; the upper end is open.
    Lower,
    /// An upper bound alone; the lower end is open.
    Upper,
    /// Both ends, each with half of the error.
    TwoSided,
}

impl Side {
    /// The error probabilities left out below and above, zero for an open end.
    pub(super) fn tails(self, confidence: f64) -> (f64, f64) {
        let alpha = 1.0 - confidence;
        match self {
            Side::Lower => (alpha, 0.0),
            Side::Upper => (0.0, alpha),
            Side::TwoSided => (alpha / 2.0, alpha / 2.0),
        }
    }
}

/// Which deviation from the hypothesis a test looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// The true value is less, or the first sample tends to be.
    Less,
    /// The true value is greater, or the first sample tends to be.
    Greater,
    /// The true value differs in either direction.
    TwoSided,
}

/// Which way a criterion bounds its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The metric must not exceed the limit (latency, errors, cost).
    AtMost,
    /// The metric must not fall below the limit (coverage, success rate).
    AtLeast,
}

/// What the evidence says about a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Even the unfavourable confidence bound is within the limit.
    Met,
    /// Even the favourable confidence bound is beyond the limit.
    NotMet,
    /// The interval contains the limit, or a number is missing.
    Inconclusive,
}

/// Decides a criterion from its two one-sided bounds; a point estimate never decides.
///
/// `AtMost`: met iff `high <= limit`, not met iff `low > limit`. `AtLeast` is the mirror image.
/// A NaN anywhere, or bounds in the wrong order, is inconclusive.
pub fn decide(low: f64, high: f64, limit: f64, direction: Direction) -> Decision {
    let ordered = low <= high;
    let (met, not_met) = match direction {
        Direction::AtMost => (high <= limit, low > limit),
        Direction::AtLeast => (low >= limit, high < limit),
    };
    match (ordered, met, not_met) {
        (true, true, false) => Decision::Met,
        (true, false, true) => Decision::NotMet,
        _ => Decision::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{AtLeast, AtMost};

    #[test]
    fn a_criterion_is_met_only_when_the_unfavourable_bound_is_within_the_limit() {
        assert_eq!(decide(1.0, 2.0, 2.0, AtMost), Decision::Met);
        assert_eq!(decide(1.0, 2.1, 2.0, AtMost), Decision::Inconclusive);
        assert_eq!(decide(2.0, 3.0, 2.0, AtMost), Decision::Inconclusive);
        assert_eq!(decide(2.1, 3.0, 2.0, AtMost), Decision::NotMet);
        assert_eq!(decide(2.0, 3.0, 2.0, AtLeast), Decision::Met);
        assert_eq!(decide(1.0, 2.0, 2.0, AtLeast), Decision::Inconclusive);
        assert_eq!(decide(1.0, 1.9, 2.0, AtLeast), Decision::NotMet);
    }

    #[test]
    fn infinite_bounds_never_meet_a_finite_limit() {
        assert_eq!(decide(5.0, f64::INFINITY, 1e9, AtMost), Decision::Inconclusive);
        assert_eq!(decide(f64::INFINITY, f64::INFINITY, 1e9, AtMost), Decision::NotMet);
        assert_eq!(decide(f64::NEG_INFINITY, 1.0, 0.5, AtLeast), Decision::Inconclusive);
    }

    #[test]
    fn a_missing_number_is_inconclusive() {
        let nan = f64::NAN;
        for (low, high, limit) in
            [(nan, 1.0, 2.0), (0.0, nan, 2.0), (0.0, 1.0, nan), (3.0, 1.0, 2.0)]
        {
            assert_eq!(decide(low, high, limit, AtMost), Decision::Inconclusive);
            assert_eq!(decide(low, high, limit, AtLeast), Decision::Inconclusive);
        }
    }
}
