//! Marks on rows: content that the log's writer took away, and times that must not be compared.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use regex::Regex;
use serde_json::Value;

use crate::chat::{ChatRequest, Part, Role};
use crate::dataset::{CapturedExchange, ContentState};

use super::reason::BaselineReason;

/// Texts by which log writers say that they removed or cut content, in serialised JSON.
///
/// Group 1 is removal, group 2 a cut. Words that people and schemas use too (`[REDACTED]`) count
/// only where they are all of a message. Sources: LiteLLM `redact_messages.py`,
/// `custom_logger.py`, `spend_tracking_utils.py`, `safe_json_dumps.py`, base64 cut of the standard
/// payload; OpenInference `config.py`; OpenLLMetry (`FILTERED`).
static MARKERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = r"\[REDACTED\]|REDACTED|FILTERED|\*\*\*";
    let removed =
        format!(r#"redacted-by-litellm|__REDACTED__|"(?:content|text|arguments)":"(?:{words})""#);
    let cut = r#"truncated by litellm, this logger|litellm_truncated skipped |\[base64_data truncated: |"(?:MaxDepthExceeded|CircularReference Detected|Unserializable Object)""#;
    Regex::new(&format!("({removed})|({cut})")).ok()
});

/// Pieces of which every marker has one: nearly all texts have none, which is told much faster.
static PIECES: LazyLock<Option<Searcher>> = LazyLock::new(|| {
    Searcher::new([
        "litellm",
        "REDACTED",
        "FILTERED\"",
        ":\"***\"",
        "[base64_data truncated: ",
        "MaxDepthExceeded\"",
        "CircularReference Detected\"",
        "Unserializable Object\"",
    ])
});

/// How much of its content a JSON text still has, by the marks in it.
pub(super) fn content_state(json: &str) -> ContentState {
    match PIECES.as_ref() {
        Some(pieces) if pieces.find(json).is_none() => ContentState::Complete,
        _ => state_by_markers(json),
    }
}

fn state_by_markers(json: &str) -> ContentState {
    let Some(markers) = MARKERS.as_ref() else { return ContentState::Complete };
    let mut state = ContentState::Complete;
    for found in markers.captures_iter(json) {
        if found.get(1).is_some() {
            return ContentState::Redacted;
        }
        state = ContentState::Truncated;
    }
    state
}

/// The same for the text of an answer.
pub(super) fn text_state(text: &str) -> ContentState {
    match text {
        "[REDACTED]" | "REDACTED" | "FILTERED" | "***" => ContentState::Redacted,
        // An answer may be JSON in which the quoted words mean something else.
        _ if text.starts_with(['{', '[']) => ContentState::Complete,
        _ => content_state(text),
    }
}

/// Whether a text is what Python prints for a list of messages, which is no JSON.
pub(super) fn is_python_repr(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("[{'") || text.starts_with("{'"))
}

/// Path ends and labels of synthetic probes.
const PROBES: &[&str] = &[
    "health",
    "healthz",
    "healthcheck",
    "health-check",
    "health_check",
    "livez",
    "readyz",
    "liveness",
    "readiness",
    "litellm-internal-health-check",
];

/// Whether a route or tag names a probe: `/health`, `/v1/healthz`, `health-check`, but not
/// `/healthcare/chat`.
pub(super) fn names_a_probe(label: &str) -> bool {
    let label = label.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let last = label.rsplit('/').next().unwrap_or_default();
    PROBES.iter().any(|probe| probe.eq_ignore_ascii_case(last))
}

/// Whether a request looks like a probe: one token at most is asked for, and the whole
/// conversation is one word of one user.
///
/// A classifier that answers with one token has instructions or more than a word to classify.
pub(super) fn is_probe(request: &ChatRequest) -> bool {
    let [message] = request.messages.as_slice() else { return false };
    let [Part::Text(text)] = message.parts.as_slice() else { return false };
    let words = text.split_whitespace().count();
    request.max_output_tokens.is_some_and(|cap| cap <= 1)
        && message.role == Role::User
        && words <= 1
}

/// What a log says of a row that keeps it out of the incumbent's baseline.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one statement of the log")]
pub(super) struct BaselineMarks {
    pub(super) silent_experiment: bool,
    pub(super) health_check: bool,
    pub(super) retried: bool,
    /// The log has a beginning but no end.
    pub(super) no_end: bool,
    /// It is a row of a batch job.
    pub(super) batch: bool,
    /// The gateway answered without asking the provider.
    pub(super) gateway_answer: bool,
    /// It is no generation of text.
    pub(super) not_chat: bool,
    /// The latency that is stated is not that of the whole call.
    pub(super) other_scope: bool,
}

/// Settles whether a row may stand for the incumbent's latency; the first reason is kept.
///
/// A latency that cannot be (negative, not finite) is removed from the row.
pub(super) fn settle_baseline(row: &mut CapturedExchange, marks: BaselineMarks) {
    let impossible = |value: Option<f64>| value.is_some_and(|ms| !ms.is_finite() || ms < 0.0);
    let late = matches!((row.ttft_ms, row.latency_ms), (Some(ttft), Some(total)) if ttft > total);
    let bad_timing = impossible(row.latency_ms) || impossible(row.ttft_ms) || late || marks.no_end;
    for value in [&mut row.latency_ms, &mut row.ttft_ms] {
        if impossible(*value) {
            *value = None;
        }
    }
    let reasons = [
        (row.cache_hit == Some(true), BaselineReason::CacheHit),
        (marks.silent_experiment, BaselineReason::SilentExperiment),
        (marks.health_check, BaselineReason::HealthCheck),
        (marks.batch, BaselineReason::Batch),
        (marks.gateway_answer, BaselineReason::GatewayAnswer),
        (marks.not_chat, BaselineReason::NotChat),
        (marks.retried, BaselineReason::Retried),
        (bad_timing, BaselineReason::BadTiming),
        (row.latency_ms.is_none(), BaselineReason::NoLatency),
        (marks.other_scope, BaselineReason::OtherScope),
    ];
    let reason = reasons.iter().find_map(|(applies, reason)| applies.then_some(*reason));
    row.latency_baseline_ok = reason.is_none();
    row.latency_baseline_reason = reason.map(|reason| reason.as_str().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Message;

    #[test]
    fn markers_of_log_writers_are_found_and_ordinary_words_are_not() {
        use ContentState::{Complete, Redacted, Truncated};
        for (json, state) in [
            (r#"{"content":"redacted-by-litellm"}"#, Redacted),
            (r#"{"content":"[REDACTED]"}"#, Redacted),
            (r#"{"content":"Dear [REDACTED], hello"}"#, Complete),
            (r#"{"content":"say \"FILTERED\" twice"}"#, Complete),
            (r#"{"enum":["ACTIVE","FILTERED"]}"#, Complete),
            (r#"{"content":"***"}"#, Redacted),
            (r#"{"url":"data:image/png;base64,[base64_data truncated: 72B]"}"#, Truncated),
            (r#"{"content":"ab... (litellm_truncated skipped 99 chars. x) ..."}"#, Truncated),
            (r#"{"content":"MaxDepthExceeded"}"#, Truncated),
            (r#"{"a":"MaxDepthExceeded","b":"__REDACTED__"}"#, Redacted),
        ] {
            assert_eq!(content_state(json), state, "{json}");
            assert_eq!(state_by_markers(json), state, "{json}");
        }
        assert_eq!(text_state("***"), Redacted);
        assert_eq!(text_state("it is ***"), Complete);
        assert_eq!(text_state("redacted-by-litellm"), Redacted);
        assert_eq!(text_state(r#"{"content":"FILTERED"}"#), Complete);
    }

    #[test]
    fn every_marker_has_one_of_the_pieces_that_are_looked_for_first() {
        let words = ["[REDACTED]", "REDACTED", "FILTERED", "***"];
        let members = ["content", "text", "arguments"];
        let leaves = ["MaxDepthExceeded", "CircularReference Detected", "Unserializable Object"];
        let mut markers: Vec<String> = [
            "redacted-by-litellm",
            "__REDACTED__",
            "truncated by litellm, this logger",
            "litellm_truncated skipped ",
            "[base64_data truncated: ",
        ]
        .map(str::to_owned)
        .to_vec();
        for word in words {
            markers.extend(members.map(|member| format!(r#""{member}":"{word}""#)));
        }
        markers.extend(leaves.map(|leaf| format!("\"{leaf}\"")));
        for marker in markers {
            assert_ne!(state_by_markers(&marker), ContentState::Complete, "{marker}");
            assert_eq!(content_state(&marker), state_by_markers(&marker), "{marker}");
        }
    }

    #[test]
    fn probes_are_told_by_their_name_or_by_a_single_word_and_token() {
        for (label, probe) in [
            ("/health", true),
            ("/v1/healthz?x=1", true),
            ("health-check", true),
            ("/healthcare/chat", false),
            ("/health/advice", false),
            ("prod", false),
        ] {
            assert_eq!(names_a_probe(label), probe, "{label}");
        }
        let mut request = ChatRequest {
            messages: vec![Message::text(Role::User, "ping")],
            max_output_tokens: Some(1),
            ..ChatRequest::default()
        };
        assert!(is_probe(&request));
        request.messages.insert(0, Message::text(Role::System, "Spam or ham?"));
        assert!(!is_probe(&request), "a classifier");
        request.messages.remove(0);
        request.max_output_tokens = Some(2);
        assert!(!is_probe(&request));
    }

    #[test]
    fn impossible_times_keep_a_row_out_of_the_baseline() {
        let reason = |latency_ms, ttft_ms, marks| {
            let mut row = CapturedExchange { latency_ms, ttft_ms, ..CapturedExchange::default() };
            settle_baseline(&mut row, marks);
            assert_eq!(row.latency_baseline_ok, row.latency_baseline_reason.is_none());
            row.latency_baseline_reason
        };
        let none = BaselineMarks::default();
        assert_eq!(reason(Some(5.0), Some(2.0), none), None);
        assert_eq!(reason(Some(5.0), Some(6.0), none).as_deref(), Some("bad_timing"));
        assert_eq!(reason(Some(-5.0), None, none).as_deref(), Some("bad_timing"));
        assert_eq!(reason(None, None, none).as_deref(), Some("no_latency"));
        let no_end = BaselineMarks { no_end: true, ..none };
        assert_eq!(reason(None, None, no_end).as_deref(), Some("bad_timing"));
        let retried = BaselineMarks { retried: true, ..none };
        assert_eq!(reason(Some(5.0), None, retried).as_deref(), Some("retried"));
    }
}
