//! What every row keeps, whatever it was read from.

use serde_json::Value;

use crate::capture::redact::{Redactor, SecretScrubber};
use crate::dataset::CapturedExchange;
use crate::provider::Dialect;

/// Checks a row that was redacted.
pub(super) fn check_row(row: &CapturedExchange, redactor: &dyn Redactor) {
    assert!(!row.request_id.is_empty() && row.attempt >= 1, "{row:#?}");
    check_durations(row);
    check_counts(row);
    check_content(row);
    assert!(row.features.is_sorted_by(|one, next| one < next), "{:?}", row.features);
    assert!(row.flaws.is_sorted_by(|one, next| one < next), "{:?}", row.flaws);
    check_redacted(row, redactor);
}

fn check_durations(row: &CapturedExchange) {
    let is_possible = |ms: &Option<f64>| ms.is_none_or(|ms| ms.is_finite() && ms >= 0.0);
    assert!([&row.latency_ms, &row.ttft_ms, &row.ttfb_ms].into_iter().all(is_possible), "{row:#?}");
    assert_eq!(row.latency_baseline_ok, row.latency_baseline_reason.is_none(), "{row:#?}");
    if row.latency_baseline_ok {
        let latency_ms = row.latency_ms.expect("a baseline has a latency");
        assert!(row.ttft_ms.is_none_or(|ttft_ms| ttft_ms <= latency_ms), "{row:#?}");
    }
}

fn check_counts(row: &CapturedExchange) {
    let counts = [
        row.input_tokens,
        row.output_tokens,
        row.cache_read_input_tokens,
        row.cache_creation_input_tokens,
        row.reasoning_output_tokens,
        row.cost_nanousd,
    ];
    assert!(counts.into_iter().flatten().all(|count| count >= 0), "{row:#?}");
    let lengths = [row.stop_count, row.tool_count, row.message_count, row.image_count];
    assert!(lengths.into_iter().all(|length| length >= 0), "{row:#?}");
    let parameters = [row.temperature, row.top_p, row.time_resolution_ms];
    assert!(parameters.into_iter().flatten().all(f64::is_finite), "{row:#?}");
}

fn check_content(row: &CapturedExchange) {
    let json = |text: &Option<String>| {
        text.as_ref().map(|text| serde_json::from_str::<Value>(text).expect("JSON stays JSON"))
    };
    let body = json(&row.request_body);
    assert!(json(&row.tool_calls).is_none_or(|calls| calls.is_array()), "{row:#?}");
    assert!(json(&row.tags).is_none_or(|tags| tags.is_array()), "{row:#?}");
    let dialect = row.dialect.as_ref().map(|dialect| dialect.parse::<Dialect>());
    assert!(dialect.as_ref().is_none_or(Result::is_ok), "{row:#?}");
    assert_eq!(row.replayable, row.not_replayable_reason.is_none(), "{row:#?}");
    if row.replayable {
        assert!(body.is_some() && dialect.is_some(), "{row:#?}");
    }
    let states = ["complete", "pseudonymised", "redacted", "truncated", "absent"];
    assert!(states.contains(&row.content_state.as_str()), "{row:#?}");
}

/// Redacting again finds nothing more.
fn check_redacted(row: &CapturedExchange, redactor: &dyn Redactor) {
    let mut again = row.clone();
    SecretScrubber.redact(&mut again);
    redactor.redact(&mut again);
    assert_eq!(&again, row, "redacting again changes the row");
}
