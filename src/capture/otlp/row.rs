//! One call of a model to a row.

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState, sha256_hex};

use super::super::body::{fill_request, set_replayable, set_state, without_request};
use super::super::format::Reading;
use super::super::marks::{BaselineMarks, is_probe, settle_baseline};
use super::super::reason::{NotReplayable, RejectReason};
use super::super::time::{Moment, fill_time};
use super::super::value::{flag, number, text};
use super::any_value::nanoseconds;
use super::columns::{self, Scope};
use super::kind::Kind;
use super::prompt::opened;
use super::span::Span;
use super::tree::Call;
use super::{answer, outcome, prompt, usage};

/// Attributes that name the model that was asked for, then those that name the one that answered.
pub(super) const MODELS: &[&str] = &[
    "litellm.model_group",
    "gen_ai.request.model",
    "llm.request.model_name",
    "langfuse.observation.model.name",
    "embedding.model_name",
    "gen_ai.response.model",
    "llm.response.model_name",
    "llm.model_name",
];

/// The reading of a call.
pub(super) fn reading(call: &Call<'_>) -> Reading {
    let Some(span) = call.spans.first() else {
        let detail = "a call without a span".to_owned();
        return Reading::Reject(RejectReason::MissingField, detail);
    };
    let Some(at_ns) = span.start_ns.or(span.end_ns) else {
        let detail = "`timeUnixNano` of the event is not there".to_owned();
        return Reading::Reject(RejectReason::MissingField, detail);
    };
    let model = model(call);
    let scope = Scope::of(span);
    let mut row = CapturedExchange {
        request_id: request_id(call, span),
        session_id: columns::session(call),
        user_id: columns::user(call),
        provider: columns::provider(call),
        operation: span.kind.operation().to_owned(),
        route: columns::route(call),
        tenant: columns::tenant(call),
        tags: columns::tags(call),
        request_model: model.clone(),
        stream: stream(call),
        cache_hit: columns::cache_hit(call),
        latency_scope: Some(scope.as_str().to_owned()),
        sampled: Some(true),
        attempt: 1,
        ..CapturedExchange::default()
    };
    fill_time(&mut row, Moment { us: at_ns / 1_000, basis: "epoch" });
    let request = fill_prompt(&mut row, call, span.kind, &model);
    fill_times(&mut row, call, span);
    answer::fill(&mut row, call);
    usage::fill(&mut row, call, scope.usage_source());
    let has_begun = first_token_ns(call).is_some()
        || row.output_tokens.is_some_and(|tokens| tokens > 0)
        || row.response_text.as_ref().is_some_and(|text| !text.is_empty());
    outcome::fill(&mut row, call, has_begun);
    settle_replayability(&mut row, span.kind);
    let marks = BaselineMarks {
        health_check: request.as_ref().is_some_and(is_probe),
        retried: columns::is_retried(call),
        no_end: span.start_ns.is_some() && span.end_ns.is_none_or(|end| end < at_ns),
        not_chat: !span.kind.is_text_generation(),
        ..BaselineMarks::default()
    };
    settle_baseline(&mut row, marks);
    Reading::Exchange(Box::new(row))
}

/// LiteLLM's own identifier, which its attempts share; else those of trace and span, which for one
/// of several attempts is the span around them.
fn request_id(call: &Call<'_>, span: &Span) -> String {
    if let Some(id) = span.text(&["litellm.call_id"]) {
        return id;
    }
    let span = call.family.filter(|family| !family.id.is_empty()).unwrap_or(span);
    if span.id.is_empty() {
        return format!("row-{:.16}", sha256_hex(format!("{span:?}")));
    }
    format!("{}-{}", span.trace, span.id).trim_start_matches('-').to_owned()
}

/// The model that was asked for; OpenInference states it among the parameters alone if the call
/// failed.
fn model(call: &Call<'_>) -> String {
    let of = |names: &[&str]| call.spans.iter().find_map(|span| span.text(names));
    let of_body = |name: &str| {
        call.spans.iter().find_map(|span| text(&opened(span.attribute(&[name])?)?, &["model"]))
    };
    let asked = MODELS.iter().take(5).find_map(|name| of(&[*name]));
    asked
        .or_else(|| of_body("llm.invocation_parameters"))
        .or_else(|| of_body("input.value"))
        .or_else(|| of(MODELS))
        .unwrap_or_default()
}

/// Whether the answer was streamed, where a span says or shows it.
fn stream(call: &Call<'_>) -> Option<bool> {
    let names = ["gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"];
    let stated = call.spans.iter().find_map(|span| flag(span.attribute(&names)?));
    if first_token_ns(call).is_some() { Some(true) } else { stated }
}

fn fill_prompt(
    row: &mut CapturedExchange,
    call: &Call<'_>,
    kind: Kind,
    model: &str,
) -> Option<ChatRequest> {
    let mut prompt = match prompt::of(call, kind, model) {
        Ok(prompt) => prompt,
        Err(state) => {
            without_request(row);
            set_state(row, state);
            return None;
        }
    };
    let stated = row.stream;
    if stated == Some(true)
        && let Some(body) = prompt.body.as_object_mut()
    {
        body.entry("stream").or_insert(Value::Bool(true));
    }
    let request = fill_request(row, prompt.dialect, &prompt.body);
    if !prompt.is_whole {
        row.stream = stated;
    }
    if prompt.lacks_media {
        set_state(row, ContentState::Truncated);
        set_replayable(row, Some(NotReplayable::MediaElided));
    }
    let is_redacted = row.content_state == ContentState::Redacted.as_str();
    if prompt.is_cut && !is_redacted {
        set_state(row, ContentState::Truncated);
        set_replayable(row, Some(NotReplayable::Truncated));
    }
    request
}

/// A request whose conversation or answer calls tools was sent with tools; one without them is not
/// the request that was sent.
fn settle_replayability(row: &mut CapturedExchange, kind: Kind) {
    if !kind.is_text_generation() {
        set_replayable(row, Some(NotReplayable::NotChat));
        return;
    }
    let in_prompt = row.features.iter().any(|feature| feature == "tool_results");
    let calls_tools = row.tool_calls.is_some() || in_prompt;
    if row.replayable && row.tool_count == 0 && calls_tools {
        set_state(row, ContentState::Truncated);
        set_replayable(row, Some(NotReplayable::Truncated));
    }
}

/// When the first part of the answer came, in nanoseconds since 1970.
fn first_token_ns(call: &Call<'_>) -> Option<i64> {
    call.spans.iter().find_map(|span| {
        let seconds = ["gen_ai.response.time_to_first_chunk", "gen_ai.latency.time_to_first_token"];
        let after = |name: &str, unit_ns: f64| {
            let stated = number(span.attribute(&[name])?).filter(|after| *after > 0.0)?;
            span.start_ns?.checked_add((stated * unit_ns) as i64)
        };
        let completion = span.attribute(&["langfuse.observation.completion_start_time"]);
        let written = completion
            .and_then(Value::as_str)
            .and_then(|text| nanoseconds(&text.trim_matches('"').into()));
        seconds
            .iter()
            .find_map(|name| after(name, 1e9))
            .or_else(|| after("ai.response.msToFirstChunk", 1e6))
            .or(span.first_chunk_ns)
            .or(written)
    })
}

fn fill_times(row: &mut CapturedExchange, call: &Call<'_>, span: &Span) {
    let Some(start_ns) = span.start_ns else { return };
    let since_start = |at_ns: i64| at_ns.checked_sub(start_ns).map(|after| after as f64 / 1e6);
    row.latency_ms = span.end_ns.and_then(since_start);
    let first_token_ns = first_token_ns(call).filter(|_| row.stream != Some(false));
    row.ttft_ms = first_token_ns.and_then(since_start);
    // SDKs for browsers and Node.js have clocks of milliseconds.
    let is_whole_ms = |at_ns: i64| at_ns % 1_000_000 == 0;
    let is_coarse = is_whole_ms(start_ns) && span.end_ns.is_none_or(is_whole_ms);
    row.time_resolution_ms = Some(if is_coarse { 1.0 } else { 0.001 });
}
