//! Arrow schemas of the tables, with a comment on each column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// Text that may exceed 2 GiB in one batch: bodies and answers.
    Content,
    Int,
    Long,
    Float,
    Bool,
    Time,
    Texts,
    Offsets,
}

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Content => DataType::LargeUtf8,
            Kind::Int => DataType::Int32,
            Kind::Long => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Texts => DataType::List(Arc::new(Field::new("element", DataType::Utf8, false))),
            Kind::Offsets => {
                DataType::List(Arc::new(Field::new("element", DataType::Int64, false)))
            }
        }
    }
}

const REQUIRED: bool = false;
const NULLABLE: bool = true;

type Column = (&'static str, Kind, bool, &'static str);

fn schema_of(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, kind, nullable, comment)| {
            let metadata = HashMap::from([("comment".to_owned(), (*comment).to_owned())]);
            Field::new(*name, kind.data_type(), *nullable).with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

const TOKEN_COLUMNS: [Column; 5] = [
    ("input_tokens", Kind::Long, NULLABLE, "all input tokens, cached ones included"),
    ("output_tokens", Kind::Long, NULLABLE, "all output tokens, reasoning ones included"),
    ("cache_read_input_tokens", Kind::Long, NULLABLE, "input tokens read from the prompt cache"),
    (
        "cache_creation_input_tokens",
        Kind::Long,
        NULLABLE,
        "input tokens written into the prompt cache",
    ),
    ("reasoning_output_tokens", Kind::Long, NULLABLE, "output tokens spent on reasoning"),
];

/// The table `capture`: one row per captured exchange.
pub fn capture_schema() -> SchemaRef {
    use Kind::{Bool, Content, Float, Int, Long, Text, Texts, Time};
    let mut columns: Vec<Column> = vec![
        ("ordinal", Int, REQUIRED, "dense row number of the capture"),
        ("request_id", Text, REQUIRED, "the log's own identifier"),
        ("session_id", Text, NULLABLE, "conversation"),
        ("user_id", Text, NULLABLE, "end user"),
        ("captured_at", Time, REQUIRED, "when the request was made"),
        ("source_format", Text, REQUIRED, "log format"),
        ("source_file", Text, REQUIRED, "file it was read from"),
        ("source_line", Long, REQUIRED, "line in that file, from 1"),
        ("provider", Text, NULLABLE, "provider that answered"),
        ("operation", Text, REQUIRED, "what was asked for, such as chat"),
        ("route", Text, NULLABLE, "route or endpoint"),
        ("tenant", Text, NULLABLE, "tenant or team"),
        ("tags", Text, NULLABLE, "tags, JSON array of strings"),
        ("request_model", Text, REQUIRED, "model that was asked for"),
        ("response_model", Text, NULLABLE, "model that answered"),
        ("dialect", Text, NULLABLE, "wire dialect of request_body"),
        ("request_body", Content, NULLABLE, "request body after redaction"),
        ("stream", Bool, NULLABLE, "whether the answer was to be streamed"),
        ("temperature", Float, NULLABLE, "sampling temperature"),
        ("top_p", Float, NULLABLE, "nucleus sampling mass"),
        ("max_output_tokens", Long, NULLABLE, "the request's own output cap, tokens"),
        ("n", Long, NULLABLE, "choices asked for"),
        ("seed", Long, NULLABLE, "sampling seed"),
        ("stop_count", Int, REQUIRED, "number of stop sequences"),
        ("tool_count", Int, REQUIRED, "number of tools offered"),
        ("message_count", Int, REQUIRED, "number of messages"),
        ("image_count", Int, REQUIRED, "number of pictures"),
        ("response_format", Text, NULLABLE, "text, json_object or json_schema"),
        ("response_text", Content, NULLABLE, "text of the incumbent's answer"),
        ("tool_calls", Content, NULLABLE, "tool calls, JSON array of {id, name, arguments}"),
        ("finish_reason", Text, NULLABLE, "why the answer ended"),
        ("refusal", Text, NULLABLE, "refusal in a field of its own"),
        ("status_code", Int, NULLABLE, "HTTP status"),
        ("error_class", Text, NULLABLE, "class of the failure"),
        ("error_message", Text, NULLABLE, "the provider's message"),
        ("latency_ms", Float, NULLABLE, "from sending to the last byte, ms"),
        ("ttft_ms", Float, NULLABLE, "from sending to the first output, ms"),
    ];
    columns.extend(TOKEN_COLUMNS);
    columns.extend([
        ("usage_source", Text, NULLABLE, "who counted the tokens"),
        ("cost_nanousd", Long, NULLABLE, "what the log says it cost, nano-dollars"),
        ("cache_hit", Bool, NULLABLE, "answered from the gateway's own cache"),
        ("attempt", Int, REQUIRED, "attempt of the gateway, from 1"),
        ("prompt_fingerprint", Text, NULLABLE, "key of the prompt's text"),
        ("turn_index", Int, NULLABLE, "user turn of its conversation, from 1"),
        ("replayable", Bool, REQUIRED, "can be sent again"),
        ("not_replayable_reason", Text, NULLABLE, "why not"),
        ("latency_baseline_ok", Bool, REQUIRED, "may stand for the incumbent's latency"),
        ("latency_baseline_reason", Text, NULLABLE, "why not"),
        ("content_state", Text, REQUIRED, "how much of the content the log has"),
        ("ttfb_ms", Float, NULLABLE, "to the response's headers or first byte, ms"),
        ("latency_scope", Text, NULLABLE, "where the latency was measured"),
        ("time_basis", Text, NULLABLE, "how the log states time"),
        ("time_resolution_ms", Float, NULLABLE, "smallest difference that the log can tell, ms"),
        ("sampled", Bool, NULLABLE, "the log holds a sample of the traffic only"),
        ("features", Texts, REQUIRED, "what the request makes use of"),
        ("flaws", Texts, REQUIRED, "flaws of the record that were mended or tolerated"),
    ]);
    schema_of(&columns)
}

/// The table `results`: one row per attempt.
pub fn results_schema() -> SchemaRef {
    use Kind::{Bool, Content, Float, Int, Long, Offsets, Text, Time};
    let mut columns: Vec<Column> = vec![
        ("run_id", Text, REQUIRED, "run"),
        ("arm", Text, REQUIRED, "candidate's name, or control"),
        ("ordinal", Int, REQUIRED, "row number of the captured exchange"),
        ("request_id", Text, REQUIRED, "the log's identifier"),
        ("session_id", Text, NULLABLE, "conversation"),
        ("repeat", Int, REQUIRED, "repeat, from 1"),
        ("attempt", Int, REQUIRED, "attempt within the repeat, from 1"),
        ("first", Bool, REQUIRED, "first attempt with a known outcome"),
        ("final", Bool, REQUIRED, "last attempt"),
        ("scheduled_at", Time, REQUIRED, "when the schedule wanted it sent"),
        ("sent_at", Time, REQUIRED, "when it was sent"),
        ("sent_mono_ns", Long, REQUIRED, "sent, monotonic clock, ns"),
        ("headers_ms", Float, NULLABLE, "to the status and headers, ms"),
        ("first_byte_ms", Float, NULLABLE, "to the first byte of the body, ms"),
        ("first_event_ms", Float, NULLABLE, "to the first event of a stream, ms"),
        ("ttft_ms", Float, NULLABLE, "to the first output, ms"),
        ("first_answer_token_ms", Float, NULLABLE, "to the first output but reasoning, ms"),
        ("latency_ms", Float, REQUIRED, "to the end or the failure, ms"),
        ("usage_ms", Float, NULLABLE, "to the last event with token counts, ms"),
        ("finish_ms", Float, NULLABLE, "to the event with the reason of the end, ms"),
        ("terminator_ms", Float, NULLABLE, "to the protocol's end of a stream, ms"),
        ("close_ms", Float, NULLABLE, "to the end of the body, ms"),
        ("queue_ms", Float, REQUIRED, "sent minus scheduled, without connect_ms, ms"),
        ("held_back_ms", Float, REQUIRED, "part of queue_ms owed to limits of the plan, ms"),
        ("held_back_by", Text, NULLABLE, "concurrency, rate, back_off, session or budget"),
        ("load_step", Int, NULLABLE, "step of the ramp, from 1"),
        ("offered_per_second", Float, NULLABLE, "requests a second that the schedule offered"),
        ("warm_up", Bool, REQUIRED, "belongs to the warm-up, latency not judged"),
        ("itl_mean_ms", Float, NULLABLE, "mean gap between output events, ms"),
        ("itl_p99_ms", Float, NULLABLE, "99th percentile of the gaps, ms"),
        ("itl_max_ms", Float, NULLABLE, "largest gap, ms"),
        ("tpot_ms", Float, NULLABLE, "time per output token after the first, ms"),
        ("chunks", Int, REQUIRED, "events that carried output"),
        ("event_offsets_us", Offsets, NULLABLE, "offset of each such event, microseconds"),
        ("status_code", Int, NULLABLE, "HTTP status"),
        ("error_class", Text, NULLABLE, "class of the failure"),
        ("error_message", Text, NULLABLE, "the provider's or the system's message"),
        ("retry_after_ms", Long, NULLABLE, "how long the provider asked to wait, ms"),
        ("response_model", Text, NULLABLE, "model that answered"),
        ("response_text", Content, NULLABLE, "text of the answer"),
        ("tool_calls", Content, NULLABLE, "tool calls, JSON array of {id, name, arguments}"),
        ("finish_reason", Text, NULLABLE, "why the answer ended"),
        ("raw_finish_reason", Text, NULLABLE, "the same in the provider's word"),
        ("refusal", Text, NULLABLE, "refusal in a field of its own"),
    ];
    columns.extend(TOKEN_COLUMNS);
    columns.extend([
        ("usage_source", Text, NULLABLE, "who counted the tokens"),
        ("cost_nanousd", Long, NULLABLE, "cost, nano-dollars"),
        ("cost_estimated", Bool, REQUIRED, "cost is the reservation"),
        ("reserved_nanousd", Long, REQUIRED, "reserved before sending, nano-dollars"),
        ("losses", Text, NULLABLE, "what the translation changed, JSON array"),
        ("provider_request_id", Text, NULLABLE, "the provider's identifier"),
        ("connection_reused", Bool, NULLABLE, "the attempt found an open connection"),
        ("connect_ms", Float, NULLABLE, "to open its own connection, before sending, ms"),
        ("client_overhead_ms", Float, REQUIRED, "spent by the client on what it received, ms"),
        ("event_loop_lag_ms", Float, NULLABLE, "worst lateness of the client meanwhile, ms"),
        ("first_token_lag_ms", Float, NULLABLE, "the same until the first output, ms"),
        ("sample_weight", Float, REQUIRED, "weight in a sampled replay"),
    ]);
    schema_of(&columns)
}

/// The table `rejects`: one row per line that was set aside.
pub fn rejects_schema() -> SchemaRef {
    use Kind::{Long, Text};
    schema_of(&[
        ("source_file", Text, REQUIRED, "file"),
        ("source_line", Long, REQUIRED, "line, from 1"),
        ("byte_offset", Long, REQUIRED, "where the line begins, bytes, decompressed"),
        ("reason", Text, REQUIRED, "why it was set aside"),
        ("detail", Text, REQUIRED, "what was wrong, without content"),
        ("excerpt", Text, REQUIRED, "first bytes of the line, escaped, without secrets"),
    ])
}

/// The table `planned`: one row per captured exchange and arm.
pub fn planned_schema() -> SchemaRef {
    use Kind::{Bool, Float, Int, Long, Text, Texts};
    schema_of(&[
        ("arm", Text, REQUIRED, "arm"),
        ("ordinal", Int, REQUIRED, "row number of the captured exchange"),
        ("request_id", Text, REQUIRED, "the log's identifier"),
        ("excluded_reason", Text, NULLABLE, "why it is not sent"),
        ("target_model", Text, NULLABLE, "model that is asked for"),
        ("output_cap", Long, NULLABLE, "output cap, tokens"),
        ("input_bound", Long, NULLABLE, "upper bound of the input, tokens"),
        ("output_bound", Long, NULLABLE, "upper bound of the output, tokens"),
        ("worst_case_nanousd", Long, NULLABLE, "most that one attempt can cost, nano-dollars"),
        ("expected_input_tokens", Long, NULLABLE, "input to expect, tokens"),
        ("expected_output_tokens", Long, NULLABLE, "output to expect, tokens"),
        (
            "expected_cost_nanousd",
            Long,
            NULLABLE,
            "recorded usage at the arm's price, nano-dollars",
        ),
        (
            "low_cost_nanousd",
            Long,
            NULLABLE,
            "the same with a cached input and half the output, nano-dollars",
        ),
        ("usage_recorded", Bool, NULLABLE, "the expectation rests on recorded usage"),
        ("stratum", Text, NULLABLE, "stratum of its session in a stratified sample"),
        ("sample_weight", Float, NULLABLE, "inverse of its session's probability to be sampled"),
        ("hosted_tools", Texts, REQUIRED, "hosted tools and state that the plan lets through"),
        ("losses", Text, NULLABLE, "what the translation changes, JSON array"),
    ])
}
