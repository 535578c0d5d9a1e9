-- purpose: Latency settling after a step of a ramp (auto-scaling): the time of a step is cut into $slices equal slices, the end level is the median latency of what was due in its last quarter, and the step has settled with the first slice from which on the median of every slice stays within $band of that level.
-- tables:  load_steps, first_attempts
-- params:
--   $slices: Int64, slices of a step, a multiple of 4
--   $band: Float64, share of the end level by which the median of a settled slice may differ
-- columns:
--   arm: Utf8, candidate or control
--   load_step: Int32, step of the ramp from 1
--   offered_per_second: Float64, requests per second that the schedule offers
--   answered: Int64, answered first attempts
--   step_s: Float64, length of the step in seconds
--   end_level_ms: Float64, median latency of the last quarter
--   highest_ms: Float64, highest median of a slice
--   settling_s: Float64, from the begin of the step to that of the first settled slice; NULL when even the last quarter does not stay within the band
-- order:   arm, load_step
WITH placed AS (
    SELECT steps.arm, steps.load_step, steps.offered_per_second, steps.answered,
           (steps.ends_us - steps.begins_us) / 1000000.0 AS step_s,
           LEAST((scheduled_us - begins_us) * CAST($slices AS BIGINT) / (ends_us - begins_us),
                 CAST($slices AS BIGINT) - 1) AS slice,
           answered_ms
    FROM load_steps AS steps
    JOIN first_attempts AS attempts
        ON attempts.arm = steps.arm AND attempts.load_step = steps.load_step
    WHERE answered_ms IS NOT NULL AND ends_us > begins_us
),
slices AS (
    SELECT arm, load_step, slice, quantile_ci(answered_ms, 0.5) AS median
    FROM placed
    GROUP BY arm, load_step, slice
),
levels AS (
    SELECT arm, load_step, offered_per_second, answered, step_s,
           quantile_ci(CASE WHEN slice >= CAST($slices AS BIGINT) * 3 / 4 THEN answered_ms END, 0.5)
               AS level
    FROM placed
    GROUP BY arm, load_step, offered_per_second, answered, step_s
),
compared AS (
    SELECT levels.arm, levels.load_step, offered_per_second, answered, step_s,
           level['value'] AS end_level_ms, slices.slice, median['value'] AS median_ms,
           ABS(median['value'] - level['value']) > CAST($band AS DOUBLE) * level['value'] AS outside
    FROM levels
    JOIN slices ON slices.arm = levels.arm AND slices.load_step = levels.load_step
),
settled AS (
    SELECT arm, load_step, offered_per_second, answered, step_s, end_level_ms,
           MAX(median_ms) AS highest_ms,
           MAX(CASE WHEN outside THEN slice END) AS last_outside
    FROM compared
    GROUP BY arm, load_step, offered_per_second, answered, step_s, end_level_ms
)
SELECT arm, load_step, offered_per_second, answered, step_s, end_level_ms, highest_ms,
       CASE
           WHEN end_level_ms IS NULL THEN NULL
           WHEN last_outside IS NULL THEN 0.0
           WHEN last_outside < CAST($slices AS BIGINT) * 3 / 4
               THEN (last_outside + 1) * step_s / CAST($slices AS DOUBLE)
       END AS settling_s
FROM settled
ORDER BY arm, load_step
