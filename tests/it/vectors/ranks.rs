//! Tests and effect sizes of ranks.

use rehearsal::stats::{self, NullDistribution, RankMethod, TieRule, ZeroMethod};

use super::Families;
use super::case::{Case, numbers};

pub(super) const FAMILIES: Families = &[
    ("mann_whitney", mann_whitney),
    ("wilcoxon_signed_rank", wilcoxon_signed_rank),
    ("brunner_munzel", brunner_munzel),
    ("ks_2samp", ks_2samp),
    ("anderson_ksamp", anderson_ksamp),
    ("hodges_lehmann", hodges_lehmann),
    ("cliffs_delta", cliffs_delta),
];

/// Without ties the permutation distribution is the tabulated one, so one method serves both.
fn method(case: &Case<'_>, continuity: &str) -> RankMethod {
    match case.text("method") {
        "exact" | "exact_permutation" => RankMethod::Exact,
        "asymptotic" => RankMethod::Asymptotic { continuity: case.flag(continuity) },
        other => panic!("{other}"),
    }
}

fn mann_whitney(case: &Case<'_>) {
    let method = method(case, "continuity");
    let (x, y) = (case.numbers("x"), case.numbers("y"));
    let test = stats::mann_whitney(&x, &y, method, case.alternative()).unwrap();
    case.expect("u1", test.u1);
    case.expect("u2", test.u2);
    case.expect("p", test.p);
}

fn wilcoxon_signed_rank(case: &Case<'_>) {
    let zeros = match case.text("zero_method") {
        "wilcox" => ZeroMethod::Wilcox,
        "pratt" => ZeroMethod::Pratt,
        "zsplit" => ZeroMethod::Split,
        other => panic!("{other}"),
    };
    let method = method(case, "correction");
    let test = stats::signed_rank(&case.numbers("d"), zeros, method, case.alternative()).unwrap();
    case.expect("w_plus", test.w_plus);
    case.expect("w_minus", test.w_minus);
    case.expect("p", test.p);
}

fn brunner_munzel(case: &Case<'_>) {
    let null = match case.text("dist") {
        "t" => NullDistribution::Student,
        "normal" => NullDistribution::Normal,
        other => panic!("{other}"),
    };
    let (x, y) = (case.numbers("x"), case.numbers("y"));
    let test = stats::brunner_munzel(&x, &y, case.alternative(), null).unwrap();
    case.expect("statistic", test.statistic);
    case.expect_option("df", test.df);
    case.expect_option("p", test.p);
    case.expect("theta", test.theta);
}

fn ks_2samp(case: &Case<'_>) {
    let exact = match case.text("method") {
        "exact" => true,
        "limit" => false,
        other => panic!("{other}"),
    };
    let (x, y) = (case.numbers("x"), case.numbers("y"));
    let test = stats::kolmogorov_smirnov(&x, &y, exact, case.alternative()).unwrap();
    case.expect("d", test.d);
    case.expect("p", test.p);
}

fn anderson_ksamp(case: &Case<'_>) {
    let samples: Vec<Vec<f64>> =
        case.input["samples"].as_array().unwrap().iter().map(numbers).collect();
    let rule = if case.flag("midrank") { TieRule::MidRank } else { TieRule::RightContinuous };
    let test = stats::anderson_darling(&samples, rule).unwrap();
    case.expect("statistic", test.statistic);
    case.expect_all("critical", &test.critical);
    case.expect("p_interp", test.p);
}

fn hodges_lehmann(case: &Case<'_>) {
    let confidence = case.number("conf");
    let exact = match case.text("ci") {
        "exact" => true,
        "normal" => false,
        other => panic!("{other}"),
    };
    let found = match case.text("kind") {
        "two_sample" => {
            stats::hodges_lehmann(&case.numbers("x"), &case.numbers("y"), confidence, exact)
        }
        "paired" => stats::hodges_lehmann_paired(&case.numbers("d"), confidence, exact),
        other => panic!("{other}"),
    }
    .unwrap();
    case.expect("estimate", found.estimate);
    case.expect("lo", found.low);
    case.expect("hi", found.high);
    case.expect_count("k", found.k);
    if exact {
        case.expect_option("achieved", found.achieved);
    }
}

fn cliffs_delta(case: &Case<'_>) {
    let effect = stats::cliffs_delta(&case.numbers("x"), &case.numbers("y")).unwrap();
    case.expect("delta", effect.delta);
    case.expect("a12", effect.a12);
}
