-- purpose: How late first attempts left against the schedule, per arm, whose doing that was, and what it hides: latency from the moment of sending beside that from the scheduled moment, as a caller on schedule would have waited (coordinated omission); a closed loop has no schedule and no slip.
-- tables:  first_attempts
-- params:
--   $late_share: Float64, an attempt is late when it left later than scheduled by more than this share of the arm's median latency
-- columns:
--   arm: Utf8, candidate or control
--   attempts: Int64, first attempts
--   late: Int64, late ones among them
--   late_share: Float64, their share
--   slip_p50_ms: Float64, median of sent minus scheduled
--   slip_p99_ms: Float64, 99th percentile of it
--   slip_max_ms: Float64, the largest
--   client_late: Int64, attempts that this program alone made late
--   client_late_share: Float64, their share
--   client_slip_p50_ms: Float64, median of the part of the slip that no limit of the plan accounts for
--   client_slip_p99_ms: Float64, 99th percentile of it
--   client_slip_max_ms: Float64, the largest
--   held_back: Int64, attempts that limits of the plan held back
--   held_back_p99_ms: Float64, 99th percentile of the time that they were held back
--   latency_p50_ms: Float64, median latency of answered attempts
--   from_sent_p99_ms: Float64, 99th percentile of the latency and infinite when too many failed
--   from_schedule_p99_ms: Float64, the same with the slip added
-- order:   arm
WITH medians AS (
    SELECT arm, answered['value'] AS latency_p50_ms
    FROM (SELECT arm, quantile_ci(answered_ms, 0.5) AS answered FROM first_attempts GROUP BY arm)
),
figures AS (
    SELECT attempts.arm, medians.latency_p50_ms,
           COUNT(*) AS attempts,
           COUNT(*) FILTER (WHERE slip_ms > CAST($late_share AS DOUBLE) * latency_p50_ms) AS late,
           COUNT(*) FILTER (WHERE client_slip_ms > CAST($late_share AS DOUBLE) * latency_p50_ms)
               AS client_late,
           COUNT(*) FILTER (WHERE held_back_ms > 0) AS held_back,
           quantile_ci(slip_ms, 0.5) AS slip_p50,
           quantile_ci(slip_ms, 0.99) AS slip_p99,
           MAX(slip_ms) AS slip_max_ms,
           quantile_ci(client_slip_ms, 0.5) AS client_p50,
           quantile_ci(client_slip_ms, 0.99) AS client_p99,
           MAX(client_slip_ms) AS client_slip_max_ms,
           quantile_ci(held_back_ms, 0.99) AS held_back_p99,
           quantile_ci(latency_ms, 0.99) AS from_sent,
           quantile_ci(latency_ms + slip_ms, 0.99) AS from_schedule
    FROM first_attempts AS attempts
    JOIN medians ON medians.arm = attempts.arm
    GROUP BY attempts.arm, medians.latency_p50_ms
)
SELECT arm, attempts, late,
       CAST(late AS DOUBLE) / attempts AS late_share,
       slip_p50['value'] AS slip_p50_ms,
       slip_p99['value'] AS slip_p99_ms,
       slip_max_ms,
       client_late,
       CAST(client_late AS DOUBLE) / attempts AS client_late_share,
       client_p50['value'] AS client_slip_p50_ms,
       client_p99['value'] AS client_slip_p99_ms,
       client_slip_max_ms,
       held_back,
       held_back_p99['value'] AS held_back_p99_ms,
       latency_p50_ms,
       from_sent['value'] AS from_sent_p99_ms,
       from_schedule['value'] AS from_schedule_p99_ms
FROM figures
ORDER BY arm
