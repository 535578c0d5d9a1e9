//! Every reference value of the fixture against `stats` and `similarity`.
//!
//! The values come from SciPy, statsmodels, mpmath, R and rapidfuzz; the fixture names versions
//! and defines each family in its `doc`. A number passes when it differs by at most
//! max(abs, rel * larger magnitude), with the tolerance of the case or else of its family.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test fail as its body does"
)]

use rehearsal::similarity;
use rehearsal::stats::{self, Alternative, ProportionMethod, QuantileType, Side, special};
use serde_json::Value;

const FIXTURE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectors/stat_vectors.json"));

/// Runs `check` on each case of a family; `cases` guards against a family that shrinks unseen.
fn each_case(family: &str, cases: usize, check: impl Fn(&Case)) {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let family = &fixture["families"][family];
    let list = family["cases"].as_array().unwrap();
    assert_eq!(list.len(), cases);
    for value in list {
        let tolerance = value.get("tol").unwrap_or(&family["tol"]);
        let case = Case {
            id: value["id"].as_str().unwrap(),
            input: &value["in"],
            output: &value["out"],
            relative: tolerance["rel"].as_f64().unwrap(),
            absolute: tolerance["abs"].as_f64().unwrap(),
        };
        check(&case);
    }
}

struct Case<'a> {
    id: &'a str,
    input: &'a Value,
    output: &'a Value,
    relative: f64,
    absolute: f64,
}

impl Case<'_> {
    fn number(&self, key: &str) -> f64 {
        number(&self.input[key])
    }

    fn count(&self, key: &str) -> u64 {
        self.input[key].as_u64().unwrap_or_else(|| panic!("{}: {key}", self.id))
    }

    fn text(&self, key: &str) -> &str {
        self.input[key].as_str().unwrap_or_else(|| panic!("{}: {key}", self.id))
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        self.input[key].as_array().unwrap().iter().map(number).collect()
    }

    fn counts(&self, key: &str) -> Option<Vec<u64>> {
        self.input[key].as_array().map(|list| list.iter().map(|v| v.as_u64().unwrap()).collect())
    }

    fn side(&self) -> Side {
        match self.text("side") {
            "lower" => Side::Lower,
            "upper" => Side::Upper,
            "two-sided" => Side::TwoSided,
            other => panic!("{other}"),
        }
    }

    fn expect(&self, key: &str, got: f64) {
        self.close(key, got, &self.output[key], self.absolute);
    }

    fn expect_count(&self, key: &str, got: u64) {
        assert_eq!(Some(got), self.output[key].as_u64(), "{} {key}", self.id);
    }

    fn expect_all(&self, key: &str, got: &[f64]) {
        let want = self.output[key].as_array().unwrap();
        assert_eq!(got.len(), want.len(), "{} {key}", self.id);
        for (got, want) in got.iter().zip(want) {
            self.close(key, *got, want, self.absolute);
        }
    }

    fn close(&self, key: &str, got: f64, want: &Value, absolute: f64) {
        let want = number(want);
        let scale = got.abs().max(want.abs());
        let same = got.total_cmp(&want).is_eq();
        let near = (got - want).abs() <= absolute.max(self.relative * scale);
        assert!(same || near, "{} {key}: got {got:e}, want {want:e}", self.id);
    }
}

/// Numbers are JSON numbers or the names of the values that JSON lacks.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or_else(|| panic!("{value}")),
    }
}

#[test]
fn quantiles_of_all_types_match() {
    each_case("quantile", 36, |case| {
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
    });
}

#[test]
fn weighted_quantiles_match() {
    each_case("weighted_quantile", 6, |case| {
        let (x, w) = (case.numbers("x"), case.numbers("w"));
        let got: Vec<f64> =
            case.numbers("p").iter().map(|p| stats::weighted_type1(&x, &w, *p).unwrap()).collect();
        case.expect_all("q", &got);
    });
}

#[test]
fn order_statistic_ranks_match() {
    each_case("quantile_ci", 39, |case| {
        let confidence = case.number("conf");
        let ranks = stats::order_statistic_ranks(
            case.count("n"),
            case.number("p"),
            confidence,
            case.side(),
        )
        .unwrap();
        case.expect_count("l", ranks.lower);
        case.expect_count("u", ranks.upper);
        case.expect("coverage", ranks.coverage);
    });
}

#[test]
fn proportion_intervals_match() {
    each_case("proportion_ci", 360, |case| {
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
    });
}

#[test]
fn binomial_tests_match() {
    each_case("binom_test", 30, |case| {
        let alternative = match case.text("alternative") {
            "less" => Alternative::Less,
            "greater" => Alternative::Greater,
            "two-sided" => Alternative::TwoSided,
            other => panic!("{other}"),
        };
        let p = stats::binom_test(case.count("k"), case.count("n"), case.number("p0"), alternative);
        case.expect("p", p.unwrap());
    });
}

#[test]
fn mcnemar_tests_match() {
    each_case("mcnemar", 15, |case| {
        let test = stats::mcnemar(case.count("b"), case.count("c"));
        case.expect("p_exact", test.p_exact);
        case.expect("p_midp", test.p_midp);
        case.expect("chi2", test.chi2);
        case.expect("p_chi2", test.p_chi2);
        case.expect("chi2_cc", test.chi2_cc);
        case.expect("p_chi2_cc", test.p_chi2_cc);
        case.expect("p_exact_greater", test.p_exact_greater);
        case.expect("p_midp_greater", test.p_midp_greater);
    });
}

#[test]
fn paired_difference_intervals_match() {
    each_case("paired_diff_ci", 24, |case| {
        assert_eq!(case.text("method"), "tango");
        let (n, b, c) = (case.count("n"), case.count("b"), case.count("c"));
        let interval = stats::tango_interval(n, b, c, case.number("conf")).unwrap();
        case.expect("lo", interval.low);
        case.expect("hi", interval.high);
    });
}

#[test]
fn cluster_means_match() {
    each_case("cluster_mean", 6, |case| {
        let cluster = case.counts("cluster").unwrap();
        let mean = stats::cluster_mean(&case.numbers("x"), &cluster).unwrap();
        case.expect("mean", mean.mean);
        case.expect("se_iid", mean.se_iid.unwrap());
        case.expect("se_cluster", mean.se_cluster);
        case.expect("se_cluster_g", mean.se_cluster_g.unwrap());
        case.expect("deff", mean.deff.unwrap());
        case.expect_count("G", mean.clusters);
    });
}

#[test]
fn ratios_of_totals_match() {
    each_case("ratio_delta", 12, |case| {
        let cluster = case.counts("cluster");
        let (y, x) = (case.numbers("y"), case.numbers("x"));
        let ratio =
            stats::ratio_of_totals(&y, &x, cluster.as_deref(), case.number("conf")).unwrap();
        case.expect("ratio", ratio.ratio);
        case.expect("se", ratio.se);
        case.expect("lo", ratio.wald_low);
        case.expect("hi", ratio.wald_high);
        if case.output.get("fieller_lo").is_some() {
            // With y proportional to x the reference subtracts equal squares and keeps only
            // half of its digits: it has 1.49999998 and 1.50000002 for exactly 1.5.
            let absolute = if ratio.se < 1e-12 { 1e-7 } else { case.absolute };
            let (low, high) = (ratio.fieller_low.unwrap(), ratio.fieller_high.unwrap());
            case.close("fieller_lo", low, &case.output["fieller_lo"], absolute);
            case.close("fieller_hi", high, &case.output["fieller_hi"], absolute);
        }
    });
}

#[test]
fn adjusted_p_values_match() {
    each_case("p_adjust", 35, |case| {
        let adjust = match case.text("method") {
            "holm" => stats::holm,
            "hochberg" => stats::hochberg,
            "bonferroni" => stats::bonferroni,
            "bh" => stats::benjamini_hochberg,
            "by" => stats::benjamini_yekutieli,
            other => panic!("{other}"),
        };
        case.expect_all("adj", &adjust(&case.numbers("p")));
    });
}

#[test]
fn distribution_functions_match() {
    each_case("dist", 304, |case| {
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
            other => panic!("{other:?}"),
        };
        case.expect("v", got);
    });
}

#[test]
fn sample_sizes_match() {
    each_case("sample_size", 13, |case| {
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
    });
}

#[test]
fn edit_distances_match() {
    each_case("levenshtein", 24, |case| {
        let (a, b) = (case.text("a"), case.text("b"));
        case.expect_count("distance", similarity::edit_distance(a, b) as u64);
        case.expect("norm_sim", similarity::edit_similarity(a, b));
    });
}

#[test]
fn common_subsequences_match() {
    each_case("lcs_f1", 7, |case| {
        let tokens = |key: &str| -> Vec<String> {
            let list = case.input[key].as_array().unwrap();
            list.iter().map(|token| token.as_str().unwrap().to_owned()).collect()
        };
        let overlap = similarity::lcs_f1(&tokens("ref_tokens"), &tokens("cand_tokens"));
        case.expect_count("lcs", overlap.length as u64);
        case.expect("f1", overlap.f1);
    });
}

#[test]
fn token_overlaps_match() {
    each_case("token_f1", 24, |case| {
        let (reference, candidate) = (case.text("reference"), case.text("candidate"));
        let exact = similarity::token_exact(reference, candidate);
        assert_eq!(Some(exact), case.output["exact"].as_bool(), "{}", case.id);
        case.expect("f1", similarity::token_f1(reference, candidate));
    });
}
