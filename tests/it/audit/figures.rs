//! The figures of every query and the findings, of captures small enough to count by hand.

use rehearsal::audit::{FindingCode, Severity};
use serde_json::{Value, json};

use super::{audited, check, exchange, rows, two_weeks};

#[tokio::test]
async fn volume_models_and_lengths_of_a_small_capture_are_those_counted_by_hand() {
    let audit = audited(&two_weeks()).await;
    check(
        &audit,
        "audit/overview",
        &json!({
        "exchanges": 5, "first_at": "2026-11-02T10:00:00Z", "last_at": "2026-11-16T10:00:00Z",
        "request_models": 2, "sessions": 2, "input_tokens": 1000, "output_tokens": 100,
        "with_tokens": 4, "streamed": 1, "with_latency": 5, "with_ttft": 1, "sampled": 0,
        "replayable": 5, "replayable_share": 1.0, "errors": 1, "error_rate": 0.2}),
    );
    check(
        &audit,
        "audit/sufficiency",
        &json!({
        "days_covered": 14.0, "days_with_traffic": 3, "weekdays_present": 2,
        "hours_covered": 337, "hours_without_traffic": 334, "two_weeks": false}),
    );
    check(
        &audit,
        "audit/endpoints",
        &json!({
        "operation": "chat", "dialect": "openai_chat", "provider": "openai", "exchanges": 5,
        "share": 1.0, "streaming_share": 0.2, "errors": 1, "with_tokens": 4}),
    );
    // 60 * 2.5 + 40 * 1.25 + 10 * 10, 200 * 2.5 + 20 * 10, 400 * 2.5 + 40 * 10 micro-dollars.
    check(
        &audit,
        "audit/models",
        &json!({
        "request_model": "gpt-4o", "response_model": "gpt-4o", "kind": "listed", "exchanges": 3,
        "share": 0.6, "sessions": 1, "input_tokens": 700, "output_tokens": 70, "recorded": 1,
        "recorded_nanousd": 1_000_000, "priced": 3, "catalogue_nanousd": 2_400_000,
        "catalogue_model": "gpt-4o", "mapped": null}),
    );
    check(&audit, "audit/models", &json!({"kind": "fine_tuned", "exchanges": 1}));
    assert!(audit.tables["audit/model_maps"].rows.is_empty());
    check(
        &audit,
        "audit/lengths",
        &json!({
        "level": "all", "side": "input", "n": 4, "unknown": 1, "p5_tokens": 100,
        "p25_tokens": 100, "p50_tokens": 200, "p75_tokens": 300, "p95_tokens": 400,
        "p99_tokens": 400, "max_tokens": 400}),
    );
    check(
        &audit,
        "audit/lengths",
        &json!({
        "level": "model", "request_model": "gpt-4o", "side": "output", "n": 3, "unknown": 1,
        "p50_tokens": 20, "max_tokens": 40}),
    );
    check(
        &audit,
        "audit/features",
        &json!({
        "source": "parameter", "name": "stream", "exchanges": 1, "n": 5, "share": 0.2}),
    );
    check(&audit, "audit/features", &json!({"name": "n > 1", "exchanges": 1, "models": 1}));
    check(&audit, "audit/features", &json!({"name": "temperature", "exchanges": 1}));
    check(&audit, "audit/features", &json!({"source": "feature", "name": "several_choices"}));
}

#[tokio::test]
async fn a_month_and_the_peaks_of_a_small_capture_are_those_computed_by_hand() {
    let audit = audited(&two_weeks()).await;
    // Two covered hours of Monday 10 h hold 4, two of Tuesday 11 h hold 1: 2.5 an hour of these
    // cells, each of which a month has 730.5 / 168 times, is 10.87.
    check(
        &audit,
        "audit/projection",
        &json!({
        "quantity": "exchanges", "captured": 5, "n": 5, "known_share": 1.0,
        "method": "weekday_hour", "days_covered": 14.0, "full_days": 13, "weekdays": 2,
        "month": 11}),
    );
    check(
        &audit,
        "audit/projection",
        &json!({
        "quantity": "recorded_nanousd", "captured": 1_000_000, "n": 1, "known_share": 0.2}),
    );
    assert_eq!(audit.tables["audit/hours"].rows.len(), 168);
    check(
        &audit,
        "audit/hours",
        &json!({
        "weekday": 1, "hour": 10, "exchanges": 4, "hours_covered": 2.0, "per_hour": 2.0,
        "peak_per_minute": 3}),
    );
    check(
        &audit,
        "audit/hours",
        &json!({"weekday": 7, "hour": 23, "exchanges": 0, "per_hour": 0.0}),
    );
    check(
        &audit,
        "audit/peaks",
        &json!({
        "measure": "requests_per_minute", "n": 5, "minutes": 20_161, "p999": 0, "peak": 3,
        "peak_at": "2026-11-02T10:00:00Z", "ask": 4}),
    );
    check(
        &audit,
        "audit/peaks",
        &json!({
        "measure": "tokens_per_minute", "n": 4, "peak": 660, "ask": 792}),
    );
    // The second call begins while the first is under way, the others are alone.
    check(
        &audit,
        "audit/peaks",
        &json!({
        "measure": "concurrency", "n": 5, "p999": null, "peak": 2, "ask": 3}),
    );
    check(
        &audit,
        "audit/gaps",
        &json!({
        "from_at": "2026-11-03T11:15:00Z", "to_at": "2026-11-16T10:00:00Z",
        "silence_ms": 1_118_700_000.0, "n": 4}),
    );
}

#[tokio::test]
async fn a_capture_of_half_a_day_is_scaled_plainly_and_has_no_band() {
    let lines: Vec<String> = (0..=12)
        .map(|hour| {
            let at = format!("2026-11-02T{hour:02}:00:00Z");
            exchange(&format!("h{hour}"), &at, "gpt-4o", Some((10, 1)), &json!({}))
        })
        .collect();
    let audit = audited(&lines).await;
    // 13 exchanges in 12 hours, 730.5 hours: 791.375.
    check(
        &audit,
        "audit/projection",
        &json!({
        "quantity": "exchanges", "method": "plain", "month": 791, "month_low": null,
        "month_high": null}),
    );
    check(&audit, "audit/hours", &json!({"weekday": 3, "hour": 0, "per_hour": null}));
    let codes: Vec<FindingCode> = audit.findings.iter().map(|finding| finding.code).collect();
    for code in [
        FindingCode::NotTwoWeeks,
        FindingCode::WeekdayMix,
        FindingCode::NoLatency,
        FindingCode::NoSessions,
    ] {
        assert!(codes.contains(&code), "{code:?} in {codes:?}");
    }
}

#[tokio::test]
async fn the_band_of_a_month_follows_from_the_spread_of_whole_days() {
    // Whole days of 2, 4, 4, 4 and 6 exchanges between two half ones: the mean is 4, its bound
    // 4 + 2.131847 * sqrt(2) / sqrt(5) (Student, 4 degrees of freedom, 95 % one-sided).
    let mut lines = Vec::new();
    for (day, exchanges) in [(2, 1), (3, 2), (4, 4), (5, 4), (6, 4), (7, 6), (8, 1)] {
        for index in 0..exchanges {
            let at = format!("2026-11-{day:02}T12:00:{index:02}Z");
            lines.push(exchange(&format!("{day}-{index}"), &at, "gpt-4o", None, &json!({})));
        }
    }
    let audit = audited(&lines).await;
    let found = rows(&audit, "audit/projection", &json!({"quantity": "exchanges"}));
    let figure = |name: &str| found[0][name].as_f64().unwrap();
    let month = 22.0 / 6.0 * 30.4375;
    let band = 2.131_847 * (2.0_f64 / 5.0).sqrt() / 4.0 * (1.0_f64 + 5.0 / 30.4375).sqrt();
    for (name, wanted) in [
        ("month", month),
        ("month_low", month * (1.0 - band)),
        ("month_high", month * (1.0 + band)),
    ] {
        assert!((figure(name) - wanted).abs() <= 0.51, "{name}: {} for {wanted}", figure(name));
    }
    assert_eq!(found[0]["full_days"], 5);
}

#[tokio::test]
async fn latency_errors_caches_and_sessions_are_those_counted_by_hand() {
    let audit = audited(&two_weeks()).await;
    check(
        &audit,
        "audit/latency",
        &json!({
        "measure": "latency_ms", "level": "all", "n": 4, "p50_ms": 1000.0, "p99_ms": 3000.0,
        "p99_ms_high": null}),
    );
    check(
        &audit,
        "audit/latency",
        &json!({
        "measure": "ttft_ms", "level": "model", "request_model": "gpt-4o", "n": 1,
        "p50_ms": 200.0}),
    );
    check(
        &audit,
        "audit/latency_left_out",
        &json!({
        "reason": "used", "exchanges": 4, "with_latency": 4, "with_ttft": 1, "streamed": 1}),
    );
    check(&audit, "audit/latency_left_out", &json!({"reason": "failed", "exchanges": 1}));
    check(
        &audit,
        "audit/errors",
        &json!({
        "kind": "rate_limit", "exchanges": 1, "n": 5, "rate": 0.2, "models": 1}),
    );
    // Two of five share a conversation: four independent units bear no bounds.
    assert_eq!(audit.tables["audit/errors"].rows[0]["rate_low"], Value::Null);
    check(
        &audit,
        "audit/errors_by_day",
        &json!({
        "day": "2026-11-03", "exchanges": 1, "errors": 1, "error_rate": 1.0, "rate_limited": 1}),
    );
    check(
        &audit,
        "audit/errors_by_day",
        &json!({"day": "2026-11-02", "exchanges": 3, "errors": 0}),
    );
    check(
        &audit,
        "audit/cache",
        &json!({
        "level": "all", "exchanges": 5, "gateway_known": 0, "gateway_hit_share": null,
        "prompt_cache_known": 1, "prompt_cache_input_tokens": 100, "cache_read_tokens": 40,
        "cache_read_share": 0.4}),
    );
    check(
        &audit,
        "audit/sessions",
        &json!({
        "exchanges": 5, "without_session": 2, "without_session_share": 0.4, "sessions": 2,
        "single_share": 0.5, "p50_exchanges": 1, "p75_exchanges": 2, "max_exchanges": 2}),
    );
    check(
        &audit,
        "audit/tenants",
        &json!({
        "tenant": "ops", "exchanges": 2, "share": 0.4, "input_tokens": 300, "output_tokens": 30,
        "recorded_share": 1.0}),
    );
    check(&audit, "audit/tenants", &json!({"tenant": null, "exchanges": 2}));
    check(
        &audit,
        "audit/replayability",
        &json!({
        "replayable": true, "content_state": "complete", "exchanges": 5, "share": 1.0}),
    );
}

#[tokio::test]
async fn an_error_rate_has_its_exact_interval() {
    let failed = json!({"status": 500, "response": null, "error": {"message": "x"}});
    let lines: Vec<String> = (0..60)
        .map(|index| {
            let at = format!("2026-11-02T10:{index:02}:00Z");
            let extra = if index == 7 { &failed } else { &json!({}) };
            exchange(&format!("e{index}"), &at, "gpt-4o", None, extra)
        })
        .collect();
    let audit = audited(&lines).await;
    let error = &audit.tables["audit/errors"].rows[0];
    let figure = |name: &str| error[name].as_f64().unwrap();
    // Clopper-Pearson for 1 of 60: beta quantiles, 95 % on either side.
    assert!((figure("rate") - 1.0 / 60.0).abs() < 1e-12);
    assert!((figure("rate_low") - 0.000_854_523).abs() < 1e-6, "{error:?}");
    assert!((figure("rate_high") - 0.076_639_995).abs() < 1e-6, "{error:?}");
}

#[tokio::test]
async fn the_quality_of_the_log_is_told_line_by_line() {
    let audit = audited(&two_weeks()).await;
    check(
        &audit,
        "audit/sources",
        &json!({
        "format": "plain", "lines": 6, "accepted": 5, "rejected": 1, "filtered": 0,
        "duplicates": 0, "joined": 0, "incomplete": null}),
    );
    check(
        &audit,
        "audit/source_reasons",
        &json!({
        "outcome": "rejected", "reason": "invalid_json", "lines": 1}),
    );
    check(
        &audit,
        "audit/clock",
        &json!({
        "exchanges": 5, "before_2015": 0, "beyond_import": 0, "steps": 4, "steps_back": 0,
        "largest_back_ms": null}),
    );
    check(&audit, "audit/time_quality", &json!({"source_format": "plain", "exchanges": 5}));
    assert!(audit.tables["audit/flaws"].rows.is_empty());
    let rejected = audit.findings.iter().find(|f| f.code == FindingCode::Rejected).unwrap();
    assert!(rejected.text.contains("16.7% of the lines (1 of 6)"), "{}", rejected.text);
}

#[tokio::test]
async fn a_clock_that_was_turned_back_is_found_and_a_file_sorted_backwards_is_not() {
    let at = |hour: u32, id: &str| {
        let at = format!("2026-11-02T{hour:02}:00:00Z");
        exchange(id, &at, "gpt-4o", None, &json!({}))
    };
    let turned = [at(1, "a"), at(2, "b"), at(3, "c"), at(1, "d"), at(2, "e")];
    let audit = audited(&turned).await;
    check(
        &audit,
        "audit/clock",
        &json!({
        "steps": 4, "steps_back": 1, "back_share": 0.25, "largest_back_ms": 7_200_000.0}),
    );
    assert!(audit.findings.iter().any(|finding| finding.code == FindingCode::Clock));
    let backwards = [at(5, "a"), at(4, "b"), at(3, "c"), at(2, "d")];
    let audit = audited(&backwards).await;
    assert!(!audit.findings.iter().any(|finding| finding.code == FindingCode::Clock));
    let undated = exchange("old", "2001-01-01T00:00:00Z", "gpt-4o", None, &json!({}));
    let audit = audited(&[at(1, "a"), undated]).await;
    check(&audit, "audit/clock", &json!({"before_2015": 1}));
    check(&audit, "audit/sufficiency", &json!({"exchanges": 1, "days_covered": 0.0}));
    assert!(audit.findings.iter().any(|finding| finding.code == FindingCode::Clock));
}

#[tokio::test]
async fn retirements_and_models_without_counterpart_are_named() {
    let lines = [
        exchange("a", "2026-11-02T10:00:00Z", "gpt-4o-2024-05-13", None, &json!({})),
        exchange("b", "2026-11-02T10:01:00Z", "acme-internal-7b", None, &json!({})),
    ];
    let audit = audited(&lines).await;
    let retired: Vec<_> =
        audit.findings.iter().filter(|f| f.code == FindingCode::DeprecatedModels).collect();
    let row = rows(&audit, "audit/models", &json!({"request_model": "gpt-4o-2024-05-13"}))[0];
    let left = row["days_left"].as_i64();
    assert_eq!(left.is_some_and(|left| left <= 180), retired.len() == 1, "{row:?}");
    let custom = audit.findings.iter().find(|f| f.code == FindingCode::CustomModels).unwrap();
    assert_eq!(custom.severity, Severity::Warning);
    assert_eq!(custom.subjects, ["acme-internal-7b"]);
}
