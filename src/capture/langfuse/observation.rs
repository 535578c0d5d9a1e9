//! An observation of Langfuse as a row.

use serde_json::Value;

use crate::capture::body::{fill_request, set_failure, set_replayable, set_state, without_request};
use crate::capture::format::Reading;
use crate::capture::marks::{BaselineMarks, is_probe, is_python_repr, settle_baseline};
use crate::capture::reason::{NotReplayable, RejectReason};
use crate::capture::time::{Moment, fill_time, moment};
use crate::capture::value::{decoded, is_blank};
use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::Dialect;

use super::shapes::{
    Answer, Asked, Call, Piece, cell, definitions, failure, mark_elided, member, parameters,
    provider, provider_of_model, route, words,
};
use super::{PROJECT, START, TRACE_ID, UPDATED, tags, usage};

/// The model that answered, as the client named it.
pub(super) const MODEL: &[&str] = &["providedModelName", "provided_model_name", "model"];
const COMPLETION_START: &[&str] = &["completionStartTime", "completion_start_time"];

/// Reads a generation or an embedding; it waits for its trace.
pub(super) fn read(record: &Value) -> Reading {
    let missing =
        |name: &str| Reading::Reject(RejectReason::MissingField, format!("`{name}` is missing"));
    let Some(id) = words(record, &["id"]) else { return missing("id") };
    let Some(start) = member(record, START) else { return missing("startTime") };
    // The writer stores UTC, so a zone that the user states for other logs does not apply.
    let Some(start) = moment(start, None) else {
        let detail = "`startTime` is no point in time".to_owned();
        return Reading::Reject(RejectReason::BadField, detail);
    };
    let end = at(record, &["endTime", "end_time"]);
    let row = row(record, &id, start, end);
    let key = words(record, TRACE_ID).unwrap_or_else(|| format!("observation {id}"));
    let call = Call {
        project: words(record, PROJECT),
        parent: words(record, &["parentObservationId", "parent_observation_id"]),
        updated: at(record, UPDATED),
        id,
        end,
        row,
    };
    Piece::Call(Box::new(call)).reading(key)
}

fn at(record: &Value, names: &[&str]) -> Option<i64> {
    member(record, names).and_then(|value| moment(value, None)).map(|moment| moment.us)
}

fn row(record: &Value, id: &str, start: Moment, end: Option<i64>) -> CapturedExchange {
    let metadata = Metadata::of(record);
    let logged = words(record, MODEL);
    let asked_for =
        metadata.text(&["ls_model_name"]).or_else(|| metadata.attribute("gen_ai.request.model"));
    let request_model = asked_for.or_else(|| logged.clone()).unwrap_or_default();
    let stated = metadata
        .text(&["ls_provider"])
        .or_else(|| metadata.attribute("gen_ai.provider.name"))
        .or_else(|| metadata.attribute("gen_ai.system"));
    let mut row = CapturedExchange {
        request_id: id.to_owned(),
        session_id: words(record, &["sessionId", "session_id"]),
        user_id: words(record, &["userId", "user_id"]),
        provider: stated
            .and_then(|name| provider(&name))
            .or_else(|| provider_of_model(&request_model)),
        operation: "chat".to_owned(),
        route: route(record, &["traceName", "trace_name"]).or_else(|| route(record, &["name"])),
        tags: tags(record, &["traceTags", "trace_tags", "tags"]),
        request_model,
        sampled: Some(true),
        latency_scope: Some("client".to_owned()),
        time_resolution_ms: Some(1.0),
        ..CapturedExchange::default()
    };
    fill_time(&mut row, start);
    fill_durations(&mut row, record, end);
    let is_embedding =
        words(record, &["type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("EMBEDDING"));
    let request = fill_content(&mut row, record, is_embedding);
    fill_outcome(&mut row, record, &metadata, logged);
    usage::fill(&mut row, record);
    // An answer in one piece has no first token of its own.
    row.ttft_ms = row.ttft_ms.filter(|_| row.stream != Some(false));
    let marks = BaselineMarks {
        health_check: request.as_ref().is_some_and(is_probe),
        no_end: end.is_none(),
        not_chat: is_embedding,
        ..BaselineMarks::default()
    };
    settle_baseline(&mut row, marks);
    row
}

fn fill_durations(row: &mut CapturedExchange, record: &Value, end: Option<i64>) {
    let since = |us: i64| (us - row.captured_at) as f64 / 1_000.0;
    let latency_ms = end.map(since);
    let first = at(record, COMPLETION_START).map(since);
    // Some clients set the first token's time to the end, for answers in one piece.
    let ttft_ms = first.filter(|first| Some(*first) != latency_ms);
    row.latency_ms = latency_ms;
    row.ttft_ms = ttft_ms;
    row.stream = ttft_ms.map(|_| true);
}

fn fill_content(
    row: &mut CapturedExchange,
    record: &Value,
    is_embedding: bool,
) -> Option<ChatRequest> {
    let mut parameters = parameters(&cell(record, &["modelParameters", "model_parameters"]));
    if let Some(stream) = parameters.remove("stream").and_then(|stream| stream.as_bool()) {
        row.stream = Some(stream || row.stream == Some(true));
    }
    let asked = Asked {
        model: row.request_model.clone(),
        parameters,
        tools: definitions(&cell(record, &["toolDefinitions", "tool_definitions"])),
        stream: row.stream == Some(true),
    };
    let input = member(record, &["input"]).unwrap_or(&Value::Null);
    let body = asked.body(input);
    if is_embedding {
        "embeddings".clone_into(&mut row.operation);
        row.stream = None;
        let opened = decoded(input);
        if is_blank(&opened) {
            without_request(row);
        } else {
            let body = serde_json::json!({"model": row.request_model, "input": &*opened});
            fill_request(row, None, &body);
        }
        set_replayable(row, Some(NotReplayable::NotChat));
        return None;
    }
    let Some((body, dialect)) = body else {
        without_request(row);
        return None;
    };
    if dialect == Some(Dialect::OpenAiCompletions) {
        "text_completion".clone_into(&mut row.operation);
    }
    let request = fill_request(row, dialect, &body);
    mark_elided(row);
    if is_python_repr(input) {
        set_state(row, ContentState::Truncated);
        set_replayable(row, Some(NotReplayable::Truncated));
    }
    request
}

fn fill_outcome(
    row: &mut CapturedExchange,
    record: &Value,
    metadata: &Metadata,
    logged_model: Option<String>,
) {
    let reason = metadata
        .text(&["finish_reason", "finishReason"])
        .or_else(|| words(record, &["finishReason", "finish_reason"]));
    let output = member(record, &["output"]).unwrap_or(&Value::Null);
    let is_error = words(record, &["level"]).is_some_and(|l| l.eq_ignore_ascii_case("ERROR"));
    if row.operation != "embeddings"
        && let Some(answer) = Answer::of(output, reason.as_deref())
    {
        answer.fill(row);
    }
    if is_error {
        let message = words(record, &["statusMessage", "status_message"]).unwrap_or_default();
        set_failure(row, failure(&message));
    } else {
        row.response_model = metadata
            .attribute("gen_ai.response.model")
            .or_else(|| row.response_model.take())
            .or(logged_model);
    }
}

/// The metadata of an observation: an object, or a map whose values are texts of JSON.
struct Metadata {
    own: Value,
    /// What an instrumentation of OpenTelemetry sent, where Langfuse took it from there.
    attributes: Value,
}

impl Metadata {
    fn of(record: &Value) -> Self {
        let own = cell(record, &["metadata"]).into_owned();
        let attributes = cell(&own, &["attributes"]).into_owned();
        Metadata { own, attributes }
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        words(&self.own, names).map(|text| unquoted(&text))
    }

    fn attribute(&self, name: &str) -> Option<String> {
        words(&self.attributes, &[name]).map(|text| unquoted(&text))
    }
}

/// A value of metadata that is JSON in a text may be a text itself.
fn unquoted(text: &str) -> String {
    serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())
}
