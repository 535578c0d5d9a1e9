-- purpose: First attempts with their place in the schedule, without the warm-up: what latency and errors are judged on, as questions of load need it.
-- tables:  results, capture, clusters
-- columns:
--   arm: Utf8, candidate or control
--   ordinal: Int32, row number of the captured exchange
--   repeat: Int32, repeat from 1
--   cluster_id: Int64, exchanges that depend on each other share it
--   scheduled_us: Int64, when the schedule wanted it sent in microseconds since 1970
--   sent_us: Int64, when it was sent likewise
--   ended_us: Int64, when its answer or failure came likewise
--   slip_ms: Float64, sent minus scheduled in ms; waiting for the answer before in a conversation is no slip
--   client_slip_ms: Float64, the part of it that no limit of the plan accounts for
--   held_back_ms: Float64, the part of it for which limits of the plan held the request back
--   load_step: Int32, step of the ramp from 1
--   offered_per_second: Float64, requests per second that the schedule offers the arm
--   kind: Utf8, none or rate_limit or config or failure
--   judged: Boolean, it says something of the provider
--   latency_ms: Float64, latency in ms and infinite after a failure and NULL when not judged
--   ttft_ms: Float64, time to first token in ms likewise and NULL when not streamed
--   tpot_ms: Float64, time per output token in ms likewise
--   answered_ms: Float64, latency of an answered attempt in ms
SELECT results.arm, results.ordinal, results.repeat, clusters.cluster_id,
       CAST(results.scheduled_at AS BIGINT) AS scheduled_us,
       CAST(results.sent_at AS BIGINT) AS sent_us,
       CAST(results.sent_at AS BIGINT) + CAST(results.latency_ms * 1000 AS BIGINT) AS ended_us,
       results.queue_ms
           - CASE WHEN results.held_back_by = 'session' THEN results.held_back_ms ELSE 0.0 END
           AS slip_ms,
       results.queue_ms - results.held_back_ms AS client_slip_ms,
       CASE WHEN results.held_back_by = 'session' THEN 0.0 ELSE results.held_back_ms END
           AS held_back_ms,
       results.load_step, results.offered_per_second,
       error_kind(results.error_class) AS kind,
       error_kind(results.error_class) IN ('none', 'failure') AS judged,
       CASE error_kind(results.error_class)
           WHEN 'none' THEN results.latency_ms
           WHEN 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS latency_ms,
       CASE
           WHEN NOT COALESCE(capture.stream, FALSE) THEN NULL
           WHEN error_kind(results.error_class) = 'none' THEN results.ttft_ms
           WHEN error_kind(results.error_class) = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS ttft_ms,
       CASE
           WHEN NOT COALESCE(capture.stream, FALSE) THEN NULL
           WHEN error_kind(results.error_class) = 'none' THEN results.tpot_ms
           WHEN error_kind(results.error_class) = 'failure' THEN CAST('Infinity' AS DOUBLE)
       END AS tpot_ms,
       CASE WHEN results.error_class IS NULL THEN results.latency_ms END AS answered_ms
FROM results
JOIN capture ON capture.ordinal = results.ordinal
LEFT JOIN clusters ON clusters.ordinal = results.ordinal
WHERE results."first" AND NOT results.warm_up
