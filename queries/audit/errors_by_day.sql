-- purpose: Exchanges and failures by day.
-- tables:  capture, clusters
-- columns:
--   day: Utf8, calendar day, UTC
--   exchanges: Int64, captured exchanges
--   errors: Int64, failed exchanges
--   error_rate: Float64, share of exchanges that failed
--   error_rate_low: Float64, lower one-sided 95 % bound
--   error_rate_high: Float64, upper one-sided 95 % bound
--   rate_limited: Int64, failures among them by a limit of ours
--   config: Int64, failures among them by a fault of ours
-- order:   day
SELECT to_char(to_timestamp_micros(day * 86400000000), '%Y-%m-%d') AS day,
       exchanges, errors,
       estimate['value'] AS error_rate,
       estimate['low'] AS error_rate_low,
       estimate['high'] AS error_rate_high,
       rate_limited, config
FROM (
    SELECT CAST(captured_at AS BIGINT) / 86400000000 AS day,
           COUNT(*) AS exchanges,
           COUNT(error_class) AS errors,
           rate_ci(CASE WHEN error_class IS NULL THEN 0 ELSE 1 END, cluster_id) AS estimate,
           COUNT(*) FILTER (WHERE error_kind(error_class) = 'rate_limit') AS rate_limited,
           COUNT(*) FILTER (WHERE error_kind(error_class) = 'config') AS config
    FROM capture JOIN clusters ON clusters.ordinal = capture.ordinal
    GROUP BY CAST(captured_at AS BIGINT) / 86400000000
)
ORDER BY day
