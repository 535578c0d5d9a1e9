-- purpose: Volume and cost of a month of 30.4375 days, projected from the capture: by cells of weekday and hour once 7 days are covered, else scaled plainly by time; the band comes from the variation of whole days.
-- tables:  capture
-- columns:
--   quantity: Utf8, exchanges or input_tokens or output_tokens or recorded_nanousd (cost as the log states it) or catalogue_nanousd (cost by the price catalogue)
--   captured: Int64, its total in the capture; costs in nano-dollars
--   n: Int64, exchanges for which it is known
--   known_share: Float64, share of exchanges for which it is known; the rest adds nothing to the projection
--   method: Utf8, weekday_hour or plain or too_short (less than an hour, nothing is projected)
--   days_covered: Float64, days from the first to the last exchange
--   full_days: Int64, whole calendar days among them, UTC
--   weekdays: Int64, different days of the week with traffic
--   month: Int64, projection for a month
--   month_low: Int64, lower one-sided 95 % bound from the variation of whole days; NULL with fewer than 5 whole days
--   month_high: Int64, upper one-sided 95 % bound likewise
-- order:   quantity
WITH dated AS (
    SELECT CAST(captured_at AS BIGINT) AS at_us, input_tokens, output_tokens,
           cost_nanousd AS recorded_nanousd,
           catalogue_cost(provider, request_model, response_model, input_tokens, output_tokens,
                          cache_read_input_tokens, cache_creation_input_tokens,
                          reasoning_output_tokens) AS catalogue_nanousd
    FROM capture
),
hourly AS (
    SELECT at_us / 3600000000 AS hour, MIN(at_us) AS first_us, MAX(at_us) AS last_us,
           COUNT(*) AS exchanges,
           COUNT(input_tokens) AS n_input, SUM(input_tokens) AS input_tokens,
           COUNT(output_tokens) AS n_output, SUM(output_tokens) AS output_tokens,
           COUNT(recorded_nanousd) AS n_recorded, SUM(recorded_nanousd) AS recorded_nanousd,
           COUNT(catalogue_nanousd) AS n_catalogue, SUM(catalogue_nanousd) AS catalogue_nanousd
    FROM dated
    WHERE at_us >= 1420070400000000
    GROUP BY at_us / 3600000000
),
quantities AS (
    SELECT unnest(make_array('exchanges', 'input_tokens', 'output_tokens', 'recorded_nanousd',
                             'catalogue_nanousd')) AS quantity
),
amounts AS (
    SELECT quantities.quantity, hourly.hour,
           CASE quantities.quantity
               WHEN 'exchanges' THEN exchanges
               WHEN 'input_tokens' THEN n_input
               WHEN 'output_tokens' THEN n_output
               WHEN 'recorded_nanousd' THEN n_recorded
               ELSE n_catalogue
           END AS n,
           CASE quantities.quantity
               WHEN 'exchanges' THEN exchanges
               WHEN 'input_tokens' THEN input_tokens
               WHEN 'output_tokens' THEN output_tokens
               WHEN 'recorded_nanousd' THEN recorded_nanousd
               ELSE catalogue_nanousd
           END AS amount
    FROM hourly CROSS JOIN quantities
),
span AS (
    SELECT MIN(first_us) AS first_us, MAX(last_us) AS last_us, SUM(exchanges) AS exchanges,
           COUNT(DISTINCT (hour / 24 + 3) % 7) AS weekdays
    FROM hourly
),
open_hours AS (
    -- How much of each clock hour lies between the first and the last exchange.
    SELECT (hour / 24 + 3) % 7 * 24 + hour % 24 AS cell,
           LEAST(last_us, (hour + 1) * 3600000000) - GREATEST(first_us, hour * 3600000000)
               AS open_us
    FROM (
        SELECT unnest(range(first_us / 3600000000, last_us / 3600000000 + 1)) AS hour,
               first_us, last_us
        FROM span
        WHERE exchanges > 0
    )
),
cells AS (
    SELECT cell, SUM(open_us) AS open_us FROM open_hours GROUP BY cell
),
by_cell AS (
    -- A month has 730.5 hours, so each of the 168 cells comes 730.5 / 168 times. Decimals are
    -- added exactly, in whatever order.
    SELECT totals.quantity,
           SUM(CAST(totals.amount * (730.5 / 168) * 3600000000 / cells.open_us
                    AS DECIMAL(38, 6))) AS month
    FROM (
        SELECT quantity, (hour / 24 + 3) % 7 * 24 + hour % 24 AS cell, SUM(amount) AS amount
        FROM amounts
        GROUP BY quantity, (hour / 24 + 3) % 7 * 24 + hour % 24
    ) AS totals
    JOIN cells ON cells.cell = totals.cell
    WHERE cells.open_us > 0
    GROUP BY totals.quantity
),
whole_days AS (
    SELECT unnest(range((first_us + 86399999999) / 86400000000, (last_us + 1) / 86400000000))
               AS day
    FROM span
    WHERE exchanges > 0
),
variation AS (
    SELECT quantity, COUNT(*) AS full_days, mean_ci(amount, day) AS per_day
    FROM (
        SELECT quantities.quantity, whole_days.day, COALESCE(SUM(amounts.amount), 0) AS amount
        FROM whole_days
        CROSS JOIN quantities
        LEFT JOIN amounts ON amounts.quantity = quantities.quantity
            AND amounts.hour / 24 = whole_days.day
        GROUP BY quantities.quantity, whole_days.day
    )
    GROUP BY quantity
),
projected AS (
    SELECT totals.quantity, totals.captured, totals.n,
           span.exchanges, span.weekdays,
           (span.last_us - span.first_us) / 86400000000.0 AS days_covered,
           COALESCE(variation.full_days, 0) AS full_days,
           CASE
               WHEN span.last_us - span.first_us >= 604800000000 THEN 'weekday_hour'
               WHEN span.last_us - span.first_us >= 3600000000 THEN 'plain'
               ELSE 'too_short'
           END AS method,
           CASE
               WHEN totals.captured IS NULL THEN NULL
               WHEN span.last_us - span.first_us >= 604800000000 THEN CAST(by_cell.month AS DOUBLE)
               WHEN span.last_us - span.first_us >= 3600000000
                   THEN totals.captured * (730.5 * 3600000000.0 / (span.last_us - span.first_us))
           END AS month,
           -- The bound of the mean day, widened by the spread of the month's own days.
           CASE WHEN variation.full_days >= 5 AND variation.per_day['value'] > 0 THEN
               (variation.per_day['high'] - variation.per_day['value'])
                   / variation.per_day['value'] * sqrt(1 + variation.full_days / 30.4375)
           END AS relative_band
    FROM (
        SELECT quantity, SUM(amount) AS captured, SUM(n) AS n FROM amounts GROUP BY quantity
    ) AS totals
    CROSS JOIN span
    LEFT JOIN by_cell ON by_cell.quantity = totals.quantity
    LEFT JOIN variation ON variation.quantity = totals.quantity
)
SELECT quantity, captured, n,
       CAST(n AS DOUBLE) / exchanges AS known_share,
       method, days_covered, full_days, weekdays,
       CAST(ROUND(month) AS BIGINT) AS month,
       -- The engine's GREATEST passes over an unknown band, which has to stay unknown.
       CASE WHEN relative_band IS NOT NULL
            THEN CAST(ROUND(month * GREATEST(0.0, 1 - relative_band)) AS BIGINT)
       END AS month_low,
       CAST(ROUND(month * (1 + relative_band)) AS BIGINT) AS month_high
FROM projected
ORDER BY quantity
