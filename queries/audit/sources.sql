-- purpose: Every file that was imported, and what became of its lines.
-- tables:  sources
-- columns:
--   file: Utf8, file
--   format: Utf8, log format that was found
--   confidence: Int64, how sure the format is in percent; NULL if the user named it
--   bytes: Int64, decompressed bytes
--   lines: Int64, non-empty lines; the sum of the counts that follow
--   accepted: Int64, lines that became exchanges
--   rejected: Int64, lines that were set aside
--   filtered: Int64, lines that are no exchanges
--   duplicates: Int64, lines that repeat an earlier one
--   joined: Int64, lines merged into the exchange of another
--   rejected_share: Float64, share of lines that were set aside
--   incomplete: Utf8, what ended reading early
-- order:   file
SELECT file, format, confidence, bytes, lines, accepted, rejected, filtered, duplicates, joined,
       CAST(rejected AS DOUBLE) / NULLIF(lines, 0) AS rejected_share,
       incomplete
FROM sources
ORDER BY file, format, lines
