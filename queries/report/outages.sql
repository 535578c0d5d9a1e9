-- purpose: Stretches of a replay in which an arm was out: consecutive attempts that all met an outage's failure (nobody there, no answer in time, a 5xx).
-- tables:  results
-- params:
--   $min_attempts: Int64, shorter stretches are left out
-- columns:
--   arm: Utf8, candidate or control
--   start_s: Float64, first attempt of the stretch, in seconds since the first attempt of the replay
--   from_at: Utf8, first attempt of the stretch, UTC
--   to_at: Utf8, the next attempt that met no outage, UTC; null where none came
--   outage_ms: Float64, from the one to the other, or to the last attempt, in ms
--   attempts: Int64, attempts that met it
--   cost_nanousd: Int64, what they were booked at
-- order:   arm, from_at
WITH marked AS (
    SELECT arm, CAST(sent_at AS BIGINT) AS at_us, ordinal, repeat, attempt, cost_nanousd,
           COALESCE(error_class, '') IN (
               'overloaded', 'server_error', 'timeout_connect', 'timeout_first_token',
               'timeout_idle', 'timeout_total', 'tls', 'dns', 'refused') AS out
    FROM results
    WHERE error_class IS NULL OR error_class <> 'uncertain'
),
counted AS (
    SELECT arm, at_us, cost_nanousd, out,
           SUM(CASE WHEN out THEN 0 ELSE 1 END)
               OVER (PARTITION BY arm ORDER BY at_us, ordinal, repeat, attempt
                     ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS healthy_before
    FROM marked
),
stretches AS (
    SELECT arm, healthy_before,
           MIN(at_us) AS from_us,
           MAX(at_us) AS last_us,
           COUNT(*) AS attempts,
           SUM(cost_nanousd) AS cost_nanousd
    FROM counted
    WHERE out
    GROUP BY arm, healthy_before
),
healthy AS (
    SELECT arm, healthy_before, at_us FROM counted WHERE NOT out
)
SELECT stretches.arm,
       (from_us - began) / 1e6 AS start_s,
       to_char(to_timestamp_micros(from_us), '%Y-%m-%dT%H:%M:%S%.3fZ') AS from_at,
       to_char(to_timestamp_micros(healthy.at_us), '%Y-%m-%dT%H:%M:%S%.3fZ') AS to_at,
       (COALESCE(healthy.at_us, last_us) - from_us) / 1000.0 AS outage_ms,
       attempts,
       stretches.cost_nanousd
FROM stretches
CROSS JOIN (SELECT MIN(at_us) AS began FROM marked) AS replay
LEFT JOIN healthy
    ON healthy.arm = stretches.arm AND healthy.healthy_before = stretches.healthy_before + 1
WHERE attempts >= CAST($min_attempts AS BIGINT)
ORDER BY stretches.arm, from_at
