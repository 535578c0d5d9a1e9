//! Quantiles, their intervals, and what planning needs of them.

use rehearsal::stats::{self, QuantileType, special};

use super::Families;
use super::case::Case;

pub(super) const FAMILIES: Families = &[
    ("quantile", quantile),
    ("weighted_quantile", weighted_quantile),
    ("quantile_ci", quantile_ci),
    ("harrell_davis", harrell_davis),
    ("km_quantile", km_quantile),
    ("sample_size", sample_size),
    ("dist", dist),
];

fn quantile(case: &Case<'_>) {
    let kind = match case.count("type") {
        1 => QuantileType::InvertedCdf,
        6 => QuantileType::Weibull,
        7 => QuantileType::Linear,
        8 => QuantileType::MedianUnbiased,
        other => panic!("{other}"),
    };
    let sample = stats::sorted(&case.numbers("x")).unwrap();
    let got: Vec<f64> =
        case.numbers("p").iter().map(|p| stats::quantile(&sample, *p, kind).unwrap()).collect();
    case.expect_all("q", &got);
}

fn weighted_quantile(case: &Case<'_>) {
    let (x, w) = (case.numbers("x"), case.numbers("w"));
    let got: Vec<f64> =
        case.numbers("p").iter().map(|p| stats::weighted_type1(&x, &w, *p).unwrap()).collect();
    case.expect_all("q", &got);
}

fn quantile_ci(case: &Case<'_>) {
    let ranks = stats::order_statistic_ranks(
        case.count("n"),
        case.number("p"),
        case.number("conf"),
        case.side(),
    )
    .unwrap();
    case.expect_count("l", ranks.lower);
    case.expect_count("u", ranks.upper);
    case.expect("coverage", ranks.coverage);
}

fn harrell_davis(case: &Case<'_>) {
    let sample = stats::sorted(&case.numbers("x")).unwrap();
    let got: Vec<f64> =
        case.numbers("p").iter().map(|p| stats::harrell_davis(&sample, *p).unwrap()).collect();
    case.expect_all("q", &got);
}

fn km_quantile(case: &Case<'_>) {
    let ended: Vec<bool> = case.counts("event").unwrap().iter().map(|e| *e == 1).collect();
    let curve = stats::kaplan_meier(&case.numbers("time"), &ended).unwrap();
    let got: Vec<Option<f64>> =
        case.numbers("p").iter().map(|p| curve.quantile(*p).unwrap()).collect();
    case.expect_all_options("q", &got);
    let column = |f: fn(&stats::SurvivalStep) -> f64| curve.steps.iter().map(f).collect::<Vec<_>>();
    case.expect_all("surv_time", &column(|step| step.time));
    case.expect_all("surv", &column(|step| step.survival));
    // Where the curve reaches zero Greenwood's formula divides by zero: the reference has NaN.
    case.expect_all("se", &column(|step| step.se.unwrap_or(f64::NAN)));
}

fn sample_size(case: &Case<'_>) {
    let alpha = case.number("alpha");
    let n = match case.text("kind") {
        "zero_fail" => stats::zero_fail(case.number("p"), alpha),
        "quantile_upper" => stats::quantile_upper(case.number("p"), alpha),
        "binom_pass" => {
            stats::binom_pass(case.number("p0"), case.number("p1"), alpha, case.number("power"))
        }
        other => panic!("{other}"),
    };
    case.expect_count("n", n.unwrap());
}

fn dist(case: &Case<'_>) {
    let params = case.numbers("params");
    let arg = case.number("arg");
    let got = match (case.text("dist"), case.text("fn"), params.as_slice()) {
        ("normal", "cdf", []) => special::normal_cdf(arg),
        ("normal", "sf", []) => special::normal_sf(arg),
        ("normal", "logsf", []) => special::normal_log_sf(arg),
        ("normal", "ppf", []) => special::normal_ppf(arg),
        ("normal", "isf", []) => special::normal_isf(arg),
        ("t", "cdf", [df]) => special::student_cdf(arg, *df),
        ("t", "sf", [df]) => special::student_sf(arg, *df),
        ("t", "isf", [df]) => special::student_isf(arg, *df),
        ("chi2", "sf", [df]) => special::chi2_sf(arg, *df),
        ("chi2", "isf", [df]) => special::chi2_isf(arg, *df),
        ("beta", "cdf", [a, b]) => special::beta_cdf(arg, *a, *b),
        ("beta", "sf", [a, b]) => special::beta_sf(arg, *a, *b),
        ("beta", "ppf", [a, b]) => special::beta_ppf(arg, *a, *b),
        ("binom", "cdf", [n, p]) => special::binomial_cdf(arg as u64, *n as u64, *p),
        ("binom", "sf", [n, p]) => special::binomial_sf(arg as u64, *n as u64, *p),
        ("poisson", "cdf", [mu]) => special::poisson_cdf(arg as u64, *mu),
        ("poisson", "sf", [mu]) => special::poisson_sf(arg as u64, *mu),
        ("kolmogorov", "sf", []) => special::kolmogorov_sf(arg),
        other => panic!("{other:?}"),
    };
    case.expect("v", got);
}
