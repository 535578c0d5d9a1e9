//! The difference of two independent proportions, such as the error rates of two arms that saw
//! different requests. Where both saw the same ones, use [`super::super::tango_interval`].

use super::super::error::{StatsError, check_confidence};
use super::super::outcome::Side;
use super::super::proportion::{Interval, ProportionMethod, proportion_interval};
use super::super::special::{normal_cdf, normal_isf};

/// How the interval of p1 - p2 is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceMethod {
    /// Newcombe's hybrid of two Wilson intervals (1998, method 10): for display.
    Newcombe,
    /// Agresti and Caffo (2000): Wald's after adding one event and one non-event to each sample.
    AgrestiCaffo,
    /// The score interval of Miettinen and Nurminen (1985): for gates, because it is the
    /// inversion of [`score_test`].
    MiettinenNurminen,
}

/// Whether the variance of the score is inflated for small samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreVariance {
    /// As it is (Farrington and Manning 1990).
    FarringtonManning,
    /// Times N / (N - 1) (Miettinen and Nurminen 1985).
    MiettinenNurminen,
}

/// The score test of a difference, with the proportions that are most likely at the margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreTest {
    /// Standard normal at the margin; negative where p1 - p2 is below it.
    pub z: f64,
    /// P-value of "p1 - p2 is at least the margin": small means that it is less.
    pub p: f64,
    /// The first proportion, by maximum likelihood with p1 - p2 held at the margin.
    pub p1: f64,
    /// The second proportion likewise.
    pub p2: f64,
}

/// Tests "p1 - p2 >= `margin`" after `k1` of `n1` and `k2` of `n2` events.
///
/// With `p1` the candidate's error rate, a small p-value means: not worse by the margin.
/// Without events in either sample and a margin of 0 there is no evidence: z = 0.
pub fn score_test(
    (k1, n1): (u64, u64),
    (k2, n2): (u64, u64),
    margin: f64,
    variance: ScoreVariance,
) -> Result<ScoreTest, StatsError> {
    let table = Table::new((k1, n1), (k2, n2))?;
    if !(margin > -1.0 && margin < 1.0) {
        return Err(StatsError::ParameterOutOfRange { name: "margin", value: margin });
    }
    let (p1, p2) = table.constrained(margin);
    let z = table.z(margin, variance);
    Ok(ScoreTest { z, p: normal_cdf(z), p1, p2 })
}

/// The two-sided interval of p1 - p2 at level `confidence`.
///
/// At 1 - 2 alpha its ends are the one-sided bounds of level 1 - alpha.
pub fn difference_interval(
    (k1, n1): (u64, u64),
    (k2, n2): (u64, u64),
    confidence: f64,
    method: DifferenceMethod,
) -> Result<Interval, StatsError> {
    check_confidence(confidence)?;
    let table = Table::new((k1, n1), (k2, n2))?;
    match method {
        DifferenceMethod::Newcombe => {
            let wilson = |k, n| {
                proportion_interval(k, n, confidence, Side::TwoSided, ProportionMethod::Wilson)
            };
            Ok(table.newcombe(wilson(k1, n1)?, wilson(k2, n2)?))
        }
        DifferenceMethod::AgrestiCaffo => Ok(table.agresti_caffo(confidence)),
        DifferenceMethod::MiettinenNurminen => {
            let z = normal_isf((1.0 - confidence) / 2.0);
            Ok(Interval { low: table.score_end(-1.0, z), high: table.score_end(1.0, z) })
        }
    }
}

/// Counts as numbers.
struct Table {
    k1: f64,
    n1: f64,
    k2: f64,
    n2: f64,
}

impl Table {
    fn new((k1, n1): (u64, u64), (k2, n2): (u64, u64)) -> Result<Self, StatsError> {
        for (k, n) in [(k1, n1), (k2, n2)] {
            if n == 0 {
                return Err(StatsError::EmptySample);
            }
            if k > n {
                return Err(StatsError::CountExceedsTotal { count: k as f64, total: n as f64 });
            }
        }
        Ok(Self { k1: k1 as f64, n1: n1 as f64, k2: k2 as f64, n2: n2 as f64 })
    }

    fn newcombe(&self, first: Interval, second: Interval) -> Interval {
        let (p1, p2) = (self.k1 / self.n1, self.k2 / self.n2);
        let below = (p1 - first.low).hypot(second.high - p2);
        let above = (first.high - p1).hypot(p2 - second.low);
        Interval { low: p1 - p2 - below, high: p1 - p2 + above }
    }

    fn agresti_caffo(&self, confidence: f64) -> Interval {
        let p1 = (self.k1 + 1.0) / (self.n1 + 2.0);
        let p2 = (self.k2 + 1.0) / (self.n2 + 2.0);
        let variance = p1 * (1.0 - p1) / (self.n1 + 2.0) + p2 * (1.0 - p2) / (self.n2 + 2.0);
        let reach = normal_isf((1.0 - confidence) / 2.0) * variance.sqrt();
        Interval { low: p1 - p2 - reach, high: p1 - p2 + reach }
    }

    fn z(&self, margin: f64, variance: ScoreVariance) -> f64 {
        let (p1, p2) = self.constrained(margin);
        let inflation = match variance {
            ScoreVariance::FarringtonManning => 1.0,
            ScoreVariance::MiettinenNurminen => (self.n1 + self.n2) / (self.n1 + self.n2 - 1.0),
        };
        let spread = (p1 * (1.0 - p1) / self.n1 + p2 * (1.0 - p2) / self.n2) * inflation;
        let distance = self.k1 / self.n1 - self.k2 / self.n2 - margin;
        if spread > 0.0 {
            distance / spread.sqrt()
        } else if distance.abs() <= f64::EPSILON {
            0.0
        } else {
            f64::INFINITY.copysign(distance)
        }
    }

    /// The proportions of largest likelihood among those with p1 - p2 = `difference`: the root
    /// of the likelihood equation, which falls in p2, or the end of the range.
    ///
    /// Solved by bisection rather than by the trigonometric form of the cubic, which loses half
    /// of its digits near the ends.
    fn constrained(&self, difference: f64) -> (f64, f64) {
        let (mut low, mut high) = ((-difference).max(0.0), (1.0 - difference).min(1.0));
        let slope = |p2: f64| {
            let p1 = p2 + difference;
            share(self.k1, p1) - share(self.n1 - self.k1, 1.0 - p1) + share(self.k2, p2)
                - share(self.n2 - self.k2, 1.0 - p2)
        };
        let width = high - low;
        for step in 0..200 {
            // The first step looks at the ends, where a sample without events has no root.
            let middle = if step == 0 { low + width * 1e-17 } else { f64::midpoint(low, high) };
            if slope(middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let p2 = f64::midpoint(low, high);
        ((p2 + difference).clamp(0.0, 1.0), p2.clamp(0.0, 1.0))
    }

    /// The end of the score interval towards `far`.
    fn score_end(&self, far: f64, z: f64) -> f64 {
        let mut inside = self.k1 / self.n1 - self.k2 / self.n2;
        let mut outside = far;
        for _ in 0..100 {
            let middle = f64::midpoint(inside, outside);
            if self.z(middle, ScoreVariance::MiettinenNurminen).abs() <= z {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        f64::midpoint(inside, outside)
    }
}

/// `count / p`, nothing where there is nothing to count.
fn share(count: f64, p: f64) -> f64 {
    if count > 0.0 { count / p.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DifferenceMethod::{AgrestiCaffo, MiettinenNurminen, Newcombe};

    #[test]
    fn swapping_the_arms_mirrors_every_interval() {
        for method in [Newcombe, AgrestiCaffo, MiettinenNurminen] {
            for (first, second) in [((3, 90), (0, 120)), ((5, 5), (7, 9)), ((0, 40), (0, 70))] {
                let forward = difference_interval(first, second, 0.9, method).unwrap();
                let backward = difference_interval(second, first, 0.9, method).unwrap();
                assert!((forward.low + backward.high).abs() < 1e-10, "{method:?} {first:?}");
                assert!((forward.high + backward.low).abs() < 1e-10, "{method:?} {first:?}");
            }
        }
    }

    #[test]
    fn the_score_interval_and_the_score_test_agree() {
        let (first, second) = ((12, 400), (9, 380));
        let interval = difference_interval(first, second, 0.9, MiettinenNurminen).unwrap();
        let at_end =
            score_test(first, second, interval.high, ScoreVariance::MiettinenNurminen).unwrap();
        assert!((at_end.p - 0.05).abs() < 1e-9, "{at_end:?}");
    }

    #[test]
    fn the_constrained_proportions_solve_the_likelihood_equation() {
        let test = score_test((56, 70), (48, 80), 0.01, ScoreVariance::FarringtonManning).unwrap();
        let score =
            56.0 / test.p1 - 14.0 / (1.0 - test.p1) + 48.0 / test.p2 - 32.0 / (1.0 - test.p2);
        assert!(score.abs() < 1e-9, "{score}");
    }

    #[test]
    fn impossible_tables_are_refused() {
        assert!(score_test((3, 2), (0, 1), 0.0, ScoreVariance::FarringtonManning).is_err());
        assert_eq!(
            difference_interval((0, 0), (0, 1), 0.9, Newcombe),
            Err(StatsError::EmptySample)
        );
        let none = score_test((0, 9), (0, 9), 0.0, ScoreVariance::FarringtonManning).unwrap();
        assert!(none.z.abs() < 1e-15);
    }
}
