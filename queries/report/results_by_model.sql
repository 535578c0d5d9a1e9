-- purpose: Exchanges, failures and latency percentiles per arm and model, as a first look at a run.
-- tables:  pairs
-- columns:
--   arm: Utf8, candidate or control
--   request_model: Utf8, model that was asked for
--   exchanges: Int64, exchanges judged
--   failures: Int64, failures among them
--   p50_ms: Float64, median latency
--   p99_ms: Float64, 99th percentile of latency
--   p99_high_ms: Float64, its upper one-sided bound at 95 %
-- order:   arm, request_model
SELECT arm, request_model, exchanges, failures,
       p50['value'] AS p50_ms,
       p99['value'] AS p99_ms,
       p99['high'] AS p99_high_ms
FROM (
    SELECT arm, request_model,
           COUNT(*) AS exchanges,
           COUNT(*) FILTER (WHERE first_kind = 'failure') AS failures,
           quantile_ci(first_latency_ms, 0.5) AS p50,
           quantile_ci(first_latency_ms, 0.99) AS p99
    FROM pairs
    WHERE first_judged
    GROUP BY arm, request_model
)
ORDER BY arm, request_model
