-- purpose: Which exchanges the latency percentiles leave out, by reason, and which they use.
-- tables:  capture
-- columns:
--   reason: Utf8, why they are left out; used for those that are not
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
--   with_latency: Int64, exchanges among them with a latency
--   with_ttft: Int64, streamed exchanges among them with a time to first token
--   streamed: Int64, streamed exchanges among them
-- order:   reason
SELECT reason, exchanges,
       CAST(exchanges AS DOUBLE) / SUM(exchanges) OVER () AS share,
       with_latency, with_ttft, streamed
FROM (
    SELECT CASE
               WHEN NOT latency_baseline_ok THEN COALESCE(latency_baseline_reason, 'unknown')
               WHEN error_class IS NOT NULL THEN 'failed'
               ELSE 'used'
           END AS reason,
           COUNT(*) AS exchanges,
           COUNT(latency_ms) AS with_latency,
           COUNT(ttft_ms) FILTER (WHERE stream) AS with_ttft,
           COUNT(*) FILTER (WHERE stream) AS streamed
    FROM capture
    GROUP BY 1
)
ORDER BY reason
