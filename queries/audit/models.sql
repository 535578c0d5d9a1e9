-- purpose: Models requested and served: volume, cost as recorded and by the price catalogue, what kind of model it is, when the provider retires it, and whether the plan maps it.
-- tables:  capture, capture_models, model_maps
-- columns:
--   provider: Utf8, provider that answered
--   request_model: Utf8, model that was asked for
--   response_model: Utf8, model that answered
--   operation: Utf8, what was asked for
--   kind: Utf8, listed or deployment or fine_tuned or custom or unlisted or other_operation or unnamed
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
--   sessions: Int64, conversations
--   input_tokens: Int64, input tokens where known
--   output_tokens: Int64, output tokens where known
--   recorded: Int64, exchanges whose cost the log states
--   recorded_nanousd: Int64, cost as the log states it
--   priced: Int64, exchanges that the catalogue can price
--   catalogue_nanousd: Int64, their cost by the catalogue
--   catalogue_model: Utf8, key of the catalogue
--   deprecation_date: Utf8, day on which the provider retires the model
--   days_left: Int64, days from the last captured exchange to that day
--   mapped: Boolean, every candidate of the plan maps the requested model; NULL without a plan
-- order:   exchanges, provider, request_model, response_model, operation
WITH costs AS (
    SELECT operation, provider, request_model, response_model, session_id, input_tokens,
           output_tokens, cost_nanousd,
           catalogue_cost(provider, request_model, response_model, input_tokens, output_tokens,
                          cache_read_input_tokens, cache_creation_input_tokens,
                          reasoning_output_tokens) AS catalogue_nanousd
    FROM capture
),
used AS (
    SELECT operation, provider, request_model, response_model,
           COUNT(*) AS exchanges,
           COUNT(DISTINCT session_id) AS sessions,
           SUM(input_tokens) AS input_tokens,
           SUM(output_tokens) AS output_tokens,
           COUNT(cost_nanousd) AS recorded,
           SUM(cost_nanousd) AS recorded_nanousd,
           COUNT(catalogue_nanousd) AS priced,
           SUM(catalogue_nanousd) AS catalogue_nanousd
    FROM costs
    GROUP BY operation, provider, request_model, response_model
),
maps AS (
    SELECT request_model, BOOL_AND(target_model IS NOT NULL) AS mapped
    FROM model_maps
    GROUP BY request_model
),
ends AS (
    SELECT CAST(CAST(MAX(captured_at) AS DATE) AS INT) AS last_day
    FROM capture
)
SELECT used.provider, used.request_model, used.response_model, used.operation,
       capture_models.kind, used.exchanges,
       CAST(used.exchanges AS DOUBLE) / SUM(used.exchanges) OVER () AS share,
       used.sessions, used.input_tokens, used.output_tokens,
       used.recorded, used.recorded_nanousd, used.priced, used.catalogue_nanousd,
       capture_models.catalogue_model, capture_models.deprecation_date,
       CAST(CAST(TRY_CAST(capture_models.deprecation_date AS DATE) AS INT) - ends.last_day
            AS BIGINT) AS days_left,
       maps.mapped
FROM used
JOIN capture_models ON capture_models.operation = used.operation
    AND capture_models.request_model = used.request_model
    AND (capture_models.provider IS NOT DISTINCT FROM used.provider)
    AND (capture_models.response_model IS NOT DISTINCT FROM used.response_model)
LEFT JOIN maps ON maps.request_model = used.request_model
CROSS JOIN ends
ORDER BY used.exchanges DESC, used.provider, used.request_model, used.response_model,
         used.operation
