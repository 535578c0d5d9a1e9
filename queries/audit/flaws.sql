-- purpose: Flaws of records that were mended or tolerated.
-- tables:  capture
-- columns:
--   flaw: Utf8, the flaw
--   exchanges: Int64, captured exchanges that have it
--   n: Int64, all exchanges
--   share: Float64, share of all exchanges
--   files: Int64, source files in which it occurs
-- order:   exchanges, flaw
SELECT flaw, exchanges, n, CAST(exchanges AS DOUBLE) / n AS share, files
FROM (
    SELECT flaw, COUNT(*) AS exchanges, COUNT(DISTINCT source_file) AS files,
           (SELECT COUNT(*) FROM capture) AS n
    FROM (SELECT unnest(flaws) AS flaw, source_file FROM capture)
    WHERE flaw IS NOT NULL
    GROUP BY flaw
)
ORDER BY exchanges DESC, flaw
