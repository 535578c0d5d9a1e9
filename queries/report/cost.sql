-- purpose: Cost per arm over exchanges with an outcome: every attempt counted, with the mean per exchange and its bounds in nano-dollars; the captured ones as arm incumbent.
-- tables:  pairs
-- params:
--   $confidence: Float64, level of each one-sided bound
-- columns:
--   arm: Utf8, incumbent or control or candidate
--   exchanges: Int64, exchanges with a known cost
--   cost_nanousd: Int64, their cost
--   estimated_nanousd: Int64, part of it that is a reservation
--   mean_nanousd: Float64, mean cost of an exchange
--   low_nanousd: Float64, lower one-sided bound of the mean
--   high_nanousd: Float64, upper one-sided bound of the mean
-- order:   arm
SELECT arm, exchanges, cost_nanousd, estimated_nanousd,
       estimate['value'] AS mean_nanousd,
       estimate['low'] AS low_nanousd,
       estimate['high'] AS high_nanousd
FROM (
    SELECT arm,
           COUNT(*) AS exchanges,
           SUM(cost_nanousd) AS cost_nanousd,
           COALESCE(SUM(cost_nanousd) FILTER (WHERE cost_estimated), 0) AS estimated_nanousd,
           mean_ci(cost_nanousd, cluster_id, $confidence) AS estimate
    FROM (
        SELECT arm, cost_nanousd, cost_estimated, cluster_id
        FROM pairs
        WHERE outcome = 'done' AND cost_nanousd IS NOT NULL
        UNION ALL
        SELECT 'incumbent' AS arm, cost_nanousd, CAST(NULL AS BOOLEAN) AS cost_estimated, cluster_id
        FROM incumbent_costs JOIN clusters ON clusters.ordinal = incumbent_costs.ordinal
        WHERE cost_nanousd IS NOT NULL
    )
    GROUP BY arm
)
ORDER BY arm
