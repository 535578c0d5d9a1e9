-- purpose: Which exchanges can be sent again, why others cannot, and how much of their content the log has.
-- tables:  capture
-- columns:
--   replayable: Boolean, can be sent again
--   not_replayable_reason: Utf8, why not
--   content_state: Utf8, complete or pseudonymised or redacted or truncated or absent
--   exchanges: Int64, captured exchanges
--   share: Float64, share of all exchanges
-- order:   replayable, exchanges, not_replayable_reason, content_state
SELECT replayable, not_replayable_reason, content_state, exchanges,
       CAST(exchanges AS DOUBLE) / SUM(exchanges) OVER () AS share
FROM (
    SELECT replayable, not_replayable_reason, content_state, COUNT(*) AS exchanges
    FROM capture
    GROUP BY replayable, not_replayable_reason, content_state
)
ORDER BY replayable DESC, exchanges DESC, not_replayable_reason, content_state
