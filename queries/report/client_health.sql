-- purpose: How far the client itself was from being the bottleneck: its own share of the latency and its lateness, per arm.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   attempts: Int64, attempts with an answer
--   latency_p50_ms: Float64, median latency
--   overhead_p50_ms: Float64, median of the time spent in the client
--   overhead_p99_ms: Float64, 99th percentile of it
--   queue_p95_ms: Float64, 95th percentile of sent minus scheduled
-- order:   arm
SELECT arm, attempts,
       latency['value'] AS latency_p50_ms,
       overhead_p50['value'] AS overhead_p50_ms,
       overhead_p99['value'] AS overhead_p99_ms,
       queue['value'] AS queue_p95_ms
FROM (
    SELECT arm,
           COUNT(*) AS attempts,
           quantile_ci(latency_ms, 0.5) AS latency,
           quantile_ci(client_overhead_ms, 0.5) AS overhead_p50,
           quantile_ci(client_overhead_ms, 0.99) AS overhead_p99,
           quantile_ci(queue_ms, 0.95) AS queue
    FROM results
    WHERE error_class IS NULL
    GROUP BY arm
)
ORDER BY arm
