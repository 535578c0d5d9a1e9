-- purpose: Latency, time to first token and time to first byte of successful exchanges that may stand for the provider, by where it was measured, for all models and by requested model.
-- tables:  capture
-- columns:
--   measure: Utf8, latency_ms or ttft_ms or ttfb_ms
--   latency_scope: Utf8, where it was measured; NULL when the log does not say
--   level: Utf8, all or model
--   request_model: Utf8, model that was asked for; NULL for all
--   n: Int64, exchanges with a value
--   p50_ms: Float64, median in ms
--   p50_ms_low: Float64, lower one-sided 95 % bound; NULL when n is too small for one
--   p50_ms_high: Float64, upper one-sided 95 % bound likewise
--   p90_ms: Float64, 90th percentile in ms
--   p90_ms_low: Float64, lower one-sided 95 % bound; NULL when n is too small for one
--   p90_ms_high: Float64, upper one-sided 95 % bound likewise
--   p95_ms: Float64, 95th percentile in ms
--   p95_ms_low: Float64, lower one-sided 95 % bound; NULL when n is too small for one
--   p95_ms_high: Float64, upper one-sided 95 % bound likewise
--   p99_ms: Float64, 99th percentile in ms
--   p99_ms_low: Float64, lower one-sided 95 % bound; NULL when n is too small for one
--   p99_ms_high: Float64, upper one-sided 95 % bound likewise
-- order:   measure, latency_scope, level, request_model
WITH timed AS (
    SELECT latency_scope, request_model, latency_ms, CASE WHEN stream THEN ttft_ms END AS ttft_ms,
           ttfb_ms
    FROM capture
    WHERE latency_baseline_ok AND error_class IS NULL
),
measured AS (
    SELECT 'latency_ms' AS measure, latency_scope, request_model, latency_ms AS value_ms FROM timed
    WHERE latency_ms IS NOT NULL
    UNION ALL
    SELECT 'ttft_ms', latency_scope, request_model, ttft_ms FROM timed WHERE ttft_ms IS NOT NULL
    UNION ALL
    SELECT 'ttfb_ms', latency_scope, request_model, ttfb_ms FROM timed WHERE ttfb_ms IS NOT NULL
),
levels AS (
    SELECT measure, latency_scope, 'model' AS level, request_model, value_ms FROM measured
    UNION ALL
    SELECT measure, latency_scope, 'all', CAST(NULL AS VARCHAR), value_ms FROM measured
)
SELECT measure, latency_scope, level, request_model, n,
       p50['value'] AS p50_ms, p50['low'] AS p50_ms_low, p50['high'] AS p50_ms_high,
       p90['value'] AS p90_ms, p90['low'] AS p90_ms_low, p90['high'] AS p90_ms_high,
       p95['value'] AS p95_ms, p95['low'] AS p95_ms_low, p95['high'] AS p95_ms_high,
       p99['value'] AS p99_ms, p99['low'] AS p99_ms_low, p99['high'] AS p99_ms_high
FROM (
    SELECT measure, latency_scope, level, request_model, COUNT(*) AS n,
           quantile_ci(value_ms, 0.50) AS p50,
           quantile_ci(value_ms, 0.90) AS p90,
           quantile_ci(value_ms, 0.95) AS p95,
           quantile_ci(value_ms, 0.99) AS p99
    FROM levels
    GROUP BY measure, latency_scope, level, request_model
)
ORDER BY measure, latency_scope, level, request_model
