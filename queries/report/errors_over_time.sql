-- purpose: Attempts and failures in slices of the replay, per arm.
-- tables:  results
-- params:
--   $slices: Int64, number of slices
-- columns:
--   arm: Utf8, candidate or control
--   slice: Int64, slice from 0
--   width_us: Int64, length of a slice in microseconds
--   attempts: Int64, attempts sent in the slice
--   errors: Int64, failures among them
-- order:   arm, slice
WITH span AS (
    SELECT MIN(CAST(sent_at AS BIGINT)) AS began,
           (MAX(CAST(sent_at AS BIGINT)) - MIN(CAST(sent_at AS BIGINT))) / CAST($slices AS BIGINT)
               + 1 AS width_us
    FROM results
)
SELECT arm,
       (CAST(sent_at AS BIGINT) - began) / width_us AS slice,
       width_us,
       COUNT(*) AS attempts,
       COUNT(error_class) AS errors
FROM results CROSS JOIN span
GROUP BY arm, (CAST(sent_at AS BIGINT) - began) / width_us, width_us
ORDER BY arm, slice
