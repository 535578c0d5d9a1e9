-- purpose: The ratio of a quantile of the candidate to that of the control, over exchanges that both arms were judged on.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
--   $segment: Utf8, column that splits the traffic; (all) for none
--   $min_n: Int64, segments with fewer exchanges are pooled as (other)
--   $confidence: Float64, level of each one-sided bound
--   $limit: Float64, limit that the p-values refer to
--   $measure: Utf8, latency_ms or ttft_ms or tpot_ms
--   $p: Float64, quantile between 0 and 1
--   $seed: Int64, seed of the bootstrap
-- columns:
--   segment: Utf8, part of the traffic
--   value: Float64, ratio of the two quantiles
--   low: Float64, lower one-sided bound
--   high: Float64, upper one-sided bound
--   n: Int64, exchanges in the estimate
--   clusters: Int64, independent clusters among them
--   events: Int64, exchanges with the counted event
--   p_above: Float64, p-value of the true value being at most the limit
--   p_below: Float64, p-value of the true value being at least the limit
--   problem: Utf8, why bounds are absent
-- order:   segment
WITH both_arms AS (
    SELECT candidate.request_model, candidate.route, candidate.tenant, candidate.stream,
           candidate.has_tools, candidate.cluster_id,
           CASE $measure
               WHEN 'latency_ms' THEN candidate.first_latency_ms
               WHEN 'ttft_ms' THEN candidate.first_ttft_ms
               WHEN 'tpot_ms' THEN candidate.first_tpot_ms
           END AS candidate_ms,
           CASE $measure
               WHEN 'latency_ms' THEN control.first_latency_ms
               WHEN 'ttft_ms' THEN control.first_ttft_ms
               WHEN 'tpot_ms' THEN control.first_tpot_ms
           END AS incumbent_ms
    FROM pairs AS candidate
    JOIN pairs AS control
      ON control.ordinal = candidate.ordinal AND control.repeat = candidate.repeat
    WHERE candidate.arm = $arm AND control.is_control
      AND candidate.first_judged AND control.first_judged
),
counted AS (
    SELECT part, candidate_ms, incumbent_ms, cluster_id, COUNT(*) OVER (PARTITION BY part) AS segment_n
    FROM (
        SELECT CASE $segment
               WHEN 'request_model' THEN request_model
               WHEN 'route' THEN COALESCE(route, '(none)')
               WHEN 'tenant' THEN COALESCE(tenant, '(none)')
               WHEN 'stream' THEN CASE WHEN stream THEN 'streamed' ELSE 'not streamed' END
               WHEN 'has_tools' THEN CASE WHEN has_tools THEN 'tools' ELSE 'no tools' END
               ELSE '(all)'
           END AS part,
           candidate_ms,
           incumbent_ms,
           cluster_id
        FROM both_arms
        WHERE candidate_ms IS NOT NULL AND incumbent_ms IS NOT NULL
    )
)
SELECT segment,
       estimate['value'] AS value,
       estimate['low'] AS low,
       estimate['high'] AS high,
       estimate['n'] AS n,
       estimate['clusters'] AS clusters,
       estimate['events'] AS events,
       estimate['p_above'] AS p_above,
       estimate['p_below'] AS p_below,
       estimate['problem'] AS problem
FROM (
    SELECT CASE WHEN segment_n < $min_n AND $segment <> '(all)' THEN '(other)' ELSE part END
               AS segment,
           quantile_ratio_ci(candidate_ms, incumbent_ms, $p, cluster_id, $confidence, $limit, $seed) AS estimate
    FROM counted
    GROUP BY 1
)
ORDER BY segment
