-- purpose: Whether the capture covers at least two weeks of production traffic, with days and hours counted from 2015 on in UTC.
-- tables:  capture
-- columns:
--   first_at: Utf8, first exchange, UTC
--   last_at: Utf8, last exchange, UTC
--   exchanges: Int64, exchanges with a time from 2015 on
--   days_covered: Float64, days from the first to the last exchange
--   days_with_traffic: Int64, calendar days with at least one exchange
--   weekdays_present: Int64, different days of the week with traffic
--   hours_covered: Int64, clock hours from the first to the last exchange
--   hours_without_traffic: Int64, clock hours among them without any exchange
--   two_weeks: Boolean, at least 14 days are covered (0.1 forgiven), 14 with traffic
-- order:   first_at
SELECT to_char(to_timestamp_micros(first_us), '%Y-%m-%dT%H:%M:%SZ') AS first_at,
       to_char(to_timestamp_micros(last_us), '%Y-%m-%dT%H:%M:%SZ') AS last_at,
       exchanges,
       (last_us - first_us) / 86400000000.0 AS days_covered,
       days_with_traffic, weekdays_present,
       last_us / 3600000000 - first_us / 3600000000 + 1 AS hours_covered,
       last_us / 3600000000 - first_us / 3600000000 + 1 - hours_with_traffic
           AS hours_without_traffic,
       -- Quiet nights at both ends make 14 days of logs a little shorter: 0.1 days are forgiven.
       last_us - first_us >= 13.9 * 86400000000
           AND days_with_traffic >= 14 AS two_weeks
FROM (
    SELECT MIN(first_us) AS first_us, MAX(last_us) AS last_us, SUM(exchanges) AS exchanges,
           COUNT(DISTINCT hour / 24) AS days_with_traffic,
           COUNT(DISTINCT (hour / 24 + 3) % 7) AS weekdays_present,
           COUNT(*) AS hours_with_traffic
    FROM (
        SELECT at_us / 3600000000 AS hour, MIN(at_us) AS first_us, MAX(at_us) AS last_us,
               COUNT(*) AS exchanges
        FROM (SELECT CAST(captured_at AS BIGINT) AS at_us FROM capture)
        WHERE at_us >= 1420070400000000
        GROUP BY at_us / 3600000000
    )
)
WHERE exchanges > 0
ORDER BY first_at
