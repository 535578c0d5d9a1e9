-- purpose: Who causes traffic and cost.
-- tables:  capture
-- columns:
--   tenant: Utf8, tenant or team; NULL when the log names none
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
--   with_tokens: Int64, exchanges with known input and output tokens
--   input_tokens: Int64, input tokens where known
--   output_tokens: Int64, output tokens where known
--   recorded: Int64, exchanges whose cost the log states
--   recorded_nanousd: Int64, cost as the log states it
--   recorded_share: Float64, share of the cost that the log states
--   priced: Int64, exchanges that the catalogue can price
--   catalogue_nanousd: Int64, their cost by the catalogue
--   catalogue_share: Float64, share of the cost by the catalogue
-- order:   exchanges, tenant
SELECT tenant, exchanges,
       CAST(exchanges AS DOUBLE) / SUM(exchanges) OVER () AS share,
       with_tokens, input_tokens, output_tokens,
       recorded, recorded_nanousd,
       CAST(recorded_nanousd AS DOUBLE) / NULLIF(SUM(recorded_nanousd) OVER (), 0)
           AS recorded_share,
       priced, catalogue_nanousd,
       CAST(catalogue_nanousd AS DOUBLE) / NULLIF(SUM(catalogue_nanousd) OVER (), 0)
           AS catalogue_share
FROM (
    SELECT tenant, COUNT(*) AS exchanges,
           COUNT(input_tokens + output_tokens) AS with_tokens,
           SUM(input_tokens) AS input_tokens,
           SUM(output_tokens) AS output_tokens,
           COUNT(cost_nanousd) AS recorded,
           SUM(cost_nanousd) AS recorded_nanousd,
           COUNT(catalogue_nanousd) AS priced,
           SUM(catalogue_nanousd) AS catalogue_nanousd
    FROM (
        SELECT tenant, input_tokens, output_tokens, cost_nanousd,
               catalogue_cost(provider, request_model, response_model, input_tokens,
                              output_tokens, cache_read_input_tokens,
                              cache_creation_input_tokens, reasoning_output_tokens)
                   AS catalogue_nanousd
        FROM capture
    )
    GROUP BY tenant
)
ORDER BY exchanges DESC, tenant
