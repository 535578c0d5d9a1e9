-- purpose: Latency, time to first token and failures by step of a ramp, with bounds, and the rate at which answers came back beside the rate that was offered.
-- tables:  load_steps, first_attempts
-- params:
--   $confidence: Float64, level of each one-sided bound
-- columns:
--   arm: Utf8, candidate or control
--   load_step: Int32, step of the ramp from 1
--   offered_per_second: Float64, requests per second that the schedule offers
--   achieved_per_second: Float64, answers per second between the 5th and 95th percentile of their times of completion
--   achieved_share: Float64, that over the offered rate
--   attempts: Int64, first attempts
--   n: Int64, those that say something of the provider: neither 429 nor a fault of our configuration
--   failures: Int64, failures among them
--   error_rate: Float64, their share
--   error_rate_low: Float64, lower one-sided bound
--   error_rate_high: Float64, upper one-sided bound
--   rate_limited: Int64, first attempts that met a 429
--   latency_p50_ms: Float64, median latency and infinite when too many failed
--   latency_p50_low_ms: Float64, lower one-sided bound of it
--   latency_p50_high_ms: Float64, upper one-sided bound of it
--   latency_p95_ms: Float64, 95th percentile likewise
--   latency_p95_low_ms: Float64, lower one-sided bound of it
--   latency_p95_high_ms: Float64, upper one-sided bound of it
--   latency_p99_ms: Float64, 99th percentile likewise
--   latency_p99_low_ms: Float64, lower one-sided bound of it
--   latency_p99_high_ms: Float64, upper one-sided bound of it
--   ttft_p50_ms: Float64, median time to first token of streamed answers likewise
--   ttft_p50_low_ms: Float64, lower one-sided bound of it
--   ttft_p50_high_ms: Float64, upper one-sided bound of it
--   ttft_p95_ms: Float64, 95th percentile likewise
--   ttft_p95_low_ms: Float64, lower one-sided bound of it
--   ttft_p95_high_ms: Float64, upper one-sided bound of it
--   ttft_p99_ms: Float64, 99th percentile likewise
--   ttft_p99_low_ms: Float64, lower one-sided bound of it
--   ttft_p99_high_ms: Float64, upper one-sided bound of it
--   slip_p99_ms: Float64, 99th percentile of sent minus scheduled
-- order:   arm, load_step
WITH measured AS (
    SELECT arm, load_step,
           COUNT(latency_ms) AS n,
           COUNT(*) FILTER (WHERE kind = 'failure') AS failures,
           COUNT(*) FILTER (WHERE kind = 'rate_limit') AS rate_limited,
           rate_ci(CASE kind WHEN 'none' THEN 0 WHEN 'failure' THEN 1 END, cluster_id,
                   CAST($confidence AS DOUBLE)) AS failed,
           quantile_clustered_ci(latency_ms, cluster_id, 0.5, CAST($confidence AS DOUBLE),
                                 CAST(NULL AS DOUBLE)) AS latency_p50,
           quantile_clustered_ci(latency_ms, cluster_id, 0.95, CAST($confidence AS DOUBLE),
                                 CAST(NULL AS DOUBLE)) AS latency_p95,
           quantile_clustered_ci(latency_ms, cluster_id, 0.99, CAST($confidence AS DOUBLE),
                                 CAST(NULL AS DOUBLE)) AS latency_p99,
           quantile_clustered_ci(ttft_ms, cluster_id, 0.5, CAST($confidence AS DOUBLE),
                                 CAST(NULL AS DOUBLE)) AS ttft_p50,
           quantile_clustered_ci(ttft_ms, cluster_id, 0.95, CAST($confidence AS DOUBLE),
                                 CAST(NULL AS DOUBLE)) AS ttft_p95,
           quantile_clustered_ci(ttft_ms, cluster_id, 0.99, CAST($confidence AS DOUBLE),
                                 CAST(NULL AS DOUBLE)) AS ttft_p99,
           quantile_ci(slip_ms, 0.99) AS slip_p99
    FROM first_attempts
    WHERE load_step IS NOT NULL
    GROUP BY arm, load_step
)
SELECT load_steps.arm, load_steps.load_step, offered_per_second, achieved_per_second,
       achieved_share, attempts, n, failures,
       failed['value'] AS error_rate,
       failed['low'] AS error_rate_low,
       failed['high'] AS error_rate_high,
       rate_limited,
       latency_p50['value'] AS latency_p50_ms,
       latency_p50['low'] AS latency_p50_low_ms,
       latency_p50['high'] AS latency_p50_high_ms,
       latency_p95['value'] AS latency_p95_ms,
       latency_p95['low'] AS latency_p95_low_ms,
       latency_p95['high'] AS latency_p95_high_ms,
       latency_p99['value'] AS latency_p99_ms,
       latency_p99['low'] AS latency_p99_low_ms,
       latency_p99['high'] AS latency_p99_high_ms,
       ttft_p50['value'] AS ttft_p50_ms,
       ttft_p50['low'] AS ttft_p50_low_ms,
       ttft_p50['high'] AS ttft_p50_high_ms,
       ttft_p95['value'] AS ttft_p95_ms,
       ttft_p95['low'] AS ttft_p95_low_ms,
       ttft_p95['high'] AS ttft_p95_high_ms,
       ttft_p99['value'] AS ttft_p99_ms,
       ttft_p99['low'] AS ttft_p99_low_ms,
       ttft_p99['high'] AS ttft_p99_high_ms,
       slip_p99['value'] AS slip_p99_ms
FROM load_steps
JOIN measured ON measured.arm = load_steps.arm AND measured.load_step = load_steps.load_step
ORDER BY arm, load_step
