-- purpose: Attempts with negative durations, tokens or cost, or with moments out of their order; must be empty.
-- tables:  results
-- columns:
--   arm: Utf8, candidate or control
--   ordinal: Int32, row number of the captured exchange
--   repeat: Int32, repeat
--   attempt: Int32, attempt
-- order:   arm, ordinal, repeat, attempt
SELECT arm, ordinal, repeat, attempt
FROM results
WHERE latency_ms < 0 OR queue_ms < 0 OR ttft_ms < first_byte_ms OR ttft_ms > latency_ms
   OR first_byte_ms < headers_ms OR first_event_ms < first_byte_ms OR ttft_ms < first_event_ms
   OR first_answer_token_ms < ttft_ms OR close_ms < terminator_ms OR connect_ms < 0
   OR input_tokens < 0 OR output_tokens < 0 OR cost_nanousd < 0
ORDER BY arm, ordinal, repeat, attempt
