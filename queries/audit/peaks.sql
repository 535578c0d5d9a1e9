-- purpose: The load that a candidate must bear: requests and tokens in the busiest and in the 99.9th percentile minute, and calls in flight at once; the limit to ask for is the peak times 1.2, rounded up to a whole number.
-- tables:  capture
-- columns:
--   measure: Utf8, concurrency or requests_per_minute or tokens_per_minute
--   n: Int64, exchanges that it rests on: with a latency for concurrency, with known tokens for tokens
--   minutes: Int64, clock minutes from the first to the last exchange, silent ones included
--   p999: Int64, 99.9th percentile over these minutes; NULL for concurrency
--   peak: Int64, highest value
--   peak_at: Utf8, when it was first reached, UTC
--   ask: Int64, limit to ask of a candidate: the peak times 1.2, rounded up
-- order:   measure
WITH dated AS (
    SELECT CAST(captured_at AS BIGINT) AS at_us, input_tokens + output_tokens AS tokens, latency_ms
    FROM capture
),
minutes AS (
    SELECT at_us / 60000000 AS minute, COUNT(*) AS requests, COUNT(tokens) AS with_tokens,
           COALESCE(SUM(tokens), 0) AS tokens
    FROM dated
    WHERE at_us >= 1420070400000000
    GROUP BY at_us / 60000000
),
span AS (
    SELECT MAX(minute) - MIN(minute) + 1 AS minutes FROM minutes
),
loads AS (
    SELECT measures.measure, minute,
           CASE measures.measure WHEN 'requests_per_minute' THEN requests ELSE tokens END
               AS amount,
           CASE measures.measure WHEN 'requests_per_minute' THEN requests ELSE with_tokens END
               AS n
    FROM minutes
    CROSS JOIN (
        SELECT unnest(make_array('requests_per_minute', 'tokens_per_minute')) AS measure
    ) AS measures
),
ranked AS (
    SELECT measure, minute, amount, n,
           ROW_NUMBER() OVER (PARTITION BY measure ORDER BY amount DESC, minute) AS place
    FROM loads
),
per_minute AS (
    -- The percentile is the value at place ceil(0.999 * minutes) from below; beyond the minutes
    -- with traffic it is a silent one.
    SELECT ranked.measure, SUM(ranked.n) AS n, MAX(span.minutes) AS minutes,
           COALESCE(MAX(CASE WHEN place = span.minutes
                             - (span.minutes * 999 + 999) / 1000 + 1 THEN amount END), 0) AS p999,
           MAX(amount) AS peak,
           MAX(CASE WHEN place = 1 THEN minute * 60000000 END) AS peak_us
    FROM ranked CROSS JOIN span
    GROUP BY ranked.measure
),
steps AS (
    SELECT at_us AS moment, 1 AS step FROM dated
    WHERE latency_ms >= 0 AND latency_ms < 86400000 AND at_us >= 1420070400000000
    UNION ALL
    SELECT at_us + CAST(latency_ms * 1000 AS BIGINT) AS moment, -1 AS step FROM dated
    WHERE latency_ms >= 0 AND latency_ms < 86400000 AND at_us >= 1420070400000000
),
moments AS (
    -- A call still counts in the moment in which it ends.
    SELECT moment, SUM(step) FILTER (WHERE step > 0) AS begun, SUM(step) AS step,
           COUNT(*) FILTER (WHERE step > 0) AS n
    FROM steps
    GROUP BY moment
),
in_flight AS (
    SELECT moment, n,
           SUM(step) OVER (ORDER BY moment ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
               - step + COALESCE(begun, 0) AS calls
    FROM moments
),
by_calls AS (
    SELECT calls, MIN(moment) AS first_us, SUM(n) AS n FROM in_flight GROUP BY calls
),
concurrency AS (
    SELECT calls, first_us, SUM(n) OVER () AS n, ROW_NUMBER() OVER (ORDER BY calls DESC) AS place
    FROM by_calls
),
measures AS (
    SELECT measure, n, minutes, p999, peak, peak_us FROM per_minute
    UNION ALL
    SELECT 'concurrency' AS measure, concurrency.n, span.minutes, CAST(NULL AS BIGINT) AS p999,
           concurrency.calls AS peak, concurrency.first_us AS peak_us
    FROM concurrency CROSS JOIN span
    WHERE concurrency.place = 1 AND concurrency.n > 0
)
SELECT measure, n, minutes, p999, peak,
       to_char(to_timestamp_micros(peak_us), '%Y-%m-%dT%H:%M:%SZ') AS peak_at,
       (peak * 6 + 4) / 5 AS ask
FROM measures
WHERE n > 0
ORDER BY measure
