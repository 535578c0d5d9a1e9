-- purpose: What is not sent to each arm, and why.
-- tables:  planned
-- columns:
--   arm: Utf8, candidate or control
--   excluded_reason: Utf8, why it is not sent
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all captured exchanges
-- order:   arm, excluded_reason
SELECT arm, excluded_reason, exchanges, CAST(exchanges AS DOUBLE) / captured AS share
FROM (
    SELECT arm, excluded_reason, COUNT(*) AS exchanges,
           SUM(COUNT(*)) OVER (PARTITION BY arm) AS captured
    FROM planned
    GROUP BY arm, excluded_reason
)
WHERE excluded_reason IS NOT NULL
ORDER BY arm, excluded_reason
