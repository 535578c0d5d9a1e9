//! The ratio of the same quantile on two arms, by the index bootstrap.

use rand::Rng;

use super::design::{DesignEffect, design_effect};
use super::error::{StatsError, check_confidence, check_open_probability};
use super::quantile::{at_rank, sorted, type1};
use super::quantile_bounds::{outward_lower, outward_upper};
use super::special::binomial_pmf;
use super::sum::compensated_sum;

/// Below this expected number of effective rows on either side of the quantile, ranks are drawn
/// from the exact binomial distribution instead of its normal approximation.
const NORMAL_FROM: f64 = 30.0;

/// One request on both arms; a failure is +infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedValue {
    /// The incumbent's value (of the control arm), not negative.
    pub incumbent: f64,
    /// The candidate's value in the same unit, not negative.
    pub candidate: f64,
    /// The cluster of requests that depend on each other.
    pub cluster: u64,
}

/// The ratio candidate / incumbent of one quantile, with its bootstrap distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioEstimate {
    /// Ratio of the two type 1 quantiles; NaN where both are infinite or both zero.
    pub value: f64,
    /// The one-sided lower bound; 0 where the sample is too small for one.
    pub low: f64,
    /// The one-sided upper bound; +infinity where the sample is too small for one.
    pub high: f64,
    /// Pairs.
    pub n: u64,
    /// Independent clusters of pairs.
    pub clusters: u64,
    /// Design effect of the incumbent's quantile.
    pub deff_incumbent: f64,
    /// Design effect of the candidate's quantile.
    pub deff_candidate: f64,
    /// Independent pairs with the same information, the smaller of the two arms' numbers.
    pub n_eff: f64,
    /// The correlation of "not above the quantile" between the arms that was used for drawing.
    pub correlation: f64,
    lower_draws: Vec<f64>,
    upper_draws: Vec<f64>,
}

impl RatioEstimate {
    /// Bootstrap p-value of "the true ratio is at most `bound`": small means it is greater.
    /// (hits + 1) / (draws + 1), so never zero.
    pub fn p_greater(&self, bound: f64) -> f64 {
        let hits = self.lower_draws.partition_point(|ratio| *ratio <= bound);
        (hits as f64 + 1.0) / (self.lower_draws.len() as f64 + 1.0)
    }

    /// Bootstrap p-value of "the true ratio is greater than `bound`": small means it is not.
    pub fn p_at_most(&self, bound: f64) -> f64 {
        let draws = self.upper_draws.len();
        let hits = draws - self.upper_draws.partition_point(|ratio| *ratio <= bound);
        (hits as f64 + 1.0) / (draws as f64 + 1.0)
    }
}

/// Estimates the ratio of the candidate's to the incumbent's `p`-quantile over `pairs`.
///
/// Index bootstrap after Schultzberg and Ankargren (2022), "Resampling-free bootstrap inference
/// for quantiles", extended to pairs and clusters: instead of resampling rows, the two ranks are
/// drawn from the joint distribution of the two empirical distribution functions at their
/// quantiles, with cluster-robust variances (never below binomial) and correlation.
///
/// Each choice errs to the wide side. A rank beyond the sample is unknown: in the upper bound it
/// is +infinity for the candidate and the largest value for the incumbent, in the lower bound
/// the reverse. Infinity over infinity is not estimable: +infinity in the upper bound, 0 in the
/// lower. With fewer than 30 expected effective rows on a side of the quantile the ranks come
/// from Binomial(n_eff + 1, p), independently between the arms, which is wider than the truth
/// for arms that correlate positively, as arms of the same prompts do.
pub fn quantile_ratio(
    pairs: &[PairedValue],
    p: f64,
    confidence: f64,
    draws: usize,
    rng: &mut impl Rng,
) -> Result<RatioEstimate, StatsError> {
    check_open_probability(p)?;
    check_confidence(confidence)?;
    if draws == 0 {
        return Err(StatsError::ParameterOutOfRange { name: "draws", value: 0.0 });
    }
    if pairs.iter().any(|pair| pair.incumbent < 0.0 || pair.candidate < 0.0) {
        return Err(StatsError::NegativeValue);
    }
    let incumbent = Arm::new(pairs, |pair| pair.incumbent, p, confidence)?;
    let candidate = Arm::new(pairs, |pair| pair.candidate, p, confidence)?;
    let n_eff = incumbent.effect.n_eff.min(candidate.effect.n_eff);
    let normal = n_eff * p.min(1.0 - p) >= NORMAL_FROM;
    let correlation =
        if normal { correlation(pairs, incumbent.quantile, candidate.quantile) } else { 0.0 };
    let ranks = if normal {
        normal_ranks(&incumbent, &candidate, p, correlation, draws, rng)
    } else {
        binomial_ranks(&incumbent, &candidate, p, draws, rng)
    };
    let (lower_draws, upper_draws) = ratios(&incumbent, &candidate, &ranks)?;
    Ok(RatioEstimate {
        value: candidate.quantile / incumbent.quantile,
        low: type1(&lower_draws, 1.0 - confidence)?,
        high: type1(&upper_draws, confidence)?,
        n: pairs.len() as u64,
        clusters: incumbent.effect.clusters,
        deff_incumbent: incumbent.effect.deff,
        deff_candidate: candidate.effect.deff,
        n_eff,
        correlation,
        lower_draws,
        upper_draws,
    })
}

/// One arm: its ascending values, their quantile and what the sample is worth there.
struct Arm {
    sorted: Vec<f64>,
    quantile: f64,
    effect: DesignEffect,
}

impl Arm {
    fn new(
        pairs: &[PairedValue],
        value: fn(&PairedValue) -> f64,
        p: f64,
        confidence: f64,
    ) -> Result<Self, StatsError> {
        let column: Vec<f64> = pairs.iter().map(value).collect();
        let sorted = sorted(&column)?;
        let quantile = type1(&sorted, p)?;
        let rows = pairs.iter().map(|pair| (value(pair) <= quantile, pair.cluster));
        let effect = design_effect(rows, confidence)?;
        Ok(Self { sorted, quantile, effect })
    }

    /// The least value that the order statistic of this rank can have; latencies start at 0.
    fn least(&self, rank: usize) -> Result<f64, StatsError> {
        if rank == 0 { Ok(0.0) } else { at_rank(&self.sorted, rank) }
    }

    /// The largest value that the order statistic of this rank can have.
    fn largest(&self, rank: usize) -> Result<f64, StatsError> {
        if rank > self.sorted.len() { Ok(f64::INFINITY) } else { at_rank(&self.sorted, rank) }
    }
}

/// The span of ranks that one draw stands for, 0 and n + 1 being beyond the sample.
#[derive(Clone, Copy)]
struct RankSpan {
    first: usize,
    last: usize,
}

/// Cluster-robust correlation of the two indicators "not above the quantile".
fn correlation(pairs: &[PairedValue], incumbent: f64, candidate: f64) -> f64 {
    let mut rows: Vec<(u64, bool, bool)> = pairs
        .iter()
        .map(|pair| (pair.cluster, pair.incumbent <= incumbent, pair.candidate <= candidate))
        .collect();
    rows.sort_unstable();
    let n = rows.len() as f64;
    let x_mean = rows.iter().filter(|row| row.1).count() as f64 / n;
    let y_mean = rows.iter().filter(|row| row.2).count() as f64 / n;
    let sums: Vec<(f64, f64)> = rows
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| {
            let size = group.len() as f64;
            let x = group.iter().filter(|row| row.1).count() as f64 - x_mean * size;
            let y = group.iter().filter(|row| row.2).count() as f64 - y_mean * size;
            (x, y)
        })
        .collect();
    let xx = compensated_sum(sums.iter().map(|(x, _)| x * x));
    let yy = compensated_sum(sums.iter().map(|(_, y)| y * y));
    let xy = compensated_sum(sums.iter().map(|(x, y)| x * y));
    if xx > 0.0 && yy > 0.0 { (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0) } else { 0.0 }
}

fn normal_ranks(
    incumbent: &Arm,
    candidate: &Arm,
    p: f64,
    correlation: f64,
    draws: usize,
    rng: &mut impl Rng,
) -> Vec<(RankSpan, RankSpan)> {
    let n = incumbent.sorted.len() as f64;
    let sd = |arm: &Arm| (p * (1.0 - p) / arm.effect.n_eff).sqrt();
    let (sd_x, sd_y) = (sd(incumbent), sd(candidate));
    let independent = (1.0 - correlation * correlation).sqrt();
    let span = |u: f64| {
        // A float below zero saturates to rank 0, one above n is beyond the sample.
        let rank = ((n * u).ceil() as usize).min(incumbent.sorted.len() + 1);
        RankSpan { first: rank, last: rank }
    };
    (0..draws)
        .map(|_| {
            let (z1, z2) = normal_pair(rng);
            let x = span(p + sd_x * z1);
            let y = span(p + sd_y * (correlation * z1 + independent * z2));
            (x, y)
        })
        .collect()
}

/// Two independent standard normal numbers (Box and Muller 1958).
fn normal_pair(rng: &mut impl Rng) -> (f64, f64) {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let angle = 2.0 * std::f64::consts::PI * rng.random::<f64>();
    (radius * angle.cos(), radius * angle.sin())
}

fn binomial_ranks(
    incumbent: &Arm,
    candidate: &Arm,
    p: f64,
    draws: usize,
    rng: &mut impl Rng,
) -> Vec<(RankSpan, RankSpan)> {
    let x = BinomialRanks::new(incumbent, p);
    let y = BinomialRanks::new(candidate, p);
    (0..draws).map(|_| (x.draw(rng.random()), y.draw(rng.random()))).collect()
}

/// The distribution of the rank of a quantile in a sample of `m` effective rows.
struct BinomialRanks {
    m: u64,
    n: u64,
    cumulative: Vec<f64>,
}

impl BinomialRanks {
    fn new(arm: &Arm, p: f64) -> Self {
        let m = (arm.effect.n_eff.floor() as u64).clamp(1, arm.effect.n);
        let mut reached = 0.0;
        let cumulative = (0..=m + 1)
            .map(|k| {
                reached += binomial_pmf(k, m + 1, p);
                reached
            })
            .collect();
        Self { m, n: arm.effect.n, cumulative }
    }

    fn draw(&self, u: f64) -> RankSpan {
        let k = self.cumulative.partition_point(|c| *c < u) as u64;
        let beyond = self.n as usize + 1;
        match k {
            0 => RankSpan { first: 0, last: 0 },
            k if k > self.m => RankSpan { first: beyond, last: beyond },
            k => RankSpan {
                first: outward_lower(k, self.m, self.n),
                last: outward_upper(k, self.m, self.n),
            },
        }
    }
}

/// The ratios that the drawn ranks allow at least and at most, each ascending.
fn ratios(
    incumbent: &Arm,
    candidate: &Arm,
    ranks: &[(RankSpan, RankSpan)],
) -> Result<(Vec<f64>, Vec<f64>), StatsError> {
    let mut lower = Vec::with_capacity(ranks.len());
    let mut upper = Vec::with_capacity(ranks.len());
    for (x, y) in ranks {
        let least = candidate.least(y.first)? / incumbent.largest(x.last)?;
        let most = candidate.largest(y.last)? / incumbent.least(x.first)?;
        lower.push(if least.is_nan() { 0.0 } else { least });
        upper.push(if most.is_nan() { f64::INFINITY } else { most });
    }
    lower.sort_unstable_by(f64::total_cmp);
    upper.sort_unstable_by(f64::total_cmp);
    Ok((lower, upper))
}

#[cfg(test)]
#[path = "quantile_ratio_tests.rs"]
mod tests;
