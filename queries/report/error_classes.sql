-- purpose: Failures by class and arm, over first attempts and over all attempts.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   error_class: Utf8, class of the failure
--   first_attempts: Int64, first attempts that failed so
--   attempts: Int64, attempts that failed so
-- order:   arm, error_class
SELECT arm, error_class,
       COUNT(*) FILTER (WHERE "first") AS first_attempts,
       COUNT(*) AS attempts
FROM results
WHERE error_class IS NOT NULL
GROUP BY arm, error_class
ORDER BY arm, error_class
