-- purpose: The ten longest silences between one exchange and the next, beside the usual ones.
-- tables:  capture
-- columns:
--   from_at: Utf8, last exchange before the silence, UTC
--   to_at: Utf8, first exchange after it, UTC
--   silence_ms: Float64, its length in ms
--   usual_ms: Float64, 99th percentile of all silences in ms
--   times_usual: Float64, its length over the usual one
--   n: Int64, silences, one fewer than exchanges
-- order:   silence_ms, from_at
WITH silences AS (
    SELECT from_us, at_us AS to_us, at_us - from_us AS silence_us
    FROM (
        SELECT at_us, LAG(at_us) OVER (ORDER BY at_us) AS from_us
        FROM (SELECT CAST(captured_at AS BIGINT) AS at_us FROM capture)
        WHERE at_us >= 1420070400000000
    )
    WHERE from_us IS NOT NULL
),
ranked AS (
    SELECT from_us, to_us, silence_us,
           ROW_NUMBER() OVER (ORDER BY silence_us DESC, from_us) AS place,
           COUNT(*) OVER () AS n
    FROM silences
),
rated AS (
    SELECT from_us, to_us, silence_us, place, n,
           MAX(CASE WHEN place = n - (n * 99 + 99) / 100 + 1 THEN silence_us END) OVER ()
               AS usual_us
    FROM ranked
)
SELECT to_char(to_timestamp_micros(from_us), '%Y-%m-%dT%H:%M:%SZ') AS from_at,
       to_char(to_timestamp_micros(to_us), '%Y-%m-%dT%H:%M:%SZ') AS to_at,
       silence_us / 1000.0 AS silence_ms,
       usual_us / 1000.0 AS usual_ms,
       CAST(silence_us AS DOUBLE) / NULLIF(usual_us, 0) AS times_usual,
       n
FROM rated
WHERE place <= 10
ORDER BY silence_us DESC, from_us
