-- purpose: Conversations: how many, how long in exchanges, and how many exchanges belong to none.
-- tables:  capture
-- columns:
--   exchanges: Int64, captured exchanges
--   without_session: Int64, exchanges that name no conversation
--   without_session_share: Float64, share of all exchanges
--   sessions: Int64, conversations
--   single_share: Float64, share of conversations with one exchange
--   p50_exchanges: Int64, median of exchanges per conversation
--   p75_exchanges: Int64, 75th percentile
--   p95_exchanges: Int64, 95th percentile
--   p99_exchanges: Int64, 99th percentile
--   max_exchanges: Int64, longest conversation in exchanges
--   max_turn: Int64, highest user turn that a request holds
-- order:   exchanges
WITH sessions AS (
    SELECT session_id, COUNT(*) AS exchanges FROM capture
    WHERE session_id IS NOT NULL
    GROUP BY session_id
),
sizes AS (
    SELECT exchanges AS size, COUNT(*) AS sessions FROM sessions GROUP BY exchanges
),
places AS (
    SELECT size, sessions,
           SUM(sessions) OVER (ORDER BY size ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
               AS place,
           SUM(sessions) OVER () AS everything
    FROM sizes
),
percentiles AS (
    SELECT SUM(sessions) AS sessions,
           CAST(SUM(sessions) FILTER (WHERE size = 1) AS DOUBLE) AS single,
           MIN(size) FILTER (WHERE place * 100 >= everything * 50) AS p50,
           MIN(size) FILTER (WHERE place * 100 >= everything * 75) AS p75,
           MIN(size) FILTER (WHERE place * 100 >= everything * 95) AS p95,
           MIN(size) FILTER (WHERE place * 100 >= everything * 99) AS p99,
           MAX(size) AS longest
    FROM places
),
totals AS (
    SELECT COUNT(*) AS exchanges, COUNT(*) - COUNT(session_id) AS without_session,
           CAST(MAX(turn_index) AS BIGINT) AS max_turn
    FROM capture
)
SELECT totals.exchanges, totals.without_session,
       CAST(totals.without_session AS DOUBLE) / totals.exchanges AS without_session_share,
       COALESCE(percentiles.sessions, 0) AS sessions,
       COALESCE(percentiles.single, 0.0) / percentiles.sessions AS single_share,
       percentiles.p50 AS p50_exchanges,
       percentiles.p75 AS p75_exchanges,
       percentiles.p95 AS p95_exchanges,
       percentiles.p99 AS p99_exchanges,
       percentiles.longest AS max_exchanges,
       totals.max_turn
FROM totals CROSS JOIN percentiles
WHERE totals.exchanges > 0
ORDER BY exchanges
