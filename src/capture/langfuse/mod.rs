//! The log format `langfuse`: observations and traces as Langfuse exports them.
//!
//! Three writers, one reader: the export of the user interface and the public API (camelCase;
//! `features/batchExport`, `fern/apis/server/definition/commons.yml`) and the scheduled export to
//! blob storage (snake_case; `handleBlobStorageIntegrationProjectJob.ts`). CSV has every value as a
//! text. What is easily got wrong:
//!
//! - `latency` and `timeToFirstToken` are seconds, but milliseconds in the table `observations_v2`
//!   of older integrations. They are never read; the times tell.
//! - Times without a zone are UTC, whatever zone the user states for other logs.
//! - `input`, `output` and `modelParameters` may be texts of JSON, also twice.
//! - Buckets of `usageDetails` are disjoint: cached tokens are not part of `input`.
//! - User and session stand on the trace, which may be in another file.
//! - A row is exported again when it changes; the last written counts.
//! - LangChain around an instrumented client logs one call as two generations.
//! - There is no HTTP status and no flag of streaming.
//! - LangChain's callback logs tools as messages of role `tool`.

mod observation;
pub(in crate::capture) mod shapes;
mod usage;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::reason::{FilterReason, RejectReason};
use super::time::parse;

use shapes::{Context, Piece, cell, member, route, words};

/// The format of Langfuse's exports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Langfuse;

const TRACE_ID: &[&str] = &["traceId", "trace_id"];
const PROJECT: &[&str] = &["projectId", "project_id"];
const START: &[&str] = &["startTime", "start_time"];
const UPDATED: &[&str] = &["updatedAt", "updated_at", "event_ts"];

impl LogFormat for Langfuse {
    fn name(&self) -> &'static str {
        "langfuse"
    }

    fn title(&self) -> &'static str {
        "Langfuse export (UI, API, blob storage)"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            is_observation(record) || is_trace(record) || is_score(record) || is_download(record)
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "a record is an object");
        }
        // The download of one trace has its observations inside.
        let trace = record.get("trace").filter(|trace| trace.is_object()).unwrap_or(record);
        let inner = record.get("observations").and_then(Value::as_array);
        let inner = inner.into_iter().flatten().filter(|inner| inner.is_object());
        let mut readings: Vec<Reading> = inner.map(read).collect();
        readings.push(read(trace));
        readings
    }

    fn join(&self, parts: &[Value], _: &ReadContext) -> Vec<(usize, Reading)> {
        shapes::join(parts)
    }
}

fn read(record: &Value) -> Reading {
    match words(record, &["type"]).map(|kind| kind.to_ascii_uppercase()).as_deref() {
        Some("GENERATION" | "EMBEDDING") => return observation::read(record),
        Some(_) if is_observation(record) => return Reading::Filtered(FilterReason::NotLlm),
        _ => {}
    }
    if is_trace(record) {
        return context(record);
    }
    if is_score(record) {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    if record.get("manifestVersion").is_some() || record.get("files").is_some_and(Value::is_array) {
        return Reading::Filtered(FilterReason::Aggregate);
    }
    // Exports of before there were types hold generations only.
    let model = member(record, observation::MODEL);
    if model.is_some() && member(record, START).is_some() && member(record, TRACE_ID).is_some() {
        return observation::read(record);
    }
    let detail = "`type` is missing, and it is neither a trace nor a score";
    Reading::Reject(RejectReason::MissingField, detail.to_owned())
}

/// Whether it is an observation: fields of time and place, and one that only Langfuse has.
fn is_observation(record: &Value) -> bool {
    const OWN: &[&str] = &[
        "parentObservationId",
        "parent_observation_id",
        "completionStartTime",
        "completion_start_time",
        "providedModelName",
        "provided_model_name",
        "usageDetails",
        "usage_details",
        "modelParameters",
        "model_parameters",
    ];
    let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
    has(TRACE_ID) && has(START) && has(&["type", "level"]) && has(OWN) && !has(&["run_type"])
}

/// Whether it is a trace, which has one time only.
fn is_trace(record: &Value) -> bool {
    const OWN: &[&str] =
        &["bookmarked", "htmlPath", "release", "public", "observationCount", "observations"];
    let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
    has(&["timestamp"])
        && has(&["id"])
        && has(&["sessionId", "session_id", "userId", "user_id"])
        && has(OWN)
        && !has(START)
        && !has(TRACE_ID)
}

fn is_score(record: &Value) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
    has(TRACE_ID)
        && has(&["dataType", "data_type"])
        && has(&["observationId", "observation_id", "configId", "config_id"])
        && has(&["value", "stringValue", "string_value"])
}

fn is_download(record: &Value) -> bool {
    let observations = record.get("observations").and_then(Value::as_array);
    record.get("trace").is_some_and(Value::is_object)
        && observations.is_some_and(|list| list.iter().any(is_observation))
}

fn context(trace: &Value) -> Reading {
    let Some(id) = words(trace, &["id"]) else {
        return Reading::Reject(RejectReason::MissingField, "`id` is missing".to_owned());
    };
    let rank = member(trace, UPDATED).or_else(|| member(trace, &["timestamp"])).and_then(parse);
    let context = Context {
        project: words(trace, PROJECT),
        rank: rank.unwrap_or(0),
        session_id: words(trace, &["sessionId", "session_id"]),
        user_id: words(trace, &["userId", "user_id"]),
        tags: tags(trace, &["tags"]),
        name: route(trace, &["name"]),
    };
    Piece::Context(context).reading(id)
}

/// The column `tags`.
fn tags(record: &Value, names: &[&str]) -> Option<String> {
    let tags = cell(record, names);
    let tags: Vec<&str> = tags.as_array()?.iter().filter_map(Value::as_str).collect();
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}
