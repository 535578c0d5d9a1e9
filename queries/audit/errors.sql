-- purpose: Failures by class, with whose they are and in what share of all exchanges they occurred.
-- tables:  capture, clusters
-- columns:
--   error_class: Utf8, class of the failure
--   kind: Utf8, failure (the provider's) or rate_limit or config or uncertain
--   exchanges: Int64, failed exchanges
--   n: Int64, all exchanges
--   rate: Float64, share of all exchanges
--   rate_low: Float64, lower one-sided 95 % bound
--   rate_high: Float64, upper one-sided 95 % bound
--   models: Int64, requested models among them
--   first_at: Utf8, first such failure, UTC
--   last_at: Utf8, last such failure, UTC
-- order:   error_class
WITH classes AS (
    SELECT error_class, COUNT(*) AS exchanges, COUNT(DISTINCT request_model) AS models,
           to_char(MIN(captured_at), '%Y-%m-%dT%H:%M:%SZ') AS first_at,
           to_char(MAX(captured_at), '%Y-%m-%dT%H:%M:%SZ') AS last_at
    FROM capture
    WHERE error_class IS NOT NULL
    GROUP BY error_class
),
rates AS (
    SELECT classes.error_class,
           rate_ci(CASE WHEN rows.error_class = classes.error_class THEN 1 ELSE 0 END,
                   rows.cluster_id) AS estimate
    FROM classes
    CROSS JOIN (
        SELECT capture.error_class, clusters.cluster_id
        FROM capture JOIN clusters ON clusters.ordinal = capture.ordinal
    ) AS rows
    GROUP BY classes.error_class
)
SELECT classes.error_class,
       error_kind(classes.error_class) AS kind,
       classes.exchanges,
       rates.estimate['n'] AS n,
       rates.estimate['value'] AS rate,
       rates.estimate['low'] AS rate_low,
       rates.estimate['high'] AS rate_high,
       classes.models, classes.first_at, classes.last_at
FROM classes
JOIN rates ON rates.error_class = classes.error_class
ORDER BY classes.exchanges DESC, classes.error_class
