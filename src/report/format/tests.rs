use super::*;

#[test]
fn counts_are_grouped() {
    let cases = [(0_u64, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")];
    for (given, wanted) in cases {
        assert_eq!(count(given), wanted);
    }
    assert_eq!(tokens(-1_234), "−1,234");
}

#[test]
fn durations_keep_sensible_digits_and_a_unit() {
    let cases = [
        (0.0, "0 ms"),
        (0.4217, "0.422 ms"),
        (8.4217, "8.42 ms"),
        (84.217, "84.2 ms"),
        (842.17, "842 ms"),
        (1_842.4, "1,842 ms"),
        (9_999.4, "9,999 ms"),
        (12_345.6, "12.35 s"),
        (f64::INFINITY, "∞"),
        (f64::NEG_INFINITY, "−∞"),
        (f64::NAN, "–"),
    ];
    for (given, wanted) in cases {
        assert_eq!(duration_ms(given), wanted, "{given}");
    }
}

#[test]
fn shares_never_round_to_none_or_all() {
    let cases = [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.5, "50.0%"),
        (0.001, "0.100%"),
        (0.012_345, "1.23%"),
        (0.000_001, "0.000100%"),
        (0.9985, "99.85%"),
        (0.999_96, "> 99.99%"),
        (1.2, "120%"),
    ];
    for (given, wanted) in cases {
        assert_eq!(share(given), wanted, "{given}");
    }
}

#[test]
fn money_shows_sensible_digits_and_nanodollars_every_digit() {
    assert_eq!(usd(0.0), "0 USD");
    assert_eq!(usd(1234.4), "1,234 USD");
    assert_eq!(usd(234.5), "234.50 USD");
    assert_eq!(usd(0.001_234_5), "0.00123 USD");
    assert_eq!(usd(-2.0), "−2.00 USD");
    assert_eq!(nanousd(0_i64), "0.00 USD");
    assert_eq!(nanousd(3_421_734_112_i64), "3.421734112 USD");
    assert_eq!(nanousd(25_000_000_000_i64), "25.00 USD");
    assert_eq!(nanousd(-1_i64), "−0.000000001 USD");
    assert_eq!(nanousd(i64::MIN), "−9,223,372,036.854775808 USD");
}

#[test]
fn a_limit_prints_every_digit_that_the_plan_gave() {
    assert_eq!(limit(1500.0, &Unit::Milliseconds), "1,500 ms");
    assert_eq!(limit(0.001, &Unit::Share), "0.1%");
    assert_eq!(limit(0.07, &Unit::Share), "7%");
    assert_eq!(limit(1.2, &Unit::Ratio), "1.2×");
    assert_eq!(limit(-0.02, &Unit::PercentagePoints), "−2 pp");
    assert_eq!(limit(0.5, &Unit::parse("tokens")), "0.5 tokens");
    assert_eq!(limit(0.5, &Unit::parse("")), "0.5");
}

#[test]
fn a_figure_beside_its_limit_is_printed_on_its_side_of_it() {
    let ms = Unit::Milliseconds;
    assert_eq!(beside_limit(Some(1512.34), 1500.0, &ms), "1,512 ms");
    assert_eq!(beside_limit(Some(1500.2), 1500.0, &ms), "1,500.2 ms");
    assert_eq!(beside_limit(Some(1_499.999_4), 1500.0, &ms), "1,499.999 ms");
    assert_eq!(beside_limit(Some(1500.0), 1500.0, &ms), "1,500 ms");
    assert_eq!(beside_limit(Some(0.001_000_04), 0.001, &Unit::Share), "0.100004%");
    assert_eq!(beside_limit(Some(f64::INFINITY), 1500.0, &ms), "∞");
    assert_eq!(beside_limit(Some(1512.4), 1512.3, &ms), "1,512.4 ms");
    assert_eq!(beside_limit(Some(1512.3), 1512.3, &ms), "1,512.3 ms");
    assert_eq!(beside_limit(None, 1500.0, &ms), "–");
    assert_eq!(beside_limit(Some(0.0), 0.0, &Unit::Share), "0%");
}

#[test]
fn a_difference_of_shares_is_in_percentage_points() {
    for comparison in ["increase", "excess"] {
        let unit = Unit::compared("share", comparison);
        assert_eq!(beside_limit(Some(0.0123), 0.02, &unit), "1.230 pp");
    }
    assert_eq!(Unit::compared("share", "absolute"), Unit::Share);
    assert_eq!(Unit::compared("ratio", "increase"), Unit::Ratio);
}

#[test]
fn elapsed_time_is_short() {
    let cases = [(0.0, "0 s"), (3.299_999, "3.3 s"), (99.96, "100.0 s"), (1234.5678, "1,235 s")];
    for (given, wanted) in cases {
        assert_eq!(elapsed_s(given), wanted);
    }
}

#[test]
fn p_values_confidence_and_percentile_names_are_short() {
    assert_eq!(p_value(Some(0.0421)), "0.042");
    assert_eq!(p_value(Some(0.000_42)), "0.00042");
    assert_eq!(p_value(Some(1e-9)), "< 0.0001");
    assert_eq!(p_value(Some(1.0)), "1.000");
    assert_eq!(p_value(None), "–");
    assert_eq!(confidence(0.95), "95%");
    assert_eq!(confidence(0.999), "99.9%");
    assert_eq!(percentile_name(0.5), "p50");
    assert_eq!(percentile_name(0.999), "p99.9");
}
