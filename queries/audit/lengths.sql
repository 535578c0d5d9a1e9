-- purpose: How long prompts and answers are, in tokens, for all requests and by requested model.
-- tables:  capture
-- columns:
--   level: Utf8, all or model
--   request_model: Utf8, model that was asked for; NULL for all
--   side: Utf8, input or output
--   n: Int64, exchanges with known tokens
--   unknown: Int64, exchanges without
--   p5_tokens: Int64, 5th percentile, the smallest value that at least 5 % do not exceed
--   p25_tokens: Int64, 25th percentile likewise
--   p50_tokens: Int64, median likewise
--   p75_tokens: Int64, 75th percentile likewise
--   p95_tokens: Int64, 95th percentile likewise
--   p99_tokens: Int64, 99th percentile likewise
--   max_tokens: Int64, longest
-- order:   level, request_model, side
WITH sides AS (
    -- No request has fewer than no tokens: -1 stands for unknown.
    SELECT request_model, 'input' AS side, COALESCE(input_tokens, -1) AS tokens, COUNT(*) AS n
    FROM capture GROUP BY request_model, COALESCE(input_tokens, -1)
    UNION ALL
    SELECT request_model, 'output', COALESCE(output_tokens, -1), COUNT(*)
    FROM capture GROUP BY request_model, COALESCE(output_tokens, -1)
),
levels AS (
    SELECT 'model' AS level, request_model, side, tokens, n FROM sides
    UNION ALL
    SELECT 'all', CAST(NULL AS VARCHAR), side, tokens, SUM(n) FROM sides GROUP BY side, tokens
),
places AS (
    SELECT level, request_model, side, tokens,
           CASE WHEN tokens < 0 THEN n ELSE 0 END AS unknown,
           SUM(CASE WHEN tokens < 0 THEN 0 ELSE n END)
               OVER (PARTITION BY level, request_model, side ORDER BY tokens
                     ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS place,
           SUM(CASE WHEN tokens < 0 THEN 0 ELSE n END)
               OVER (PARTITION BY level, request_model, side) AS known
    FROM levels
)
SELECT level, request_model, side,
       MAX(known) AS n,
       SUM(unknown) AS unknown,
       MIN(tokens) FILTER (WHERE tokens >= 0 AND place * 100 >= known * 5) AS p5_tokens,
       MIN(tokens) FILTER (WHERE tokens >= 0 AND place * 100 >= known * 25) AS p25_tokens,
       MIN(tokens) FILTER (WHERE tokens >= 0 AND place * 100 >= known * 50) AS p50_tokens,
       MIN(tokens) FILTER (WHERE tokens >= 0 AND place * 100 >= known * 75) AS p75_tokens,
       MIN(tokens) FILTER (WHERE tokens >= 0 AND place * 100 >= known * 95) AS p95_tokens,
       MIN(tokens) FILTER (WHERE tokens >= 0 AND place * 100 >= known * 99) AS p99_tokens,
       MAX(CASE WHEN tokens >= 0 THEN tokens END) AS max_tokens
FROM places
GROUP BY level, request_model, side
ORDER BY level, request_model, side
