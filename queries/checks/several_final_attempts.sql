-- purpose: Exchanges with more than one first or final attempt; must be empty.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   ordinal: Int32, row number of the captured exchange
--   repeat: Int32, repeat
--   firsts: Int64, first attempts
--   finals: Int64, final attempts
-- order:   arm, ordinal, repeat
SELECT arm, ordinal, repeat,
       COUNT(*) FILTER (WHERE "first") AS firsts,
       COUNT(*) FILTER (WHERE "final") AS finals
FROM results
GROUP BY arm, ordinal, repeat
HAVING COUNT(*) FILTER (WHERE "first") > 1 OR COUNT(*) FILTER (WHERE "final") > 1
ORDER BY arm, ordinal, repeat
