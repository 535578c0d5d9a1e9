//! The same request on two sides.

use super::super::record::{Kind, Outcome, PROBLEM, Shape, into_cells, outcome};
use super::Argument::{Constant, Number};
use super::two_samples::exact_or_asymptotic;
use super::{Constants, Method, Rows, alternative};
use crate::stats::{
    EquivalenceDesign, RankMethod, StatsError, ZeroMethod, equivalence, hodges_lehmann_paired,
    mcnemar, signed_rank, tango_interval,
};

const SIGNED_RANK: Shape = &[
    ("w_plus", Kind::Float),
    ("w_minus", Kind::Float),
    ("p", Kind::Float),
    ("n", Kind::Count),
    ("nonzero", Kind::Count),
    ("method", Kind::Text),
    PROBLEM,
];
const SHIFT: Shape = &[
    ("value", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("n", Kind::Count),
    ("method", Kind::Text),
    PROBLEM,
];
const MCNEMAR: Shape = &[
    ("n", Kind::Count),
    ("only_a", Kind::Count),
    ("only_b", Kind::Count),
    ("p_exact", Kind::Float),
    ("p_midp", Kind::Float),
    ("chi2", Kind::Float),
    ("p_chi2", Kind::Float),
    ("p_exact_greater", Kind::Float),
    ("p_midp_greater", Kind::Float),
    PROBLEM,
];
const DIFFERENCE: Shape = &[
    ("value", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("n", Kind::Count),
    ("only_a", Kind::Count),
    ("only_b", Kind::Count),
    PROBLEM,
];
const TOST: Shape = &[
    ("difference", Kind::Float),
    ("p", Kind::Float),
    ("p_low", Kind::Float),
    ("p_high", Kind::Float),
    ("t_low", Kind::Float),
    ("t_high", Kind::Float),
    ("df", Kind::Float),
    ("n", Kind::Count),
    PROBLEM,
];

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "wilcoxon",
        description: "Wilcoxon's signed-rank test of x - y, paired by row; zeros by Pratt's \
                      method (default), wilcox or zsplit; exact up to 50 rows. Alternative: \
                      two-sided (default), less or greater, of x",
        syntax: "wilcoxon(x, y [, alternative [, zeros]])",
        arguments: &[Number, Number, Constant, Constant],
        optional: 2,
        shape: SIGNED_RANK,
        compute: |rows, constants| into_cells(SIGNED_RANK, of_wilcoxon(rows, constants)),
    },
    Method {
        name: "hodges_lehmann_paired",
        description: "Centre of x - y, paired by row: median of all Walsh averages, with a \
                      two-sided interval, exact up to 50 rows",
        syntax: "hodges_lehmann_paired(x, y [, confidence])",
        arguments: &[Number, Number, Constant],
        optional: 1,
        shape: SHIFT,
        compute: |rows, constants| into_cells(SHIFT, shift(rows, constants)),
    },
    Method {
        name: "mcnemar",
        description: "McNemar's test of two yes/no columns, paired by row: exact, mid-p \
                      (recommended) and chi-squared p-values; greater: a is yes more often",
        syntax: "mcnemar(a, b)",
        arguments: &[Number, Number],
        optional: 0,
        shape: MCNEMAR,
        compute: |rows, _| into_cells(MCNEMAR, of_mcnemar(rows)),
    },
    Method {
        name: "paired_diff_ci",
        description: "Share of yes in a minus share of yes in b, paired by row, with Tango's \
                      two-sided score interval",
        syntax: "paired_diff_ci(a, b [, confidence])",
        arguments: &[Number, Number, Constant],
        optional: 1,
        shape: DIFFERENCE,
        compute: |rows, constants| into_cells(DIFFERENCE, difference(rows, constants)),
    },
    Method {
        name: "tost_paired",
        description: "Two one-sided paired t tests: p small means that the mean of x - y lies \
                      between low and high",
        syntax: "tost_paired(x, y, low, high)",
        arguments: &[Number, Number, Constant, Constant],
        optional: 0,
        shape: TOST,
        compute: |rows, constants| into_cells(TOST, of_tost(rows, constants)),
    },
];

/// x - y of each row; a difference of two equal infinities is zero.
fn differences(rows: &Rows) -> Vec<f64> {
    let difference = |x: f64, y: f64| if x.total_cmp(&y).is_eq() { 0.0 } else { x - y };
    rows.iter().map(|row| difference(row[0], row[1])).collect()
}

fn of_wilcoxon(rows: &Rows, constants: &Constants) -> Outcome {
    let alternative = alternative(constants.word(0))?;
    let zeros = match constants.word(1) {
        None | Some("pratt") => ZeroMethod::Pratt,
        Some("wilcox") => ZeroMethod::Wilcox,
        Some("zsplit") => ZeroMethod::Split,
        Some(other) => return Err(format!("`{other}` is not pratt, wilcox or zsplit")),
    };
    if rows.iter().any(|row| row[0].is_nan() || row[1].is_nan()) {
        return Err(StatsError::NotANumber.to_string());
    }
    let d = differences(rows);
    let test = exact_or_asymptotic(d.len(), |method| signed_rank(&d, zeros, method, alternative));
    outcome(test, |(test, method)| {
        vec![
            test.w_plus.into(),
            test.w_minus.into(),
            test.p.into(),
            d.len().into(),
            test.nonzero.into(),
            method.into(),
        ]
    })
}

fn shift(rows: &Rows, constants: &Constants) -> Outcome {
    let d = differences(rows);
    let confidence = constants.confidence(0);
    let shift = exact_or_asymptotic(d.len(), |method| {
        hodges_lehmann_paired(&d, confidence, method == RankMethod::Exact)
    });
    outcome(shift, |(shift, method)| {
        vec![
            shift.estimate.into(),
            shift.low.into(),
            shift.high.into(),
            d.len().into(),
            method.into(),
        ]
    })
}

/// Rows in which only the first side says yes, and those in which only the second does.
fn discordant(rows: &Rows) -> Result<(u64, u64), String> {
    if rows.len() == 0 {
        return Err(StatsError::EmptySample.to_string());
    }
    if rows.iter().any(|row| row[0].is_nan() || row[1].is_nan()) {
        return Err(StatsError::NotANumber.to_string());
    }
    let count = |yes: usize, no: usize| {
        rows.iter().filter(|row| row[yes] > 0.5 && row[no] <= 0.5).count() as u64
    };
    Ok((count(0, 1), count(1, 0)))
}

fn of_mcnemar(rows: &Rows) -> Outcome {
    let (only_a, only_b) = discordant(rows)?;
    let test = mcnemar(only_a, only_b);
    Ok(vec![
        rows.len().into(),
        only_a.into(),
        only_b.into(),
        test.p_exact.into(),
        test.p_midp.into(),
        test.chi2.into(),
        test.p_chi2.into(),
        test.p_exact_greater.into(),
        test.p_midp_greater.into(),
    ])
}

fn difference(rows: &Rows, constants: &Constants) -> Outcome {
    let (only_a, only_b) = discordant(rows)?;
    let n = rows.len() as u64;
    outcome(tango_interval(n, only_a, only_b, constants.confidence(0)), |interval| {
        vec![
            ((only_a as f64 - only_b as f64) / n as f64).into(),
            interval.low.into(),
            interval.high.into(),
            n.into(),
            only_a.into(),
            only_b.into(),
        ]
    })
}

fn of_tost(rows: &Rows, constants: &Constants) -> Outcome {
    let margin = |index| constants.number(index).unwrap_or(f64::NAN);
    let margins = (margin(0), margin(1));
    let test = equivalence(&rows.column(0), &rows.column(1), margins, EquivalenceDesign::Paired);
    outcome(test, |test| {
        vec![
            test.difference.into(),
            test.p.into(),
            test.p_low.into(),
            test.p_high.into(),
            test.t_low.into(),
            test.t_high.into(),
            test.df.into(),
            rows.len().into(),
        ]
    })
}
