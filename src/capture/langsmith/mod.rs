//! The log format `langsmith`: runs as LangSmith's API, SDK and bulk export give them.
//!
//! Field meanings follow LangSmith's "Run (span) data format" and the wrappers of its SDK
//! (`langsmith/wrappers/_openai.py`); the bulk export (Parquet) has the same columns with objects
//! as texts of JSON. What is easily got wrong:
//!
//! - `session_id` is the project. The conversation is in `extra.metadata`, under `session_id`,
//!   `thread_id` or `conversation_id`, and may stand on the outermost run only.
//! - Times without a zone are UTC.
//! - Only runs of type `llm` (and `embedding`) are calls; token counts of the runs around them are
//!   sums over them.
//! - An `llm` run around a wrapped client tells one call twice.
//! - Token counts are inclusive: the SDK's `usage_metadata` has cached tokens inside the input.
//! - LangChain logs `stream: false` among the parameters of calls that it streams; the first
//!   token's time tells.
//! - Costs are decimal texts in the API and numbers in older exports.

mod run;
mod usage;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::langfuse::shapes::{self, Context, Piece, cell, route, words};
use super::reason::{FilterReason, RejectReason};

/// The format of LangSmith's runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct LangSmith;

/// How deep runs may be nested inside runs.
const MAX_DEPTH: usize = 32;

impl LogFormat for LangSmith {
    fn name(&self) -> &'static str {
        "langsmith"
    }

    fn title(&self) -> &'static str {
        "LangSmith run export"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let listed = record.get("runs").and_then(Value::as_array);
            is_run(record) || listed.is_some_and(|runs| runs.iter().any(is_run))
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        let mut readings = Vec::new();
        if let Some(runs) = record.get("runs").and_then(Value::as_array) {
            for run in runs {
                read_all(run, &mut readings, 0);
            }
        } else {
            read_all(record, &mut readings, 0);
        }
        readings
    }

    fn join(&self, parts: &[Value], _: &ReadContext) -> Vec<(usize, Reading)> {
        shapes::join(parts)
    }
}

fn is_run(record: &Value) -> bool {
    const OWN: &[&str] =
        &["dotted_order", "trace_id", "parent_run_id", "session_id", "child_runs", "extra"];
    record.get("run_type").is_some_and(Value::is_string)
        && record.get("start_time").is_some()
        && OWN.iter().any(|name| record.get(*name).is_some())
}

/// Reads a run and those inside it.
fn read_all(run: &Value, readings: &mut Vec<Reading>, depth: usize) {
    readings.push(read(run));
    let inner = run.get("child_runs").and_then(Value::as_array).filter(|_| depth < MAX_DEPTH);
    for child in inner.into_iter().flatten() {
        read_all(child, readings, depth + 1);
    }
}

fn read(run: &Value) -> Reading {
    if !run.is_object() {
        return Reading::Reject(RejectReason::NotAnObject, "a run is an object".to_owned());
    }
    match words(run, &["run_type"]).as_deref() {
        Some("llm" | "embedding") => run::read(run),
        Some(_) => context(run),
        None => Reading::Reject(RejectReason::MissingField, "`run_type` is missing".to_owned()),
    }
}

/// What a run that is no call says of the calls inside it.
fn context(run: &Value) -> Reading {
    let metadata = metadata(run);
    let is_root = words(run, &["parent_run_id"]).is_none() && parent_of_order(run).is_none();
    let context = Context {
        project: words(run, &["session_id"]),
        rank: i64::from(is_root),
        session_id: conversation(&metadata),
        user_id: words(&metadata, &["user_id", "ls_user_id"]),
        tags: tags(run).filter(|_| is_root),
        name: route(run, &["name"]).filter(|_| is_root),
    };
    let nothing = Context { project: context.project.clone(), ..Context::default() };
    match trace_id(run) {
        Some(key) if context != nothing => Piece::Context(context).reading(key),
        _ => Reading::Filtered(FilterReason::NotLlm),
    }
}

/// The trace, whose identifier is that of its outermost run.
fn trace_id(run: &Value) -> Option<String> {
    words(run, &["trace_id"]).or_else(|| words(run, &["id"]))
}

/// The run around this one by its place in the trace: `<time>Z<run>.<time>Z<run>`.
fn parent_of_order(run: &Value) -> Option<String> {
    let order = run.get("dotted_order")?.as_str()?;
    let (_, parent) = order.rsplit('.').nth(1)?.split_once('Z')?;
    Some(parent.to_owned())
}

fn metadata(run: &Value) -> Value {
    let extra = cell(run, &["extra"]);
    cell(&extra, &["metadata"]).into_owned()
}

fn conversation(metadata: &Value) -> Option<String> {
    words(metadata, &["session_id", "thread_id", "conversation_id"])
}

/// The column `tags`, without those by which LangChain numbers its steps.
fn tags(run: &Value) -> Option<String> {
    let tags = cell(run, &["tags"]);
    let is_step = |tag: &&str| tag.starts_with("seq:step:") || tag.starts_with("map:key:");
    let tags: Vec<&str> =
        tags.as_array()?.iter().filter_map(Value::as_str).filter(|tag| !is_step(tag)).collect();
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}
