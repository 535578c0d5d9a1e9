-- purpose: Throughput against demand: requests and tokens in the busiest hour and minute of the capture beside the most that each arm answered within a window of the replay, per minute.
-- tables:  capture, results
-- params:
--   $window_s: Int64, length of a window of the replay in seconds; windows follow each other from the first sending on
-- columns:
--   arm: Utf8, candidate or control
--   span: Utf8, hour or minute
--   measure: Utf8, requests or tokens
--   begins_at: Utf8, when the busiest hour or minute of the capture begins, UTC
--   demand: Int64, requests or input and output tokens in it
--   demand_per_minute: Float64, the same per minute
--   answered_per_minute: Float64, most that the arm answered in one window, per minute
--   answered_share: Float64, that over the demand; from 1 on the demand was met
-- order:   arm, span, measure
WITH arrivals AS (
    -- What the gateway answered from its own cache reaches no provider.
    SELECT CAST(captured_at AS BIGINT) AS at_us, input_tokens + output_tokens AS tokens
    FROM capture
    WHERE cache_hit IS DISTINCT FROM TRUE AND CAST(captured_at AS BIGINT) >= 1420070400000000
),
spans AS (
    SELECT span, minutes, at_us / (minutes * 60000000) AS place, COUNT(*) AS requests,
           COALESCE(SUM(tokens), 0) AS tokens
    FROM arrivals
    CROSS JOIN (
        SELECT 'hour' AS span, 60 AS minutes
        UNION ALL
        SELECT 'minute' AS span, 1 AS minutes
    ) AS widths
    GROUP BY span, minutes, at_us / (minutes * 60000000)
),
demands AS (
    SELECT span, minutes, measure, place,
           CASE measure WHEN 'requests' THEN requests ELSE tokens END AS demand
    FROM spans
    CROSS JOIN (SELECT unnest(make_array('requests', 'tokens')) AS measure) AS measures
),
busiest AS (
    SELECT span, minutes, measure, place, demand,
           ROW_NUMBER() OVER (PARTITION BY span, measure ORDER BY demand DESC, place) AS rank
    FROM demands
),
answers AS (
    SELECT arm, CAST(sent_at AS BIGINT) + CAST(latency_ms * 1000 AS BIGINT) AS ended_us,
           COALESCE(input_tokens, 0) + COALESCE(output_tokens, 0) AS tokens
    FROM results
    WHERE error_class IS NULL
),
began AS (
    SELECT arm, MIN(CAST(sent_at AS BIGINT)) AS began_us FROM results GROUP BY arm
),
windows AS (
    SELECT answers.arm, COUNT(*) AS requests, SUM(tokens) AS tokens
    FROM answers
    JOIN began ON began.arm = answers.arm
    GROUP BY answers.arm, (ended_us - began_us) / (CAST($window_s AS BIGINT) * 1000000)
),
answered AS (
    SELECT began.arm, COALESCE(MAX(requests), 0) AS requests, COALESCE(MAX(tokens), 0) AS tokens
    FROM began
    LEFT JOIN windows ON windows.arm = began.arm
    GROUP BY began.arm
),
rates AS (
    SELECT answered.arm, span, measure, place, minutes, demand,
           CAST(demand AS DOUBLE) / minutes AS demand_per_minute,
           CASE measure WHEN 'requests' THEN requests ELSE tokens END * 60.0
               / CAST($window_s AS DOUBLE) AS answered_per_minute
    FROM busiest CROSS JOIN answered
    WHERE busiest.rank = 1 AND demand > 0
)
SELECT arm, span, measure,
       to_char(to_timestamp_micros(place * minutes * 60000000), '%Y-%m-%dT%H:%M:%SZ')
           AS begins_at,
       demand, demand_per_minute, answered_per_minute,
       answered_per_minute / demand_per_minute AS answered_share
FROM rates
ORDER BY arm, span, measure
