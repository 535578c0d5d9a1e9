-- purpose: Captured exchanges per requested model.
-- tables:  capture
-- columns:
--   request_model: Utf8, model that was asked for
--   exchanges: Int64, captured exchanges
-- order:   request_model
SELECT request_model, COUNT(*) AS exchanges
FROM capture
GROUP BY request_model
ORDER BY request_model
