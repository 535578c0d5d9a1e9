//! Request and response bodies to the columns of a captured exchange, for every log format.

use serde_json::Value;

use crate::chat::{ChatRequest, ChatResponse, ErrorClass, ResponseFormat, Role, prompt_key};
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::{
    Dialect, assemble_stream, parse_request, parse_response, sniff_response, sniff_stream,
};

use super::failure::{Failure, clip};
use super::features::features;
use super::marks;
use super::reason::NotReplayable;
use super::value::{decoded, is_blank, path};

/// Fills the request columns; returns the request if it could be read.
///
/// The body is kept whatever it is. A row is replayable only if nothing was removed from the body
/// and a protocol adapter can read it.
pub(super) fn fill_request(
    row: &mut CapturedExchange,
    dialect: Option<Dialect>,
    body: &Value,
) -> Option<ChatRequest> {
    let text = body.to_string();
    let state = marks::content_state(&text);
    row.dialect = dialect.map(|dialect| dialect.as_str().to_owned());
    row.request_body = Some(text);
    set_state(row, state);
    let request = dialect.map(|dialect| parse_request(dialect, body));
    let reason = match (state, &request) {
        (ContentState::Redacted, _) => Some(NotReplayable::Redacted),
        (ContentState::Truncated, _) => Some(NotReplayable::Truncated),
        (_, None) => Some(NotReplayable::UnsupportedDialect),
        (_, Some(Err(_))) => Some(NotReplayable::UnreadableRequest),
        (_, Some(Ok(_))) => None,
    };
    set_replayable(row, reason);
    let request = request?.ok()?;
    fill_parameters(row, &request);
    row.features = features(&request, body);
    Some(request)
}

/// Marks a row whose log has no request content.
pub(super) fn without_request(row: &mut CapturedExchange) {
    set_state(row, ContentState::Absent);
    set_replayable(row, Some(NotReplayable::NoRequestContent));
}

/// Marks a row as replayable, or says why it is not.
pub(super) fn set_replayable(row: &mut CapturedExchange, reason: Option<NotReplayable>) {
    row.replayable = reason.is_none();
    row.not_replayable_reason = reason.map(|reason| reason.as_str().to_owned());
}

/// Marks how much of the content there is.
pub(super) fn set_state(row: &mut CapturedExchange, state: ContentState) {
    state.as_str().clone_into(&mut row.content_state);
}

fn fill_parameters(row: &mut CapturedExchange, request: &ChatRequest) {
    if row.request_model.is_empty() {
        row.request_model.clone_from(&request.model);
    }
    row.stream = row.stream.or(Some(request.stream));
    row.temperature = request.temperature;
    row.top_p = request.top_p;
    row.max_output_tokens = request.max_output_tokens.and_then(|cap| i64::try_from(cap).ok());
    row.n = request.choices.and_then(|n| i64::try_from(n).ok());
    row.seed = request.seed;
    row.stop_count = length(request.stop.len());
    row.tool_count = length(request.tools.len() + request.hosted_tools.len());
    row.message_count = length(request.messages.len());
    row.image_count = length(request.image_count());
    row.response_format = request.response_format.as_ref().map(|format| {
        let name = match format {
            ResponseFormat::Text => "text",
            ResponseFormat::JsonObject => "json_object",
            ResponseFormat::JsonSchema { .. } => "json_schema",
        };
        name.to_owned()
    });
    row.prompt_fingerprint = Some(prompt_key(&request.messages));
    let turns = request.messages.iter().filter(|message| message.role == Role::User).count();
    row.turn_index = (turns > 0).then(|| length(turns));
    if row.user_id.is_none() {
        row.user_id.clone_from(&request.user);
    }
}

fn length(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Computes the prompt's key anew, after redaction has changed the body.
///
/// The key must be that of the body which is replayed, or no recorded answer would be found.
pub(super) fn refingerprint(row: &mut CapturedExchange) {
    let dialect = row.dialect.as_deref().and_then(|dialect| dialect.parse().ok());
    let body = row.request_body.as_deref().and_then(|body| serde_json::from_str(body).ok());
    let request = dialect
        .zip(body)
        .and_then(|(dialect, body): (Dialect, Value)| parse_request(dialect, &body).ok());
    // The key of a body that can no longer be read would tell what was taken out of it.
    row.prompt_fingerprint = request.map(|request| prompt_key(&request.messages));
}

/// Fills the answer's columns from a response body; errors in it are filled in too.
///
/// `response` is a body as an object, or as a text of JSON; a recorded stream of server-sent
/// events; or the bare text of the answer. A stream without its terminator is an answer with
/// `error_class` `stream_truncated`.
pub(super) fn fill_response(
    row: &mut CapturedExchange,
    dialect: Option<Dialect>,
    response: &Value,
) {
    let response = decoded(response);
    if is_blank(&response) {
        return;
    }
    match &*response {
        Value::String(text) if is_event_stream(text) => fill_stream(row, dialect, text),
        // Bedrock and Gemini streams are recorded as lists of events, or as one event a line.
        Value::String(text) if text.starts_with('{') && sniff_stream(text).is_some() => {
            fill_stream(row, dialect, text);
        }
        Value::Array(events) if !events.is_empty() => {
            fill_stream(row, dialect, &Value::Array(events.clone()).to_string());
        }
        Value::String(text) => row.response_text = Some(text.clone()),
        object => {
            if let Some(failure) = Failure::from_response(object) {
                set_failure(row, failure);
            } else if let Some(answer) = parse_answer(dialect, object) {
                fill_answer(row, &answer);
                if row.refusal.is_none() {
                    row.refusal = gateway_refusal(object);
                }
            }
        }
    }
    let state = answer_state(row);
    if state != ContentState::Complete && row.content_state == ContentState::Complete.as_str() {
        set_state(row, state);
    }
}

/// How much of the answer's content there is.
fn answer_state(row: &CapturedExchange) -> ContentState {
    let texts = [&row.response_text, &row.refusal].into_iter().flatten();
    let calls = row.tool_calls.iter().map(|calls| marks::content_state(calls));
    let mut states = texts.map(|text| marks::text_state(text)).chain(calls);
    states.find(|state| *state != ContentState::Complete).unwrap_or(ContentState::Complete)
}

fn fill_stream(row: &mut CapturedExchange, dialect: Option<Dialect>, events: &str) {
    let dialect = sniff_stream(events).or(dialect).unwrap_or(Dialect::OpenAiChat);
    let stream = assemble_stream(dialect, events.trim_start().as_bytes());
    fill_answer(row, &stream.response);
    if let Some(error) = stream.error {
        row.error_class = Some(error.class.as_str().to_owned());
        row.error_message = Some(clip(&error.message));
    }
}

/// Reads an answer in the dialect that it is in, which gateways may have changed.
fn parse_answer(dialect: Option<Dialect>, response: &Value) -> Option<ChatResponse> {
    let dialect = sniff_response(response).or(dialect)?;
    parse_response(dialect, response).ok()
}

fn fill_answer(row: &mut CapturedExchange, answer: &ChatResponse) {
    row.response_model.clone_from(&answer.model);
    row.response_text = Some(answer.text.clone());
    if !answer.tool_calls.is_empty() {
        row.tool_calls = serde_json::to_string(&answer.tool_calls).ok();
    }
    row.finish_reason = answer.finish_reason.as_ref().map(|reason| reason.as_str().to_owned());
    row.refusal.clone_from(&answer.refusal);
    let Some(usage) = answer.usage else { return };
    let signed = |tokens: Option<u64>| tokens.and_then(|tokens| i64::try_from(tokens).ok());
    row.input_tokens = signed(usage.input_tokens);
    row.output_tokens = signed(usage.output_tokens);
    row.cache_read_input_tokens = signed(usage.cache_read_input_tokens);
    row.cache_creation_input_tokens = signed(usage.cache_creation_input_tokens);
    row.reasoning_output_tokens = signed(usage.reasoning_output_tokens);
}

/// The refusal where LiteLLM puts it.
fn gateway_refusal(response: &Value) -> Option<String> {
    let choice = response.get("choices")?.get(0)?;
    let refusal = path(choice, &["message", "provider_specific_fields", "refusal"])?;
    refusal.as_str().filter(|refusal| !refusal.is_empty()).map(str::to_owned)
}

/// Fills in a failure; its own status wins over the row's only where the row has none.
pub(super) fn set_failure(row: &mut CapturedExchange, failure: Failure) {
    let status = row.status_code.filter(|status| *status >= 400).or(failure.status);
    let failure = Failure { status, ..failure };
    set_error(row, failure.class(), failure.message);
}

/// Fills in the class of a failure.
pub(super) fn set_error(row: &mut CapturedExchange, class: ErrorClass, message: Option<String>) {
    row.error_class = Some(class.as_str().to_owned());
    row.error_message = message.filter(|message| !message.is_empty());
}

fn is_event_stream(text: &str) -> bool {
    let text = text.trim_start();
    let comment_first = text.starts_with(':') && text.contains("\ndata:");
    comment_first || text.starts_with("data:") || text.starts_with("event:")
}

/// Bytes of content that a row holds, with an allowance for its other columns.
pub(super) fn content_bytes(row: &CapturedExchange) -> usize {
    let texts = [&row.request_body, &row.response_text, &row.tool_calls, &row.error_message];
    1_024 + texts.into_iter().flatten().map(String::len).sum::<usize>()
}
