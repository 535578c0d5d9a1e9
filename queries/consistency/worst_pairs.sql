-- purpose: The exchanges whose answer differs most from the captured one beyond the noise that the control shows on them.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
--   $most: Int64, rows wanted
-- columns:
--   place: Int64, from 1
--   ordinal: Int32, row number of the captured exchange
--   repeat: Int32, repeat from 1
--   request_id: Utf8, identifier in the log
--   request_model: Utf8, model that was asked for
--   route: Utf8, route or endpoint
--   disagreement: Float64, one minus the edit similarity with the captured answer
--   control_disagreement: Float64, the same of the control, NULL without a control
--   excess: Float64, their difference, the disagreement itself without a control
--   length_ratio: Float64, characters of the answer over those of the captured answer
--   calls_equal: Boolean, the tool calls agree
--   refusal_change: Utf8, new or lost, NULL for no change
-- order:   place
WITH scored AS (
    SELECT arm, is_control, ordinal, repeat, request_id, request_model, route,
           1.0 - edit_similarity(COALESCE(captured_text, ''), COALESCE(final_text, ''))
               AS disagreement,
           length_ratio(captured_text, COALESCE(final_text, '')) AS length_ratio,
           tool_calls_equal(COALESCE(captured_tool_calls, '[]'), COALESCE(final_tool_calls, '[]'))
               AS calls_equal,
           CASE WHEN final_refused AND NOT captured_refused THEN 'new'
                WHEN captured_refused AND NOT final_refused THEN 'lost' END AS refusal_change
    FROM pairs
    WHERE (arm = $arm OR is_control) AND captured_comparable AND final_comparable
),
compared AS (
    SELECT candidate.ordinal, candidate.repeat, candidate.request_id, candidate.request_model,
           candidate.route, candidate.disagreement,
           control.disagreement AS control_disagreement,
           candidate.disagreement - COALESCE(control.disagreement, 0.0) AS excess,
           candidate.length_ratio, candidate.calls_equal, candidate.refusal_change
    FROM (SELECT ordinal, repeat, request_id, request_model, route, disagreement, length_ratio,
                 calls_equal, refusal_change
          FROM scored WHERE arm = $arm) AS candidate
    LEFT JOIN (SELECT ordinal, repeat, disagreement FROM scored WHERE is_control) AS control
      ON control.ordinal = candidate.ordinal AND control.repeat = candidate.repeat
),
ranked AS (
    SELECT CAST(ROW_NUMBER() OVER (ORDER BY excess DESC, ordinal, repeat) AS BIGINT) AS place,
           ordinal, repeat, request_id, request_model, route, disagreement, control_disagreement,
           excess, length_ratio, calls_equal, refusal_change
    FROM compared
)
SELECT place, ordinal, repeat, request_id, request_model, route, disagreement,
       control_disagreement, excess, length_ratio, calls_equal, refusal_change
FROM ranked
WHERE place <= $most
ORDER BY place
