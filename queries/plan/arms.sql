-- purpose: What a replay sends to each arm without retries: requests, tokens and cost at the low end, as expected and at most, and how long the requests took when they were recorded.
-- tables:  planned, arms, capture
-- columns:
--   arm: Utf8, candidate or control
--   is_control: Boolean, the incumbent replayed again
--   captured: Int64, captured exchanges
--   excluded: Int64, exchanges that are not sent to the arm
--   exchanges: Int64, exchanges that are sent
--   repeats: Int64, times that each is sent
--   requests: Int64, requests without retries
--   unpriced: Int64, exchanges without a known price, which keep a replay from beginning
--   with_usage: Int64, exchanges that are sent and whose usage the log has
--   input_tokens_low: Int64, input tokens at the low end, which are those expected
--   input_tokens: Int64, input tokens to expect
--   input_tokens_high: Int64, most input tokens, by the bytes of the bodies
--   output_tokens_low: Int64, output tokens at the low end, half of those expected
--   output_tokens: Int64, output tokens to expect
--   output_tokens_high: Int64, most output tokens, by the output caps
--   cost_low_nanousd: Int64, low cost in nano-dollars, input cached and answers half as long
--   cost_nanousd: Int64, expected cost in nano-dollars, recorded usage at the arm's price
--   cost_high_nanousd: Int64, highest cost in nano-dollars, the sum of the reservations
--   largest_nanousd: Int64, highest reservation of one request in nano-dollars
--   with_latency: Int64, exchanges that are sent and whose latency the log has
--   latency_us: Int64, sum of these latencies in microseconds
-- order:   arm
WITH repeated AS (
    SELECT arm, is_control, COUNT(*) AS repeats FROM arms GROUP BY arm, is_control
),
intended AS (
    SELECT planned.arm,
           planned.excluded_reason IS NULL AS is_sent,
           planned.worst_case_nanousd,
           planned.input_bound,
           planned.output_bound,
           planned.expected_input_tokens,
           planned.expected_output_tokens,
           planned.expected_cost_nanousd,
           planned.low_cost_nanousd,
           planned.usage_recorded,
           CASE WHEN capture.latency_ms >= 0 AND capture.latency_ms < 86400000
                THEN CAST(capture.latency_ms * 1000 AS BIGINT) END AS latency_us
    FROM planned
    JOIN capture ON capture.ordinal = planned.ordinal
),
totals AS (
    SELECT arm,
           COUNT(*) AS captured,
           COUNT(*) FILTER (WHERE NOT is_sent) AS excluded,
           COUNT(*) FILTER (WHERE is_sent) AS exchanges,
           COUNT(*) FILTER (WHERE is_sent AND worst_case_nanousd IS NULL) AS unpriced,
           COUNT(*) FILTER (WHERE is_sent AND usage_recorded) AS with_usage,
           COALESCE(SUM(expected_input_tokens) FILTER (WHERE is_sent), 0) AS input_tokens,
           COALESCE(SUM(input_bound) FILTER (WHERE is_sent), 0) AS input_high,
           COALESCE(SUM((expected_output_tokens + 1) / 2) FILTER (WHERE is_sent), 0)
               AS output_low,
           COALESCE(SUM(expected_output_tokens) FILTER (WHERE is_sent), 0) AS output_tokens,
           COALESCE(SUM(output_bound) FILTER (WHERE is_sent), 0) AS output_high,
           COALESCE(SUM(low_cost_nanousd) FILTER (WHERE is_sent), 0) AS cost_low,
           COALESCE(SUM(expected_cost_nanousd) FILTER (WHERE is_sent), 0) AS cost,
           COALESCE(SUM(worst_case_nanousd) FILTER (WHERE is_sent), 0) AS cost_high,
           MAX(worst_case_nanousd) FILTER (WHERE is_sent) AS largest,
           COUNT(latency_us) FILTER (WHERE is_sent) AS with_latency,
           COALESCE(SUM(latency_us) FILTER (WHERE is_sent), 0) AS latency_us
    FROM intended
    GROUP BY arm
)
SELECT totals.arm,
       repeated.is_control,
       captured,
       excluded,
       exchanges,
       repeats,
       exchanges * repeats AS requests,
       unpriced,
       with_usage,
       input_tokens * repeats AS input_tokens_low,
       input_tokens * repeats AS input_tokens,
       input_high * repeats AS input_tokens_high,
       output_low * repeats AS output_tokens_low,
       output_tokens * repeats AS output_tokens,
       output_high * repeats AS output_tokens_high,
       CASE WHEN unpriced = 0 THEN cost_low * repeats END AS cost_low_nanousd,
       CASE WHEN unpriced = 0 THEN cost * repeats END AS cost_nanousd,
       CASE WHEN unpriced = 0 THEN cost_high * repeats END AS cost_high_nanousd,
       largest AS largest_nanousd,
       with_latency,
       latency_us * repeats AS latency_us
FROM totals
JOIN repeated ON repeated.arm = totals.arm
ORDER BY arm
