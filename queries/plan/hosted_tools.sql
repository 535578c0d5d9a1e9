-- purpose: Hosted tools and server-side state in the requests that are sent to each arm: what the plan lets through and what is stripped.
-- tables:  planned, losses
-- columns:
--   arm: Utf8, candidate or control
--   tool: Utf8, type of the hosted tool or member of the body
--   fate: Utf8, fires or stripped
--   exchanges: Int64, exchanges that are sent with or without it
-- order:   arm, tool, fate
SELECT arm, tool, fate, COUNT(DISTINCT ordinal) AS exchanges
FROM (
    SELECT arm, ordinal, unnest(hosted_tools) AS tool, 'fires' AS fate
    FROM planned
    WHERE excluded_reason IS NULL
    UNION ALL
    SELECT losses.arm, losses.ordinal,
           CASE WHEN losses.detail <> '' THEN losses.detail ELSE losses.path END AS tool,
           'stripped' AS fate
    FROM losses
    JOIN planned ON planned.arm = losses.arm AND planned.ordinal = losses.ordinal
    WHERE losses.action = 'stripped'
      AND losses.path NOT IN ('tool_choice', 'parallel_tool_calls')
      AND planned.excluded_reason IS NULL
) AS found
GROUP BY arm, tool, fate
ORDER BY arm, tool, fate
