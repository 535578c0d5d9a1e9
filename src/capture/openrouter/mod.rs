//! The log format `openrouter`: generation objects of OpenRouter (`/api/v1/generation`).
//!
//! Field meanings follow OpenRouter's reference of `GenerationResponseData`. The objects have no
//! bodies. What is easily got wrong:
//!
//! - `native_tokens_*` are the model's own counts, which are billed; `tokens_prompt` and
//!   `tokens_completion` are counted with another tokenizer and not read.
//! - `latency` is documented as the total, but appears as the time until the answer began. It is
//!   never taken for the time to the first token. Where it is below `generation_time` it cannot be
//!   the total, and the two add up to the whole call; else the whole call is unknown. A sum that
//!   rests on such reasoning, and that is missing where an answer began late, would flatter or
//!   slander the incumbent: these rows stay out of the latency baseline.
//! - `provider_responses` lists the attempts at one provider after the other; the last one answered.
//! - `total_cost` is what OpenRouter charged in dollars. With the customer's own key (`is_byok`)
//!   the provider charges besides, which `upstream_inference_cost` tells.
//! - The provider is OpenRouter, which is paid; whoever answered stands in the tags.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::chat::{ErrorClass, FinishReason};
use crate::dataset::{CapturedExchange, UsageSource, sha256_hex};

use super::body::{set_error, set_replayable, without_request};
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::kong::labels::add_tags;
use super::kong::proxied::{fail_by_status, http_status, provider_name};
use super::marks::{BaselineMarks, settle_baseline};
use super::reason::{FilterReason, NotReplayable, RejectReason};
use super::time::{fill_time, moment};
use super::value::{count, flag, nanousd, number, present, text};

/// The format of OpenRouter's generation objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenRouter;

impl LogFormat for OpenRouter {
    fn name(&self) -> &'static str {
        "openrouter"
    }

    fn title(&self) -> &'static str {
        "OpenRouter generation objects"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let generation = generation(record);
            let has = |name| generation.get(name).is_some();
            has("native_tokens_prompt") && (has("provider_name") || has("generation_time"))
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        let generation = generation(record);
        if !generation.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "a generation is an object");
        }
        // The daily activity counts requests of a model, it does not list them.
        if present(generation, "requests").is_some() && present(generation, "date").is_some() {
            return Reading::filtered(FilterReason::Aggregate);
        }
        let Some(created_at) = present(generation, "created_at") else {
            return Reading::reject(RejectReason::MissingField, "`created_at` is not there");
        };
        let Some(created_at) = moment(created_at, context.utc_offset_s) else {
            return Reading::reject(RejectReason::BadField, "`created_at` is no point in time");
        };
        let mut row = identity(generation);
        fill_time(&mut row, created_at);
        fill_outcome(&mut row, generation);
        fill_usage(&mut row, generation);
        let not_chat = row.operation != "chat" && row.operation != "text_completion";
        without_request(&mut row);
        if not_chat {
            set_replayable(&mut row, Some(NotReplayable::NotChat));
        }
        let marks = BaselineMarks {
            not_chat,
            retried: row.attempt > 1,
            other_scope: true,
            ..BaselineMarks::default()
        };
        settle_baseline(&mut row, marks);
        Reading::row(row)
    }
}

/// The generation itself, which the API wraps as `data`.
fn generation(record: &Value) -> &Value {
    record.get("data").filter(|data| data.is_object()).unwrap_or(record)
}

fn identity(generation: &Value) -> CapturedExchange {
    let model = text(generation, &["model"]);
    let responses = generation.get("provider_responses").and_then(Value::as_array);
    let api = text(generation, &["api_type"]).unwrap_or_default();
    let mut row = CapturedExchange {
        request_id: text(generation, &["id"])
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(generation.to_string()))),
        session_id: text(generation, &["session_id"]),
        user_id: text(generation, &["external_user"]),
        provider: Some("openrouter".to_owned()),
        operation: operation(&api).to_owned(),
        request_model: model.clone().unwrap_or_default(),
        response_model: model,
        stream: present(generation, "streamed").and_then(flag),
        latency_ms: latency_ms(generation),
        latency_scope: latency_ms(generation).map(|_| "gateway".to_owned()),
        time_resolution_ms: Some(1.0),
        attempt: i32::try_from(responses.map_or(1, |list| list.len().max(1))).unwrap_or(1),
        ..CapturedExchange::default()
    };
    let served = text(generation, &["provider_name"]).and_then(|name| provider_name(&name));
    let tags = served.map(|name| format!("served_by:{name}"));
    add_tags(&mut row, tags.into_iter().collect());
    row
}

/// `api_type` names OpenRouter's own endpoints.
fn operation(api: &str) -> &'static str {
    match api {
        "embeddings" => "embeddings",
        "rerank" => "rerank",
        "images" | "image" | "video" => "image",
        _ => "chat",
    }
}

/// The whole call, where the two figures can only be one after the other.
fn latency_ms(generation: &Value) -> Option<f64> {
    let figure = |name: &str| present(generation, name).and_then(number).filter(|ms| *ms >= 0.0);
    let (start, generating) = (figure("latency")?, figure("generation_time")?);
    (start < generating).then_some(start + generating)
}

fn fill_outcome(row: &mut CapturedExchange, generation: &Value) {
    let responses = generation.get("provider_responses").and_then(Value::as_array);
    let last = responses.and_then(|list| list.last());
    row.status_code = last.and_then(|last| present(last, "status")).and_then(http_status);
    row.finish_reason = text(generation, &["finish_reason"]).map(|reason| finish_reason(&reason));
    fail_by_status(row);
    if row.error_class.is_some() {
        return;
    }
    if row.finish_reason.as_deref() == Some(FinishReason::Error.as_str()) {
        set_error(row, ErrorClass::StreamError, None);
    } else if present(generation, "cancelled").and_then(flag) == Some(true) {
        // The client went away, which is no failure of the provider's, but there is no whole answer.
        set_error(row, ErrorClass::Unknown, Some("cancelled by the client".to_owned()));
    }
}

/// OpenRouter's normalised reasons, in the closed set.
fn finish_reason(reason: &str) -> String {
    let known = match reason {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        "error" => FinishReason::Error,
        other => FinishReason::Other(other.to_owned()),
    };
    known.as_str().to_owned()
}

fn fill_usage(row: &mut CapturedExchange, generation: &Value) {
    let tokens = |name: &str| present(generation, name).and_then(count);
    row.input_tokens = tokens("native_tokens_prompt");
    row.output_tokens = tokens("native_tokens_completion");
    if row.input_tokens.or(row.output_tokens).is_some() {
        row.cache_read_input_tokens = tokens("native_tokens_cached");
        row.reasoning_output_tokens = tokens("native_tokens_reasoning");
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
    let dollars = |name: &str| present(generation, name).and_then(number);
    let own_key = present(generation, "is_byok").and_then(flag) == Some(true);
    let charged = dollars("total_cost").or_else(|| dollars("usage"));
    let upstream = dollars("upstream_inference_cost").filter(|_| own_key);
    row.cost_nanousd = match (charged, upstream) {
        (Some(charged), Some(upstream)) => nanousd(&json!(charged + upstream)),
        (Some(charged), None) if !own_key => nanousd(&json!(charged)),
        _ => None,
    };
}
