-- purpose: Which model of each candidate the plan has for each requested model; no target means that the plan maps none.
-- tables:  model_maps, capture
-- columns:
--   arm: Utf8, candidate
--   request_model: Utf8, model that was asked for
--   target_model: Utf8, model of the candidate
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
-- order:   arm, request_model
SELECT model_maps.arm, model_maps.request_model, model_maps.target_model, used.exchanges,
       CAST(used.exchanges AS DOUBLE) / used.everything AS share
FROM model_maps
JOIN (
    SELECT request_model, COUNT(*) AS exchanges, SUM(COUNT(*)) OVER () AS everything
    FROM capture
    GROUP BY request_model
) AS used ON used.request_model = model_maps.request_model
ORDER BY model_maps.arm, model_maps.request_model
