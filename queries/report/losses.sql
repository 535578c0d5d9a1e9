-- purpose: What translations changed or dropped, per arm and feature, in requests.
-- tables:  losses, planned
-- columns:
--   arm: Utf8, candidate or control
--   feature: Utf8, what is changed
--   action: Utf8, added or changed or dropped or stripped or refused
--   severity: Utf8, benign or lossy or untranslatable
--   requests: Int64, requests concerned
--   prepared: Int64, requests prepared for the arm
-- order:   arm, feature, action, severity
SELECT losses.arm AS arm, feature, action, severity,
       COUNT(DISTINCT losses.ordinal) AS requests,
       prepared
FROM losses
JOIN (
    SELECT arm, COUNT(*) AS prepared
    FROM planned
    WHERE excluded_reason IS NULL OR excluded_reason = 'untranslatable'
    GROUP BY arm
) AS totals ON totals.arm = losses.arm
GROUP BY losses.arm, feature, action, severity, prepared
ORDER BY arm, feature, action, severity
