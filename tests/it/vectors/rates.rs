//! Proportions, their differences, and tables of counts.

use rehearsal::stats::{self, DifferenceMethod, Direction, ProportionMethod, ScoreVariance};
use serde_json::Value;

use super::Families;
use super::case::Case;

pub(super) const FAMILIES: Families = &[
    ("proportion_ci", proportion_ci),
    ("binom_test", binom_test),
    ("proportion_diff_ci", proportion_diff_ci),
    ("noninferiority_two_prop", noninferiority_two_prop),
    ("mcnemar", mcnemar),
    ("paired_diff_ci", paired_diff_ci),
    ("fisher_exact", fisher_exact),
    ("cmh", cmh),
    ("p_adjust", p_adjust),
    ("bernoulli_eprocess", bernoulli_eprocess),
];

fn proportion_ci(case: &Case<'_>) {
    let method = match case.text("method") {
        "wilson" => ProportionMethod::Wilson,
        "clopper_pearson" => ProportionMethod::ClopperPearson,
        "jeffreys" => ProportionMethod::Jeffreys,
        other => panic!("{other}"),
    };
    let interval = stats::proportion_interval(
        case.count("k"),
        case.count("n"),
        case.number("conf"),
        case.side(),
        method,
    )
    .unwrap();
    // At ten million trials the reference's quantiles keep only seven digits. Its lower end
    // for 1,000 events has a tail of 0.0249999968, the exact tail at ours, summed to 40
    // digits, is 0.0249999999999943.
    let absolute = if case.count("n") < 10_000_000 { case.absolute } else { 1e-11 };
    case.close("lo", interval.low, &case.output["lo"], absolute);
    case.close("hi", interval.high, &case.output["hi"], absolute);
}

fn binom_test(case: &Case<'_>) {
    let (k, n, p0) = (case.count("k"), case.count("n"), case.number("p0"));
    case.expect("p", stats::binom_test(k, n, p0, case.alternative()).unwrap());
}

fn samples(case: &Case<'_>) -> ((u64, u64), (u64, u64)) {
    ((case.count("k1"), case.count("n1")), (case.count("k2"), case.count("n2")))
}

fn proportion_diff_ci(case: &Case<'_>) {
    let method = match case.text("method") {
        "newcombe" => DifferenceMethod::Newcombe,
        "agresti_caffo" => DifferenceMethod::AgrestiCaffo,
        "miettinen_nurminen" => DifferenceMethod::MiettinenNurminen,
        other => panic!("{other}"),
    };
    let (first, second) = samples(case);
    let interval = stats::difference_interval(first, second, case.number("conf"), method).unwrap();
    case.expect("lo", interval.low);
    case.expect("hi", interval.high);
}

fn noninferiority_two_prop(case: &Case<'_>) {
    let variance = match case.text("variant") {
        "farrington_manning" => ScoreVariance::FarringtonManning,
        "miettinen_nurminen" => ScoreVariance::MiettinenNurminen,
        other => panic!("{other}"),
    };
    let (first, second) = samples(case);
    let test = stats::score_test(first, second, case.number("margin"), variance).unwrap();
    case.expect("z", test.z);
    case.expect("p", test.p);
    case.expect("p1_tilde", test.p1);
    case.expect("p2_tilde", test.p2);
}

fn mcnemar(case: &Case<'_>) {
    let test = stats::mcnemar(case.count("b"), case.count("c"));
    case.expect("p_exact", test.p_exact);
    case.expect("p_midp", test.p_midp);
    case.expect("chi2", test.chi2);
    case.expect("p_chi2", test.p_chi2);
    case.expect("chi2_cc", test.chi2_cc);
    case.expect("p_chi2_cc", test.p_chi2_cc);
    case.expect("p_exact_greater", test.p_exact_greater);
    case.expect("p_midp_greater", test.p_midp_greater);
}

fn paired_diff_ci(case: &Case<'_>) {
    assert_eq!(case.text("method"), "tango");
    let (n, b, c) = (case.count("n"), case.count("b"), case.count("c"));
    let interval = stats::tango_interval(n, b, c, case.number("conf")).unwrap();
    case.expect("lo", interval.low);
    case.expect("hi", interval.high);
}

fn cells(list: &Value) -> [u64; 4] {
    let counts: Vec<u64> = list.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
    counts.try_into().unwrap()
}

fn fisher_exact(case: &Case<'_>) {
    let test = stats::fisher_exact(cells(&case.input["table"]), case.alternative()).unwrap();
    case.expect("p", test.p);
    case.expect("odds_ratio", test.odds_ratio);
}

fn cmh(case: &Case<'_>) {
    let strata: Vec<[u64; 4]> =
        case.input["strata"].as_array().unwrap().iter().map(cells).collect();
    let pooled = stats::stratified(&strata, case.flag("correction")).unwrap();
    case.expect("chi2", pooled.chi2);
    case.expect("p", pooled.p);
    case.expect("or_mh", pooled.odds_ratio);
    case.expect("rr_mh", pooled.risk_ratio);
    case.expect_option("breslow_day", pooled.heterogeneity);
    case.expect_option("p_breslow_day", pooled.p_heterogeneity);
}

fn p_adjust(case: &Case<'_>) {
    let adjust = match case.text("method") {
        "holm" => stats::holm,
        "hochberg" => stats::hochberg,
        "bonferroni" => stats::bonferroni,
        "bh" => stats::benjamini_hochberg,
        "by" => stats::benjamini_yekutieli,
        other => panic!("{other}"),
    };
    case.expect_all("adj", &adjust(&case.numbers("p")));
}

fn bernoulli_eprocess(case: &Case<'_>) {
    let direction = match case.text("direction") {
        "below" => Direction::AtMost,
        "above" => Direction::AtLeast,
        other => panic!("{other}"),
    };
    let prior = (case.number("a"), case.number("b"));
    let (k, n, p0) = (case.count("k"), case.count("n"), case.number("p0"));
    let log_e = stats::bernoulli_log_evidence(k, n, p0, prior, direction).unwrap();
    case.expect("log_e", log_e);
}
