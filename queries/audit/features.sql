-- purpose: What requests make use of, which a candidate must offer too: parameters that are set, and features found in the request.
-- tables:  capture
-- columns:
--   source: Utf8, parameter or feature
--   name: Utf8, the parameter or feature
--   exchanges: Int64, captured exchanges that use it
--   n: Int64, exchanges in which it could be seen: all for parameters, those with a request for features
--   share: Float64, share of n
--   models: Int64, requested models among them
-- order:   source, name
WITH by_model AS (
    SELECT request_model,
           COUNT(*) AS n,
           COUNT(*) FILTER (WHERE stream) AS streamed,
           COUNT(*) FILTER (WHERE n > 1) AS several,
           COUNT(temperature) AS temperature,
           COUNT(top_p) AS top_p,
           COUNT(max_output_tokens) AS max_output_tokens,
           COUNT(*) FILTER (WHERE response_format <> 'text') AS response_format,
           COUNT(seed) AS seed,
           COUNT(*) FILTER (WHERE stop_count > 0) AS stop,
           COUNT(*) FILTER (WHERE tool_count > 0) AS tools
    FROM capture
    GROUP BY request_model
),
parameters AS (
    SELECT 'stream' AS name, streamed AS exchanges FROM by_model
    UNION ALL SELECT 'n > 1', several FROM by_model
    UNION ALL SELECT 'temperature', temperature FROM by_model
    UNION ALL SELECT 'top_p', top_p FROM by_model
    UNION ALL SELECT 'max_output_tokens', max_output_tokens FROM by_model
    UNION ALL SELECT 'response_format', response_format FROM by_model
    UNION ALL SELECT 'seed', seed FROM by_model
    UNION ALL SELECT 'stop', stop FROM by_model
    UNION ALL SELECT 'tools', tools FROM by_model
),
used AS (
    SELECT 'parameter' AS source, name, SUM(exchanges) AS exchanges,
           (SELECT COUNT(*) FROM capture) AS n,
           COUNT(*) FILTER (WHERE exchanges > 0) AS models
    FROM parameters
    GROUP BY name
    UNION ALL
    SELECT 'feature' AS source, name, COUNT(*) AS exchanges,
           (SELECT COUNT(*) FROM capture WHERE content_state <> 'absent') AS n,
           COUNT(DISTINCT request_model) AS models
    FROM (SELECT unnest(features) AS name, request_model FROM capture)
    WHERE name IS NOT NULL
    GROUP BY name
)
SELECT source, name, exchanges, n,
       CAST(exchanges AS DOUBLE) / NULLIF(n, 0) AS share,
       models
FROM used
ORDER BY source, exchanges DESC, name
