-- purpose: How much more the candidate disagrees with the captured answers than the control does, which is the noise of the incumbent itself.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
--   $segment: Utf8, column that splits the traffic; (all) for none
--   $min_n: Int64, segments with fewer exchanges are pooled as (other)
--   $confidence: Float64, level of each one-sided bound
--   $limit: Float64, limit that the p-values refer to
--   $measure: Utf8, exact or normalised or edit or json or tool_calls
-- columns:
--   segment: Utf8, part of the traffic
--   value: Float64, difference of the two mean disagreements
--   low: Float64, lower one-sided bound
--   high: Float64, upper one-sided bound
--   n: Int64, exchanges in the estimate
--   clusters: Int64, independent clusters among them
--   events: Int64, exchanges with the counted event
--   p_above: Float64, p-value of the true value being at most the limit
--   p_below: Float64, p-value of the true value being at least the limit
--   problem: Utf8, why bounds are absent
-- order:   segment
WITH scored AS (
    SELECT arm, is_control, ordinal, repeat, request_model, route, tenant, stream, has_tools,
           cluster_id,
           CASE $measure
               WHEN 'exact' THEN CASE WHEN COALESCE(final_text, '') = COALESCE(captured_text, '')
                                      THEN 0.0 ELSE 1.0 END
               WHEN 'normalised' THEN CASE WHEN normalised_equal(COALESCE(final_text, ''),
                                                                 COALESCE(captured_text, ''))
                                           THEN 0.0 ELSE 1.0 END
               WHEN 'edit' THEN 1.0 - edit_similarity(COALESCE(final_text, ''),
                                                      COALESCE(captured_text, ''))
               WHEN 'json' THEN CASE WHEN is_json(captured_text)
                                     THEN CASE WHEN json_equal(COALESCE(final_text, ''), captured_text)
                                               THEN 0.0 ELSE 1.0 END END
               WHEN 'tool_calls' THEN CASE WHEN captured_tool_calls IS NOT NULL
                                             OR final_tool_calls IS NOT NULL
                                           THEN CASE WHEN tool_calls_equal(
                                                              COALESCE(final_tool_calls, '[]'),
                                                              COALESCE(captured_tool_calls, '[]'))
                                                     THEN 0.0 ELSE 1.0 END END
           END AS disagreement
    FROM pairs
    WHERE captured_comparable AND final_comparable
),
compared AS (
    SELECT candidate.request_model, candidate.route, candidate.tenant, candidate.stream,
           candidate.has_tools, candidate.cluster_id,
           candidate.disagreement - control.disagreement AS excess
    FROM scored AS candidate
    JOIN scored AS control
      ON control.ordinal = candidate.ordinal AND control.repeat = candidate.repeat
    WHERE candidate.arm = $arm AND control.is_control
),
counted AS (
    SELECT part, excess, cluster_id, COUNT(*) OVER (PARTITION BY part) AS segment_n
    FROM (
        SELECT CASE $segment
               WHEN 'request_model' THEN request_model
               WHEN 'route' THEN COALESCE(route, '(none)')
               WHEN 'tenant' THEN COALESCE(tenant, '(none)')
               WHEN 'stream' THEN CASE WHEN stream THEN 'streamed' ELSE 'not streamed' END
               WHEN 'has_tools' THEN CASE WHEN has_tools THEN 'tools' ELSE 'no tools' END
               ELSE '(all)'
           END AS part,
           excess,
           cluster_id
        FROM compared
        WHERE excess IS NOT NULL
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
           bounded_mean_ci(excess, cluster_id, $confidence, $limit, -1, 1) AS estimate
    FROM counted
    GROUP BY 1
)
ORDER BY segment
