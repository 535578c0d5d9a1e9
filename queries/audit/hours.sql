-- purpose: Traffic by weekday and hour of day in UTC: 168 cells, each with its exchanges and its busiest minute.
-- tables:  capture
-- columns:
--   weekday: Int64, day of the week from 1 (Monday) to 7 (Sunday)
--   hour: Int64, hour of the day from 0 to 23, UTC
--   exchanges: Int64, captured exchanges in the cell
--   hours_covered: Float64, hours of the cell between the first and the last exchange
--   per_hour: Float64, exchanges per covered hour; NULL when the capture never saw the cell
--   peak_per_minute: Int64, most exchanges in one minute of the cell
-- order:   weekday, hour
WITH minutes AS (
    SELECT at_us / 60000000 AS minute, COUNT(*) AS exchanges, MIN(at_us) AS first_us,
           MAX(at_us) AS last_us
    FROM (SELECT CAST(captured_at AS BIGINT) AS at_us FROM capture)
    WHERE at_us >= 1420070400000000
    GROUP BY at_us / 60000000
),
span AS (
    SELECT MIN(first_us) AS first_us, MAX(last_us) AS last_us FROM minutes
),
open_hours AS (
    SELECT (hour / 24 + 3) % 7 * 24 + hour % 24 AS cell,
           SUM(LEAST(last_us, (hour + 1) * 3600000000) - GREATEST(first_us, hour * 3600000000))
               AS open_us
    FROM (
        SELECT unnest(range(first_us / 3600000000, last_us / 3600000000 + 1)) AS hour,
               first_us, last_us
        FROM span
        WHERE first_us IS NOT NULL
    )
    GROUP BY (hour / 24 + 3) % 7 * 24 + hour % 24
),
used AS (
    SELECT (minute / 1440 + 3) % 7 * 24 + minute / 60 % 24 AS cell,
           SUM(exchanges) AS exchanges, MAX(exchanges) AS peak_per_minute
    FROM minutes
    GROUP BY (minute / 1440 + 3) % 7 * 24 + minute / 60 % 24
),
cells AS (
    SELECT unnest(range(0, 168)) AS cell FROM span WHERE first_us IS NOT NULL
)
SELECT cells.cell / 24 + 1 AS weekday,
       cells.cell % 24 AS hour,
       COALESCE(used.exchanges, 0) AS exchanges,
       COALESCE(open_hours.open_us, 0) / 3600000000.0 AS hours_covered,
       COALESCE(used.exchanges, 0) * 3600000000.0 / NULLIF(open_hours.open_us, 0) AS per_hour,
       COALESCE(used.peak_per_minute, 0) AS peak_per_minute
FROM cells
LEFT JOIN used ON used.cell = cells.cell
LEFT JOIN open_hours ON open_hours.cell = cells.cell
ORDER BY weekday, hour
