-- purpose: What became of every captured exchange, per arm and repeat.
-- tables:  pairs
-- columns:
--   arm: Utf8, candidate or control
--   repeat: Int32, repeat from 1
--   outcome: Utf8, excluded or done or failed or uncertain or not_sent
--   excluded_reason: Utf8, why it is excluded
--   exchanges: Int64, captured exchanges
-- order:   arm, repeat, outcome, excluded_reason
SELECT arm, repeat, outcome, excluded_reason, COUNT(*) AS exchanges
FROM pairs
GROUP BY arm, repeat, outcome, excluded_reason
ORDER BY arm, repeat, outcome, excluded_reason
