-- purpose: How much comes from caches: answers from the gateway's own, and input tokens from the provider's prompt cache.
-- tables:  capture
-- columns:
--   level: Utf8, all or model
--   request_model: Utf8, model that was asked for; NULL for all
--   exchanges: Int64, captured exchanges
--   gateway_known: Int64, exchanges of which the log says whether the gateway answered from its cache
--   gateway_hits: Int64, exchanges that it answered so
--   gateway_hit_share: Float64, share of those where it is known
--   prompt_cache_known: Int64, exchanges that state prompt-cache tokens
--   prompt_cache_input_tokens: Int64, their input tokens
--   cache_read_tokens: Int64, input tokens read from the provider's cache
--   cache_read_share: Float64, share of these input tokens
--   cache_write_tokens: Int64, input tokens written into the provider's cache
-- order:   level, request_model
WITH by_model AS (
    SELECT request_model, COUNT(*) AS exchanges,
           COUNT(cache_hit) AS gateway_known,
           COUNT(*) FILTER (WHERE cache_hit) AS gateway_hits,
           COUNT(cache_read_input_tokens) FILTER (WHERE input_tokens IS NOT NULL)
               AS prompt_cache_known,
           SUM(input_tokens) FILTER (WHERE cache_read_input_tokens IS NOT NULL)
               AS prompt_cache_input_tokens,
           SUM(cache_read_input_tokens) FILTER (WHERE input_tokens IS NOT NULL)
               AS cache_read_tokens,
           SUM(cache_creation_input_tokens) AS cache_write_tokens
    FROM capture
    GROUP BY request_model
),
levels AS (
    SELECT 'model' AS level, request_model, exchanges, gateway_known, gateway_hits,
           prompt_cache_known, prompt_cache_input_tokens, cache_read_tokens, cache_write_tokens
    FROM by_model
    UNION ALL
    SELECT 'all', CAST(NULL AS VARCHAR), SUM(exchanges), SUM(gateway_known), SUM(gateway_hits),
           SUM(prompt_cache_known), SUM(prompt_cache_input_tokens), SUM(cache_read_tokens),
           SUM(cache_write_tokens)
    FROM by_model
    HAVING COUNT(*) > 0
)
SELECT level, request_model, exchanges, gateway_known, gateway_hits,
       CAST(gateway_hits AS DOUBLE) / NULLIF(gateway_known, 0) AS gateway_hit_share,
       prompt_cache_known, prompt_cache_input_tokens, cache_read_tokens,
       CAST(cache_read_tokens AS DOUBLE) / NULLIF(prompt_cache_input_tokens, 0)
           AS cache_read_share,
       cache_write_tokens
FROM levels
ORDER BY level, request_model
