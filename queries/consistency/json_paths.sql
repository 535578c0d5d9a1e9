-- purpose: Where JSON answers of an arm differ from the captured ones, by path, beside how often the control differs there.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
--   $array_order: Utf8, ordered or free
--   $tolerance: Float64, share by which numbers may differ
-- columns:
--   path: Utf8, path with every array index as [*]
--   kind: Utf8, removed or added or type or value
--   exchanges: Int64, exchanges and repeats that differ so
--   compared: Int64, exchanges and repeats in which both answers are JSON
--   share: Float64, exchanges over compared
--   control_compared: Int64, those of compared that the control answered in JSON too
--   only_candidate: Int64, among those, the candidate differs there and the control does not
--   only_control: Int64, among those, the control differs there and the candidate does not
-- order:   exchanges descending, path, kind
WITH compared AS (
    SELECT arm, is_control, ordinal, repeat,
           json_diff(captured_text, final_text, $array_order, $tolerance) AS differences
    FROM pairs
    WHERE (arm = $arm OR is_control) AND captured_comparable AND final_comparable
      AND is_json(captured_text) AND is_json(final_text)
),
listed AS (
    SELECT arm, is_control, ordinal, repeat, unnest(differences) AS difference
    FROM compared
),
differing AS (
    SELECT DISTINCT arm, is_control, ordinal, repeat,
           regexp_replace(difference['path'], '\[[0-9]+\]', '[*]', 'g') AS path,
           difference['kind'] AS kind
    FROM listed
    WHERE difference['path'] IS NOT NULL
),
of_candidate AS (
    SELECT ordinal, repeat, path, kind FROM differing WHERE arm = $arm
),
of_control AS (
    SELECT ordinal, repeat, path, kind FROM differing WHERE is_control
),
both_compared AS (
    SELECT candidate.ordinal, candidate.repeat
    FROM compared AS candidate
    JOIN compared AS control
      ON control.ordinal = candidate.ordinal AND control.repeat = candidate.repeat
    WHERE candidate.arm = $arm AND control.is_control
),
totals AS (
    SELECT (SELECT COUNT(*) FROM compared WHERE arm = $arm) AS compared,
           (SELECT COUNT(*) FROM both_compared) AS control_compared
),
matched AS (
    SELECT COALESCE(of_candidate.path, of_control.path) AS path,
           COALESCE(of_candidate.kind, of_control.kind) AS kind,
           of_candidate.path IS NOT NULL AS candidate_differs,
           of_control.path IS NOT NULL AS control_differs,
           COALESCE(of_candidate.ordinal, of_control.ordinal) AS ordinal,
           COALESCE(of_candidate.repeat, of_control.repeat) AS repeat
    FROM of_candidate
    FULL JOIN of_control
      ON of_control.ordinal = of_candidate.ordinal AND of_control.repeat = of_candidate.repeat
     AND of_control.path = of_candidate.path AND of_control.kind = of_candidate.kind
)
SELECT matched.path, matched.kind,
       COUNT(*) FILTER (WHERE candidate_differs) AS exchanges,
       MAX(totals.compared) AS compared,
       CAST(COUNT(*) FILTER (WHERE candidate_differs) AS DOUBLE) / NULLIF(MAX(totals.compared), 0)
           AS share,
       MAX(totals.control_compared) AS control_compared,
       COUNT(*) FILTER (WHERE candidate_differs AND NOT control_differs
                          AND both_compared.ordinal IS NOT NULL) AS only_candidate,
       COUNT(*) FILTER (WHERE control_differs AND NOT candidate_differs
                          AND both_compared.ordinal IS NOT NULL) AS only_control
FROM matched
CROSS JOIN totals
LEFT JOIN both_compared
  ON both_compared.ordinal = matched.ordinal AND both_compared.repeat = matched.repeat
GROUP BY matched.path, matched.kind
ORDER BY exchanges DESC, path, kind
