-- purpose: The capture's peak against the limits that the plan states for each arm, with the limit to ask for.
-- tables:  limits, peaks
-- columns:
--   arm: Utf8, candidate or control
--   measure: Utf8, concurrency or requests_per_minute or tokens_per_minute
--   peak: Int64, highest value of the capture
--   peak_at: Utf8, when it was first reached, UTC
--   ask: Int64, limit to ask for: the peak times 1.2, rounded up
--   stated: Int64, limit of the plan and NULL when it states none
--   standing: Utf8, enough or tight or too_low or not_stated
-- order:   arm, measure
SELECT limits.arm,
       limits.measure,
       peaks.peak,
       peaks.peak_at,
       peaks.ask,
       limits.stated,
       CASE
           WHEN limits.stated IS NULL THEN 'not_stated'
           WHEN limits.stated >= peaks.ask THEN 'enough'
           WHEN limits.stated >= peaks.peak THEN 'tight'
           ELSE 'too_low'
       END AS standing
FROM limits
JOIN peaks ON peaks.measure = limits.measure
ORDER BY arm, measure
