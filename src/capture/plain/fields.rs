//! The fields of the plain convention that need more than looking up.

use serde_json::Value;

use crate::dataset::{CapturedExchange, UsageSource};
use crate::provider::Dialect;

use super::super::format::{LatencyUnit, ReadContext};
use super::super::reason::RejectReason;
use super::super::time::{Moment, moment};
use super::super::value::{count, decoded, first, number, path, present, text};
use super::Rejection;

/// Names of a duration.
pub(super) struct Durations {
    milliseconds: &'static [&'static str],
    seconds: &'static [&'static str],
    without_unit: &'static [&'static str],
}

/// From sending to the last byte.
pub(super) const LATENCY: Durations = Durations {
    milliseconds: &["latency_ms", "duration_ms", "elapsed_ms"],
    seconds: &["latency_s", "duration_s", "elapsed_s", "latency_seconds", "duration_seconds"],
    without_unit: &["latency", "duration", "elapsed"],
};

/// From sending to the first output.
pub(super) const TTFT: Durations = Durations {
    milliseconds: &["ttft_ms", "time_to_first_token_ms"],
    seconds: &["ttft_s", "time_to_first_token_s"],
    without_unit: &["ttft", "time_to_first_token"],
};

/// From sending to the response's headers.
pub(super) const TTFB: Durations = Durations {
    milliseconds: &["ttfb_ms", "time_to_first_byte_ms"],
    seconds: &["ttfb_s", "time_to_first_byte_s"],
    without_unit: &["ttfb", "time_to_first_byte"],
};

/// Reads a duration; one whose unit is not known is an error, never a guess.
pub(super) fn duration_ms(
    record: &Value,
    names: &Durations,
    unit: Option<LatencyUnit>,
) -> Result<Option<f64>, Rejection> {
    let read = |(name, value): (&str, &Value), unit: LatencyUnit| {
        let bad = || (RejectReason::BadField, format!("`{name}` is no number"));
        Ok(Some(number(value).ok_or_else(bad)? * unit.milliseconds()))
    };
    if let Some(found) = first(record, names.milliseconds) {
        return read(found, LatencyUnit::Milliseconds);
    }
    if let Some(found) = first(record, names.seconds) {
        return read(found, LatencyUnit::Seconds);
    }
    match (first(record, names.without_unit), unit) {
        (None, _) => Ok(None),
        (Some(found), Some(unit)) => read(found, unit),
        (Some((name, _)), None) => {
            let detail = format!("`{name}` has no unit: state it with `--latency-unit ms|s`");
            Err((RejectReason::AmbiguousUnit, detail))
        }
    }
}

/// When the request was made, and the smallest difference of such times if it is known; the
/// answer's own `created` stands in, to the second.
///
/// Only a row of a fine-tuning file may have no time.
pub(super) fn captured_at(
    record: &Value,
    response: &Value,
    may_lack: bool,
    context: &ReadContext,
) -> Result<(Option<Moment>, Option<f64>), Rejection> {
    let names = &["timestamp", "ts", "time", "created_at", "start_time"];
    if let Some((name, value)) = first(record, names) {
        let bad = || (RejectReason::BadField, format!("`{name}` is no point in time"));
        let moment = moment(value, context.utc_offset_s).ok_or_else(bad)?;
        return Ok((Some(moment), None));
    }
    let created = present(response, "created").or_else(|| present(response, "created_at"));
    match created.and_then(|created| moment(created, None)) {
        Some(created) => Ok((Some(created), Some(1_000.0))),
        None if may_lack => Ok((None, None)),
        None => {
            let detail = format!("no time: expected one of `{}`", names.join("`, `"));
            Err((RejectReason::MissingField, detail))
        }
    }
}

/// Where the latency was measured, if the record says it in the words of the column.
pub(super) fn latency_scope(record: &Value) -> Option<String> {
    const SCOPES: &[&str] = &["client", "gateway", "upstream", "provider", "engine"];
    text(record, &["latency_scope"]).filter(|scope| SCOPES.contains(&scope.as_str()))
}

/// Fills token counts that stand beside the bodies, where the answer has none.
pub(super) fn fill_counts(row: &mut CapturedExchange, record: &Value) {
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
        return;
    }
    let counted =
        |names: &[&str]| names.iter().find_map(|name| present(record, name).and_then(count));
    row.input_tokens = counted(&["input_tokens", "prompt_tokens"]);
    row.output_tokens = counted(&["output_tokens", "completion_tokens"]);
    row.cache_read_input_tokens = counted(&["cache_read_input_tokens", "cached_tokens"]);
    row.reasoning_output_tokens = counted(&["reasoning_output_tokens", "reasoning_tokens"]);
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Client.as_str().to_owned());
    }
}

/// What was asked for: by the address, by the record's own word, by the answer, by the dialect.
pub(super) fn operation(
    record: &Value,
    asked: Option<&'static str>,
    route: Option<&str>,
    response: &Value,
    dialect: Option<Dialect>,
) -> String {
    const OPERATIONS: &[&str] = &[
        "chat",
        "text_completion",
        "embeddings",
        "image",
        "audio",
        "moderation",
        "rerank",
        "realtime",
        "other",
    ];
    let stated = text(record, &["operation"]);
    let stated = stated.filter(|operation| OPERATIONS.contains(&operation.as_str()));
    let completion = (dialect == Some(Dialect::OpenAiCompletions)).then_some("text_completion");
    asked
        .or_else(|| route.and_then(operation_of_route))
        .map(str::to_owned)
        .or(stated)
        .or_else(|| operation_of_answer(response).map(str::to_owned))
        .unwrap_or_else(|| completion.unwrap_or("chat").to_owned())
}

/// What an answer without text shows to have been asked for.
fn operation_of_answer(response: &Value) -> Option<&'static str> {
    let has = |list: &str, member: &str| {
        let item = response.get(list).and_then(|list| list.get(0));
        item.is_some_and(|item| item.get(member).is_some())
    };
    if has("data", "embedding") || has("embeddings", "values") {
        Some("embeddings")
    } else if has("data", "b64_json") || has("data", "url") {
        Some("image")
    } else if has("results", "category_scores") {
        Some("moderation")
    } else if has("results", "relevance_score") {
        Some("rerank")
    } else {
        None
    }
}

/// How a request ended, by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// An HTTP status.
    Code(i32),
    /// A word for success.
    Succeeded,
    /// A word for failure.
    Failed,
    /// Nothing is said.
    Unknown,
}

/// Reads the status, a number or a word.
pub(super) fn status(record: &Value) -> Status {
    let Some((_, value)) = first(record, &["status", "status_code", "http_status"]) else {
        return Status::Unknown;
    };
    if let Some(code) = number(value).filter(|code| (100.0..600.0).contains(code)) {
        return Status::Code(code as i32);
    }
    match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("success" | "succeeded" | "ok" | "completed") => Status::Succeeded,
        Some("error" | "failed" | "failure") => Status::Failed,
        _ => Status::Unknown,
    }
}

/// The path of an address, without host, query and fragment.
pub(super) fn route(address: &str) -> String {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = if after_scheme.len() < address.len() {
        after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/")
    } else {
        address
    };
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// What an endpoint that generates no text is for.
pub(super) fn operation_of_route(route: &str) -> Option<&'static str> {
    const OTHERS: &[(&str, &str)] = &[
        ("embeddings", "embeddings"),
        ("moderations", "moderation"),
        ("images", "image"),
        ("audio", "audio"),
        ("rerank", "rerank"),
        ("realtime", "realtime"),
        ("files", "other"),
        ("batches", "other"),
        ("models", "other"),
    ];
    let known = |name: &str| OTHERS.iter().find(|(other, _)| *other == name).map(|(_, to)| *to);
    let mut names = route.split('/').filter(|name| !name.is_empty());
    // Gemini and Azure have the model in the path before the call, so only the ends count.
    let last_two: Vec<&str> = names.by_ref().rev().take(2).collect();
    let is_call = |name: &&str| name.contains("completions") || name.contains("messages");
    if last_two.iter().any(is_call) {
        return None;
    }
    let before = last_two.get(1).filter(|name| matches!(**name, "images" | "audio"));
    last_two.first().and_then(|last| known(last)).or_else(|| before.and_then(|name| known(name)))
}

/// Tags that are texts; a single text counts as one tag, one of JSON as a list.
pub(super) fn tag_list(record: &Value) -> Vec<String> {
    let tags = present(record, "tags").or_else(|| path(record, &["metadata", "tags"]));
    match tags.map(decoded).as_deref() {
        Some(Value::String(tag)) if !tag.is_empty() => vec![tag.clone()],
        Some(Value::Array(tags)) => {
            tags.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The column `tags`.
pub(super) fn tags(record: &Value) -> Option<String> {
    let tags = tag_list(record);
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_duration_without_a_unit_is_refused_until_the_unit_is_stated() {
        let read = |record: Value, unit| duration_ms(&record, &LATENCY, unit);
        assert_eq!(read(json!({"latency_ms": "412.5"}), None), Ok(Some(412.5)));
        assert_eq!(read(json!({"duration_s": 1.5}), None), Ok(Some(1_500.0)));
        assert_eq!(read(json!({"latency_ms": null}), None), Ok(None));
        let (reason, detail) = read(json!({"elapsed": 3}), None).unwrap_err();
        assert_eq!(reason, RejectReason::AmbiguousUnit);
        assert!(detail.contains("--latency-unit ms|s") && detail.contains("`elapsed`"), "{detail}");
        let seconds = Some(LatencyUnit::Seconds);
        assert_eq!(read(json!({"elapsed": 3}), seconds), Ok(Some(3_000.0)));
        assert_eq!(
            read(json!({"latency_ms": "fast"}), None).unwrap_err().0,
            RejectReason::BadField
        );
    }

    #[test]
    fn endpoints_are_reduced_to_paths_and_those_without_chat_are_known() {
        assert_eq!(route("https://host:1/v1/chat/completions?key=x#y"), "/v1/chat/completions");
        assert_eq!(route("/v1/messages?beta=true"), "/v1/messages");
        assert_eq!(route("https://host"), "/");
        for (route, other) in [
            ("/v1/embeddings", Some("embeddings")),
            ("/v1/images/generations", Some("image")),
            ("/v1/moderations", Some("moderation")),
            ("/v1/chat/completions", None),
            ("/v1/messages", None),
            ("/openai/deployments/models/chat/completions", None),
            ("/api/chat", None),
        ] {
            assert_eq!(operation_of_route(route), other, "{route}");
        }
    }

    #[test]
    fn a_status_is_a_number_or_a_word() {
        assert_eq!(status(&json!({"status": "429"})), Status::Code(429));
        assert_eq!(status(&json!({"status": "Success"})), Status::Succeeded);
        assert_eq!(status(&json!({"http_status": 200})), Status::Code(200));
        assert_eq!(status(&json!({"status": 7})), Status::Unknown);
    }
}
