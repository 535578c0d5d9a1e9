//! Calls of one trace, or of one request, put together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::capture::format::{Part, Reading};
use crate::capture::marks::{BaselineMarks, names_a_probe, settle_baseline};
use crate::capture::reason::{FilterReason, RejectReason};
use crate::dataset::CapturedExchange;

/// What is kept of a record until all records of its key are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::capture) enum Piece {
    /// A call of a model.
    Call(Box<Call>),
    /// What holds for the calls of a trace.
    Context(Context),
}

/// A call of a model, with what decides whether it counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::capture) struct Call {
    /// The log's own identifier.
    pub(in crate::capture) id: String,
    /// The project, within which identifiers are unique.
    pub(in crate::capture) project: Option<String>,
    /// The observation or run around it.
    pub(in crate::capture) parent: Option<String>,
    /// When the record was last written, microseconds since 1970; the latest counts.
    pub(in crate::capture) updated: Option<i64>,
    /// When the call ended, microseconds since 1970.
    pub(in crate::capture) end: Option<i64>,
    /// The row, complete but for what the trace says.
    pub(in crate::capture) row: CapturedExchange,
}

/// What a trace, or a run around the calls, says of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::capture) struct Context {
    /// The project of the trace.
    pub(in crate::capture) project: Option<String>,
    /// Which of several statements counts: the highest.
    pub(in crate::capture) rank: i64,
    /// The conversation.
    pub(in crate::capture) session_id: Option<String>,
    /// The end user.
    pub(in crate::capture) user_id: Option<String>,
    /// Tags as a JSON array.
    pub(in crate::capture) tags: Option<String>,
    /// The trace's name, which is what the application calls this route.
    pub(in crate::capture) name: Option<String>,
}

impl Piece {
    /// The piece as the reading of its record.
    pub(in crate::capture) fn reading(&self, key: String) -> Reading {
        match serde_json::to_value(self) {
            Ok(record) => Reading::Part(Part { key, record }),
            Err(error) => Reading::Reject(RejectReason::BadField, error.to_string()),
        }
    }
}

/// Settles which of the pieces of one key are rows.
///
/// Of several states of one record the last written counts, else the fullest, else the first. A
/// call inside whose time another call of the same trace was made by it is the same call told by
/// an outer layer (LangChain around an instrumented client) and is not counted twice.
pub(in crate::capture) fn join(parts: &[Value]) -> Vec<(usize, Reading)> {
    let mut calls = Vec::new();
    let mut contexts = Vec::new();
    let mut readings = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        match Piece::deserialize(part) {
            Ok(Piece::Call(call)) => calls.push((index, *call)),
            Ok(Piece::Context(context)) => {
                contexts.push(context);
                readings.push((index, Reading::Filtered(FilterReason::NotLlm)));
            }
            Err(error) => {
                readings.push((index, Reading::Reject(RejectReason::BadField, error.to_string())));
            }
        }
    }
    contexts.sort_by_key(|context| std::cmp::Reverse(context.rank));
    let latest = latest(&calls);
    let wrappers = wrappers(&calls, &latest);
    for (index, mut call) in calls {
        let reading = if !latest.contains(&index) {
            Reading::Filtered(FilterReason::Outdated)
        } else if wrappers.contains(&index) {
            Reading::Filtered(FilterReason::Wrapper)
        } else {
            apply(&mut call, &contexts);
            Reading::Exchange(Box::new(call.row))
        };
        readings.push((index, reading));
    }
    readings.sort_by_key(|(index, _)| *index);
    readings
}

/// A record's identity; a record without project is one of any.
fn identity(call: &Call) -> (&str, &str) {
    (call.project.as_deref().unwrap_or_default(), &call.id)
}

fn latest(calls: &[(usize, Call)]) -> BTreeSet<usize> {
    let fullness = |call: &Call| {
        (
            call.updated,
            call.end.is_some(),
            call.row.request_body.is_some(),
            call.row.response_text.is_some(),
        )
    };
    let mut best: BTreeMap<(&str, &str), (usize, &Call)> = BTreeMap::new();
    for (index, call) in calls {
        let known = best.entry(identity(call)).or_insert((*index, call));
        if fullness(call) > fullness(known.1) {
            *known = (*index, call);
        }
    }
    best.into_values().map(|(index, _)| index).collect()
}

fn wrappers(calls: &[(usize, Call)], latest: &BTreeSet<usize>) -> BTreeSet<usize> {
    let current = || calls.iter().filter(|(index, _)| latest.contains(index));
    let by_identity: BTreeMap<(&str, &str), (usize, &Call)> =
        current().map(|(index, call)| (identity(call), (*index, call))).collect();
    let mut outer = BTreeSet::new();
    for (_, inner) in current() {
        let parent = inner.parent.as_deref();
        let key = parent.map(|parent| (inner.project.as_deref().unwrap_or_default(), parent));
        let Some((index, parent)) = key.and_then(|key| by_identity.get(&key)) else { continue };
        let within = parent.end.is_none_or(|end| inner.row.captured_at <= end);
        if within && parent.id != inner.id && inner.row.operation == parent.row.operation {
            outer.insert(*index);
        }
    }
    outer
}

/// Fills in what the call itself does not say.
fn apply(call: &mut Call, contexts: &[Context]) {
    let project = call.project.as_deref();
    let own: Vec<&Context> = contexts
        .iter()
        .filter(|context| match (project, context.project.as_deref()) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => true,
        })
        .collect();
    let row = &mut call.row;
    let said = |member: fn(&Context) -> &Option<String>| {
        own.iter().find_map(|context| member(context).clone())
    };
    row.session_id = row.session_id.take().or_else(|| said(|context| &context.session_id));
    row.user_id = row.user_id.take().or_else(|| said(|context| &context.user_id));
    row.tags = row.tags.take().or_else(|| said(|context| &context.tags));
    row.route = said(|context| &context.name).or_else(|| row.route.take());
    probe_again(row);
}

/// Marks a row as a probe whose tags or route, which may come from elsewhere, say so.
fn probe_again(row: &mut CapturedExchange) {
    let tags: Vec<String> =
        row.tags.as_deref().and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default();
    if row.latency_baseline_ok && tags.iter().chain(&row.route).any(|label| names_a_probe(label)) {
        settle_baseline(row, BaselineMarks { health_check: true, ..BaselineMarks::default() });
    }
}
