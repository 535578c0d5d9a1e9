//! The log format `helicone`: requests as Helicone's API and its ClickHouse table give them.
//!
//! Field meanings follow `HeliconeRequest` of `packages/llm-mapper/types.ts` and the table
//! `request_response_rmt`; how they are filled, `valhalla/jawn/src/lib/handlers/LoggingHandler.ts`.
//! What is easily got wrong:
//!
//! - Bodies are kept elsewhere. The API gives a short-lived address (`signed_body_url`) and a
//!   placeholder for a body; the table has a searchable text for one, which is neither request nor
//!   answer. Only bodies that were fetched, or `llmSchema`, can be replayed.
//! - `cost` of the table is in nano-dollars, that of the API and `costUSD` in dollars.
//! - `prompt_tokens` does not include what the provider's cache held: the cache's columns are
//!   counted apart, for every provider.
//! - A status below zero is Helicone's own, zero means that no answer is there yet.
//! - A cache hit is a row of its own with `cache_reference_id`; no reference is the nil UUID.
//! - `time_to_first_token` zero means that there is none.
//! - Times without a zone are UTC. The delay includes Helicone's own time, and retries.
//! - The table keeps every state of a row; the last written counts.
//! - Pictures are replaced by a reference to an asset.

mod body;
mod schema;
mod usage;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::chat::{ChatRequest, ErrorClass};
use crate::dataset::{CapturedExchange, sha256_hex};

use super::body::{fill_response, set_error, set_failure};
use super::failure::Failure;
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::langfuse::shapes::{self, Call, Piece, cell, member, provider, words};
use super::marks::{BaselineMarks, is_probe, settle_baseline};
use super::reason::{FilterReason, RejectReason};
use super::time::{fill_time, moment};
use super::value::{count, number};

use body::Bodies;

/// The format of Helicone's requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Helicone;

impl LogFormat for Helicone {
    fn name(&self) -> &'static str {
        "helicone"
    }

    fn title(&self) -> &'static str {
        "Helicone requests (API, export, ClickHouse)"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
            has(&["request_id"])
                && has(&["request_created_at"])
                && has(&["delay_ms", "latency", "response_status", "status", "response_created_at"])
                && has(&[
                    "llmSchema",
                    "signed_body_url",
                    "helicone_user",
                    "request_properties",
                    "properties",
                    "cache_reference_id",
                    "proxy_key_id",
                ])
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        vec![read(record)]
    }

    fn join(&self, parts: &[Value], _: &ReadContext) -> Vec<(usize, Reading)> {
        shapes::join(parts)
    }
}

fn read(record: &Value) -> Reading {
    if !record.is_object() {
        return Reading::Reject(RejectReason::NotAnObject, "a record is an object".to_owned());
    }
    let Some(start) = member(record, &["request_created_at"]) else {
        let detail = "`request_created_at` is missing".to_owned();
        return Reading::Reject(RejectReason::MissingField, detail);
    };
    // Helicone writes UTC, so a zone that the user states for other logs does not apply.
    let Some(start) = moment(start, None) else {
        let detail = "`request_created_at` is no point in time".to_owned();
        return Reading::Reject(RejectReason::BadField, detail);
    };
    let bodies = Bodies::of(record);
    if bodies.is_no_call() {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let id = words(record, &["request_id"])
        .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(record.to_string())));
    let end = at(record, "response_created_at");
    let mut row = identity(record, &id, &bodies);
    fill_time(&mut row, start);
    let status = member(record, &["response_status", "status"]).and_then(number);
    let status = status.map_or(0, |status| status as i32);
    fill_durations(&mut row, record, end);
    let request = bodies.fill_request(&mut row);
    fill_stream(&mut row, record);
    fill_outcome(&mut row, status, &bodies);
    usage::fill(&mut row, record);
    let marks = baseline_marks(&row, status, request.as_ref());
    settle_baseline(&mut row, marks);
    let updated = at(record, "updated_at");
    let call = Call { id: id.clone(), project: None, parent: None, updated, end, row };
    Piece::Call(Box::new(call)).reading(id)
}

fn at(record: &Value, name: &str) -> Option<i64> {
    member(record, &[name]).and_then(|value| moment(value, None)).map(|moment| moment.us)
}

fn identity(record: &Value, id: &str, bodies: &Bodies) -> CapturedExchange {
    let properties = Properties::of(record);
    let reference = member(record, &["cache_reference_id"]).and_then(Value::as_str);
    let is_nil = |reference: &str| reference.chars().all(|c| matches!(c, '0' | '-'));
    CapturedExchange {
        request_id: id.to_owned(),
        session_id: properties.named("Helicone-Session-Id"),
        user_id: words(record, &["request_user_id", "user_id"])
            // What an absent user becomes when it is made a text.
            .filter(|user| !matches!(user.as_str(), "undefined" | "null")),
        provider: words(record, &["provider"])
            .and_then(|name| provider(&name))
            .or_else(|| bodies.provider().map(str::to_owned)),
        operation: bodies.operation().to_owned(),
        route: bodies.route().or_else(|| properties.named("Helicone-Session-Path")),
        tags: properties.tags(),
        request_model: bodies
            .model()
            .or_else(|| words(record, &["request_model", "model"]))
            .unwrap_or_default(),
        response_model: words(record, &["response_model", "model"]),
        cache_hit: record
            .get("cache_reference_id")
            .map(|_| reference.is_some_and(|reference| !is_nil(reference))),
        latency_scope: Some("gateway".to_owned()),
        time_resolution_ms: Some(1.0),
        ..CapturedExchange::default()
    }
}

/// Names and values that the application gave a request.
struct Properties(Vec<(String, String)>);

impl Properties {
    fn of(record: &Value) -> Self {
        let given = [cell(record, &["request_properties"]), cell(record, &["properties"])];
        let given = given.iter().find_map(|given| given.as_object());
        let texts = given.into_iter().flatten();
        let texts =
            texts.filter_map(|(name, value)| Some((name.clone(), super::value::as_text(value)?)));
        Properties(texts.collect())
    }

    fn named(&self, name: &str) -> Option<String> {
        let own = self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.clone())
    }

    /// The application's own properties as tags; those of Helicone have columns.
    fn tags(&self) -> Option<String> {
        let is_own = |name: &str| !name.to_ascii_lowercase().starts_with("helicone-");
        let own = self.0.iter().filter(|(name, _)| is_own(name));
        let mut tags: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
        tags.sort_unstable();
        if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
    }
}

fn fill_durations(row: &mut CapturedExchange, record: &Value, end: Option<i64>) {
    let stated = member(record, &["delay_ms", "latency"]).and_then(number);
    let between = end.map(|end| (end - row.captured_at) as f64 / 1_000.0);
    row.latency_ms = stated.or(between);
}

/// The first token's time, which only streams have.
fn fill_stream(row: &mut CapturedExchange, record: &Value) {
    let first = member(record, &["time_to_first_token"]).and_then(number);
    let first = first.filter(|first| *first > 0.0);
    if row.request_body.is_none() {
        row.stream = row.stream.or(first.map(|_| true));
    }
    row.ttft_ms = first.filter(|_| row.stream != Some(false));
}

/// What Helicone's own statuses, below zero, stand for.
fn own_failure(status: i32) -> Option<(ErrorClass, &'static str)> {
    Some(match status {
        -1 => (ErrorClass::TimeoutTotal, "Helicone timed out"),
        -3 => (ErrorClass::Unknown, "cancelled by the client"),
        -4 => (ErrorClass::ContentBlocked, "blocked by Helicone as a threat"),
        ..=-5 => (ErrorClass::Unknown, "status of Helicone's own"),
        _ => return None,
    })
}

fn fill_outcome(row: &mut CapturedExchange, status: i32, bodies: &Bodies) {
    row.status_code = (100..600).contains(&status).then_some(status);
    let model = row.response_model.clone();
    fill_response(row, bodies.dialect(), &bodies.response);
    row.response_model = row.response_model.take().or(model);
    if let Some((class, message)) = own_failure(status) {
        set_error(row, class, Some(message.to_owned()));
    } else if row.error_class.is_none() && status >= 400 {
        set_failure(row, Failure::default());
    }
}

fn baseline_marks(
    row: &CapturedExchange,
    status: i32,
    request: Option<&ChatRequest>,
) -> BaselineMarks {
    let is_pending = matches!(status, 0 | -2);
    BaselineMarks {
        health_check: request.is_some_and(is_probe),
        no_end: is_pending,
        gateway_answer: status < 0 && !is_pending,
        not_chat: !matches!(row.operation.as_str(), "chat" | "text_completion"),
        ..BaselineMarks::default()
    }
}

/// A count of tokens; what is not known is logged as zero or as minus one.
fn tokens(record: &Value, names: &[&str]) -> Option<i64> {
    member(record, names).and_then(count)
}
