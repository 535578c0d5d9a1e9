-- purpose: Recovery after a 429 or an outage: bursts of failed attempts (an incident ends before the first run of $successes successes in the order of sending), and the time from the sending of the first failure to the end of the first answer that lasts; faults of our own configuration are left out.
-- tables:  results
-- params:
--   $successes: Int64, successes in a row that end an incident
--   $min_failures: Int64, incidents with fewer failures are not listed
--   $most: Int64, incidents listed per arm, those of most failures
-- columns:
--   arm: Utf8, candidate or control
--   incident: Int64, number of the incident within the arm, from 1
--   kind: Utf8, rate_limit or failure or mixed
--   begins_s: Float64, sending of its first failure in seconds since the arm's first sending
--   failures: Int64, attempts that failed in it
--   attempts: Int64, attempts sent from its first to its last failure
--   failing_ms: Float64, from the sending of the first to that of the last failure
--   retry_after_ms: Int64, longest wait that the provider asked for
--   recovery_ms: Float64, from the sending of the first failure to the end of the first lasting answer; NULL when the replay ended first
--   incidents: Int64, incidents of the arm with at least $min_failures failures
--   unrecovered: Int64, incidents among them that did not end within the replay
-- order:   arm, incident
WITH attempts AS (
    SELECT arm, CAST(sent_at AS BIGINT) AS sent_us, latency_ms, retry_after_ms,
           error_kind(error_class) AS kind,
           CAST(ROW_NUMBER() OVER (PARTITION BY arm ORDER BY sent_at, sent_mono_ns, ordinal,
                                   repeat, attempt) AS BIGINT) AS place,
           MIN(CAST(sent_at AS BIGINT)) OVER (PARTITION BY arm) AS began_us,
           COUNT(*) OVER (PARTITION BY arm) AS arm_attempts
    FROM results
    WHERE error_kind(error_class) IN ('none', 'rate_limit', 'failure')
),
failures AS (
    SELECT arm, sent_us, kind, retry_after_ms, place, began_us, arm_attempts,
           LAG(place) OVER (PARTITION BY arm ORDER BY place) AS previous
    FROM attempts
    WHERE kind <> 'none'
),
numbered AS (
    SELECT arm, sent_us, kind, retry_after_ms, place, began_us, arm_attempts,
           SUM(CASE WHEN previous IS NULL OR place - previous > CAST($successes AS BIGINT)
                    THEN 1 ELSE 0 END)
               OVER (PARTITION BY arm ORDER BY place
                     ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst
    FROM failures
),
bursts AS (
    SELECT arm, burst, began_us, arm_attempts,
           CASE WHEN MIN(kind) = MAX(kind) THEN MIN(kind) ELSE 'mixed' END AS kind,
           COUNT(*) AS failures,
           MIN(place) AS first_place, MAX(place) AS last_place,
           MIN(sent_us) AS first_us, MAX(sent_us) AS last_us,
           MAX(retry_after_ms) AS retry_after_ms
    FROM numbered
    GROUP BY arm, burst, began_us, arm_attempts
),
incidents AS (
    SELECT bursts.arm, began_us, bursts.kind, failures,
           last_place - first_place + 1 AS attempts, first_us, last_us, bursts.retry_after_ms,
           CASE WHEN bursts.arm_attempts - last_place >= CAST($successes AS BIGINT)
                THEN (answers.sent_us - first_us) / 1000.0 + answers.latency_ms
           END AS recovery_ms,
           ROW_NUMBER() OVER (PARTITION BY bursts.arm ORDER BY first_place) AS incident
    FROM bursts
    LEFT JOIN (SELECT arm, place, sent_us, latency_ms FROM attempts) AS answers
        ON answers.arm = bursts.arm AND answers.place = bursts.last_place + 1
    WHERE failures >= CAST($min_failures AS BIGINT)
),
ranked AS (
    SELECT arm, incident, kind, began_us, first_us, last_us, failures, attempts, retry_after_ms,
           recovery_ms,
           ROW_NUMBER() OVER (PARTITION BY arm ORDER BY failures DESC, incident) AS rank,
           COUNT(*) OVER (PARTITION BY arm) AS incidents,
           COUNT(*) OVER (PARTITION BY arm)
               - COUNT(recovery_ms) OVER (PARTITION BY arm) AS unrecovered
    FROM incidents
)
SELECT arm, CAST(incident AS BIGINT) AS incident, kind,
       (first_us - began_us) / 1000000.0 AS begins_s,
       failures, attempts,
       (last_us - first_us) / 1000.0 AS failing_ms,
       retry_after_ms, recovery_ms, incidents, unrecovered
FROM ranked
WHERE rank <= CAST($most AS BIGINT)
ORDER BY arm, incident
