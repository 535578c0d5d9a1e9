-- purpose: How far each stratum of a stratified sample is taken, and what each of its sessions weighs.
-- tables:  planned, capture
-- columns:
--   stratum: Utf8, value of the column that makes the strata
--   sessions: Int64, sessions whose rarest value it is
--   sessions_taken: Int64, those of the sample
--   exchanges: Int64, exchanges of all these sessions
--   exchanges_taken: Int64, exchanges of those of the sample
--   sample_weight: Float64, sessions over sessions taken
-- order:   stratum
SELECT planned.stratum AS stratum,
       COUNT(DISTINCT COALESCE(capture.session_id, planned.request_id)) AS sessions,
       COUNT(DISTINCT COALESCE(capture.session_id, planned.request_id))
           FILTER (WHERE planned.sample_weight IS NOT NULL) AS sessions_taken,
       COUNT(*) AS exchanges,
       COUNT(planned.sample_weight) AS exchanges_taken,
       MAX(planned.sample_weight) AS sample_weight
FROM planned
JOIN (SELECT MIN(arm) AS arm FROM planned) AS any_arm ON any_arm.arm = planned.arm
JOIN capture ON capture.ordinal = planned.ordinal
WHERE planned.stratum IS NOT NULL
GROUP BY planned.stratum
ORDER BY stratum
