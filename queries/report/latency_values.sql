-- purpose: The durations behind the latency charts: one row per first attempt that says something of the provider, the warm-up left out, and the captured ones as arm incumbent.
-- tables:  pairs, capture
-- columns:
--   arm: Utf8, incumbent or control or candidate
--   request_model: Utf8, model that was asked for
--   cluster_id: Int64, exchanges that depend on each other share it
--   latency_ms: Float64, latency in ms and infinite after a failure
--   ttft_ms: Float64, time to first token in ms likewise
--   tpot_ms: Float64, time per output token in ms likewise
--   with_retries_latency_ms: Float64, latency with retries in ms
-- order:   arm, request_model, latency_ms, ttft_ms, tpot_ms, with_retries_latency_ms, cluster_id
SELECT arm, request_model, cluster_id, first_latency_ms AS latency_ms, first_ttft_ms AS ttft_ms,
       first_tpot_ms AS tpot_ms, with_retries_latency_ms
FROM pairs
WHERE first_judged AND NOT warm_up
UNION ALL
SELECT 'incumbent' AS arm, request_model, cluster_id, captured_latency_ms AS latency_ms,
       captured_ttft_ms AS ttft_ms, CAST(NULL AS DOUBLE) AS tpot_ms,
       CAST(NULL AS DOUBLE) AS with_retries_latency_ms
FROM (
    -- The captured figures are the same in every arm; the engine's MIN would lose an infinity.
    SELECT ordinal, MIN(request_model) AS request_model, MIN(cluster_id) AS cluster_id,
           MAX(captured_latency_ms) AS captured_latency_ms,
           MAX(captured_ttft_ms) AS captured_ttft_ms
    FROM pairs
    GROUP BY ordinal
)
WHERE captured_latency_ms IS NOT NULL
ORDER BY arm, request_model, latency_ms, ttft_ms, tpot_ms, with_retries_latency_ms, cluster_id
