-- purpose: Answers whose language is another than that of the captured answer, per arm.
-- tables:  pairs
-- columns:
--   arm: Utf8, candidate or control
--   captured_language: Utf8, ISO 639-1 code of the captured answer
--   final_language: Utf8, ISO 639-1 code of the replayed answer
--   exchanges: Int64, exchanges with this change over all repeats
--   compared: Int64, exchanges whose captured answer has this language and whose languages are both known
--   share: Float64, exchanges over compared
-- order:   arm, exchanges descending, captured_language, final_language
WITH told AS (
    SELECT arm, language(captured_text) AS captured_language, language(final_text) AS final_language
    FROM pairs
    WHERE captured_comparable AND final_comparable
),
counted AS (
    SELECT arm, captured_language, final_language, COUNT(*) AS exchanges
    FROM told
    WHERE captured_language IS NOT NULL AND final_language IS NOT NULL
    GROUP BY arm, captured_language, final_language
),
totalled AS (
    SELECT arm, captured_language, final_language, exchanges,
           SUM(exchanges) OVER (PARTITION BY arm, captured_language) AS compared
    FROM counted
)
SELECT arm, captured_language, final_language, exchanges, compared,
       CAST(exchanges AS DOUBLE) / compared AS share
FROM totalled
WHERE captured_language <> final_language
ORDER BY arm, exchanges DESC, captured_language, final_language
