//! The log format `plain`: Rehearsal's own convention, one exchange a line, with many aliases.
//!
//! | what | names, the first that is there and not null counts |
//! |---|---|
//! | request body | `request`, `req`, `input`, `body`, `request_body`; or `messages` or `contents` at the top |
//! | response body | `response`, `resp`, `output`, `completion`, `response_body` |
//! | time | `timestamp`, `ts`, `time`, `created_at`, `start_time` |
//! | latency | `latency_ms`, `duration_ms`, `elapsed_ms`, the same with `_s`; `latency`, `duration`, `elapsed` need the option `--latency-unit` |
//! | time to first token | `ttft_ms`, `time_to_first_token_ms`, the same with `_s`; `ttft`, `time_to_first_token` need the option |
//! | time to the response's headers | `ttfb_ms`, `time_to_first_byte_ms`, likewise |
//! | where the latency was measured | `latency_scope`: `client`, `gateway`, `upstream`, `provider`, `engine` |
//! | tokens, if the answer states none | `input_tokens`/`prompt_tokens`, `output_tokens`/`completion_tokens`, `cached_tokens`, `reasoning_tokens`: cached and reasoning ones inside the others |
//! | status | `status`, `status_code`, `http_status`: a number, or `success` and the like |
//! | failure | `error`: a text, or an object of `message`, `type`, `code` |
//! | the rest | `provider`, `route`, `endpoint`/`path`/`url`, `request_id`/`id`, `session_id`/`conversation_id`, `user_id`/`user`, `tenant`/`team`, `stream`, `cost_usd`/`cost`, `cache_hit`/`cached`, `retries`, `attempt`, `tags`, `operation` |
//!
//! A response may be an object, a text of JSON, a recorded stream of server-sent events, a plain
//! text, an error object or null, and in another dialect than its request. Every value may be a
//! text, as in CSV, where an empty one is a value that is not there. A record of `messages` alone
//! whose last is the assistant's, or of `contents` whose last is the model's, as in fine-tuning
//! files, is an exchange without a time (1970) and without latency. A record without identifier
//! gets one from its content. Calls that generate no text are kept, but not replayed.

mod bodies;
mod fields;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, sha256_hex};
use crate::provider::{Dialect, Endpoint, endpoint, sniff_dialect};

use super::body::{
    fill_request, fill_response, set_error, set_failure, set_replayable, without_request,
};
use super::failure::{Failure, is_error};
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::litellm::fill_consumption;
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{NotReplayable, RejectReason};
use super::time::fill_time;
use super::value::{decoded, first, flag, nanousd, number, present, text};

use bodies::{Bodies, REQUEST, RESPONSE};
use fields::{Status, captured_at, duration_ms, route, status, tags};

/// The format of Rehearsal's own convention.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

/// A reason to set a record aside, on the way to a [`Reading`].
type Rejection = (RejectReason, String);

impl LogFormat for Plain {
    fn body_members(&self) -> &'static [&'static str] {
        REQUEST
    }

    fn name(&self) -> &'static str {
        "plain"
    }

    fn title(&self) -> &'static str {
        "one exchange a line, request and response as sent"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::LIKELY, |record| {
            let prompt = ["messages", "input", "contents", "prompt", "inputText"];
            match first(record, REQUEST) {
                Some((_, request)) => {
                    let request = decoded(request);
                    prompt.iter().any(|name| present(&request, name).is_some())
                }
                None => ["messages", "contents"]
                    .iter()
                    .any(|name| present(record, name).is_some_and(|list| decoded(list).is_array())),
            }
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        vec![match read(record, context) {
            Ok(row) => Reading::Exchange(Box::new(row)),
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }]
    }
}

/// The record without empty texts beside its bodies: in CSV they are what is not there.
fn without_blanks(record: &Value) -> Cow<'_, Value> {
    let is_blank = |name: &str, value: &Value| {
        let is_body = REQUEST.contains(&name) || RESPONSE.contains(&name);
        !is_body && value.as_str().is_some_and(|text| text.trim().is_empty())
    };
    let members = record.as_object().into_iter().flatten();
    if !members.into_iter().any(|(name, value)| is_blank(name, value)) {
        return Cow::Borrowed(record);
    }
    let mut record = record.clone();
    if let Some(members) = record.as_object_mut() {
        members.retain(|name, value| !is_blank(name, value));
    }
    Cow::Owned(record)
}

fn read(written: &Value, context: &ReadContext) -> Result<CapturedExchange, Rejection> {
    let record = &*without_blanks(written);
    let bodies = Bodies::of(record)?;
    let address = text(record, &["endpoint", "path", "url"]);
    let asked = address.as_deref().and_then(endpoint);
    let place = address.as_deref().map(route);
    let sniffed = bodies.request.as_deref().and_then(sniff_dialect);
    let dialect = sniffed.or(asked.as_ref().and_then(|asked| asked.dialect));
    let operation = fields::operation(
        record,
        asked.as_ref().map(|asked| asked.operation),
        place.as_deref(),
        &bodies.response,
        dialect,
    );
    let not_chat = !matches!(operation.as_str(), "chat" | "text_completion");
    let (moment, resolution_ms) =
        captured_at(record, &bodies.response, bodies.is_training_row, context)?;
    let mut row = CapturedExchange {
        request_id: text(record, &["request_id", "id"])
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(written.to_string()))),
        operation,
        time_resolution_ms: resolution_ms,
        latency_ms: duration_ms(record, &fields::LATENCY, context.latency_unit)?,
        ttft_ms: duration_ms(record, &fields::TTFT, context.latency_unit)?,
        ttfb_ms: duration_ms(record, &fields::TTFB, context.latency_unit)?,
        ..identity(record, &bodies, asked.as_ref(), place.as_deref())
    };
    if let Some(moment) = moment {
        fill_time(&mut row, moment);
    }
    if bodies.request.is_none() {
        without_request(&mut row);
    }
    let request = bodies.request.as_deref().and_then(|body| fill_request(&mut row, dialect, body));
    if not_chat {
        set_replayable(&mut row, Some(NotReplayable::NotChat));
    }
    // An answer in one piece has no first token of its own.
    row.ttft_ms = row.ttft_ms.filter(|_| row.stream != Some(false));
    fill_outcome(&mut row, record, dialect, &bodies.response, not_chat);
    let retried = attempts(&mut row, record);
    let labels = [row.route.as_deref(), place.as_deref()];
    let health_check = labels.into_iter().flatten().any(names_a_probe)
        || fields::tag_list(record).iter().any(|tag| names_a_probe(tag))
        || request.as_ref().is_some_and(is_probe);
    let marks = BaselineMarks { health_check, retried, not_chat, ..BaselineMarks::default() };
    settle_baseline(&mut row, marks);
    Ok(row)
}

fn identity(
    record: &Value,
    bodies: &Bodies<'_>,
    asked: Option<&Endpoint>,
    place: Option<&str>,
) -> CapturedExchange {
    let provider = asked.and_then(|asked| asked.provider).map(str::to_owned);
    let mut model = bodies.model(record);
    if model.is_empty() {
        model = asked.and_then(|asked| asked.model.clone()).unwrap_or_default();
    }
    CapturedExchange {
        session_id: text(record, &["session_id", "conversation_id"]),
        user_id: text(record, &["user_id", "user"]),
        provider: text(record, &["provider"]).or(provider),
        route: text(record, &["route"]).or_else(|| place.map(str::to_owned)),
        tenant: text(record, &["tenant", "team"]),
        tags: tags(record),
        request_model: model,
        stream: present(record, "stream").and_then(flag).or(asked.and_then(|asked| asked.stream)),
        latency_scope: fields::latency_scope(record),
        cost_nanousd: first(record, &["cost_usd", "cost"]).and_then(|(_, cost)| nanousd(cost)),
        cache_hit: first(record, &["cache_hit", "cached"]).and_then(|(_, hit)| flag(hit)),
        ..CapturedExchange::default()
    }
}

fn fill_outcome(
    row: &mut CapturedExchange,
    record: &Value,
    dialect: Option<Dialect>,
    response: &Value,
    not_chat: bool,
) {
    let status = status(record);
    row.status_code = match status {
        Status::Code(code) => Some(code),
        Status::Succeeded => Some(200),
        Status::Failed | Status::Unknown => None,
    };
    match Failure::from_response(response) {
        Some(failure) => set_failure(row, failure),
        None if not_chat => fill_consumption(row, response),
        None => fill_response(row, dialect, response),
    }
    fields::fill_counts(row, record);
    if row.error_class.is_some() {
        return;
    }
    if let Some(error) = present(record, "error").filter(|error| is_error(error)) {
        set_failure(row, Failure::from_error(&decoded(error)));
    } else if row.status_code.is_some_and(|status| status >= 400) {
        set_failure(row, Failure::default());
    } else if status == Status::Failed {
        set_error(row, ErrorClass::Unknown, None);
    }
}

/// Fills the attempt; says whether the row's times include earlier attempts.
fn attempts(row: &mut CapturedExchange, record: &Value) -> bool {
    let whole = |name: &str| present(record, name).and_then(number).map(|number| number as i32);
    let retries = whole("retries").unwrap_or(0).max(0);
    let attempt = whole("attempt").unwrap_or(1).max(1);
    row.attempt = attempt.max(retries.saturating_add(1));
    row.attempt > 1
}
