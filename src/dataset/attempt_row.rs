//! One attempt of the replay: a row of the table `results`, and the payload of the journal.

use serde::{Deserialize, Serialize};

/// One attempt. `None` means unknown or not applicable, never zero.
///
/// Durations are milliseconds on the monotonic clock, from the moment of sending unless the name
/// says otherwise; wall times are labels; money is nano-dollars.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table, one column a field")]
pub struct AttemptRow {
    /// The run.
    pub run_id: String,
    /// The candidate's name, or `control`.
    pub arm: String,
    /// Row number of the captured exchange.
    pub ordinal: i32,
    /// The log's identifier of the exchange.
    pub request_id: String,
    /// The conversation of the exchange.
    pub session_id: Option<String>,
    /// Which repeat, from 1.
    pub repeat: i32,
    /// Which attempt within the repeat, from 1.
    pub attempt: i32,
    /// Whether this is the first attempt with a known outcome: the one that is judged.
    pub first: bool,
    /// Whether this is the last attempt: the one whose answer is compared.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// When the schedule wanted it sent (wall time, microseconds since 1970).
    pub scheduled_at: i64,
    /// When it was sent (wall time, microseconds since 1970).
    pub sent_at: i64,
    /// When it was sent on the monotonic clock, in ns since the process began to replay.
    pub sent_mono_ns: i64,
    /// To the status and headers.
    pub headers_ms: Option<f64>,
    /// To the first byte of the body.
    pub first_byte_ms: Option<f64>,
    /// To the first event of a stream, whatever it carries.
    pub first_event_ms: Option<f64>,
    /// To the first event that carries model output.
    pub ttft_ms: Option<f64>,
    /// To the first event that carries output other than reasoning.
    pub first_answer_token_ms: Option<f64>,
    /// To the end of the answer, or to the failure.
    pub latency_ms: f64,
    /// To the last event of a stream that stated token counts.
    pub usage_ms: Option<f64>,
    /// To the event of a stream that stated why the answer ended.
    pub finish_ms: Option<f64>,
    /// To the event by which the protocol ends a stream.
    pub terminator_ms: Option<f64>,
    /// To the end of the body, which may come after the end of the answer.
    pub close_ms: Option<f64>,
    /// From the scheduled to the actual moment of sending, without the opening of a connection: our
    /// lateness, never the provider's.
    pub queue_ms: f64,
    /// The part of `queue_ms` for which limits of the plan held the request back; the rest is this
    /// program's. Only where a schedule says when to leave.
    pub held_back_ms: f64,
    /// What held it longest: `concurrency`, `rate`, `back_off`, `session` or `budget`.
    pub held_back_by: Option<String>,
    /// Step of the ramp, from 1.
    pub load_step: Option<i32>,
    /// Requests a second that the schedule offered each arm, where it names a rate.
    pub offered_per_second: Option<f64>,
    /// Whether the exchange belongs to the warm-up, whose latency is not judged.
    pub warm_up: bool,
    /// Mean gap between events with output.
    pub itl_mean_ms: Option<f64>,
    /// 99th percentile of the gaps.
    pub itl_p99_ms: Option<f64>,
    /// Largest gap.
    pub itl_max_ms: Option<f64>,
    /// Time per output token after the first.
    pub tpot_ms: Option<f64>,
    /// Events that carried output.
    pub chunks: i32,
    /// Offset of each such event from sending, in microseconds; off by default.
    pub event_offsets_us: Option<Vec<i64>>,
    /// HTTP status.
    pub status_code: Option<i32>,
    /// Class of the failure; absent for an answered request.
    pub error_class: Option<String>,
    /// The provider's or the system's message.
    pub error_message: Option<String>,
    /// How long the provider asked to wait.
    pub retry_after_ms: Option<i64>,
    /// The model that answered.
    pub response_model: Option<String>,
    /// Text of the answer.
    pub response_text: Option<String>,
    /// Tool calls, a JSON array of `{id, name, arguments}`.
    pub tool_calls: Option<String>,
    /// Why the answer ended.
    pub finish_reason: Option<String>,
    /// The same in the provider's own word.
    pub raw_finish_reason: Option<String>,
    /// A refusal that the protocol carries in a field of its own.
    pub refusal: Option<String>,
    /// All input tokens.
    pub input_tokens: Option<i64>,
    /// All output tokens.
    pub output_tokens: Option<i64>,
    /// Input tokens read from the prompt cache.
    pub cache_read_input_tokens: Option<i64>,
    /// Input tokens written into the prompt cache.
    pub cache_creation_input_tokens: Option<i64>,
    /// Output tokens spent on reasoning.
    pub reasoning_output_tokens: Option<i64>,
    /// `provider`, or absent when it reported none.
    pub usage_source: Option<String>,
    /// What the attempt cost; for an uncertain attempt, absent.
    pub cost_nanousd: Option<i64>,
    /// Whether the cost is the reservation, because no usage was reported.
    pub cost_estimated: bool,
    /// What was reserved against the budget before sending.
    pub reserved_nanousd: i64,
    /// What the translation changed: a JSON array of losses.
    pub losses: Option<String>,
    /// The provider's identifier of the request.
    pub provider_request_id: Option<String>,
    /// Whether the attempt found an open connection.
    pub connection_reused: Option<bool>,
    /// Time that opening the attempt's own connection took, before it was sent; in no other figure.
    pub connect_ms: Option<f64>,
    /// Time that this program spent on what it had received.
    pub client_overhead_ms: f64,
    /// The most by which the event loop was late while the attempt was under way.
    pub event_loop_lag_ms: Option<f64>,
    /// The same until the first output.
    pub first_token_lag_ms: Option<f64>,
    /// Weight of the exchange when the replay is a sample of the capture.
    pub sample_weight: f64,
}
