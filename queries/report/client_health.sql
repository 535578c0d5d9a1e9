-- purpose: How far the client itself was from being the bottleneck, per arm: the time that it spent on answers, the lateness of its event loop, and the opening of connections, which is in no other figure.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   attempts: Int64, attempts with an answer
--   latency_p50_ms: Float64, median latency
--   ttft_p50_ms: Float64, median time to the first token of streamed answers
--   overhead_p50_ms: Float64, median of the time that the client spent on an attempt
--   overhead_p99_ms: Float64, 99th percentile of it
--   overhead_max_ms: Float64, the largest
--   lag_p50_ms: Float64, median of the worst lateness of the event loop during an attempt
--   lag_p99_ms: Float64, 99th percentile of it
--   lag_max_ms: Float64, the largest
--   first_token_lag_p50_ms: Float64, median of the worst lateness until the first output of streamed answers
--   connections: Int64, attempts that opened a connection of their own
--   connect_p50_ms: Float64, median of the time that this took
--   connect_p99_ms: Float64, 99th percentile of it
-- order:   arm
SELECT arm, attempts,
       latency['value'] AS latency_p50_ms,
       ttft['value'] AS ttft_p50_ms,
       overhead_p50['value'] AS overhead_p50_ms,
       overhead_p99['value'] AS overhead_p99_ms,
       overhead_max_ms,
       lag_p50['value'] AS lag_p50_ms,
       lag_p99['value'] AS lag_p99_ms,
       lag_max_ms,
       first_token_lag['value'] AS first_token_lag_p50_ms,
       connections,
       connect_p50['value'] AS connect_p50_ms,
       connect_p99['value'] AS connect_p99_ms
FROM (
    SELECT arm,
           COUNT(*) AS attempts,
           quantile_ci(latency_ms, 0.5) AS latency,
           quantile_ci(CASE WHEN tpot_ms IS NOT NULL THEN ttft_ms END, 0.5) AS ttft,
           quantile_ci(client_overhead_ms, 0.5) AS overhead_p50,
           quantile_ci(client_overhead_ms, 0.99) AS overhead_p99,
           MAX(client_overhead_ms) AS overhead_max_ms,
           quantile_ci(event_loop_lag_ms, 0.5) AS lag_p50,
           quantile_ci(event_loop_lag_ms, 0.99) AS lag_p99,
           MAX(event_loop_lag_ms) AS lag_max_ms,
           quantile_ci(CASE WHEN tpot_ms IS NOT NULL THEN first_token_lag_ms END, 0.5)
               AS first_token_lag,
           COUNT(connect_ms) AS connections,
           quantile_ci(connect_ms, 0.5) AS connect_p50,
           quantile_ci(connect_ms, 0.99) AS connect_p99
    FROM results
    WHERE error_class IS NULL
    GROUP BY arm
)
ORDER BY arm
