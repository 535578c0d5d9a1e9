//! What is known of an HTTP call, and the row that comes of it.

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, UsageSource};
use crate::provider::Dialect;

use super::super::body::{set_error, set_failure, set_replayable};
use super::super::failure::Failure;
use super::super::format::{ReadContext, Reading};
use super::super::mapping::Mapping;
use super::super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::super::reason::{FilterReason, NotReplayable, RejectReason};
use super::super::time::{Moment, fill_time};
use super::Rejection;
use super::content::{Content, fill_request_of, fill_response_of};
use super::lookup::Stamp;
use super::mapped;
use super::purpose::{Purpose, path_of};

/// What a record of an access log says of one call; nothing that is not known is filled in.
#[derive(Debug, Default)]
pub(super) struct HttpCall {
    pub(super) request_id: Option<String>,
    pub(super) at: Option<Stamp>,
    /// Whether `at` is the end of the call.
    pub(super) at_end: bool,
    pub(super) method: Option<String>,
    /// A path or an address, with its query.
    pub(super) address: Option<String>,
    /// The host that was asked behind the gateway.
    pub(super) host: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) latency_ms: Option<f64>,
    pub(super) ttfb_ms: Option<f64>,
    pub(super) ttft_ms: Option<f64>,
    pub(super) latency_scope: Option<&'static str>,
    /// Attempts before the one that was answered.
    pub(super) retries: usize,
    pub(super) cache_hit: Option<bool>,
    pub(super) request_body: Option<Value>,
    pub(super) response_body: Option<Value>,
    /// The text of the answer, where the log has that alone.
    pub(super) response_text: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) stream: Option<bool>,
    pub(super) session_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) route: Option<String>,
    pub(super) tags: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) request_model: Option<String>,
    pub(super) response_model: Option<String>,
    pub(super) tokens: Tokens,
    pub(super) cost_nanousd: Option<i64>,
    /// Whether it is kept whatever its path.
    pub(super) keep_all: bool,
}

/// How a call ended.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one statement of the log")]
pub(super) struct Outcome {
    /// The HTTP status; what is outside 100 to 599 means that there was none.
    pub(super) status: Option<i32>,
    /// What is said of a failure, and the gateway's own names for it.
    pub(super) failure: Failure,
    /// The answer broke off after it had begun.
    pub(super) is_cut: bool,
    /// The client went away before the end.
    pub(super) client_left: bool,
    /// The gateway answered without asking the provider.
    pub(super) by_gateway: bool,
    /// The log says that it failed, whatever the status.
    pub(super) has_failed: bool,
}

/// Token counts as the record has them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tokens {
    pub(super) input: Option<i64>,
    pub(super) output: Option<i64>,
    pub(super) cache_read: Option<i64>,
    pub(super) cache_creation: Option<i64>,
    pub(super) reasoning: Option<i64>,
    /// Whether `input` is without the cached ones; unknown where only the dialect can tell.
    pub(super) input_excludes_cached: Option<bool>,
}

impl HttpCall {
    /// The reading of the record; a mapping of the context counts before what is known so far.
    pub(super) fn into_reading(mut self, record: &Value, context: &ReadContext) -> Reading {
        let mapping = context.mapping.as_deref();
        let applied =
            mapping.map_or(Ok(()), |mapping| mapped::apply(&mut self, mapping, record, context));
        match applied.and_then(|()| self.row(mapping)) {
            Ok(Some(row)) => Reading::Exchange(Box::new(row)),
            Ok(None) => Reading::Filtered(FilterReason::NotLlm),
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }
    }

    fn row(mut self, mapping: Option<&Mapping>) -> Result<Option<CapturedExchange>, Rejection> {
        let request = self.request_body.take().and_then(|body| Content::of(&body));
        let Some(purpose) = Purpose::of(&self, mapping, request.as_ref()) else {
            return Ok(None);
        };
        let purpose = purpose.with_operation(self.operation.as_deref());
        let Some(at) = self.at else {
            return Err((RejectReason::MissingField, "no time of the call is there".to_owned()));
        };
        let mut row = self.identity(&purpose);
        self.fill_times(&mut row, at);
        self.fill_tokens(&mut row, purpose.dialect);
        let is_no_chat = purpose.is_no_chat();
        let dialect = purpose.dialect.filter(|_| !is_no_chat);
        let asked = fill_request_of(&mut row, dialect, request.as_ref());
        if is_no_chat {
            set_replayable(&mut row, Some(NotReplayable::NotChat));
        }
        if row.request_model.is_empty() {
            row.request_model = model_of(request.as_ref()).or(purpose.model).unwrap_or_default();
        }
        row.stream = row.stream.or_else(|| stream_by_type(self.content_type.as_deref()));
        row.ttft_ms = row.ttft_ms.filter(|_| row.stream != Some(false));
        let response = self.response_body.as_ref().and_then(Content::of);
        row.status_code = self.outcome.status.filter(|status| (100..600).contains(status));
        fill_response_of(&mut row, dialect, response.as_ref());
        row.response_text = self.response_text.take().or(row.response_text.take());
        row.response_model = row.response_model.take().or(self.response_model.take());
        let path = self.address.as_deref().map(path_of);
        let labels = [row.route.as_deref(), path];
        let marks = BaselineMarks {
            health_check: labels.into_iter().flatten().any(names_a_probe)
                || asked.as_ref().is_some_and(is_probe),
            retried: self.retries > 0,
            gateway_answer: self.outcome.by_gateway,
            not_chat: is_no_chat,
            // A call that its client gave up took as long as the client's patience.
            other_scope: self.outcome.client_left,
            ..BaselineMarks::default()
        };
        self.outcome.fill(&mut row);
        settle_baseline(&mut row, marks);
        Ok(Some(row))
    }

    fn identity(&mut self, purpose: &Purpose) -> CapturedExchange {
        let path = self.address.as_deref().map(|address| path_of(address).to_owned());
        let id = self.request_id.take();
        let provider = self.provider.take().or_else(|| purpose.provider.clone());
        CapturedExchange {
            request_id: id.unwrap_or_default(),
            session_id: self.session_id.take(),
            user_id: self.user_id.take(),
            provider: provider.map(|provider| provider.to_ascii_lowercase()),
            operation: purpose.operation.to_owned(),
            route: self.route.take().or(path),
            tenant: self.tenant.take(),
            tags: self.tags.take(),
            request_model: self.request_model.take().unwrap_or_default(),
            stream: self.stream.or(purpose.stream),
            cost_nanousd: self.cost_nanousd,
            cache_hit: self.cache_hit,
            attempt: i32::try_from(self.retries.saturating_add(1)).unwrap_or(i32::MAX),
            ..CapturedExchange::default()
        }
    }

    /// A time of the end without a duration stands for the start, for want of a better one.
    fn fill_times(&self, row: &mut CapturedExchange, at: Stamp) {
        let us = match self.latency_ms {
            Some(latency_ms) if self.at_end && latency_ms.is_finite() && latency_ms >= 0.0 => {
                at.moment.us.saturating_sub((latency_ms * 1_000.0).round() as i64)
            }
            _ => at.moment.us,
        };
        fill_time(row, Moment { us, ..at.moment });
        row.time_resolution_ms = Some(at.resolution_ms);
        row.latency_ms = self.latency_ms;
        row.ttft_ms = self.ttft_ms;
        let total = self.latency_ms.unwrap_or(f64::INFINITY);
        row.ttfb_ms = self.ttfb_ms.filter(|ttfb| (0.0..=total).contains(ttfb));
        row.latency_scope = self.latency_scope.map(str::to_owned);
    }

    fn fill_tokens(&self, row: &mut CapturedExchange, dialect: Option<Dialect>) {
        let tokens = self.tokens;
        // Anthropic counts cached input beside the input, all others within.
        let beside = dialect == Some(Dialect::AnthropicMessages);
        let beside = tokens.input_excludes_cached.unwrap_or(beside);
        let cached =
            tokens.cache_read.unwrap_or(0).saturating_add(tokens.cache_creation.unwrap_or(0));
        let cached = if beside { cached } else { 0 };
        row.input_tokens = tokens.input.map(|input| input.saturating_add(cached));
        row.output_tokens = tokens.output;
        row.cache_read_input_tokens = tokens.cache_read;
        row.cache_creation_input_tokens = tokens.cache_creation;
        row.reasoning_output_tokens = tokens.reasoning;
        let is_counted = tokens.input.is_some() || tokens.output.is_some();
        row.usage_source = is_counted.then(|| UsageSource::Gateway.as_str().to_owned());
    }
}

impl Outcome {
    fn fill(self, row: &mut CapturedExchange) {
        if row.error_class.is_some() {
            return;
        }
        let status = self.status;
        let has_none = status.is_some_and(|status| !(100..600).contains(&status));
        let is_failed_status = row.status_code.is_some_and(|status| status >= 400);
        let said = self.failure.message.is_some() || !self.failure.names.is_empty();
        if self.is_cut {
            set_error(row, ErrorClass::StreamTruncated, self.failure.message);
        } else if self.client_left {
            let message = self.failure.message;
            let message = message.unwrap_or_else(|| "the client closed the connection".to_owned());
            set_error(row, ErrorClass::Unknown, Some(message));
        } else if is_failed_status || self.has_failed || said {
            set_failure(row, self.failure);
        } else if has_none {
            set_error(row, ErrorClass::Unknown, Some("closed without an answer".to_owned()));
        }
    }
}

fn model_of(request: Option<&Content>) -> Option<String> {
    let model = request?.as_json()?.get("model")?.as_str()?;
    (!model.is_empty()).then(|| model.to_owned())
}

fn stream_by_type(content_type: Option<&str>) -> Option<bool> {
    let content_type = content_type?.to_ascii_lowercase();
    content_type.starts_with("text/event-stream").then_some(true)
}
