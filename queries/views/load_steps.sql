-- purpose: Steps of a ramp with the rate that each offers and the rate at which answers came back: that between the 5th and the 95th percentile of the times of completion of its answers, so that neither the lag of one latency nor a few stragglers count as lost throughput.
-- tables:  first_attempts
-- columns:
--   arm: Utf8, candidate or control
--   load_step: Int32, step of the ramp from 1
--   offered_per_second: Float64, requests per second that the schedule offers
--   begins_us: Int64, first scheduled moment of the step in microseconds since 1970, the same for all arms
--   ends_us: Int64, when the next request after the last one would have been due
--   attempts: Int64, first attempts
--   answered: Int64, answered ones among them
--   achieved_per_second: Float64, answers per second; NULL with fewer than two
--   achieved_share: Float64, that over the offered rate
WITH placed AS (
    SELECT arm, load_step, offered_per_second, scheduled_us, ended_us, answered_ms,
           COUNT(answered_ms) OVER (PARTITION BY arm, load_step) AS answered,
           ROW_NUMBER() OVER (PARTITION BY arm, load_step, answered_ms IS NULL
                              ORDER BY ended_us, ordinal, repeat) AS place,
           MIN(scheduled_us) OVER (PARTITION BY load_step) AS begins_us
    FROM first_attempts
    WHERE load_step IS NOT NULL
),
steps AS (
    SELECT arm, load_step, begins_us, answered,
           MAX(offered_per_second) AS offered_per_second,
           MAX(scheduled_us) AS last_due_us,
           COUNT(*) AS attempts,
           MAX(CASE WHEN answered_ms IS NOT NULL AND place = 1 + answered / 20 THEN ended_us END)
               AS from_us,
           MAX(CASE WHEN answered_ms IS NOT NULL AND place = answered - answered / 20
                    THEN ended_us END) AS to_us
    FROM placed
    GROUP BY arm, load_step, begins_us, answered
),
rates AS (
    SELECT arm, load_step, offered_per_second, begins_us,
           last_due_us + CAST(1000000 / offered_per_second AS BIGINT) AS ends_us,
           attempts, answered,
           CASE WHEN to_us > from_us
                THEN (answered - 2 * (answered / 20) - 1) * 1000000.0 / (to_us - from_us)
           END AS achieved_per_second
    FROM steps
)
SELECT arm, load_step, offered_per_second, begins_us, ends_us, attempts, answered,
       achieved_per_second, achieved_per_second / offered_per_second AS achieved_share
FROM rates
