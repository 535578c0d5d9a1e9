-- purpose: Attempts with negative durations, tokens or cost, or with an output before the first byte; must be empty.
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
   OR input_tokens < 0 OR output_tokens < 0 OR cost_nanousd < 0
ORDER BY arm, ordinal, repeat, attempt
