-- purpose: Whether answers keep to the JSON schema that the request asks for, per arm and requested model.
-- tables:  pairs, capture
-- columns:
--   arm: Utf8, candidate or control
--   request_model: Utf8, model that was asked for
--   compared: Int64, exchanges and repeats with a usable schema and an answer on both sides
--   captured_valid: Int64, the captured answer is valid
--   final_valid: Int64, the replayed answer is valid
--   newly_invalid: Int64, only the captured answer is valid
--   newly_valid: Int64, only the replayed answer is valid
-- order:   arm, request_model
WITH checked AS (
    SELECT arm, pairs.request_model,
           json_schema_valid(COALESCE(captured_text, ''), requested_schema(request_body))
               AS captured_valid,
           json_schema_valid(COALESCE(final_text, ''), requested_schema(request_body)) AS final_valid
    FROM pairs
    JOIN capture ON capture.ordinal = pairs.ordinal
    WHERE captured_comparable AND final_comparable AND response_format = 'json_schema'
)
SELECT arm, request_model,
       COUNT(*) AS compared,
       COUNT(*) FILTER (WHERE captured_valid) AS captured_valid,
       COUNT(*) FILTER (WHERE final_valid) AS final_valid,
       COUNT(*) FILTER (WHERE captured_valid AND NOT final_valid) AS newly_invalid,
       COUNT(*) FILTER (WHERE final_valid AND NOT captured_valid) AS newly_valid
FROM checked
WHERE captured_valid IS NOT NULL AND final_valid IS NOT NULL
GROUP BY arm, request_model
ORDER BY arm, request_model
