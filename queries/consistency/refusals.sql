-- purpose: New and lost refusals per arm and repeat, among exchanges that both sides answered.
-- tables:  pairs
-- columns:
--   arm: Utf8, candidate or control
--   repeat: Int32, repeat from 1
--   compared: Int64, exchanges with an answer on both sides
--   both_refuse: Int64, the captured and the replayed answer refuse
--   new_refusals: Int64, only the replayed answer refuses
--   lost_refusals: Int64, only the captured answer refuses
--   neither_refuses: Int64, both answer
--   new_partial: Int64, the replayed answer refuses in part and the captured one not at all
-- order:   arm, repeat
SELECT arm, repeat,
       COUNT(*) AS compared,
       COUNT(*) FILTER (WHERE captured_refused AND final_refused) AS both_refuse,
       COUNT(*) FILTER (WHERE NOT captured_refused AND final_refused) AS new_refusals,
       COUNT(*) FILTER (WHERE captured_refused AND NOT final_refused) AS lost_refusals,
       COUNT(*) FILTER (WHERE NOT captured_refused AND NOT final_refused) AS neither_refuses,
       COUNT(*) FILTER (WHERE NOT captured_refused AND NOT final_refused
                          AND refusal(COALESCE(captured_text, '')) = 'none'
                          AND refusal(COALESCE(final_text, '')) = 'partial') AS new_partial
FROM pairs
WHERE captured_comparable AND final_comparable
GROUP BY arm, repeat
ORDER BY arm, repeat
