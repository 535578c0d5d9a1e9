-- purpose: The capture as a whole: how much, over which time, and how much of it is known and usable.
-- tables:  capture, clusters
-- columns:
--   exchanges: Int64, captured exchanges
--   first_at: Utf8, first exchange with a time from 2015 on, UTC
--   last_at: Utf8, last exchange, UTC
--   request_models: Int64, models that were asked for
--   sessions: Int64, conversations
--   input_tokens: Int64, input tokens where known
--   output_tokens: Int64, output tokens where known
--   with_tokens: Int64, exchanges with known input and output tokens
--   streamed: Int64, exchanges whose answer was to be streamed
--   with_latency: Int64, exchanges with a latency
--   with_ttft: Int64, streamed exchanges with a time to first token
--   sampled: Int64, exchanges of a log that may hold a sample only
--   replayable: Int64, exchanges that can be sent again
--   replayable_share: Float64, share of exchanges that can be sent again
--   errors: Int64, failed exchanges
--   error_rate: Float64, share of exchanges that failed
--   error_rate_low: Float64, lower one-sided 95 % bound
--   error_rate_high: Float64, upper one-sided 95 % bound
-- order:   exchanges
SELECT exchanges,
       to_char(to_timestamp_micros(first_us), '%Y-%m-%dT%H:%M:%SZ') AS first_at,
       to_char(to_timestamp_micros(last_us), '%Y-%m-%dT%H:%M:%SZ') AS last_at,
       request_models, sessions, input_tokens, output_tokens, with_tokens,
       streamed, with_latency, with_ttft, sampled, replayable,
       CAST(replayable AS DOUBLE) / exchanges AS replayable_share,
       errors,
       estimate['value'] AS error_rate,
       estimate['low'] AS error_rate_low,
       estimate['high'] AS error_rate_high
FROM (
    SELECT COUNT(*) AS exchanges,
           MIN(CASE WHEN at_us >= 1420070400000000 THEN at_us END) AS first_us,
           MAX(at_us) AS last_us,
           COUNT(DISTINCT request_model) AS request_models,
           COUNT(DISTINCT session_id) AS sessions,
           SUM(input_tokens) AS input_tokens,
           SUM(output_tokens) AS output_tokens,
           COUNT(input_tokens + output_tokens) AS with_tokens,
           COUNT(*) FILTER (WHERE stream) AS streamed,
           COUNT(latency_ms) AS with_latency,
           COUNT(ttft_ms) FILTER (WHERE stream) AS with_ttft,
           COUNT(*) FILTER (WHERE sampled) AS sampled,
           COUNT(*) FILTER (WHERE replayable) AS replayable,
           COUNT(error_class) AS errors,
           rate_ci(CASE WHEN error_class IS NULL THEN 0 ELSE 1 END, cluster_id) AS estimate
    FROM (
        SELECT CAST(captured_at AS BIGINT) AS at_us, request_model, session_id, input_tokens,
               output_tokens, stream, latency_ms, ttft_ms, sampled, replayable, error_class,
               cluster_id
        FROM capture JOIN clusters ON clusters.ordinal = capture.ordinal
    )
)
WHERE exchanges > 0
ORDER BY exchanges
