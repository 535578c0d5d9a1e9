-- purpose: Which model of each arm answers for which model of the capture, with requests, tokens and cost.
-- tables:  planned, arms, capture
-- columns:
--   arm: Utf8, candidate or control
--   request_model: Utf8, model that was asked for
--   target_model: Utf8, model that the arm is asked for
--   requests: Int64, requests without retries
--   input_tokens: Int64, input tokens to expect
--   output_tokens: Int64, output tokens to expect
--   cost_nanousd: Int64, expected cost in nano-dollars and NULL without a known price
--   cost_high_nanousd: Int64, highest cost in nano-dollars and NULL without a known price
-- order:   arm, request_model, target_model
SELECT planned.arm AS arm,
       capture.request_model AS request_model,
       planned.target_model AS target_model,
       COUNT(*) AS requests,
       SUM(planned.expected_input_tokens) AS input_tokens,
       SUM(planned.expected_output_tokens) AS output_tokens,
       CASE WHEN COUNT(*) = COUNT(planned.worst_case_nanousd)
            THEN SUM(planned.expected_cost_nanousd) END AS cost_nanousd,
       CASE WHEN COUNT(*) = COUNT(planned.worst_case_nanousd)
            THEN SUM(planned.worst_case_nanousd) END AS cost_high_nanousd
FROM planned
JOIN arms ON arms.arm = planned.arm
JOIN capture ON capture.ordinal = planned.ordinal
WHERE planned.excluded_reason IS NULL
GROUP BY planned.arm, capture.request_model, planned.target_model
ORDER BY arm, request_model, target_model
