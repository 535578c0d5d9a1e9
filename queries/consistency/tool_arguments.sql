-- purpose: How the tool calls of an arm differ from the captured ones, by tool and argument.
-- tables:  pairs
-- params:
--   $arm: Utf8, the candidate
-- columns:
--   tool: Utf8, function that is called
--   argument: Utf8, path in its arguments with every array index as [*], NULL for a whole call
--   kind: Utf8, missing_call or extra_call or order or not_json or removed or added or type or value
--   exchanges: Int64, exchanges and repeats that differ so
--   compared: Int64, exchanges and repeats in which a side calls this tool
--   share: Float64, exchanges over compared
-- order:   exchanges descending, tool, argument, kind
WITH compared AS (
    SELECT ordinal, repeat,
           COALESCE(captured_tool_calls, '[]') AS captured_calls,
           COALESCE(final_tool_calls, '[]') AS final_calls
    FROM pairs
    WHERE arm = $arm AND captured_comparable AND final_comparable
      AND (captured_tool_calls IS NOT NULL OR final_tool_calls IS NOT NULL)
),
called AS (
    SELECT tool, COUNT(*) AS compared
    FROM (
        SELECT DISTINCT ordinal, repeat, call['tool'] AS tool
        FROM (
            SELECT ordinal, repeat, unnest(tool_calls_diff(captured_calls, '[]')) AS call FROM compared
            UNION ALL
            SELECT ordinal, repeat, unnest(tool_calls_diff('[]', final_calls)) AS call FROM compared
        )
        WHERE call['tool'] IS NOT NULL
    )
    GROUP BY tool
),
listed AS (
    SELECT ordinal, repeat, unnest(tool_calls_diff(captured_calls, final_calls)) AS difference
    FROM compared
),
differing AS (
    SELECT DISTINCT ordinal, repeat,
           difference['tool'] AS tool,
           regexp_replace(difference['argument'], '\[[0-9]+\]', '[*]', 'g') AS argument,
           difference['kind'] AS kind
    FROM listed
    WHERE difference['tool'] IS NOT NULL
)
SELECT differing.tool, differing.argument, differing.kind,
       COUNT(*) AS exchanges,
       MAX(called.compared) AS compared,
       CAST(COUNT(*) AS DOUBLE) / NULLIF(MAX(called.compared), 0) AS share
FROM differing
LEFT JOIN called ON called.tool = differing.tool
GROUP BY differing.tool, differing.argument, differing.kind
ORDER BY exchanges DESC, tool, argument, kind
