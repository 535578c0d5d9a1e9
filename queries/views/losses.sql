-- purpose: What the translation of each exchange to each arm changes or drops, one row a loss.
-- tables:  planned
-- columns:
--   arm: Utf8, candidate or control
--   ordinal: Int32, row number of the captured exchange
--   request_id: Utf8, identifier in the log
--   path: Utf8, place in the captured body
--   feature: Utf8, what is changed
--   action: Utf8, added or changed or dropped or stripped or refused
--   severity: Utf8, benign or lossy or untranslatable
--   detail: Utf8, in words
SELECT arm,
       ordinal,
       request_id,
       loss['path'] AS path,
       loss['feature'] AS feature,
       loss['action'] AS action,
       loss['severity'] AS severity,
       loss['detail'] AS detail
FROM (
    SELECT arm, ordinal, request_id, unnest(loss_list(losses)) AS loss
    FROM planned
    WHERE losses IS NOT NULL
)
