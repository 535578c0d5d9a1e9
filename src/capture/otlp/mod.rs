//! The log format `otlp`: spans and log events of OpenTelemetry's GenAI conventions, as OTLP JSON.
//!
//! Sources: `opentelemetry-proto` (JSON mapping, `trace.proto`, `logs.proto`), the semantic
//! conventions for GenAI from 1.27 to 1.41, OpenLLMetry's `opentelemetry-semantic-conventions-ai`,
//! OpenInference's `spec/semantic_conventions.md`, LiteLLM's `integrations/opentelemetry.py`,
//! Langfuse's `LangfuseOtelSpanAttributes`, vLLM's `tracing.py`. Files come from the collector's
//! `file` exporter, from OTLP JSON exporters of SDKs, and from console exporters.
//!
//! Spans and log records of one trace meet in [`trace`], whatever file they were in. What is easily
//! got wrong:
//!
//! - One call has several spans where a framework, a gateway and an SDK are all instrumented.
//!   Nested spans of one model are one call: the innermost span that has content (else usage) is
//!   kept, the others give what only they have and are filtered as wrappers.
//! - The request is never logged as a body, except by OpenInference. It is put together in the
//!   shape of chat completions from what was logged. The conventions have no attribute for
//!   `tool_choice`, and most instrumentations leave out some of `stop`, `seed` and `tools`. A
//!   request whose answer calls a tool that no attribute defines is not replayable; where tools
//!   were offered, not called and not logged, nothing tells.
//! - Attributes longer than `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT` are cut without a mark, which a
//!   text of JSON shows and plain text does not.
//! - Traces are a sample as a rule, and no span says whether its own trace was picked: every row
//!   is marked as sampled, so that volume is never extrapolated from traces.
//! - A client's span includes the retries of its SDK. That of a stream may end before the stream
//!   does in old instrumentations, which nothing shows.
//! - No attribute for streaming means unknown; only `gen_ai.request.stream`, chunk events, a time
//!   to first chunk or a whole request body tell.
//! - Tokens are inclusive by convention, yet OpenLLMetry hands on Anthropic's own exclusive count;
//!   see [`usage`].
//! - Langfuse's SDK fills parameters with defaults of its own, so a default is taken as unset.

mod answer;
mod any_value;
mod columns;
mod envelope;
mod indexed;
mod kind;
mod messages;
mod outcome;
mod parameters;
mod prompt;
mod python;
mod row;
mod slim;
mod span;
#[cfg(test)]
mod tests;
mod trace;
mod tree;
mod usage;

use serde_json::Value;

use super::format::{Confidence, LogFormat, ReadContext, Reading};

/// The format of OpenTelemetry's GenAI spans and events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Otlp;

impl LogFormat for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn title(&self) -> &'static str {
        "OpenTelemetry GenAI spans and events, OTLP JSON"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, envelope::is_own)
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        envelope::read(record)
    }

    fn join(&self, parts: &[Value], _: &ReadContext) -> Vec<(usize, Reading)> {
        trace::join(parts)
    }
}
