-- purpose: Disagreement of the answers of an arm with the captured answers by how far the conversation had come.
-- tables:  pairs, capture
-- params:
--   $arm: Utf8, the candidate
--   $confidence: Float64, level of each one-sided bound
-- columns:
--   first_turn: Int32, first user turn of the band: 1, 2, 3, 4 to 6, 7 to 12, 13 and later
--   n: Int64, exchanges and repeats compared
--   edit_disagreement: Float64, mean of one minus the edit similarity
--   edit_low: Float64, its lower one-sided bound
--   edit_high: Float64, its upper one-sided bound
--   clusters: Int64, independent clusters among them
--   with_tools: Int64, those in which a side calls tools
--   tools_differ: Int64, those of with_tools whose calls differ
--   new_refusals: Int64, only the replayed answer refuses
--   problem: Utf8, why bounds are absent
-- order:   first_turn
WITH compared AS (
    SELECT CAST(CASE WHEN capture.turn_index <= 3 THEN capture.turn_index
                     WHEN capture.turn_index <= 6 THEN 4
                     WHEN capture.turn_index <= 12 THEN 7
                     ELSE 13 END AS INTEGER) AS first_turn,
           cluster_id,
           1.0 - edit_similarity(COALESCE(captured_text, ''), COALESCE(final_text, ''))
               AS edit_disagreement,
           captured_tool_calls IS NOT NULL OR final_tool_calls IS NOT NULL AS has_calls,
           tool_calls_equal(COALESCE(captured_tool_calls, '[]'), COALESCE(final_tool_calls, '[]'))
               AS calls_equal,
           final_refused AND NOT captured_refused AS newly_refused
    FROM pairs
    JOIN capture ON capture.ordinal = pairs.ordinal
    WHERE arm = $arm AND captured_comparable AND final_comparable AND capture.turn_index IS NOT NULL
),
estimated AS (
    SELECT first_turn,
           COUNT(*) AS n,
           bounded_mean_ci(edit_disagreement, cluster_id, $confidence, 0, 0, 1) AS estimate,
           COUNT(*) FILTER (WHERE has_calls) AS with_tools,
           COUNT(*) FILTER (WHERE has_calls AND NOT calls_equal) AS tools_differ,
           COUNT(*) FILTER (WHERE newly_refused) AS new_refusals
    FROM compared
    GROUP BY first_turn
)
SELECT first_turn, n,
       estimate['value'] AS edit_disagreement,
       estimate['low'] AS edit_low,
       estimate['high'] AS edit_high,
       estimate['clusters'] AS clusters,
       with_tools, tools_differ, new_refusals,
       estimate['problem'] AS problem
FROM estimated
ORDER BY first_turn
