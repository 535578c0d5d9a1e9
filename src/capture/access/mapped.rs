//! The log format `mapped`: any JSON or CSV log, by the user's own [mapping](Mapping).
//!
//! It is never found by itself: it reads a file because the user says so. What is easily got wrong:
//!
//! - Every record is a call, unless a mapped `endpoint` shows something else; there is no other
//!   sign by which to leave one out.
//! - `captured_at` may be the end of the call (`time.at`); then the latency leads to the start.
//! - A mapped field that is garbled rejects the record, one that is missing is unknown. Only the
//!   time must be there.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::super::failure::{Failure, is_error};
use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::mapping::Mapping;
use super::super::reason::RejectReason;
use super::super::value::{as_text, count, decoded, flag, number};
use super::Rejection;
use super::call::HttpCall;
use super::lookup::{bad_time, is_known, stamp_of};

/// The format of any log whose fields a mapping names.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Mapped;

impl LogFormat for Mapped {
    fn name(&self) -> &'static str {
        "mapped"
    }

    fn title(&self) -> &'static str {
        "any JSON or CSV log, by a mapping of its fields"
    }

    fn sniff(&self, _: &[Value]) -> Confidence {
        Confidence::NONE
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if context.mapping.is_none() {
            let detail = "the format `mapped` needs a mapping of fields";
            return Reading::reject(RejectReason::MissingField, detail);
        }
        let call = HttpCall { keep_all: true, ..HttpCall::default() };
        vec![call.into_reading(record, context)]
    }
}

/// Fills in what a mapping finds in a record, over what is known of the call.
pub(super) fn apply(
    call: &mut HttpCall,
    mapping: &Mapping,
    record: &Value,
    context: &ReadContext,
) -> Result<(), Rejection> {
    let known = |field: &str| mapping.value(field, record).filter(|value| is_known(value));
    if let Some(value) = known("captured_at") {
        let zone = mapping.zone_or(context.utc_offset_s);
        call.at = Some(stamp_of(&value, zone).ok_or_else(|| bad_time("captured_at"))?);
        call.at_end = mapping.at_end;
    }
    apply_numbers(call, mapping, &known)?;
    apply_tokens(call, mapping, &known)?;
    apply_texts(call, mapping, &known);
    apply_outcome(call, &known);
    let flags = [("stream", &mut call.stream), ("cache_hit", &mut call.cache_hit)];
    for (field, slot) in flags {
        if let Some(value) = known(field) {
            *slot = Some(flag(&value).ok_or_else(|| bad(field, "neither true nor false"))?);
        }
    }
    call.stream = call.stream.or(mapping.constants.stream);
    if let Some(body) = known("request_body") {
        call.request_body = Some(request_body(&body, call.request_model.as_deref()));
    }
    if let Some(body) = known("response_body") {
        call.response_body = Some(body.into_owned());
    }
    Ok(())
}

/// A list of messages alone is put into a body as it was sent.
fn request_body(body: &Value, model: Option<&str>) -> Value {
    let body = decoded(body);
    let is_message = |item: &Value| item.get("role").is_some();
    match body.as_array() {
        Some(messages) if messages.iter().all(is_message) => {
            json!({ "model": model.unwrap_or_default(), "messages": messages })
        }
        _ => body.into_owned(),
    }
}

fn bad(field: &str, what: &str) -> Rejection {
    (RejectReason::BadField, format!("`{field}` is {what}"))
}

fn apply_numbers<'r>(
    call: &mut HttpCall,
    mapping: &Mapping,
    known: &impl Fn(&str) -> Option<Cow<'r, Value>>,
) -> Result<(), Rejection> {
    let durations = [
        ("latency_ms", &mut call.latency_ms),
        ("ttfb_ms", &mut call.ttfb_ms),
        ("ttft_ms", &mut call.ttft_ms),
    ];
    for (field, slot) in durations {
        if let Some(value) = known(field) {
            let number = number(&value).ok_or_else(|| bad(field, "no number"))?;
            *slot = Some(number * mapping.factor(field));
        }
    }
    if let Some(value) = known("cost") {
        let cost = number(&value).map(|cost| (cost * mapping.factor("cost")).round());
        let cost = cost.filter(|cost| (0.0..9e18).contains(cost));
        call.cost_nanousd = Some(cost.ok_or_else(|| bad("cost", "no amount of money"))? as i64);
    }
    if let Some(value) = known("retries") {
        let retries = count(&value).ok_or_else(|| bad("retries", "no count"))?;
        call.retries = usize::try_from(retries).unwrap_or(usize::MAX);
    }
    Ok(())
}

fn apply_tokens<'r>(
    call: &mut HttpCall,
    mapping: &Mapping,
    known: &impl Fn(&str) -> Option<Cow<'r, Value>>,
) -> Result<(), Rejection> {
    let tokens = &mut call.tokens;
    for (field, slot) in [
        ("input_tokens", &mut tokens.input),
        ("output_tokens", &mut tokens.output),
        ("cache_read_input_tokens", &mut tokens.cache_read),
        ("cache_creation_input_tokens", &mut tokens.cache_creation),
        ("reasoning_output_tokens", &mut tokens.reasoning),
    ] {
        if let Some(value) = known(field) {
            *slot = Some(count(&value).ok_or_else(|| bad(field, "no count of tokens"))?);
        }
    }
    if mapping.has("input_tokens") {
        tokens.input_excludes_cached = Some(!mapping.input_includes_cached);
    }
    Ok(())
}

fn apply_texts<'r>(
    call: &mut HttpCall,
    mapping: &Mapping,
    known: &impl Fn(&str) -> Option<Cow<'r, Value>>,
) {
    let constants = &mapping.constants;
    for (field, slot, constant) in [
        ("request_id", &mut call.request_id, &None),
        ("session_id", &mut call.session_id, &None),
        ("user_id", &mut call.user_id, &None),
        ("method", &mut call.method, &None),
        ("endpoint", &mut call.address, &None),
        ("response_model", &mut call.response_model, &None),
        ("response_text", &mut call.response_text, &None),
        ("request_model", &mut call.request_model, &constants.request_model),
        ("tenant", &mut call.tenant, &constants.tenant),
        ("route", &mut call.route, &constants.route),
        ("provider", &mut call.provider, &constants.provider),
        ("operation", &mut call.operation, &constants.operation),
    ] {
        if let Some(text) = known(field).and_then(|value| as_text(&value)) {
            *slot = Some(text);
        } else if slot.is_none() {
            slot.clone_from(constant);
        }
    }
    if let Some(scope) = mapping.scope() {
        call.latency_scope = Some(scope);
    }
    let tags: Vec<String> = match known("tags").as_deref() {
        Some(Value::Array(tags)) => {
            tags.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(tag) => as_text(tag).into_iter().collect(),
        None => Vec::new(),
    };
    if !tags.is_empty() {
        call.tags = serde_json::to_string(&tags).ok();
    }
}

/// A status is a number or a word; a message of a failure is one even beside no status.
fn apply_outcome<'r>(call: &mut HttpCall, known: &impl Fn(&str) -> Option<Cow<'r, Value>>) {
    let outcome = &mut call.outcome;
    if let Some(status) = known("status_code") {
        let word = status.as_str().map(|word| word.trim().to_ascii_lowercase());
        match (number(&status), word.as_deref()) {
            (Some(code), _) => outcome.status = Some(code as i32),
            (None, Some("success" | "succeeded" | "ok" | "completed")) => {
                outcome.status = Some(200);
            }
            (None, Some("error" | "failed" | "failure")) => outcome.has_failed = true,
            (None, _) => {}
        }
        outcome.client_left |= outcome.status == Some(499);
    }
    if let Some(error) = known("error_message").filter(|error| is_error(error)) {
        outcome.failure = Failure::from_error(&error);
    }
}
