//! The log format `plain`: Rehearsal's own convention, one exchange a line, with many aliases.
//!
//! | what | names, the first that is there and not null counts |
//! |---|---|
//! | request body | `request`, `req`, `input`, `body`, `request_body`; or `messages` at the top |
//! | response body | `response`, `resp`, `output`, `completion`, `response_body` |
//! | time | `timestamp`, `ts`, `time`, `created_at`, `start_time` |
//! | latency | `latency_ms`, `duration_ms`, `elapsed_ms`, the same with `_s`; `latency`, `duration`, `elapsed` need the option `--latency-unit` |
//! | time to first token | `ttft_ms`, `time_to_first_token_ms`, the same with `_s`; `ttft`, `time_to_first_token` need the option |
//! | status | `status`, `status_code`, `http_status`: a number, or `success` and the like |
//! | failure | `error`: a text, or an object of `message`, `type`, `code` |
//! | the rest | `provider`, `route`, `endpoint`/`path`/`url`, `request_id`/`id`, `session_id`/`conversation_id`, `user_id`/`user`, `tenant`/`team`, `stream`, `cost_usd`/`cost`, `cache_hit`/`cached`, `retries`, `attempt`, `tags` |
//!
//! A response may be an object, a text of JSON, a recorded stream of server-sent events, a plain
//! text, an error object or null. A record of `messages` alone whose last is the assistant's, as in
//! fine-tuning files, is an exchange without a time (1970) and without latency. A record without
//! identifier gets one from its content.

mod fields;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, UsageSource, sha256_hex};
use crate::provider::{Protocol, sniff_dialect};

use super::body::{fill_request, fill_response, set_error, set_failure, without_request};
use super::failure::{Failure, is_error};
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{FilterReason, RejectReason};
use super::value::{decoded, first, flag, is_blank, nanousd, number, present, text};

use fields::{Status, captured_at, duration_ms, route, status, tags};

const REQUEST: &[&str] = &["request", "req", "input", "body", "request_body"];
const RESPONSE: &[&str] = &["response", "resp", "output", "completion", "response_body"];

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

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::LIKELY, |record| {
            let prompt = ["messages", "input", "contents", "prompt"];
            match first(record, REQUEST) {
                Some((_, request)) => {
                    let request = decoded(request);
                    prompt.iter().any(|name| present(&request, name).is_some())
                }
                None => record.get("messages").is_some_and(Value::is_array),
            }
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Reading {
        match read(record, *context) {
            Ok(reading) => reading,
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }
    }
}

fn read(record: &Value, context: ReadContext) -> Result<Reading, Rejection> {
    let bodies = Bodies::of(record)?;
    let endpoint = text(record, &["endpoint", "path", "url"]).map(|address| route(&address));
    if endpoint.as_deref().is_some_and(fields::is_no_chat) {
        return Ok(Reading::Filtered(FilterReason::NotChat));
    }
    let mut row = CapturedExchange {
        request_id: text(record, &["request_id", "id"])
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(record.to_string()))),
        session_id: text(record, &["session_id", "conversation_id"]),
        user_id: text(record, &["user_id", "user"]),
        captured_at: captured_at(record, bodies.is_training_row)?,
        provider: text(record, &["provider"]),
        operation: "chat".to_owned(),
        route: text(record, &["route"]).or_else(|| endpoint.clone()),
        tenant: text(record, &["tenant", "team"]),
        tags: tags(record),
        request_model: bodies.model(record),
        stream: present(record, "stream").and_then(flag),
        latency_ms: duration_ms(record, &fields::LATENCY, context.latency_unit)?,
        ttft_ms: duration_ms(record, &fields::TTFT, context.latency_unit)?,
        cost_nanousd: first(record, &["cost_usd", "cost"]).and_then(|(_, cost)| nanousd(cost)),
        cache_hit: first(record, &["cache_hit", "cached"]).and_then(|(_, hit)| flag(hit)),
        ..CapturedExchange::default()
    };
    let dialect = bodies.request.as_deref().and_then(sniff_dialect);
    if bodies.request.is_none() {
        without_request(&mut row);
    }
    let request = bodies.request.as_deref().and_then(|body| fill_request(&mut row, dialect, body));
    // An answer in one piece has no first token of its own.
    row.ttft_ms = row.ttft_ms.filter(|_| row.stream != Some(false));
    fill_outcome(&mut row, record, dialect, &bodies.response);
    let retries = attempts(&mut row, record);
    let labels = [row.route.as_deref(), endpoint.as_deref()];
    let health_check = labels.into_iter().flatten().any(names_a_probe)
        || fields::tag_list(record).iter().any(|tag| names_a_probe(tag))
        || request.as_ref().is_some_and(is_probe);
    let marks = BaselineMarks { health_check, retried: retries, ..BaselineMarks::default() };
    settle_baseline(&mut row, marks);
    Ok(Reading::Exchange(Box::new(row)))
}

/// The bodies of a record.
struct Bodies<'r> {
    request: Option<Cow<'r, Value>>,
    response: Cow<'r, Value>,
    is_training_row: bool,
}

impl<'r> Bodies<'r> {
    fn of(record: &'r Value) -> Result<Self, Rejection> {
        let response = first(record, RESPONSE).map(|(_, response)| Cow::Borrowed(response));
        if let Some((_, request)) = first(record, REQUEST) {
            let request = Some(decoded(request)).filter(|request| !is_blank(request));
            let response = response.unwrap_or(Cow::Owned(Value::Null));
            return Ok(Bodies { request, response, is_training_row: false });
        }
        if let Some(messages) = present(record, "messages").and_then(Value::as_array) {
            return Ok(Bodies::of_messages(record, messages, response));
        }
        let outcome = ["status", "status_code", "http_status", "error", "latency_ms", "model"];
        match response {
            Some(response) => Ok(Bodies { request: None, response, is_training_row: false }),
            None if outcome.iter().any(|name| present(record, name).is_some()) => {
                let response = Cow::Owned(Value::Null);
                Ok(Bodies { request: None, response, is_training_row: false })
            }
            None => {
                let detail = "neither a request (`request`, `messages`) nor an outcome is there";
                Err((RejectReason::MissingField, detail.to_owned()))
            }
        }
    }

    /// The record itself is the request; without a response, its last message is the answer.
    fn of_messages(
        record: &Value,
        messages: &[Value],
        response: Option<Cow<'r, Value>>,
    ) -> Bodies<'r> {
        let mut body = json!({ "model": text(record, &["model"]).unwrap_or_default() });
        let parameters =
            ["system", "tools", "tool_choice", "parallel_tool_calls", "functions", "max_tokens"];
        let mut asked = messages;
        let answer = match (&response, messages.split_last()) {
            (None, Some((last, before))) if last.get("role").is_some_and(|r| r == "assistant") => {
                asked = before;
                Some(json!({ "choices": [{ "index": 0, "message": last }] }))
            }
            _ => None,
        };
        if let Some(body) = body.as_object_mut() {
            body.insert("messages".to_owned(), Value::Array(asked.to_vec()));
            for name in parameters {
                if let Some(value) = present(record, name) {
                    body.insert(name.to_owned(), value.clone());
                }
            }
        }
        let is_training_row = answer.is_some();
        let response = response.or(answer.map(Cow::Owned)).unwrap_or(Cow::Owned(Value::Null));
        let request = (!asked.is_empty()).then_some(Cow::Owned(body));
        Bodies { request, response, is_training_row }
    }

    fn model(&self, record: &Value) -> String {
        let of_body = self.request.as_ref().and_then(|body| text(body, &["model"]));
        of_body.or_else(|| text(record, &["model", "request_model"])).unwrap_or_default()
    }
}

fn fill_outcome(
    row: &mut CapturedExchange,
    record: &Value,
    dialect: Option<Protocol>,
    response: &Value,
) {
    let status = status(record);
    row.status_code = match status {
        Status::Code(code) => Some(code),
        Status::Succeeded => Some(200),
        Status::Failed | Status::Unknown => None,
    };
    fill_response(row, dialect, response);
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
    if row.error_class.is_some() {
        return;
    }
    if let Some(error) = present(record, "error").filter(|error| is_error(error)) {
        set_failure(row, Failure::from_error(error));
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
