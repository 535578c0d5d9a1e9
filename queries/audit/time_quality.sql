-- purpose: How each log format states time, how finely, and whether it may hold a sample of the traffic only.
-- tables:  capture
-- columns:
--   source_format: Utf8, log format
--   time_basis: Utf8, how time is stated
--   time_resolution_ms: Float64, smallest difference between two times in ms
--   latency_scope: Utf8, where latency was measured
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
--   sampled: Int64, exchanges of a log that may hold a sample only
-- order:   source_format, time_basis, time_resolution_ms, latency_scope
SELECT source_format, time_basis, time_resolution_ms, latency_scope, exchanges,
       CAST(exchanges AS DOUBLE) / SUM(exchanges) OVER () AS share,
       sampled
FROM (
    SELECT source_format, time_basis, time_resolution_ms, latency_scope, COUNT(*) AS exchanges,
           COUNT(*) FILTER (WHERE sampled) AS sampled
    FROM capture
    GROUP BY source_format, time_basis, time_resolution_ms, latency_scope
)
ORDER BY source_format, time_basis, time_resolution_ms, latency_scope
