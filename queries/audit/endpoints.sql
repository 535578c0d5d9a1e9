-- purpose: What is called: operations, routes, wire dialects and providers, with streaming and failures.
-- tables:  capture, clusters
-- columns:
--   operation: Utf8, what was asked for
--   route: Utf8, route or endpoint
--   dialect: Utf8, wire dialect of the request
--   provider: Utf8, provider that answered
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
--   streaming_share: Float64, share streamed among those where that is known
--   errors: Int64, failed exchanges
--   error_rate: Float64, share of exchanges that failed
--   error_rate_low: Float64, lower one-sided 95 % bound
--   error_rate_high: Float64, upper one-sided 95 % bound
--   with_tokens: Int64, exchanges with known input and output tokens
--   input_tokens: Int64, input tokens where known
--   output_tokens: Int64, output tokens where known
-- order:   exchanges, operation, route, dialect, provider
SELECT operation, route, dialect, provider, exchanges,
       CAST(exchanges AS DOUBLE) / SUM(exchanges) OVER () AS share,
       CAST(streamed AS DOUBLE) / NULLIF(stream_known, 0) AS streaming_share,
       errors,
       estimate['value'] AS error_rate,
       estimate['low'] AS error_rate_low,
       estimate['high'] AS error_rate_high,
       with_tokens, input_tokens, output_tokens
FROM (
    SELECT operation, route, dialect, provider,
           COUNT(*) AS exchanges,
           COUNT(*) FILTER (WHERE stream) AS streamed,
           COUNT(stream) AS stream_known,
           COUNT(error_class) AS errors,
           rate_ci(CASE WHEN error_class IS NULL THEN 0 ELSE 1 END, cluster_id) AS estimate,
           COUNT(input_tokens + output_tokens) AS with_tokens,
           SUM(input_tokens) AS input_tokens,
           SUM(output_tokens) AS output_tokens
    FROM capture JOIN clusters ON clusters.ordinal = capture.ordinal
    GROUP BY operation, route, dialect, provider
)
ORDER BY exchanges DESC, operation, route, dialect, provider
