-- purpose: How answers of an arm ended, beside how the captured answers ended; length means cut off.
-- tables:  capture, results
-- params:
--   $arm: Utf8, the candidate
-- columns:
--   captured_reason: Utf8, finish reason of the captured answer, NULL when the log has none
--   final_reason: Utf8, finish reason of the final attempt
--   exchanges: Int64, exchanges and repeats with this pair
--   change: Utf8, cut or no_longer_cut or other, NULL for no change
-- order:   exchanges descending, captured_reason, final_reason
SELECT capture.finish_reason AS captured_reason,
       results.finish_reason AS final_reason,
       COUNT(*) AS exchanges,
       CASE WHEN capture.finish_reason = results.finish_reason
                 OR (capture.finish_reason IS NULL AND results.finish_reason IS NULL) THEN NULL
            WHEN results.finish_reason = 'length' THEN 'cut'
            WHEN capture.finish_reason = 'length' THEN 'no_longer_cut'
            ELSE 'other' END AS change
FROM results
JOIN capture ON capture.ordinal = results.ordinal
WHERE results.arm = $arm AND results."final" AND results.error_class IS NULL
  AND capture.error_class IS NULL
GROUP BY capture.finish_reason, results.finish_reason
ORDER BY exchanges DESC, captured_reason, final_reason
