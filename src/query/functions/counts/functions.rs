//! The functions over counts and what they compute.

use super::super::record::{Kind, Outcome, PROBLEM, Shape, outcome};
use super::{Arguments, CountFunction};
use crate::stats::{
    Alternative, DifferenceMethod, Direction, Interval, ProportionMethod, ScoreVariance, Side,
    StatsError, bernoulli_log_evidence, binom_pass, binom_test, confidence_sequence,
    difference_interval, fisher_exact, order_statistic_ranks, proportion_interval, quantile_upper,
    score_test, zero_fail,
};

const INTERVAL: Shape =
    &[("value", Kind::Float), ("low", Kind::Float), ("high", Kind::Float), PROBLEM];
const P: Shape = &[("p", Kind::Float), PROBLEM];
const FISHER: Shape = &[("odds_ratio", Kind::Float), ("p", Kind::Float), PROBLEM];
const SCORE: Shape =
    &[("z", Kind::Float), ("p", Kind::Float), ("p1", Kind::Float), ("p2", Kind::Float), PROBLEM];
const EVIDENCE: Shape = &[("log_evidence", Kind::Float), ("p_any_time", Kind::Float), PROBLEM];
const RANKS: Shape =
    &[("lower", Kind::Count), ("upper", Kind::Count), ("coverage", Kind::Float), PROBLEM];
const N: Shape = &[("n", Kind::Count), PROBLEM];

pub(in super::super) const FUNCTIONS: &[CountFunction] = &[
    CountFunction {
        name: "proportion_ci",
        description: "Share k / n with its interval by wilson (for display), clopper_pearson (for \
                      gates) or jeffreys; side two-sided (default), lower or upper",
        syntax: "proportion_ci(k, n, method [, confidence [, side]])",
        arguments: 5,
        optional: 2,
        shape: INTERVAL,
        compute: proportion,
    },
    CountFunction {
        name: "proportion_diff_ci",
        description: "k1 / n1 - k2 / n2 of independent samples with its two-sided interval by \
                      newcombe (for display), agresti_caffo or miettinen_nurminen (for gates)",
        syntax: "proportion_diff_ci(k1, n1, k2, n2, method [, confidence])",
        arguments: 6,
        optional: 1,
        shape: INTERVAL,
        compute: difference,
    },
    CountFunction {
        name: "noninferiority",
        description: "Score test of k1 / n1 - k2 / n2 >= margin: p small means less. Variant \
                      miettinen_nurminen (default) or farrington_manning; p1 and p2 are most \
                      likely at the margin",
        syntax: "noninferiority(k1, n1, k2, n2, margin [, variant])",
        arguments: 6,
        optional: 1,
        shape: SCORE,
        compute: noninferiority,
    },
    CountFunction {
        name: "binomial_test",
        description: "Exact test that the true share is p0 after k of n events; alternative \
                      two-sided (default), less or greater",
        syntax: "binomial_test(k, n, p0 [, alternative])",
        arguments: 4,
        optional: 1,
        shape: P,
        compute: |row| {
            let alternative = alternative(row.word(3))?;
            let p = binom_test(row.count(0)?, row.count(1)?, row.number(2), alternative);
            outcome(p, |p| vec![p.into()])
        },
    },
    CountFunction {
        name: "fisher_exact",
        description: "Fisher's exact test of the table [[a, b], [c, d]]; alternative two-sided \
                      (default), less or greater, of the odds of the first row",
        syntax: "fisher_exact(a, b, c, d [, alternative])",
        arguments: 5,
        optional: 1,
        shape: FISHER,
        compute: |row| {
            let alternative = alternative(row.word(4))?;
            let table = [row.count(0)?, row.count(1)?, row.count(2)?, row.count(3)?];
            let test = fisher_exact(table, alternative);
            outcome(test, |test| vec![test.odds_ratio.into(), test.p.into()])
        },
    },
    CountFunction {
        name: "bernoulli_evidence",
        description: "Always-valid evidence, after k of n events, that the true rate is below \
                      (direction below) or above p0: its logarithm, and the p-value that holds \
                      however often one looks. Prior Beta(a, b), 0.5 and 0.5 unless given",
        syntax: "bernoulli_evidence(k, n, p0, direction [, a, b])",
        arguments: 6,
        optional: 2,
        shape: EVIDENCE,
        compute: evidence,
    },
    CountFunction {
        name: "confidence_sequence",
        description: "Asymptotic confidence sequence of a mean after n values (or clusters): low \
                      and high hold the true mean at all times with chance 1 - alpha; narrowest \
                      at best_at",
        syntax: "confidence_sequence(n, mean, sd, alpha, best_at)",
        arguments: 5,
        optional: 0,
        shape: INTERVAL,
        compute: sequence,
    },
    CountFunction {
        name: "order_statistic_ranks",
        description: "Ranks of the order statistics among n that bound the p-quantile; 0 stands \
                      for -infinity, n + 1 for +infinity; side two-sided (default), lower, upper",
        syntax: "order_statistic_ranks(n, p [, confidence [, side]])",
        arguments: 4,
        optional: 2,
        shape: RANKS,
        compute: |row| {
            let (confidence, side) = (row.number_or(2, 0.95), side(row.word(3))?);
            let ranks = order_statistic_ranks(row.count(0)?, row.number(1), confidence, side);
            outcome(ranks, |r| vec![r.lower.into(), r.upper.into(), r.coverage.into()])
        },
    },
    CountFunction {
        name: "n_without_failure",
        description: "Requests without one failure that prove a failure rate below p",
        syntax: "n_without_failure(p, alpha)",
        arguments: 2,
        optional: 0,
        shape: N,
        compute: |row| outcome(zero_fail(row.number(0), row.number(1)), |n| vec![n.into()]),
    },
    CountFunction {
        name: "n_for_quantile",
        description: "Requests from which the p-quantile has a finite one-sided upper bound",
        syntax: "n_for_quantile(p, alpha)",
        arguments: 2,
        optional: 0,
        shape: N,
        compute: |row| outcome(quantile_upper(row.number(0), row.number(1)), |n| vec![n.into()]),
    },
    CountFunction {
        name: "n_for_rate",
        description: "Requests from which the exact test of a rate below p0 passes with the given \
                      power at the true rate p1",
        syntax: "n_for_rate(p0, p1, alpha, power)",
        arguments: 4,
        optional: 0,
        shape: N,
        compute: |row| {
            let n = binom_pass(row.number(0), row.number(1), row.number(2), row.number(3));
            outcome(n, |n| vec![n.into()])
        },
    },
];

fn alternative(word: Option<&str>) -> Result<Alternative, String> {
    super::super::methods::alternative(word)
}

fn side(word: Option<&str>) -> Result<Side, String> {
    match word {
        None | Some("two-sided") => Ok(Side::TwoSided),
        Some("lower") => Ok(Side::Lower),
        Some("upper") => Ok(Side::Upper),
        Some(other) => Err(format!("`{other}` is no side: two-sided, lower or upper")),
    }
}

fn interval(value: f64, found: Result<Interval, StatsError>) -> Outcome {
    outcome(found, |ends| vec![value.into(), ends.low.into(), ends.high.into()])
}

fn proportion(row: &Arguments<'_>) -> Outcome {
    let method = match row.word(2).unwrap_or_default() {
        "wilson" => ProportionMethod::Wilson,
        "clopper_pearson" => ProportionMethod::ClopperPearson,
        "jeffreys" => ProportionMethod::Jeffreys,
        other => return Err(format!("`{other}` is not wilson, clopper_pearson or jeffreys")),
    };
    let (k, n) = (row.count(0)?, row.count(1)?);
    let (confidence, side) = (row.number_or(3, 0.95), side(row.word(4))?);
    interval(k as f64 / n as f64, proportion_interval(k, n, confidence, side, method))
}

/// (events, rows) of the arguments from this place on.
fn sample(row: &Arguments<'_>, at: usize) -> Result<(u64, u64), String> {
    Ok((row.count(at)?, row.count(at + 1)?))
}

fn difference(row: &Arguments<'_>) -> Outcome {
    let method = match row.word(4).unwrap_or_default() {
        "newcombe" => DifferenceMethod::Newcombe,
        "agresti_caffo" => DifferenceMethod::AgrestiCaffo,
        "miettinen_nurminen" => DifferenceMethod::MiettinenNurminen,
        other => {
            return Err(format!("`{other}` is not newcombe, agresti_caffo or miettinen_nurminen"));
        }
    };
    let (first, second) = (sample(row, 0)?, sample(row, 2)?);
    let share = |(k, n): (u64, u64)| k as f64 / n as f64;
    let found = difference_interval(first, second, row.number_or(5, 0.95), method);
    interval(share(first) - share(second), found)
}

fn noninferiority(row: &Arguments<'_>) -> Outcome {
    let variance = match row.word(5) {
        None | Some("miettinen_nurminen") => ScoreVariance::MiettinenNurminen,
        Some("farrington_manning") => ScoreVariance::FarringtonManning,
        Some(other) => {
            return Err(format!("`{other}` is not miettinen_nurminen or farrington_manning"));
        }
    };
    let (first, second) = (sample(row, 0)?, sample(row, 2)?);
    outcome(score_test(first, second, row.number(4), variance), |test| {
        vec![test.z.into(), test.p.into(), test.p1.into(), test.p2.into()]
    })
}

fn evidence(row: &Arguments<'_>) -> Outcome {
    let direction = match row.word(3).unwrap_or_default() {
        "below" => Direction::AtMost,
        "above" => Direction::AtLeast,
        other => return Err(format!("`{other}` is no direction: below or above")),
    };
    let prior = (row.number_or(4, 0.5), row.number_or(5, 0.5));
    let log = bernoulli_log_evidence(row.count(0)?, row.count(1)?, row.number(2), prior, direction);
    outcome(log, |log| vec![log.into(), (-log).exp().min(1.0).into()])
}

fn sequence(row: &Arguments<'_>) -> Outcome {
    let mean = row.number(1);
    if !mean.is_finite() {
        return Err(StatsError::NotFinite.to_string());
    }
    let width = confidence_sequence(row.count(0)?, row.number(2), row.number(3), row.count(4)?);
    outcome(width, |width| {
        let half = width.half_width;
        vec![mean.into(), (mean - half).into(), (mean + half).into()]
    })
}
