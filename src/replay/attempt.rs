//! From what the client saw to the row of one attempt.

use crate::chat::{ErrorClass, Usage};
use crate::dataset::{AttemptRow, ReplayInput};
use crate::pricing::Price;

use super::clock::{ReplayClock, ms};
use super::exchange::{Exchange, gaps_ms};
use super::key::AttemptKey;

/// What of an attempt is known before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Sending<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The arm's name.
    pub arm: &'a str,
    /// Which attempt.
    pub key: AttemptKey,
    /// The captured exchange.
    pub input: &'a ReplayInput,
    /// What is reserved for it.
    pub reserved_nanousd: i64,
    /// What the translation changed.
    pub losses: Option<String>,
    /// Inverse of the exchange's probability to be in the sample.
    pub sample_weight: f64,
}

impl Sending<'_> {
    /// The row of an attempt as far as it is known before sending.
    pub(super) fn row(&self) -> AttemptRow {
        AttemptRow {
            run_id: self.run_id.to_owned(),
            arm: self.arm.to_owned(),
            ordinal: self.key.ordinal,
            request_id: self.input.request_id.clone(),
            session_id: self.input.session_id.clone(),
            repeat: signed(self.key.repeat),
            attempt: signed(self.key.attempt),
            reserved_nanousd: self.reserved_nanousd,
            losses: self.losses.clone(),
            sample_weight: self.sample_weight,
            ..AttemptRow::default()
        }
    }

    /// The row of an attempt that was sent and never came back.
    pub(super) fn uncertain_row(&self, sent_at_us: i64) -> AttemptRow {
        AttemptRow {
            scheduled_at: sent_at_us,
            sent_at: sent_at_us,
            error_class: Some(ErrorClass::Uncertain.as_str().to_owned()),
            error_message: Some(
                "the replay was stopped while the attempt was under way".to_owned(),
            ),
            ..self.row()
        }
    }
}

/// What an attempt cost, and whether that is an estimate.
///
/// A refused request costs nothing. An answer without usage, and a request that may have been
/// worked on though its answer never came, is booked at its reservation.
pub(super) fn cost(exchange: &Exchange, price: &Price, reserved_nanousd: i64) -> (i64, bool) {
    if let Some(usage) = &exchange.response.usage
        && let Ok(amount) = price.cost(usage)
    {
        return (amount.0, false);
    }
    let refused = match (&exchange.error, exchange.status) {
        (Some(_), Some(status)) => !(200..300).contains(&status),
        (Some(_), None) => exchange.sent.is_none() || exchange.never_left,
        (None, _) => false,
    };
    if refused { (0, false) } else { (reserved_nanousd, true) }
}

/// Fills a row with what the client saw.
pub(super) fn fill(
    row: &mut AttemptRow,
    exchange: Exchange,
    clock: &ReplayClock,
    keep_offsets: bool,
) {
    if let Some(sent) = exchange.sent {
        row.sent_at = clock.wall_us(sent);
        row.sent_mono_ns = clock.mono_ns(sent);
    }
    let first = exchange.events.first().copied();
    let last = exchange.events.last().copied();
    row.headers_ms = exchange.headers.map(ms);
    row.first_byte_ms = exchange.first_byte.map(ms);
    row.first_event_ms = exchange.first_event.map(ms);
    row.ttft_ms = first.map(ms);
    row.first_answer_token_ms = exchange.first_answer.map(ms);
    row.latency_ms = ms(exchange.latency);
    row.usage_ms = exchange.usage.map(ms);
    row.finish_ms = exchange.finish.map(ms);
    row.terminator_ms = exchange.terminator.map(ms);
    row.close_ms = exchange.close.map(ms);
    row.chunks = i32::try_from(exchange.events.len()).unwrap_or(i32::MAX);
    if let Some((mean, p99, max)) = gaps_ms(&exchange.events) {
        row.itl_mean_ms = Some(mean);
        row.itl_p99_ms = Some(p99);
        row.itl_max_ms = Some(max);
    }
    if keep_offsets {
        let micros = |offset: &std::time::Duration| i64::try_from(offset.as_micros());
        row.event_offsets_us =
            Some(exchange.events.iter().filter_map(|offset| micros(offset).ok()).collect());
    }
    row.status_code = exchange.status.map(i32::from);
    row.retry_after_ms = exchange.retry_after_ms.and_then(|wait| i64::try_from(wait).ok());
    row.provider_request_id = exchange.provider_request_id;
    row.connection_reused = exchange.connection_reused;
    row.connect_ms = exchange.connect.map(ms);
    row.client_overhead_ms = ms(exchange.overhead);
    row.event_loop_lag_ms = exchange.event_loop_lag.map(ms);
    row.first_token_lag_ms = exchange.first_token_lag.map(ms);
    if let Some((class, message)) = exchange.error {
        row.error_class = Some(class.as_str().to_owned());
        row.error_message = Some(message);
    }
    let response = exchange.response;
    let usage = response.usage.unwrap_or_default();
    // One event holds the whole answer of a request that was not streamed: no pace to speak of.
    if let (Some(first), Some(last), Some(tokens)) = (first, last, usage.output_tokens)
        && tokens > 1
        && last > first
    {
        row.tpot_ms = Some(ms(last.saturating_sub(first)) / (tokens - 1) as f64);
    }
    row.response_model = response.model;
    row.response_text = (!response.text.is_empty()).then_some(response.text);
    if !response.tool_calls.is_empty() {
        row.tool_calls = serde_json::to_string(&response.tool_calls).ok();
    }
    row.finish_reason = response.finish_reason.map(|reason| reason.as_str().to_owned());
    row.raw_finish_reason = response.raw_finish_reason;
    row.refusal = response.refusal;
    fill_usage(row, &usage, response.usage.is_some());
}

fn fill_usage(row: &mut AttemptRow, usage: &Usage, reported: bool) {
    let tokens = |count: Option<u64>| count.and_then(|count| i64::try_from(count).ok());
    row.input_tokens = tokens(usage.input_tokens);
    row.output_tokens = tokens(usage.output_tokens);
    row.cache_read_input_tokens = tokens(usage.cache_read_input_tokens);
    row.cache_creation_input_tokens = tokens(usage.cache_creation_input_tokens);
    row.reasoning_output_tokens = tokens(usage.reasoning_output_tokens);
    row.usage_source = reported.then(|| "provider".to_owned());
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
