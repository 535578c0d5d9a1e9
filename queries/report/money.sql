-- purpose: What was spent per arm: known costs, and reservations of attempts with an unknown outcome.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   spent_nanousd: Int64, known cost in nano-dollars
--   estimated_nanousd: Int64, part of it that is a reservation
--   uncertain_nanousd: Int64, most that uncertain attempts can have cost
--   attempts: Int64, attempts
-- order:   arm
SELECT arm,
       COALESCE(SUM(cost_nanousd), 0) AS spent_nanousd,
       COALESCE(SUM(cost_nanousd) FILTER (WHERE cost_estimated), 0) AS estimated_nanousd,
       COALESCE(SUM(reserved_nanousd) FILTER (WHERE error_class = 'uncertain'), 0)
           AS uncertain_nanousd,
       COUNT(*) AS attempts
FROM results
GROUP BY arm
ORDER BY arm
