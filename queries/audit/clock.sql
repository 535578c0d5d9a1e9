-- purpose: Times that cannot be right: before 2015, beyond the range that the import noted, and steps back from one line of a source file to the next.
-- tables:  capture, capture_range
-- columns:
--   source_file: Utf8, file that the exchanges were read from
--   exchanges: Int64, captured exchanges
--   before_2015: Int64, exchanges dated before 2015
--   beyond_import: Int64, exchanges dated after the last time that the import noted
--   steps: Int64, steps from one line to the next
--   steps_back: Int64, steps to an earlier time
--   back_share: Float64, share of steps; near 1 the file is sorted newest first
--   largest_back_ms: Float64, largest step back in ms
-- order:   source_file
SELECT source_file,
       COUNT(*) AS exchanges,
       COUNT(*) FILTER (WHERE at_us < 1420070400000000) AS before_2015,
       COUNT(*) FILTER (WHERE at_us > to_us) AS beyond_import,
       COUNT(step_us) AS steps,
       COUNT(*) FILTER (WHERE step_us < 0) AS steps_back,
       CAST(COUNT(*) FILTER (WHERE step_us < 0) AS DOUBLE) / NULLIF(COUNT(step_us), 0)
           AS back_share,
       -MIN(CASE WHEN step_us < 0 THEN step_us END) / 1000.0 AS largest_back_ms
FROM (
    SELECT capture.source_file, capture.at_us, capture_range.to_us,
           capture.at_us - LAG(capture.at_us) OVER (
               PARTITION BY capture.source_file
               ORDER BY capture.source_line, capture.ordinal) AS step_us
    FROM (
        SELECT source_file, source_line, ordinal, CAST(captured_at AS BIGINT) AS at_us FROM capture
    ) AS capture
    CROSS JOIN capture_range
)
GROUP BY source_file
ORDER BY source_file
