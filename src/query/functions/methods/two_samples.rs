//! Two or more samples told apart by a column of labels.
//!
//! The first sample is the one whose label comes first in alphabetical order; each result names
//! both.

use super::super::record::{Cell, Kind, Outcome, PROBLEM, Shape, into_cells, outcome};
use super::Argument::{Constant, Label, Number};
use super::{Constants, Method, Rows};
use crate::stats::{
    Alternative, EquivalenceDesign, NullDistribution, RankMethod, StatsError, TieRule,
    anderson_darling, brunner_munzel, cliffs_delta, equivalence, hodges_lehmann,
    kolmogorov_smirnov, mann_whitney, stratified,
};

/// Up to so many rows a test is exact: beyond, the asymptotic form has the same three digits.
const EXACT_UP_TO: usize = 50;

macro_rules! shape_of_two {
    ($($field:expr),* $(,)?) => {
        &[
            ("first", Kind::Text),
            ("second", Kind::Text),
            ("n_first", Kind::Count),
            ("n_second", Kind::Count),
            $($field,)*
            PROBLEM,
        ]
    };
}

const MANN_WHITNEY: Shape = shape_of_two![
    ("u_first", Kind::Float),
    ("u_second", Kind::Float),
    ("p", Kind::Float),
    ("method", Kind::Text),
];
const BRUNNER_MUNZEL: Shape = shape_of_two![
    ("statistic", Kind::Float),
    ("df", Kind::Float),
    ("p", Kind::Float),
    ("theta", Kind::Float),
];
const KS: Shape = shape_of_two![("d", Kind::Float), ("p", Kind::Float), ("method", Kind::Text)];
const CLIFF: Shape = shape_of_two![("delta", Kind::Float), ("a12", Kind::Float)];
const SHIFT: Shape = shape_of_two![
    ("value", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("method", Kind::Text),
];
const TOST: Shape = shape_of_two![
    ("difference", Kind::Float),
    ("p", Kind::Float),
    ("p_low", Kind::Float),
    ("p_high", Kind::Float),
    ("t_low", Kind::Float),
    ("t_high", Kind::Float),
    ("df", Kind::Float),
];
const ANDERSON: Shape = &[
    ("statistic", Kind::Float),
    ("p", Kind::Float),
    ("groups", Kind::Count),
    ("n", Kind::Count),
    PROBLEM,
];
const CMH: Shape = &[
    ("first", Kind::Text),
    ("second", Kind::Text),
    ("chi2", Kind::Float),
    ("p", Kind::Float),
    ("odds_ratio", Kind::Float),
    ("risk_ratio", Kind::Float),
    ("risk_difference", Kind::Float),
    ("heterogeneity", Kind::Float),
    ("p_heterogeneity", Kind::Float),
    ("strata", Kind::Count),
    ("n", Kind::Count),
    PROBLEM,
];

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "mann_whitney",
        description: "Mann-Whitney test of two arms: pairs in which either arm is larger, and \
                      the p-value of equal distributions; exact up to 50 rows. Alternative: \
                      two-sided (default), less or greater, of the first arm",
        syntax: "mann_whitney(x, arm [, alternative])",
        arguments: &[Number, Label, Constant],
        optional: 1,
        shape: MANN_WHITNEY,
        compute: |rows, constants| into_cells(MANN_WHITNEY, of_mann_whitney(rows, constants)),
    },
    Method {
        name: "brunner_munzel",
        description: "Brunner-Munzel test of two arms: theta = P(first < second) + half of \
                      P(equal), allowing for unequal spread; p NULL where they do not overlap",
        syntax: "brunner_munzel(x, arm [, alternative])",
        arguments: &[Number, Label, Constant],
        optional: 1,
        shape: BRUNNER_MUNZEL,
        compute: |rows, constants| into_cells(BRUNNER_MUNZEL, of_brunner_munzel(rows, constants)),
    },
    Method {
        name: "ks_test",
        description: "Kolmogorov-Smirnov test of two arms: the largest gap between their \
                      distribution functions; exact up to 50 rows. Alternative greater: the \
                      first arm's function lies above, its values are smaller",
        syntax: "ks_test(x, arm [, alternative])",
        arguments: &[Number, Label, Constant],
        optional: 1,
        shape: KS,
        compute: |rows, constants| into_cells(KS, of_ks(rows, constants)),
    },
    Method {
        name: "cliffs_delta",
        description: "P(first > second) - P(first < second) of two arms, and Vargha and \
                      Delaney's A12",
        syntax: "cliffs_delta(x, arm)",
        arguments: &[Number, Label],
        optional: 0,
        shape: CLIFF,
        compute: |rows, _| {
            let found = Arms::of(rows).and_then(|arms| {
                let effect = cliffs_delta(&arms.first, &arms.second);
                outcome(effect, |effect| arms.cells([effect.delta.into(), effect.a12.into()]))
            });
            into_cells(CLIFF, found)
        },
    },
    Method {
        name: "hodges_lehmann",
        description: "Shift of the first arm against the second: median of all differences, with \
                      a two-sided interval, exact up to 50 rows",
        syntax: "hodges_lehmann(x, arm [, confidence])",
        arguments: &[Number, Label, Constant],
        optional: 1,
        shape: SHIFT,
        compute: |rows, constants| into_cells(SHIFT, shift(rows, constants)),
    },
    Method {
        name: "tost",
        description: "Two one-sided t tests (Welch): p small means that mean(first) - \
                      mean(second) lies between low and high",
        syntax: "tost(x, arm, low, high)",
        arguments: &[Number, Label, Constant, Constant],
        optional: 0,
        shape: TOST,
        compute: |rows, constants| into_cells(TOST, of_tost(rows, constants)),
    },
    Method {
        name: "anderson_darling",
        description: "Anderson-Darling test that all groups share one distribution (mid-ranks); \
                      p between 0.001 and 0.25, where its table ends",
        syntax: "anderson_darling(x, label)",
        arguments: &[Number, Label],
        optional: 0,
        shape: ANDERSON,
        compute: |rows, _| {
            let samples = samples(rows, 1);
            let groups = samples.len();
            let test = anderson_darling(&samples, TieRule::MidRank);
            let cells = outcome(test, |test| {
                vec![test.statistic.into(), test.p.into(), groups.into(), rows.len().into()]
            });
            into_cells(ANDERSON, cells)
        },
    },
    Method {
        name: "cmh",
        description: "Cochran-Mantel-Haenszel over strata: pooled odds ratio, risk ratio and risk \
                      difference of the first arm against the second, the test of no effect, and \
                      Breslow-Day-Tarone's of equal odds ratios; continuity 1 takes half a unit",
        syntax: "cmh(event, arm, stratum [, continuity])",
        arguments: &[Number, Label, Label, Constant],
        optional: 1,
        shape: CMH,
        compute: |rows, constants| into_cells(CMH, of_cmh(rows, constants)),
    },
];

/// The values of each label in an argument, in the order of the labels.
fn samples(rows: &Rows, argument: usize) -> Vec<Vec<f64>> {
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); rows.labels.len()];
    for row in rows.iter() {
        if let Some(sample) = samples.get_mut(row[argument] as usize) {
            sample.push(row[0]);
        }
    }
    samples.retain(|sample| !sample.is_empty());
    samples
}

/// The two labels of an argument.
fn two_labels(rows: &Rows, argument: usize) -> Result<[usize; 2], String> {
    let mut seen: Vec<bool> = vec![false; rows.labels.len()];
    for row in rows.iter() {
        if let Some(place) = seen.get_mut(row[argument] as usize) {
            *place = true;
        }
    }
    let found: Vec<usize> = (0..seen.len()).filter(|label| seen[*label]).collect();
    <[usize; 2]>::try_from(found)
        .map_err(|found| format!("{} different labels were found; two are needed", found.len()))
}

struct Arms {
    labels: [String; 2],
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Arms {
    fn of(rows: &Rows) -> Result<Self, String> {
        let [a, b] = two_labels(rows, 1)?;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for row in rows.iter() {
            let side = if row[1] as usize == a { &mut first } else { &mut second };
            side.push(row[0]);
        }
        Ok(Arms { labels: [rows.labels[a].clone(), rows.labels[b].clone()], first, second })
    }

    fn len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    fn cells<const N: usize>(&self, own: [Cell; N]) -> Vec<Cell> {
        let [first, second] = &self.labels;
        let mut cells = vec![
            first.as_str().into(),
            second.as_str().into(),
            self.first.len().into(),
            self.second.len().into(),
        ];
        cells.extend(own);
        cells
    }
}

/// The alternative that a word names.
pub(crate) fn alternative(word: Option<&str>) -> Result<Alternative, String> {
    match word {
        None | Some("two-sided") => Ok(Alternative::TwoSided),
        Some("less") => Ok(Alternative::Less),
        Some("greater") => Ok(Alternative::Greater),
        Some(other) => Err(format!("`{other}` is no alternative: two-sided, less or greater")),
    }
}

/// The exact form for few rows, the asymptotic one for many and where the exact one gives up.
pub(super) fn exact_or_asymptotic<T>(
    rows: usize,
    test: impl Fn(RankMethod) -> Result<T, StatsError>,
) -> Result<(T, &'static str), StatsError> {
    if rows <= EXACT_UP_TO {
        match test(RankMethod::Exact) {
            Err(StatsError::TooLargeForExact) => {}
            found => return found.map(|found| (found, "exact")),
        }
    }
    test(RankMethod::Asymptotic { continuity: true }).map(|found| (found, "asymptotic"))
}

fn of_mann_whitney(rows: &Rows, constants: &Constants) -> Outcome {
    let arms = Arms::of(rows)?;
    let alternative = alternative(constants.word(0))?;
    let test = exact_or_asymptotic(arms.len(), |method| {
        mann_whitney(&arms.first, &arms.second, method, alternative)
    });
    outcome(test, |(test, method)| {
        arms.cells([test.u1.into(), test.u2.into(), test.p.into(), method.into()])
    })
}

fn of_brunner_munzel(rows: &Rows, constants: &Constants) -> Outcome {
    let arms = Arms::of(rows)?;
    let alternative = alternative(constants.word(0))?;
    let test = brunner_munzel(&arms.first, &arms.second, alternative, NullDistribution::Student);
    outcome(test, |test| {
        arms.cells([test.statistic.into(), test.df.into(), test.p.into(), test.theta.into()])
    })
}

fn of_ks(rows: &Rows, constants: &Constants) -> Outcome {
    let arms = Arms::of(rows)?;
    let alternative = alternative(constants.word(0))?;
    let test = exact_or_asymptotic(arms.len(), |method| {
        kolmogorov_smirnov(&arms.first, &arms.second, method == RankMethod::Exact, alternative)
    });
    outcome(test, |(test, method)| arms.cells([test.d.into(), test.p.into(), method.into()]))
}

fn shift(rows: &Rows, constants: &Constants) -> Outcome {
    let arms = Arms::of(rows)?;
    let confidence = constants.confidence(0);
    let shift = exact_or_asymptotic(arms.len(), |method| {
        hodges_lehmann(&arms.first, &arms.second, confidence, method == RankMethod::Exact)
    });
    outcome(shift, |(shift, method)| {
        arms.cells([shift.estimate.into(), shift.low.into(), shift.high.into(), method.into()])
    })
}

fn of_tost(rows: &Rows, constants: &Constants) -> Outcome {
    let arms = Arms::of(rows)?;
    let margin = |index| constants.number(index).unwrap_or(f64::NAN);
    let test =
        equivalence(&arms.first, &arms.second, (margin(0), margin(1)), EquivalenceDesign::Welch);
    outcome(test, |test| {
        arms.cells([
            test.difference.into(),
            test.p.into(),
            test.p_low.into(),
            test.p_high.into(),
            test.t_low.into(),
            test.t_high.into(),
            test.df.into(),
        ])
    })
}

fn of_cmh(rows: &Rows, constants: &Constants) -> Outcome {
    let [a, b] = two_labels(rows, 1)?;
    let mut strata: Vec<[u64; 4]> = vec![[0; 4]; rows.labels.len()];
    for row in rows.iter() {
        let arm = if row[1] as usize == a { 0 } else { 2 };
        let cell = arm + usize::from(row[0] <= 0.5);
        if let Some(table) = strata.get_mut(row[2] as usize) {
            table[cell] += 1;
        }
    }
    strata.retain(|table| table.iter().any(|count| *count > 0));
    let correction = constants.number(0).is_some_and(|value| value > 0.5);
    outcome(stratified(&strata, correction), |pooled| {
        vec![
            rows.labels[a].as_str().into(),
            rows.labels[b].as_str().into(),
            pooled.chi2.into(),
            pooled.p.into(),
            pooled.odds_ratio.into(),
            pooled.risk_ratio.into(),
            pooled.risk_difference.into(),
            pooled.heterogeneity.into(),
            pooled.p_heterogeneity.into(),
            strata.len().into(),
            rows.len().into(),
        ]
    })
}
