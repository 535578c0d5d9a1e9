-- purpose: Every captured exchange in every arm and repeat: the captured answer beside the first attempt's outcome and timing and the final attempt's answer.
-- tables:  planned, capture, arms, clusters, incumbent_costs, results
-- columns:
--   arm: Utf8, candidate or control
--   is_control: Boolean, the incumbent replayed again
--   repeat: Int32, repeat from 1
--   ordinal: Int32, row number of the captured exchange
--   request_id: Utf8, identifier in the log
--   session_id: Utf8, conversation
--   turn_index: Int32, user turn of its conversation from 1
--   cluster_id: Int64, exchanges that depend on each other share it
--   request_model: Utf8, model that was asked for
--   route: Utf8, route or endpoint
--   tenant: Utf8, tenant or team
--   stream: Boolean, the answer was to be streamed
--   has_tools: Boolean, tools were offered
--   captured_at: Timestamp, when the exchange was captured
--   target_model: Utf8, model that the arm is asked for
--   excluded_reason: Utf8, why the exchange is not sent to the arm
--   outcome: Utf8, excluded or done or failed or uncertain or not_sent
--   captured_error_class: Utf8, failure of the captured exchange
--   captured_latency_ms: Float64, captured latency in ms and infinite after a failure and NULL when the log cannot say
--   captured_ttft_ms: Float64, captured time to first token in ms likewise
--   captured_text: Utf8, captured answer when it can be compared
--   captured_tool_calls: Utf8, captured tool calls when they can be compared
--   captured_comparable: Boolean, the captured answer can be compared
--   captured_refused: Boolean, the captured answer is a refusal
--   captured_tokens: Int64, input and output tokens of the captured exchange
--   captured_cost_nanousd: Int64, cost of the captured exchange in nano-dollars
--   attempts: Int64, attempts of the replay
--   cost_nanousd: Int64, cost of all attempts in nano-dollars
--   cost_estimated: Boolean, part of the cost is a reservation
--   first_error_class: Utf8, failure of the first attempt
--   first_kind: Utf8, none or rate_limit or config or failure
--   first_judged: Boolean, the first attempt says something of the provider
--   warm_up: Boolean, the exchange belongs to the warm-up and its latency is not judged
--   first_latency_ms: Float64, latency of the first attempt in ms and infinite after a failure and NULL in the warm-up
--   first_ttft_ms: Float64, time to first token in ms likewise and NULL when not streamed
--   first_tpot_ms: Float64, time per output token in ms likewise
--   first_success_latency_ms: Float64, latency of a successful first attempt in ms
--   with_retries_latency_ms: Float64, from the first sending to the end of the last attempt in ms
--   final_error_class: Utf8, failure of the final attempt
--   final_text: Utf8, answer of the final attempt
--   final_tool_calls: Utf8, tool calls of the final attempt
--   final_comparable: Boolean, the final attempt brought an answer
--   final_refused: Boolean, the final answer is a refusal
--   final_tokens: Int64, input and output tokens of all attempts
WITH first_attempts AS (
    SELECT arm, ordinal, repeat, error_class, error_kind(error_class) AS kind, sent_at,
           latency_ms, ttft_ms, tpot_ms, warm_up
    FROM results
    WHERE "first"
),
final_attempts AS (
    SELECT arm, ordinal, repeat, error_class, sent_at, latency_ms,
           response_text, tool_calls, refusal, finish_reason
    FROM results
    WHERE "final"
),
totals AS (
    SELECT arm, ordinal, repeat,
           COUNT(*) AS attempts,
           COUNT(*) FILTER (WHERE error_class IS NULL OR error_class <> 'uncertain') AS known,
           SUM(cost_nanousd) AS cost_nanousd,
           BOOL_OR(cost_estimated) AS cost_estimated,
           SUM(input_tokens) + SUM(output_tokens) AS tokens
    FROM results
    GROUP BY arm, ordinal, repeat
)
SELECT planned.arm,
       arms.is_control,
       arms.repeat,
       planned.ordinal,
       planned.request_id,
       capture.session_id,
       capture.turn_index,
       clusters.cluster_id,
       capture.request_model,
       capture.route,
       capture.tenant,
       COALESCE(capture.stream, FALSE) AS stream,
       capture.tool_count > 0 AS has_tools,
       capture.captured_at,
       planned.target_model,
       planned.excluded_reason,
       CASE
           WHEN planned.excluded_reason IS NOT NULL THEN 'excluded'
           WHEN final_attempts.ordinal IS NOT NULL
                AND error_kind(final_attempts.error_class) <> 'uncertain' THEN 'done'
           WHEN totals.known > 0 THEN 'failed'
           WHEN totals.attempts > 0 THEN 'uncertain'
           ELSE 'not_sent'
       END AS outcome,
       capture.error_class AS captured_error_class,
       CASE
           WHEN NOT capture.latency_baseline_ok THEN NULL
           WHEN capture.error_class IS NULL THEN capture.latency_ms
           WHEN error_kind(capture.error_class) = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS captured_latency_ms,
       CASE
           WHEN NOT capture.latency_baseline_ok OR NOT COALESCE(capture.stream, FALSE) THEN NULL
           WHEN capture.error_class IS NULL THEN capture.ttft_ms
           WHEN error_kind(capture.error_class) = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS captured_ttft_ms,
       capture.response_text AS captured_text,
       capture.tool_calls AS captured_tool_calls,
       capture.error_class IS NULL
           AND capture.content_state IN ('complete', 'pseudonymised')
           AND (capture.response_text IS NOT NULL OR capture.tool_calls IS NOT NULL)
           AS captured_comparable,
       is_refusal(capture.response_text, capture.refusal, capture.finish_reason)
           AS captured_refused,
       capture.input_tokens + capture.output_tokens AS captured_tokens,
       incumbent_costs.cost_nanousd AS captured_cost_nanousd,
       COALESCE(totals.attempts, 0) AS attempts,
       totals.cost_nanousd,
       totals.cost_estimated,
       first_attempts.error_class AS first_error_class,
       first_attempts.kind AS first_kind,
       COALESCE(first_attempts.kind IN ('none', 'failure'), FALSE) AS first_judged,
       COALESCE(first_attempts.warm_up, FALSE) AS warm_up,
       CASE
           WHEN first_attempts.warm_up THEN NULL
           WHEN first_attempts.kind = 'none' THEN first_attempts.latency_ms
           WHEN first_attempts.kind = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS first_latency_ms,
       CASE
           WHEN first_attempts.warm_up OR NOT COALESCE(capture.stream, FALSE) THEN NULL
           WHEN first_attempts.kind = 'none' THEN first_attempts.ttft_ms
           WHEN first_attempts.kind = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS first_ttft_ms,
       CASE
           WHEN first_attempts.warm_up OR NOT COALESCE(capture.stream, FALSE) THEN NULL
           WHEN first_attempts.kind = 'none' THEN first_attempts.tpot_ms
           WHEN first_attempts.kind = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS first_tpot_ms,
       CASE WHEN first_attempts.kind = 'none' AND NOT first_attempts.warm_up
            THEN first_attempts.latency_ms END
           AS first_success_latency_ms,
       CASE
           WHEN final_attempts.ordinal IS NULL OR first_attempts.warm_up THEN NULL
           WHEN final_attempts.error_class IS NULL AND first_attempts.ordinal IS NOT NULL
               THEN (CAST(final_attempts.sent_at AS BIGINT) - CAST(first_attempts.sent_at AS BIGINT))
                    / 1000.0 + final_attempts.latency_ms
           ELSE CAST('Infinity' AS DOUBLE)
       END AS with_retries_latency_ms,
       final_attempts.error_class AS final_error_class,
       final_attempts.response_text AS final_text,
       final_attempts.tool_calls AS final_tool_calls,
       final_attempts.ordinal IS NOT NULL AND final_attempts.error_class IS NULL
           AS final_comparable,
       is_refusal(final_attempts.response_text, final_attempts.refusal,
                  final_attempts.finish_reason) AS final_refused,
       totals.tokens AS final_tokens
FROM planned
JOIN arms ON arms.arm = planned.arm
JOIN capture ON capture.ordinal = planned.ordinal
LEFT JOIN clusters ON clusters.ordinal = planned.ordinal
LEFT JOIN incumbent_costs ON incumbent_costs.ordinal = planned.ordinal
LEFT JOIN first_attempts ON first_attempts.arm = planned.arm
    AND first_attempts.ordinal = planned.ordinal AND first_attempts.repeat = arms.repeat
LEFT JOIN final_attempts ON final_attempts.arm = planned.arm
    AND final_attempts.ordinal = planned.ordinal AND final_attempts.repeat = arms.repeat
LEFT JOIN totals ON totals.arm = planned.arm
    AND totals.ordinal = planned.ordinal AND totals.repeat = arms.repeat
