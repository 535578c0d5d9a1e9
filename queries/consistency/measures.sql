-- purpose: How far the answers of an arm differ from the captured ones, by every measure: the mean of one minus the similarity.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
--   $confidence: Float64, level of each one-sided bound
-- columns:
--   measure: Utf8, what is compared
--   n: Int64, exchanges and repeats to which it applies
--   disagreement: Float64, mean disagreement from 0 (same) to 1
--   low: Float64, lower one-sided bound
--   high: Float64, upper one-sided bound
--   clusters: Int64, independent clusters among them
--   problem: Utf8, why bounds are absent
-- order:   measure
WITH compared AS (
    SELECT cluster_id,
           COALESCE(captured_text, '') AS captured_text,
           COALESCE(final_text, '') AS final_text,
           COALESCE(captured_tool_calls, '[]') AS captured_calls,
           COALESCE(final_tool_calls, '[]') AS final_calls,
           captured_tool_calls IS NOT NULL OR final_tool_calls IS NOT NULL AS has_calls
    FROM pairs
    WHERE arm = $arm AND captured_comparable AND final_comparable
),
scored AS (
    SELECT 'exact' AS measure, cluster_id,
           CASE WHEN final_text = captured_text THEN 0.0 ELSE 1.0 END AS disagreement
    FROM compared
    UNION ALL
    SELECT 'normalised', cluster_id,
           CASE WHEN normalised_equal(captured_text, final_text) THEN 0.0 ELSE 1.0 END
    FROM compared
    UNION ALL
    SELECT 'edit', cluster_id, 1.0 - edit_similarity(captured_text, final_text) FROM compared
    UNION ALL
    SELECT 'token_f1', cluster_id, 1.0 - token_f1(captured_text, final_text) FROM compared
    UNION ALL
    SELECT 'lcs_f1', cluster_id, 1.0 - lcs_f1(captured_text, final_text) FROM compared
    UNION ALL
    SELECT 'rouge_l', cluster_id, 1.0 - rouge_l(captured_text, final_text)['f1']
    FROM compared
    WHERE captured_text <> '' OR final_text <> ''
    UNION ALL
    SELECT 'chrf', cluster_id, 1.0 - chrf(captured_text, final_text) / 100.0
    FROM compared
    WHERE captured_text <> '' OR final_text <> ''
    UNION ALL
    SELECT 'json', cluster_id, CASE WHEN json_equal(captured_text, final_text) THEN 0.0 ELSE 1.0 END
    FROM compared
    WHERE is_json(captured_text)
    UNION ALL
    SELECT 'json_paths', cluster_id, 1.0 - COALESCE(json_similarity(captured_text, final_text), 0.0)
    FROM compared
    WHERE is_json(captured_text)
    UNION ALL
    SELECT 'tool_calls', cluster_id,
           CASE WHEN tool_calls_equal(captured_calls, final_calls) THEN 0.0 ELSE 1.0 END
    FROM compared
    WHERE has_calls
    UNION ALL
    SELECT 'tool_sequence', cluster_id,
           CASE WHEN tool_sequence_equal(captured_calls, final_calls) THEN 0.0 ELSE 1.0 END
    FROM compared
    WHERE has_calls
),
estimated AS (
    SELECT measure, COUNT(*) AS n,
           bounded_mean_ci(disagreement, cluster_id, $confidence, 0, 0, 1) AS estimate
    FROM scored
    GROUP BY measure
)
SELECT measure, n,
       estimate['value'] AS disagreement,
       estimate['low'] AS low,
       estimate['high'] AS high,
       estimate['clusters'] AS clusters,
       estimate['problem'] AS problem
FROM estimated
ORDER BY measure
