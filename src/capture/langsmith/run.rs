//! A run of type `llm` or `embedding` as a row.

use serde_json::{Map, Value, json};

use crate::capture::body::{fill_request, set_failure, set_replayable, without_request};
use crate::capture::format::Reading;
use crate::capture::langfuse::shapes::{
    Answer, Asked, Call, Piece, cell, failure, mark_elided, member, parameters, provider,
    provider_of_model, route, words,
};
use crate::capture::marks::{BaselineMarks, is_probe, settle_baseline};
use crate::capture::reason::{NotReplayable, RejectReason};
use crate::capture::time::{Moment, fill_time, moment};
use crate::capture::value::is_blank;
use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;
use crate::provider::Dialect;

use super::{conversation, metadata, parent_of_order, tags, trace_id, usage};

/// Reads a call; it waits for the other runs of its trace.
pub(super) fn read(run: &Value) -> Reading {
    let missing =
        |name: &str| Reading::Reject(RejectReason::MissingField, format!("`{name}` is missing"));
    let Some(id) = words(run, &["id"]) else { return missing("id") };
    let Some(start) = member(run, &["start_time"]) else { return missing("start_time") };
    // LangSmith writes UTC, so a zone that the user states for other logs does not apply.
    let Some(start) = moment(start, None) else {
        let detail = "`start_time` is no point in time".to_owned();
        return Reading::Reject(RejectReason::BadField, detail);
    };
    let end = at(run, "end_time");
    let key = trace_id(run).unwrap_or_else(|| id.clone());
    let call = Call {
        row: row(run, &id, start, end),
        project: words(run, &["session_id"]),
        parent: words(run, &["parent_run_id"]).or_else(|| parent_of_order(run)),
        updated: at(run, "modified_at"),
        id,
        end,
    };
    Piece::Call(Box::new(call)).reading(key)
}

fn at(run: &Value, name: &str) -> Option<i64> {
    member(run, &[name]).and_then(|value| moment(value, None)).map(|moment| moment.us)
}

fn row(run: &Value, id: &str, start: Moment, end: Option<i64>) -> CapturedExchange {
    let metadata = metadata(run);
    let extra = cell(run, &["extra"]);
    let settings = cell(&extra, &["invocation_params"]);
    let inputs = cell(run, &["inputs"]);
    let model = words(&metadata, &["ls_model_name"])
        .or_else(|| words(&settings, &["model", "model_name", "model_id", "azure_deployment"]))
        .or_else(|| words(&inputs, &["model"]))
        .unwrap_or_default();
    let mut row = CapturedExchange {
        request_id: id.to_owned(),
        session_id: conversation(&metadata),
        user_id: words(&metadata, &["user_id", "ls_user_id"]),
        provider: words(&metadata, &["ls_provider"])
            .and_then(|name| provider(&name))
            .or_else(|| provider_of_model(&model)),
        operation: "chat".to_owned(),
        route: route(run, &["name"]),
        tags: tags(run),
        request_model: model,
        sampled: Some(true),
        latency_scope: Some("client".to_owned()),
        time_resolution_ms: Some(0.001),
        ..CapturedExchange::default()
    };
    fill_time(&mut row, start);
    fill_durations(&mut row, run, end);
    let is_embedding = run.get("run_type").is_some_and(|kind| kind == "embedding");
    let request = if is_embedding {
        fill_embedding(&mut row, &inputs);
        None
    } else {
        fill_request_of(&mut row, &inputs, parameters_of(&settings, &metadata))
    };
    fill_outcome(&mut row, run, is_embedding);
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

fn fill_durations(row: &mut CapturedExchange, run: &Value, end: Option<i64>) {
    let since = |us: i64| (us - row.captured_at) as f64 / 1_000.0;
    let first = at(run, "first_token_time").or_else(|| first_token(run));
    let latency_ms = end.map(since);
    let ttft_ms = first.map(since);
    row.latency_ms = latency_ms;
    row.ttft_ms = ttft_ms;
    row.stream = ttft_ms.map(|_| true);
}

/// The first token by the events of the run.
fn first_token(run: &Value) -> Option<i64> {
    let events = cell(run, &["events"]);
    let is_token = |event: &&Value| event.get("name").is_some_and(|name| name == "new_token");
    let first = events.as_array()?.iter().find(is_token)?;
    at(first, "time")
}

/// Parameters of the call; LangSmith's own summary fills what the call's parameters lack.
fn parameters_of(settings: &Value, metadata: &Value) -> Map<String, Value> {
    let mut found = parameters(settings);
    let has_cap = found.contains_key("max_tokens") || found.contains_key("max_completion_tokens");
    for (name, own) in
        [("ls_temperature", "temperature"), ("ls_max_tokens", "max_tokens"), ("ls_stop", "stop")]
    {
        let value = metadata.get(name).filter(|value| !is_blank(value));
        if let Some(value) = value.filter(|_| !(has_cap && own == "max_tokens")) {
            found.entry(own).or_insert_with(|| value.clone());
        }
    }
    found
}

fn fill_request_of(
    row: &mut CapturedExchange,
    inputs: &Value,
    mut parameters: Map<String, Value>,
) -> Option<ChatRequest> {
    let logged = parameters.remove("stream").and_then(|stream| stream.as_bool());
    let asked = inputs.get("stream").and_then(Value::as_bool);
    if logged == Some(true) || asked == Some(true) {
        row.stream = Some(true);
    }
    let asked = Asked {
        model: row.request_model.clone(),
        parameters,
        tools: Vec::new(),
        stream: row.stream == Some(true),
    };
    // Without content there may still be the model among the inputs of a wrapped client.
    let has_content =
        inputs.as_object().is_none_or(|members| members.keys().any(|key| key != "model"));
    let Some((body, dialect)) = asked.body(inputs).filter(|_| has_content) else {
        without_request(row);
        return None;
    };
    if dialect == Some(Dialect::OpenAiCompletions) {
        "text_completion".clone_into(&mut row.operation);
    }
    let request = fill_request(row, dialect, &body);
    mark_elided(row);
    request
}

fn fill_embedding(row: &mut CapturedExchange, inputs: &Value) {
    "embeddings".clone_into(&mut row.operation);
    row.stream = None;
    if is_blank(inputs) {
        without_request(row);
    } else {
        let names = ["input", "texts", "text", "documents"];
        let input = names.iter().find_map(|name| inputs.get(*name)).unwrap_or(inputs);
        fill_request(row, None, &json!({"model": row.request_model, "input": input}));
    }
    set_replayable(row, Some(NotReplayable::NotChat));
}

fn fill_outcome(row: &mut CapturedExchange, run: &Value, is_embedding: bool) {
    let outputs = cell(run, &["outputs"]);
    let error = words(run, &["error"]);
    let is_error = error.is_some() || words(run, &["status"]).as_deref() == Some("error");
    let answer = Answer::of(&outputs, None).filter(|_| !is_embedding);
    if let Some(answer) = &answer {
        answer.fill(row);
    }
    usage::fill(row, run, &outputs, answer.and_then(|answer| answer.usage).as_ref());
    if is_error {
        set_failure(row, failure(&error.unwrap_or_default()));
    } else if row.response_model.is_none() {
        let output = cell(&outputs, &["llm_output"]);
        row.response_model = words(&output, &["model_name", "model"]);
    }
}
