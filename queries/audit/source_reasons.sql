-- purpose: Why lines of source files became no exchanges.
-- tables:  source_reasons
-- columns:
--   file: Utf8, file
--   outcome: Utf8, rejected or filtered
--   reason: Utf8, why
--   lines: Int64, lines
-- order:   file, outcome, reason
SELECT file, outcome, reason, lines
FROM source_reasons
ORDER BY file, outcome, reason
