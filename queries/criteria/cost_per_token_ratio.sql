-- purpose: Cost per token of the candidate over cost per token of the incumbent, for the same exchanges; tokens of two providers are different units.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
--   $segment: Utf8, column that splits the traffic; (all) for none
--   $min_n: Int64, segments with fewer exchanges are pooled as (other)
--   $confidence: Float64, level of each one-sided bound
--   $limit: Float64, limit that the p-values refer to
-- columns:
--   segment: Utf8, part of the traffic
--   value: Float64, ratio of the two costs per token
--   low: Float64, lower one-sided bound
--   high: Float64, upper one-sided bound
--   n: Int64, exchanges in the estimate
--   clusters: Int64, independent clusters among them
--   events: Int64, exchanges with the counted event
--   p_above: Float64, p-value of the true value being at most the limit
--   p_below: Float64, p-value of the true value being at least the limit
--   problem: Utf8, why bounds are absent
-- order:   segment
WITH counted AS (
    SELECT part, cost_nanousd, final_tokens, captured_cost_nanousd, captured_tokens, cluster_id, COUNT(*) OVER (PARTITION BY part) AS segment_n
    FROM (
        SELECT CASE $segment
               WHEN 'request_model' THEN request_model
               WHEN 'route' THEN COALESCE(route, '(none)')
               WHEN 'tenant' THEN COALESCE(tenant, '(none)')
               WHEN 'stream' THEN CASE WHEN stream THEN 'streamed' ELSE 'not streamed' END
               WHEN 'has_tools' THEN CASE WHEN has_tools THEN 'tools' ELSE 'no tools' END
               ELSE '(all)'
           END AS part,
           cost_nanousd,
           final_tokens,
           captured_cost_nanousd,
           captured_tokens,
           cluster_id
        FROM pairs
        WHERE arm = $arm AND outcome = 'done' AND final_error_class IS NULL
          AND captured_error_class IS NULL
          AND cost_nanousd IS NOT NULL AND captured_cost_nanousd IS NOT NULL
          AND final_tokens > 0 AND captured_tokens > 0
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
           ratio_of_ratios_ci(cost_nanousd, final_tokens, captured_cost_nanousd, captured_tokens,
                              cluster_id, $confidence, $limit) AS estimate
    FROM counted
    GROUP BY 1
)
ORDER BY segment
