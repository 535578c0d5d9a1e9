//! One captured request with the incumbent's answer: a row of the table `capture`.

use serde::{Deserialize, Serialize};

/// One exchange from a log. `None` means unknown, which is neither zero nor false.
///
/// Times are microseconds since 1970 in UTC, durations milliseconds, money nano-dollars; token
/// counts are inclusive (cached tokens inside input, reasoning inside output).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapturedExchange {
    /// Dense row number of the capture; joins results to it.
    pub ordinal: i32,
    /// The log's own identifier of the request.
    pub request_id: String,
    /// The conversation that the request belongs to.
    pub session_id: Option<String>,
    /// The end user, as the log names them.
    pub user_id: Option<String>,
    /// When the request was made.
    pub captured_at: i64,
    /// The log format, such as `litellm` or `plain`.
    pub source_format: String,
    /// The file it was read from.
    pub source_file: String,
    /// The line in that file, from 1.
    pub source_line: i64,
    /// The provider that answered.
    pub provider: Option<String>,
    /// What was asked for, such as `chat`.
    pub operation: String,
    /// The route or endpoint of the application.
    pub route: Option<String>,
    /// The tenant or team.
    pub tenant: Option<String>,
    /// Tags as a JSON array of strings.
    pub tags: Option<String>,
    /// The model that was asked for.
    pub request_model: String,
    /// The model that answered.
    pub response_model: Option<String>,
    /// The wire dialect of `request_body`, such as `openai_chat`.
    pub dialect: Option<String>,
    /// The request body as the log has it, after redaction.
    pub request_body: Option<String>,
    /// Whether the answer was to be streamed.
    pub stream: Option<bool>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling mass.
    pub top_p: Option<f64>,
    /// The request's own output cap in tokens.
    pub max_output_tokens: Option<i64>,
    /// Choices asked for.
    pub n: Option<i64>,
    /// Sampling seed.
    pub seed: Option<i64>,
    /// Number of stop sequences.
    pub stop_count: i32,
    /// Number of tools offered.
    pub tool_count: i32,
    /// Number of messages.
    pub message_count: i32,
    /// Number of pictures in the messages.
    pub image_count: i32,
    /// `text`, `json_object` or `json_schema`.
    pub response_format: Option<String>,
    /// Text of the incumbent's answer.
    pub response_text: Option<String>,
    /// Tool calls of the answer, a JSON array of `{id, name, arguments}`.
    pub tool_calls: Option<String>,
    /// Why the answer ended.
    pub finish_reason: Option<String>,
    /// A refusal that the protocol carries in a field of its own.
    pub refusal: Option<String>,
    /// HTTP status.
    pub status_code: Option<i32>,
    /// Class of the failure; absent for an answered request.
    pub error_class: Option<String>,
    /// The provider's own message.
    pub error_message: Option<String>,
    /// From sending to the last byte.
    pub latency_ms: Option<f64>,
    /// From sending to the first output; only for streams.
    pub ttft_ms: Option<f64>,
    /// All input tokens.
    pub input_tokens: Option<i64>,
    /// All output tokens.
    pub output_tokens: Option<i64>,
    /// Input tokens read from the provider's prompt cache.
    pub cache_read_input_tokens: Option<i64>,
    /// Input tokens written into the provider's prompt cache.
    pub cache_creation_input_tokens: Option<i64>,
    /// Output tokens spent on reasoning.
    pub reasoning_output_tokens: Option<i64>,
    /// Who counted the tokens: `provider` or `gateway`.
    pub usage_source: Option<String>,
    /// What the log says the request cost.
    pub cost_nanousd: Option<i64>,
    /// Whether the gateway answered from its own cache.
    pub cache_hit: Option<bool>,
    /// Which attempt of the gateway this is, from 1.
    pub attempt: i32,
    /// The key of the prompt's text over all dialects, 32 hex digits.
    pub prompt_fingerprint: Option<String>,
    /// Which user turn of its conversation this is, from 1.
    pub turn_index: Option<i32>,
    /// Whether the request can be sent again.
    pub replayable: bool,
    /// Why not.
    pub not_replayable_reason: Option<String>,
    /// Whether the row may stand for the incumbent's latency and cost.
    pub latency_baseline_ok: bool,
    /// Why not.
    pub latency_baseline_reason: Option<String>,
    /// How much of the content the log has; see [`ContentState`].
    pub content_state: String,
    /// To the response's headers or its first byte, in milliseconds; never a stand-in for
    /// `ttft_ms`.
    pub ttfb_ms: Option<f64>,
    /// Where the latency was measured: `client`, `gateway`, `upstream`, `provider` or `engine`.
    pub latency_scope: Option<String>,
    /// How the log states time: `epoch`, `rfc3339`, `assumed_utc`, `stated_offset` or `relative`.
    pub time_basis: Option<String>,
    /// The smallest difference between two times that the log can tell, in milliseconds.
    pub time_resolution_ms: Option<f64>,
    /// Whether the log holds a sample of the traffic only.
    pub sampled: Option<bool>,
    /// What the request makes use of, such as `tools` or `logprobs`; sorted.
    pub features: Vec<String>,
    /// Flaws of the record that were mended or tolerated, such as `lone_surrogate`; sorted.
    pub flaws: Vec<String>,
}

/// How much of a request's content a log row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentState {
    /// All of it.
    Complete,
    /// All of it, with personal data replaced by typed stand-ins; still replayable.
    Pseudonymised,
    /// The writer of the log removed content.
    Redacted,
    /// The writer of the log cut content.
    Truncated,
    /// There is no content.
    Absent,
}

impl ContentState {
    /// The state as it stands in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            ContentState::Complete => "complete",
            ContentState::Pseudonymised => "pseudonymised",
            ContentState::Redacted => "redacted",
            ContentState::Truncated => "truncated",
            ContentState::Absent => "absent",
        }
    }
}

/// Who counted the tokens of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageSource {
    /// The provider's own usage object.
    Provider,
    /// The gateway that wrote the log.
    Gateway,
    /// Whoever instrumented the client.
    Client,
    /// A published trace of load.
    Trace,
}

impl UsageSource {
    /// The source as it stands in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            UsageSource::Provider => "provider",
            UsageSource::Gateway => "gateway",
            UsageSource::Client => "client",
            UsageSource::Trace => "trace",
        }
    }
}
