//! The log format `bedrock`: Amazon Bedrock's model-invocation logs, from S3 or CloudWatch.
//!
//! Field meanings follow AWS's page on model-invocation logging and the model of the runtime API.
//! What is easily got wrong:
//!
//! - `inputTokenCount` does not count what the prompt cache served or took in; both are added.
//! - `timestamp` has a resolution of one second.
//! - `modelId` may be an ARN and may begin with the region group of a cross-region profile. Both
//!   are cut off for `request_model`, so that one model is one model; `response_model` keeps the
//!   group (`us.`, `global.`), because price lists charge by it.
//! - Latency is logged for Converse (`metrics.latencyMs`) and for streamed InvokeModel (in the
//!   metrics of the last event, with the time to the first token); plain InvokeModel has none.
//!   `performanceConfig.latency` is a class of service, not a measure.
//! - Bodies above 100 kB lie in S3 beside the log, and switches of the log's configuration leave
//!   bodies out: such rows have no content. Pictures may be left out of a body that is there.
//! - InvokeModel logs the vendor's own body, without model and stream, which are put back where the
//!   dialect has them. ConverseStream is logged like Converse; only the column `stream` tells.
//! - A retry of the SDK has a `requestId` of its own.

mod content;
mod failure;
mod model;
mod native;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::dataset::{CapturedExchange, UsageSource, sha256_hex};

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::kong::labels::{fill_labels, tags_of};
use super::kong::proxied::http_status;
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{FilterReason, RejectReason};
use super::time::{fill_time, moment};
use super::value::{count, decoded, number, path, present, text};

use content::Content;
use model::ModelId;

/// The format of Bedrock's model-invocation logs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bedrock;

impl LogFormat for Bedrock {
    fn name(&self) -> &'static str {
        "bedrock"
    }

    fn title(&self) -> &'static str {
        "Amazon Bedrock model-invocation logs"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            record.get("schemaType").is_some_and(|kind| kind == "ModelInvocationLog")
                || (record.get("modelId").is_some()
                    && path(record, &["input", "inputContentType"]).is_some())
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "a log is an object");
        }
        let Some(operation) = text(record, &["operation"]) else {
            return Reading::reject(RejectReason::MissingField, "`operation` is not there");
        };
        let Some(call) = Call::of(&operation) else {
            return Reading::filtered(FilterReason::NotLlm);
        };
        let Some(timestamp) = present(record, "timestamp") else {
            return Reading::reject(RejectReason::MissingField, "`timestamp` is not there");
        };
        let Some(timestamp) = moment(timestamp, context.utc_offset_s) else {
            return Reading::reject(RejectReason::BadField, "`timestamp` is no point in time");
        };
        let model = ModelId::of(&text(record, &["modelId"]).unwrap_or_default());
        let mut row = identity(record, call, &model);
        fill_time(&mut row, timestamp);
        fill(&mut row, record, call, &model);
        Reading::row(row)
    }
}

/// Which of the runtime's calls was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Converse {
        stream: bool,
    },
    Invoke {
        stream: bool,
    },
    /// Speech in both directions.
    Bidirectional,
    /// Video and the like, made in the background.
    Async,
}

impl Call {
    /// The call of an operation; `None` for what calls no model, such as counting tokens.
    fn of(operation: &str) -> Option<Self> {
        Some(match operation {
            "Converse" => Call::Converse { stream: false },
            "ConverseStream" => Call::Converse { stream: true },
            "InvokeModel" => Call::Invoke { stream: false },
            "InvokeModelWithResponseStream" => Call::Invoke { stream: true },
            "InvokeModelWithBidirectionalStream" => Call::Bidirectional,
            "StartAsyncInvoke" => Call::Async,
            _ => return None,
        })
    }

    fn is_stream(self) -> bool {
        let (Call::Converse { stream } | Call::Invoke { stream }) = self else {
            return self == Call::Bidirectional;
        };
        stream
    }
}

fn identity(record: &Value, call: Call, model: &ModelId) -> CapturedExchange {
    let operation = match call {
        Call::Bidirectional => "realtime",
        Call::Async => "other",
        Call::Converse { .. } | Call::Invoke { .. } => model.operation(),
    };
    let mut row = CapturedExchange {
        request_id: text(record, &["requestId"])
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(record.to_string()))),
        provider: Some("bedrock".to_owned()),
        operation: operation.to_owned(),
        request_model: model.name.clone(),
        stream: Some(call.is_stream()),
        time_resolution_ms: Some(1_000.0),
        attempt: 1,
        ..CapturedExchange::default()
    };
    if let Some(metadata) = present(record, "requestMetadata")
        && let Some(labels) = decoded(metadata).as_object()
    {
        fill_labels(&mut row, labels.iter().map(|(name, value)| (name.as_str(), value)));
    }
    let arn = path(record, &["identity", "arn"]).and_then(Value::as_str);
    let session = arn.and_then(|arn| arn.rsplit_once('/')).map(|(_, name)| name.to_owned());
    row.user_id = row.user_id.take().or(session.filter(|name| !name.is_empty()));
    row
}

fn fill(row: &mut CapturedExchange, record: &Value, call: Call, model: &ModelId) {
    let null = Value::Null;
    let input = record.get("input").unwrap_or(&null);
    let output = record.get("output").unwrap_or(&null);
    let answer = output.get("outputBodyJson").map(decoded).unwrap_or_default();
    row.status_code = present(record, "status").and_then(http_status);
    let content = Content { call, model, input, answer: &answer };
    let request = content.fill(row);
    let code = text(record, &["errorCode"]);
    if let Some(code) = &code {
        failure::fill(row, code, text(record, &["errorMessage"]));
    } else if row.error_class.is_none() && !answer.is_null() {
        row.status_code = row.status_code.or(Some(200));
    }
    row.response_model = model.billed().or(row.response_model.take());
    let metrics = native::metrics(&answer);
    fill_usage(row, input, output, metrics, code.is_some());
    let figure = |name: &str| metrics.and_then(|metrics| present(metrics, name)).and_then(number);
    row.latency_ms = figure("invocationLatency").or_else(|| native::converse_latency_ms(&answer));
    row.ttft_ms = figure("firstByteLatency").filter(|_| call.is_stream());
    row.latency_scope = row.latency_ms.map(|_| "provider".to_owned());
    let marks = BaselineMarks {
        not_chat: !matches!(row.operation.as_str(), "chat" | "text_completion"),
        health_check: row.route.as_deref().is_some_and(names_a_probe)
            || tags_of(row).iter().any(|tag| names_a_probe(tag))
            || request.as_ref().is_some_and(is_probe),
        ..BaselineMarks::default()
    };
    settle_baseline(row, marks);
}

/// Fills the tokens: those of the answer's own usage, which was read with it, else the log's, else
/// those of the stream's metrics.
fn fill_usage(
    row: &mut CapturedExchange,
    input: &Value,
    output: &Value,
    metrics: Option<&Value>,
    failed: bool,
) {
    if row.input_tokens.is_none() && row.output_tokens.is_none() {
        let null = Value::Null;
        let metrics = metrics.unwrap_or(&null);
        let tokens = |logged: &Value, name: &str| {
            present(logged, name).or_else(|| present(metrics, name)).and_then(count)
        };
        let read = tokens(input, "cacheReadInputTokenCount");
        let written = tokens(input, "cacheWriteInputTokenCount");
        let fresh = tokens(input, "inputTokenCount");
        let cached = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
        // A failure is logged with counts of zero.
        row.input_tokens =
            fresh.map(|fresh| fresh.saturating_add(cached)).filter(|tokens| *tokens > 0);
        row.output_tokens =
            tokens(output, "outputTokenCount").filter(|tokens| *tokens > 0 || !failed);
        if row.input_tokens.is_some() {
            row.cache_read_input_tokens = read;
            row.cache_creation_input_tokens = written;
        }
    }
    if row.input_tokens.or(row.output_tokens).is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
}
