-- purpose: The knee of a ramp under one limit: the highest offered rate that was sustained with the measure's upper bound within the limit and below which no step failed; a step is sustained when answers came back at $min_throughput of the offered rate or more (see load_steps), and it fails when it was not sustained or even the lower bound is beyond the limit; what is between is undecided.
-- tables:  load_steps, first_attempts
-- params:
--   $measure: Utf8, latency_ms or ttft_ms or tpot_ms or error_rate or rate_limit_rate; throughput for no limit but the sustained rate
--   $p: Float64, quantile of a duration between 0 and 1; of no effect on the others
--   $limit: Float64, limit in ms or as a share; of no effect on throughput
--   $confidence: Float64, level of each one-sided bound
--   $min_throughput: Float64, least share of the offered rate at which answers must come back
-- columns:
--   arm: Utf8, candidate or control
--   steps: Int64, steps of the ramp
--   highest_per_second: Float64, highest offered rate
--   holds_step: Int32, step of the knee; NULL when no step was shown to hold
--   holds_per_second: Float64, its offered rate: the knee
--   holds_value: Float64, the measure there
--   holds_high: Float64, its upper one-sided bound
--   fails_step: Int32, step of the lowest offered rate that fails; NULL when none does
--   fails_per_second: Float64, its offered rate
--   fails_value: Float64, the measure there
--   fails_low: Float64, its lower one-sided bound
--   fails_achieved_share: Float64, answers per second over the offered rate there
--   fails_by: Utf8, throughput or limit
--   undecided: Int64, steps that neither hold nor fail
-- order:   arm
WITH measured AS (
    SELECT arm, load_step,
           quantile_clustered_ci(
               CASE $measure
                   WHEN 'latency_ms' THEN latency_ms
                   WHEN 'ttft_ms' THEN ttft_ms
                   WHEN 'tpot_ms' THEN tpot_ms
               END,
               cluster_id, CAST($p AS DOUBLE), CAST($confidence AS DOUBLE), CAST(NULL AS DOUBLE))
               AS duration,
           rate_ci(
               CASE $measure
                   WHEN 'error_rate' THEN CASE kind WHEN 'none' THEN 0 WHEN 'failure' THEN 1 END
                   WHEN 'rate_limit_rate' THEN CASE kind WHEN 'rate_limit' THEN 1 ELSE 0 END
               END,
               cluster_id, CAST($confidence AS DOUBLE)) AS share
    FROM first_attempts
    WHERE load_step IS NOT NULL
    GROUP BY arm, load_step
),
bounds AS (
    SELECT arm, load_step,
           COALESCE(duration['value'], share['value']) AS value,
           COALESCE(duration['low'], share['low']) AS low,
           COALESCE(duration['high'], share['high']) AS high
    FROM measured
),
judged AS (
    SELECT steps.arm, steps.load_step, offered_per_second, achieved_share, value, low, high,
           COALESCE(achieved_share >= CAST($min_throughput AS DOUBLE), FALSE) AS sustained,
           $measure = 'throughput' OR COALESCE(high <= CAST($limit AS DOUBLE), FALSE) AS within,
           $measure <> 'throughput' AND COALESCE(low > CAST($limit AS DOUBLE), FALSE) AS beyond
    FROM load_steps AS steps
    JOIN bounds ON bounds.arm = steps.arm AND bounds.load_step = steps.load_step
),
states AS (
    SELECT arm, load_step, offered_per_second, achieved_share, value, low, high, sustained, within,
           NOT sustained OR beyond AS fails,
           MIN(CASE WHEN NOT sustained OR beyond THEN offered_per_second END)
               OVER (PARTITION BY arm) AS first_failing
    FROM judged
),
ranked AS (
    SELECT arm, load_step, offered_per_second, achieved_share, value, low, high, sustained, fails,
           within AND NOT fails AS holds,
           ROW_NUMBER() OVER (
               PARTITION BY arm, within AND NOT fails
                   AND COALESCE(offered_per_second < first_failing, TRUE)
               ORDER BY offered_per_second DESC, load_step DESC) AS from_above,
           within AND NOT fails AND COALESCE(offered_per_second < first_failing, TRUE)
               AS holds_below_failure,
           ROW_NUMBER() OVER (PARTITION BY arm, fails ORDER BY offered_per_second, load_step)
               AS from_below
    FROM states
)
SELECT arm,
       COUNT(*) AS steps,
       MAX(offered_per_second) AS highest_per_second,
       MAX(CASE WHEN holds_below_failure AND from_above = 1 THEN load_step END) AS holds_step,
       MAX(CASE WHEN holds_below_failure AND from_above = 1 THEN offered_per_second END)
           AS holds_per_second,
       MAX(CASE WHEN holds_below_failure AND from_above = 1 THEN value END) AS holds_value,
       MAX(CASE WHEN holds_below_failure AND from_above = 1 THEN high END) AS holds_high,
       MAX(CASE WHEN fails AND from_below = 1 THEN load_step END) AS fails_step,
       MAX(CASE WHEN fails AND from_below = 1 THEN offered_per_second END) AS fails_per_second,
       MAX(CASE WHEN fails AND from_below = 1 THEN value END) AS fails_value,
       MAX(CASE WHEN fails AND from_below = 1 THEN low END) AS fails_low,
       MAX(CASE WHEN fails AND from_below = 1 THEN achieved_share END) AS fails_achieved_share,
       MAX(CASE WHEN fails AND from_below = 1
                THEN CASE WHEN sustained THEN 'limit' ELSE 'throughput' END END) AS fails_by,
       COUNT(*) FILTER (WHERE NOT holds AND NOT fails) AS undecided
FROM ranked
GROUP BY arm
ORDER BY arm
