//! The log format `kong`: entries of Kong's log plugins (`file-log`, `http-log` and the others),
//! with the block of its AI plugins or with bodies that the operator added.
//!
//! Field meanings follow `kong/pdk/log.lua` (entry), `kong/llm/plugin/shared-filters/
//! serialize-analytics.lua` (AI block) and Kong's reference of AI audit logs. What is easily got
//! wrong:
//!
//! - `latencies.request` is the whole call at the gateway; `latencies.proxy` is the wait for the
//!   upstream's headers (−1 without upstream), which is no time to a first token.
//! - `started_at` is in epoch milliseconds; `upstream_status` is a text, a list after retries.
//! - Tokens of zero mean unknown. So does a cost of zero, and any other cost is in the currency of
//!   the plugin's configuration, which the entry does not name: costs are not read.
//! - Bodies are no part of an entry by default. Operators add them as `request.body`,
//!   `request_body`, `response.body` or `response_body`, also in base64; the AI plugins log them as
//!   texts of JSON.
//! - A request may pass several AI plugins. The proxy's is the client's call; a transformer's is a
//!   call of the gateway's own, which gets a row that is kept out of the baseline.
//! - Only `authorization` is redacted by Kong. Of the headers nothing but content type and session
//!   is read here, and queries are cut off addresses. What `ai.sanitizer` holds is never read.

pub(in crate::capture) mod labels;
mod plugin;
pub(in crate::capture) mod proxied;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::dataset::{CapturedExchange, sha256_hex};
use crate::provider::endpoint;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{FilterReason, RejectReason};
use super::time::{Moment, fill_time, moment};
use super::value::{number, path, present, text};

use labels::{add_tags, tags_of};
use plugin::{Plugin, alters_prompt, plugins};
use proxied::{Call, fill_gateway_usage, http_status, path_of, provider_name};

/// The format of Kong's log plugins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kong;

impl LogFormat for Kong {
    fn name(&self) -> &'static str {
        "kong"
    }

    fn title(&self) -> &'static str {
        "Kong log plugins, with or without AI plugins"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name| present(record, name).is_some();
            path(record, &["latencies", "request"]).is_some() && has("started_at") && has("request")
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "an entry is an object");
        }
        let Some(started_at) = present(record, "started_at") else {
            return Reading::reject(RejectReason::MissingField, "`started_at` is not there");
        };
        let Some(started_at) = moment(started_at, context.utc_offset_s) else {
            return Reading::reject(RejectReason::BadField, "`started_at` is no point in time");
        };
        let plugins = plugins(record);
        if plugins.is_empty() {
            return vec![without_plugin(record, started_at)];
        }
        let own =
            |plugin: &Plugin| Reading::Exchange(Box::new(of_plugin(record, plugin, started_at)));
        plugins.iter().map(own).collect()
    }
}

/// An entry without AI block: model traffic only if its address or its body says so.
fn without_plugin(record: &Value, started_at: Moment) -> Reading {
    let (request, response) = (operator_body(record, "request"), operator_body(record, "response"));
    let address = address(record);
    let call = Call { address: &address, request: &request, response: &response };
    if !call.is_llm() {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let mut row = entry(record, started_at);
    fill_timing(&mut row, record);
    let content = call.fill(&mut row);
    row.stream = row.stream.or_else(|| is_event_stream(record).then_some(true));
    let mut marks = marks(&row, record);
    marks.not_chat = content.not_chat;
    marks.health_check |= content.request.as_ref().is_some_and(is_probe);
    settle_baseline(&mut row, marks);
    Reading::Exchange(Box::new(row))
}

/// The row of one AI plugin.
fn of_plugin(record: &Value, plugin: &Plugin, started_at: Moment) -> CapturedExchange {
    let mut row = entry(record, started_at);
    if let Some(name) = plugin.meta("provider_name") {
        row.provider = provider_name(&name);
    }
    row.request_model = plugin.meta("request_model").unwrap_or_default();
    let mode = plugin.meta("request_mode").map(|mode| mode.to_ascii_lowercase());
    match mode.as_deref() {
        Some("stream") => row.stream = Some(true),
        Some("oneshot") => row.stream = Some(false),
        Some("realtime") => "realtime".clone_into(&mut row.operation),
        _ => {}
    }
    let is_proxy = plugin.is_proxy();
    if is_proxy {
        fill_timing(&mut row, record);
        row.stream = row.stream.or_else(|| is_event_stream(record).then_some(true));
    } else {
        // The status and the route's times are those of the client's call, not of this one.
        row.status_code = None;
        row.request_id = format!("{}:{}", row.request_id, plugin.name);
    }
    if row.latency_ms.is_none() {
        row.latency_ms = plugin.llm_latency_ms();
        row.latency_scope = row.latency_ms.map(|_| "upstream".to_owned());
    }
    let body = |kept: Option<&'_ Value>, side: &str| match kept {
        Some(kept) => Cow::Owned(kept.clone()),
        None if is_proxy => operator_body(record, side),
        None => Cow::Owned(Value::Null),
    };
    let request = body(plugin.request(), "request");
    let response = body(plugin.response(), "response");
    let address = if is_proxy { address(record) } else { String::new() };
    let call = Call { address: &address, request: &request, response: &response };
    let content = call.fill(&mut row);
    if let Some(model) = plugin.meta("response_model") {
        row.response_model = Some(model);
    }
    fill_usage(&mut row, plugin);
    row.ttft_ms = plugin.ttft_ms().filter(|_| row.stream == Some(true));
    row.cache_hit = if is_proxy { plugin.cache_hit() } else { None };
    if alters_prompt(record) {
        row.flaws.push("prompt_altered".to_owned());
    }
    let mut marks = if is_proxy { marks(&row, record) } else { BaselineMarks::default() };
    marks.other_scope = !is_proxy;
    marks.not_chat = content.not_chat;
    marks.health_check |= content.request.as_ref().is_some_and(is_probe);
    settle_baseline(&mut row, marks);
    row
}

fn fill_usage(row: &mut CapturedExchange, plugin: &Plugin) {
    if row.usage_source.is_some() {
        return;
    }
    let input = plugin.tokens(&["prompt_tokens", "prompt_token"]);
    let output = plugin.tokens(&["completion_tokens", "completion_token"]);
    fill_gateway_usage(row, input, output);
    if row.usage_source.is_some() {
        row.cache_read_input_tokens = plugin.token_detail("prompt_tokens_details", "cached_tokens");
        row.reasoning_output_tokens =
            plugin.token_detail("completion_tokens_details", "reasoning_tokens");
    }
}

/// What every row of an entry has.
fn entry(record: &Value, started_at: Moment) -> CapturedExchange {
    let named = |object: &str, names: &[&str]| text(record.get(object)?, names);
    let uri = path(record, &["request", "uri"]).and_then(Value::as_str);
    let mut row = CapturedExchange {
        request_id: named("request", &["id"])
            .or_else(|| text(record, &["correlation_id"]))
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(record.to_string()))),
        session_id: ["x-session-id", "x-conversation-id", "x-session"]
            .iter()
            .find_map(|name| header(record, "request", name)),
        route: named("route", &["name"])
            .or_else(|| uri.map(|uri| path_of(uri).to_owned()))
            .or_else(|| named("route", &["id"])),
        tenant: named("consumer", &["username", "custom_id", "id"])
            .or_else(|| named("authenticated_entity", &["consumer_id", "id"])),
        status_code: path(record, &["response", "status"]).and_then(http_status),
        time_resolution_ms: Some(1.0),
        attempt: i32::try_from(tries(record)).unwrap_or(1),
        ..CapturedExchange::default()
    };
    fill_time(&mut row, started_at);
    let tags = ["service", "route"]
        .iter()
        .filter_map(|object| path(record, &[*object, "tags"])?.as_array())
        .flatten();
    add_tags(&mut row, tags.filter_map(Value::as_str).map(str::to_owned).collect());
    row
}

fn fill_timing(row: &mut CapturedExchange, record: &Value) {
    let latency = |name: &str| path(record, &["latencies", name]).and_then(number);
    row.latency_ms = latency("request");
    row.ttfb_ms = latency("proxy").filter(|ms| *ms >= 0.0);
    row.latency_scope = row.latency_ms.map(|_| "gateway".to_owned());
}

/// How often an upstream was asked, at least once.
fn tries(record: &Value) -> usize {
    let tries = record.get("tries").and_then(Value::as_array).map_or(0, Vec::len);
    let statuses = record.get("upstream_status").and_then(Value::as_str);
    tries.max(statuses.map_or(0, |list| list.split(',').count())).max(1)
}

fn marks(row: &CapturedExchange, record: &Value) -> BaselineMarks {
    let source = text(record, &["source"]);
    let uri = path(record, &["request", "uri"]).and_then(Value::as_str);
    let labels = uri.into_iter().chain(row.route.as_deref());
    BaselineMarks {
        gateway_answer: source.is_some_and(|source| source != "upstream"),
        retried: tries(record) > 1,
        health_check: labels.into_iter().any(names_a_probe)
            || tags_of(row).iter().any(|tag| names_a_probe(tag)),
        ..BaselineMarks::default()
    }
}

/// The address that tells most: the upstream's, whose host names the provider, if it is one of a
/// model's API, else the client's.
fn address(record: &Value) -> String {
    let asked = path(record, &["request", "uri"]).and_then(Value::as_str);
    let upstream = record.get("upstream_uri").and_then(Value::as_str);
    let whole = upstream.map(|uri| match path(record, &["service", "host"]) {
        Some(Value::String(host)) if uri.starts_with('/') => format!("https://{host}{uri}"),
        _ => uri.to_owned(),
    });
    let known = |address: &String| endpoint(address).is_some();
    let candidates = [whole.clone(), upstream.map(str::to_owned), asked.map(str::to_owned)];
    let address = candidates.into_iter().flatten().find(known);
    address.or(asked.map(str::to_owned)).unwrap_or_default()
}

/// A header's first value.
fn header(record: &Value, side: &str, name: &str) -> Option<String> {
    let value = path(record, &[side, "headers", name])?;
    let value = value.as_array().and_then(|values| values.first()).unwrap_or(value);
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn is_event_stream(record: &Value) -> bool {
    let kind = header(record, "response", "content-type");
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// A body that the operator's own configuration added to the entry.
fn operator_body<'r>(record: &'r Value, side: &str) -> Cow<'r, Value> {
    let flat = format!("{side}_body");
    let body = path(record, &[side, "body"]).or_else(|| present(record, &flat));
    let Some(body) = body else { return Cow::Owned(Value::Null) };
    let decoded = body.as_str().and_then(|text| STANDARD.decode(text.trim()).ok());
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        // A word may be base64 by chance; what it decodes to is then no body.
        Some(text) if ["{", "[", "data:", "event:"].iter().any(|head| text.starts_with(head)) => {
            Cow::Owned(Value::String(text))
        }
        _ => Cow::Borrowed(body),
    }
}
