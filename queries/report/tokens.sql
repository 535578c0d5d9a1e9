-- purpose: Tokens per arm and model: of the final attempts, and of the captured exchanges as arm incumbent.
-- tables:  results, capture
-- columns:
--   arm: Utf8, incumbent or control or candidate
--   request_model: Utf8, model that was asked for
--   exchanges: Int64, exchanges with known usage
--   input_tokens: Int64, input tokens
--   output_tokens: Int64, output tokens
--   cache_read_input_tokens: Int64, input tokens from a prompt cache
--   reasoning_output_tokens: Int64, output tokens spent on reasoning
-- order:   arm, request_model
SELECT results.arm AS arm, capture.request_model AS request_model,
       COUNT(*) AS exchanges,
       COALESCE(SUM(results.input_tokens), 0) AS input_tokens,
       COALESCE(SUM(results.output_tokens), 0) AS output_tokens,
       COALESCE(SUM(results.cache_read_input_tokens), 0) AS cache_read_input_tokens,
       COALESCE(SUM(results.reasoning_output_tokens), 0) AS reasoning_output_tokens
FROM results JOIN capture ON capture.ordinal = results.ordinal
WHERE results."final" AND results.output_tokens IS NOT NULL
GROUP BY results.arm, capture.request_model
UNION ALL
SELECT 'incumbent' AS arm, request_model,
       COUNT(*) AS exchanges,
       COALESCE(SUM(input_tokens), 0) AS input_tokens,
       COALESCE(SUM(output_tokens), 0) AS output_tokens,
       COALESCE(SUM(cache_read_input_tokens), 0) AS cache_read_input_tokens,
       COALESCE(SUM(reasoning_output_tokens), 0) AS reasoning_output_tokens
FROM capture
WHERE output_tokens IS NOT NULL AND latency_baseline_ok AND error_class IS NULL
GROUP BY request_model
ORDER BY arm, request_model
