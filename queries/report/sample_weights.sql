-- purpose: The smallest and largest weight of the sampled exchanges of an arm, by part of the traffic: where they differ, figures that weigh all alike are of the sample and not of the traffic.
-- tables:  planned, capture
-- params:
--   $arm: Utf8, the candidate
--   $segment: Utf8, column that splits the traffic; (all) for none
-- columns:
--   segment: Utf8, part of the traffic
--   least: Float64, smallest weight
--   most: Float64, largest weight
-- order:   segment
SELECT segment, MIN(sample_weight) AS least, MAX(sample_weight) AS most
FROM (
    SELECT CASE $segment
               WHEN 'request_model' THEN capture.request_model
               WHEN 'route' THEN COALESCE(capture.route, '(none)')
               WHEN 'tenant' THEN COALESCE(capture.tenant, '(none)')
               WHEN 'stream' THEN CASE WHEN COALESCE(capture.stream, FALSE) THEN 'streamed'
                                       ELSE 'not streamed' END
               WHEN 'has_tools' THEN CASE WHEN capture.tool_count > 0 THEN 'tools'
                                          ELSE 'no tools' END
               ELSE '(all)'
           END AS segment,
           planned.sample_weight AS sample_weight
    FROM planned
    JOIN capture ON capture.ordinal = planned.ordinal
    WHERE planned.arm = $arm AND planned.sample_weight IS NOT NULL
) AS weighed
GROUP BY segment
ORDER BY segment
