-- purpose: Share of the captured requests that limits per minute would reject at the arrivals of the capture, over all of it and in its busiest hours and minutes; the limits are token buckets (see limit_rejections), and what is rejected is not sent again.
-- tables:  capture
-- params:
--   $rpm: Float64, requests per minute; inf for no limit
--   $tpm: Float64, input and output tokens per minute; inf for no limit
--   $burst_s: Float64, seconds of the limit that may be used at once: 60 where a provider counts by the minute, 1 where it enforces the limit by the second
-- columns:
--   part: Utf8, (all) or the busiest hour or minute by requests or by tokens
--   begins_at: Utf8, when the part begins, UTC; NULL for all
--   requests: Int64, captured requests that reach the provider
--   with_tokens: Int64, requests with known tokens; the others count as none
--   rejected: Int64, requests that the limits reject
--   rejected_share: Float64, their share
-- order:   part
WITH arrivals AS (
    -- What the gateway answered from its own cache reaches no provider.
    SELECT CAST(captured_at AS BIGINT) AS at_us, input_tokens + output_tokens AS tokens
    FROM capture
    WHERE cache_hit IS DISTINCT FROM TRUE AND CAST(captured_at AS BIGINT) >= 1420070400000000
),
spans AS (
    SELECT span, width_us, at_us / width_us AS place, COUNT(*) AS requests,
           COALESCE(SUM(tokens), 0) AS tokens
    FROM arrivals
    CROSS JOIN (
        SELECT 'hour' AS span, 3600000000 AS width_us
        UNION ALL
        SELECT 'minute' AS span, 60000000 AS width_us
    ) AS widths
    GROUP BY span, width_us, at_us / width_us
),
ranked AS (
    SELECT span, width_us, place,
           ROW_NUMBER() OVER (PARTITION BY span ORDER BY requests DESC, place) AS by_requests,
           ROW_NUMBER() OVER (PARTITION BY span ORDER BY tokens DESC, place) AS by_tokens
    FROM spans
),
parts AS (
    SELECT '(all)' AS part, CAST(NULL AS BIGINT) AS from_us, CAST(NULL AS BIGINT) AS to_us
    UNION ALL
    SELECT span || ' of most requests' AS part, place * width_us AS from_us,
           (place + 1) * width_us AS to_us
    FROM ranked
    WHERE by_requests = 1
    UNION ALL
    SELECT span || ' of most tokens' AS part, place * width_us AS from_us,
           (place + 1) * width_us AS to_us
    FROM ranked
    WHERE by_tokens = 1
),
marked AS (
    SELECT part, from_us, at_us, tokens,
           from_us IS NULL OR (at_us >= from_us AND at_us < to_us) AS inside
    FROM parts CROSS JOIN arrivals
),
simulated AS (
    SELECT part, from_us,
           COUNT(tokens) FILTER (WHERE inside) AS with_tokens,
           limit_rejections(at_us, COALESCE(tokens, 0), CASE WHEN inside THEN 1 ELSE 0 END,
                            CAST($rpm AS DOUBLE), CAST($tpm AS DOUBLE), CAST($burst_s AS DOUBLE))
               AS rejections
    FROM marked
    GROUP BY part, from_us
)
SELECT part,
       to_char(to_timestamp_micros(from_us), '%Y-%m-%dT%H:%M:%SZ') AS begins_at,
       rejections['n'] AS requests,
       with_tokens,
       rejections['events'] AS rejected,
       rejections['value'] AS rejected_share
FROM simulated
ORDER BY part
