-- purpose: Latency, time to first token and failures of the first attempts that were due in the busiest window of the replay (most first attempts of all arms), beside those of the rest; a window longer than the replay takes all of it.
-- tables:  first_attempts
-- params:
--   $window_s: Float64, length of a window in seconds; windows follow each other from the first scheduled moment on
--   $confidence: Float64, level of each one-sided bound
-- columns:
--   arm: Utf8, candidate or control
--   part: Utf8, peak or rest
--   begins_s: Float64, begin of the peak in seconds since the first scheduled moment; NULL for the rest
--   sent: Int64, first attempts
--   n: Int64, those that say something of the provider
--   failures: Int64, failures among them
--   error_rate: Float64, their share
--   error_rate_low: Float64, lower one-sided bound
--   error_rate_high: Float64, upper one-sided bound
--   latency_p50_ms: Float64, median latency and infinite when too many failed
--   latency_p50_low_ms: Float64, lower one-sided bound of it
--   latency_p50_high_ms: Float64, upper one-sided bound of it
--   latency_p95_ms: Float64, 95th percentile of the latency and infinite when too many failed
--   latency_p95_low_ms: Float64, lower one-sided bound of it
--   latency_p95_high_ms: Float64, upper one-sided bound of it
--   latency_p99_ms: Float64, 99th percentile of the latency and infinite when too many failed
--   latency_p99_low_ms: Float64, lower one-sided bound of it
--   latency_p99_high_ms: Float64, upper one-sided bound of it
--   ttft_p50_ms: Float64, median time to first token of streamed answers and infinite when too many failed
--   ttft_p50_low_ms: Float64, lower one-sided bound of it
--   ttft_p50_high_ms: Float64, upper one-sided bound of it
--   ttft_p95_ms: Float64, 95th percentile of the time to first token of streamed answers and infinite when too many failed
--   ttft_p95_low_ms: Float64, lower one-sided bound of it
--   ttft_p95_high_ms: Float64, upper one-sided bound of it
--   ttft_p99_ms: Float64, 99th percentile of the time to first token of streamed answers and infinite when too many failed
--   ttft_p99_low_ms: Float64, lower one-sided bound of it
--   ttft_p99_high_ms: Float64, upper one-sided bound of it
-- order:   arm, part
WITH began AS (
    SELECT MIN(scheduled_us) AS began_us FROM first_attempts
),
placed AS (
    SELECT arm, cluster_id, kind, latency_ms, ttft_ms,
           (scheduled_us - began_us) / CAST(CAST($window_s AS DOUBLE) * 1000000 AS BIGINT) AS place
    FROM first_attempts CROSS JOIN began
),
windows AS (
    SELECT place, ROW_NUMBER() OVER (ORDER BY attempts DESC, place) AS rank
    FROM (SELECT place, COUNT(*) AS attempts FROM placed GROUP BY place)
),
parts AS (
    SELECT arm, cluster_id, kind, latency_ms, ttft_ms,
           CASE WHEN windows.rank = 1 THEN 'peak' ELSE 'rest' END AS part,
           CASE WHEN windows.rank = 1 THEN placed.place END AS peak_place
    FROM placed
    JOIN windows ON windows.place = placed.place
),
figures AS (
    SELECT arm, part, MAX(peak_place) AS peak_place, COUNT(*) AS sent,
           COUNT(latency_ms) AS n,
           COUNT(*) FILTER (WHERE kind = 'failure') AS failures,
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
                                 CAST(NULL AS DOUBLE)) AS ttft_p99
    FROM parts
    GROUP BY arm, part
)
SELECT arm, part,
       CASE WHEN peak_place IS NOT NULL THEN peak_place * CAST($window_s AS DOUBLE) END AS begins_s,
       sent, n, failures,
       failed['value'] AS error_rate,
       failed['low'] AS error_rate_low,
       failed['high'] AS error_rate_high,
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
       ttft_p99['high'] AS ttft_p99_high_ms
FROM figures
ORDER BY arm, part
