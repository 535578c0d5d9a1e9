//! A shortcut for the payload that nearly every record is: a chat completion of messages.
//!
//! It takes the members that become columns from the text and puts the request body together
//! without a parsed value of the record. Whatever is not the common form it leaves to the general
//! reader, whose row it otherwise gives to the byte; a body is therefore written as that reader
//! writes it: without spaces, with the shortest spelling of numbers and escapes.

mod answer;
mod conversation;
mod parameters;
mod payload;
pub(super) mod strict;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::chat::{ChatRequest, Role};
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::Dialect;

use super::super::body::{fill_request, set_replayable, set_state};
use super::super::features::features;
use super::super::format::{ReadContext, Reading};
use super::super::marks::{BaselineMarks, content_state};
use super::super::reason::NotReplayable;
use super::call::{Call, Kind};
use super::outcome::Failed;
use super::request::add_parameters;

use conversation::Conversation;
use parameters::Parameters;
use payload::Payload;
use strict::Members;

/// Reads the text of a record, if it has the common form.
pub(super) fn read(text: &str, context: &ReadContext) -> Option<Reading> {
    let mut payload: Payload<'_> = serde_json::from_str(text).ok()?;
    let kind = payload.call_type.as_ref().map(|name| Kind::named(&name.0));
    if kind != Some(Kind::Model(Call::Chat)) || payload.table_name.is_some() {
        return None;
    }
    let messages = payload.messages.take().filter(|messages| !messages.is_empty())?;
    let facts = payload.facts(context)?;
    // Without totals at the top those of the answer count, which only the general reader takes.
    facts.counts.input.or(facts.counts.output)?;
    let mut row = facts.row(Call::Chat);
    let model = serde_json::to_string(&row.request_model).ok()?;
    let conversation = Conversation::of(&["{\"model\":", &model, ",\"messages\":["], messages)?;
    let parameters = payload.parameters.take().unwrap_or_default();
    let request = fill_request_columns(&mut row, conversation, parameters)?;
    let gateway_answer = fill_outcome(&mut row, payload, facts.counts.is_some())?;
    facts.counts.fill(&mut row);
    let marks = BaselineMarks { gateway_answer, ..BaselineMarks::default() };
    facts.settle(&mut row, Some(&request), marks);
    Some(Reading::Exchange(Box::new(row)))
}

/// Fills the request columns.
fn fill_request_columns(
    row: &mut CapturedExchange,
    mut conversation: Conversation,
    parameters: Members<'_>,
) -> Option<ChatRequest> {
    let mut read = match Parameters::of(&parameters) {
        Some(mut parameters) => {
            parameters.fill(row);
            parameters
        }
        None => general_parameters(row, &parameters.into_value())?,
    };
    let mut body = std::mem::take(&mut conversation.json);
    body.extend(["]", &read.json, "}"]);
    let state = content_state(&body);
    row.dialect = Some(Dialect::OpenAiChat.as_str().to_owned());
    row.request_body = Some(body);
    set_state(row, state);
    set_replayable(
        row,
        match state {
            ContentState::Redacted => Some(NotReplayable::Redacted),
            ContentState::Truncated => Some(NotReplayable::Truncated),
            _ => None,
        },
    );
    read.request.messages = std::mem::take(&mut conversation.messages);
    fill_messages(row, &read.request);
    row.prompt_fingerprint = Some(conversation.take_key());
    row.features.extend(features(&read.request, &Value::Null));
    row.features.extend(conversation.extra_features());
    row.features.sort_unstable();
    row.features.dedup();
    Some(read.request)
}

/// Reads parameters of any kind by way of a body without messages.
fn general_parameters(row: &mut CapturedExchange, parameters: &Value) -> Option<Parameters> {
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::String(row.request_model.clone()));
    body.insert("messages".to_owned(), Value::Array(Vec::new()));
    add_parameters(&mut body, row, Some(parameters));
    let request = fill_request(row, Some(Dialect::OpenAiChat), &Value::Object(body))?;
    let model = serde_json::to_string(&row.request_model).ok()?;
    let written = row.request_body.take()?;
    let rest = written.strip_prefix("{\"model\":")?.strip_prefix(&model)?;
    let json = rest.strip_prefix(",\"messages\":[]")?.strip_suffix('}')?.to_owned();
    Some(Parameters { json, request, ..Parameters::default() })
}

/// Fills the columns of the messages.
fn fill_messages(row: &mut CapturedExchange, request: &ChatRequest) {
    let length = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let turns = request.messages.iter().filter(|message| message.role == Role::User).count();
    row.message_count = length(request.messages.len());
    row.image_count = length(request.image_count());
    row.turn_index = (turns > 0).then(|| length(turns));
}

/// Fills the outcome; says whether the gateway failed of itself.
fn fill_outcome(
    row: &mut CapturedExchange,
    payload: Payload<'_>,
    has_tokens: bool,
) -> Option<bool> {
    let succeeded = match &payload.status {
        Some(status) => status.0 == "success",
        None => payload.error_str.is_none(),
    };
    if succeeded {
        row.status_code = Some(200);
        if let Some(response) = payload.response {
            response.fill(row)?;
        }
        return Some(false);
    }
    let information = payload.error.map_or(Value::Null, Members::into_value);
    let guardrail_status = payload.status_fields.and_then(|fields| fields.guardrail_status);
    let failed = Failed {
        information: &information,
        error_str: payload.error_str.as_ref().map(|text| &*text.0),
        guardrail_status: guardrail_status.as_ref().map(|text| &*text.0),
        has_tokens,
    };
    Some(failed.fill(row, Call::Chat))
}
