-- purpose: Attempts of exchanges that were not planned for their arm; must be empty.
-- tables:  results, planned
-- columns:
--   arm: Utf8, candidate or control
--   ordinal: Int32, row number of the captured exchange
--   repeat: Int32, repeat
--   attempt: Int32, attempt
-- order:   arm, ordinal, repeat, attempt
SELECT results.arm AS arm, results.ordinal AS ordinal, results.repeat AS repeat,
       results.attempt AS attempt
FROM results
LEFT JOIN planned ON planned.arm = results.arm AND planned.ordinal = results.ordinal
WHERE planned.ordinal IS NULL OR planned.excluded_reason IS NOT NULL
ORDER BY arm, ordinal, repeat, attempt
