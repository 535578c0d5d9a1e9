-- purpose: Attempts that stand in the results more than once; must be empty.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   ordinal: Int32, row number of the captured exchange
--   repeat: Int32, repeat
--   attempt: Int32, attempt
--   copies: Int64, rows of the attempt
-- order:   arm, ordinal, repeat, attempt
SELECT arm, ordinal, repeat, attempt, COUNT(*) AS copies
FROM results
GROUP BY arm, ordinal, repeat, attempt
HAVING COUNT(*) > 1
ORDER BY arm, ordinal, repeat, attempt
