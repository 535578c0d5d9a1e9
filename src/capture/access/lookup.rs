//! Values as access logs write them: `-` for unknown, numbers as texts, times to the second.

use serde_json::Value;

use super::super::format::ReadContext;
use super::super::reason::RejectReason;
use super::super::time::{self, Moment};
use super::super::value::{as_text, number, path};
use super::Rejection;

/// A value that says something: not null, blank or `-`.
pub(super) fn is_known(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !matches!(text.trim(), "" | "-"),
        _ => true,
    }
}

/// The first of several names with a known value.
pub(super) fn known<'r>(record: &'r Value, names: &[&str]) -> Option<&'r Value> {
    names.iter().filter_map(|name| record.get(name)).find(|value| is_known(value))
}

/// The same as text.
pub(super) fn known_text(record: &Value, names: &[&str]) -> Option<String> {
    known(record, names).and_then(as_text).map(|text| text.trim().to_owned())
}

/// The same as a number.
pub(super) fn known_number(record: &Value, names: &[&str]) -> Option<f64> {
    known(record, names).and_then(number)
}

/// Whether the log has a column for something and says that there was none.
pub(super) fn is_stated_absent(record: &Value, names: &[&str]) -> bool {
    let mut stated = names.iter().filter_map(|name| record.get(name)).peekable();
    stated.peek().is_some() && stated.all(|value| !is_known(value))
}

/// A known value of a member of a member.
pub(super) fn known_at<'r>(record: &'r Value, names: &[&str]) -> Option<&'r Value> {
    path(record, names).filter(|value| is_known(value))
}

/// A point in time, and how exactly the log states it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    pub(super) moment: Moment,
    /// The smallest difference that it can tell, in milliseconds.
    pub(super) resolution_ms: f64,
}

/// The first of several names with a point in time; one that is none is an error.
pub(super) fn stamp(
    record: &Value,
    names: &[&str],
    context: &ReadContext,
) -> Result<Option<Stamp>, Rejection> {
    let found = names.iter().filter_map(|name| Some((name, record.get(name)?)));
    let Some((name, value)) = found.into_iter().find(|(_, value)| is_known(value)) else {
        return Ok(None);
    };
    stamp_of(value, context.utc_offset_s).map(Some).ok_or_else(|| bad_time(name))
}

/// That a member is no point in time.
pub(super) fn bad_time(name: &str) -> Rejection {
    (RejectReason::BadField, format!("`{name}` is no point in time"))
}

/// A point in time with its resolution.
pub(super) fn stamp_of(value: &Value, utc_offset_s: Option<i32>) -> Option<Stamp> {
    let moment = time::moment(value, utc_offset_s)?;
    Some(Stamp { moment, resolution_ms: resolution_ms(value) })
}

/// The resolution that a time's own digits show; rows hold no more than microseconds.
fn resolution_ms(value: &Value) -> f64 {
    let text = as_text(value).unwrap_or_default();
    let text = text.trim();
    let unit_ms = match text.split('.').next().unwrap_or_default().parse::<i64>() {
        Ok(..100_000_000_000) | Err(_) => 1_000.0,
        Ok(..100_000_000_000_000) => 1.0,
        Ok(_) => 0.001,
    };
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let digits = i32::try_from(digits).unwrap_or(i32::MAX).min(9);
    (unit_ms / 10_f64.powi(digits)).max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_dash_is_unknown_and_a_column_of_dashes_says_that_there_was_none() {
        let record = json!({"a": "-", "b": " ", "c": null, "d": "7", "e": 0});
        assert_eq!(known(&record, &["a", "b", "c", "d"]), Some(&json!("7")));
        assert_eq!(known_number(&record, &["a", "d"]), Some(7.0));
        assert_eq!(known_text(&record, &["e"]).as_deref(), Some("0"));
        assert!(is_stated_absent(&record, &["a", "b"]));
        assert!(!is_stated_absent(&record, &["a", "d"]), "one of them is known");
        assert!(!is_stated_absent(&record, &["nothing"]), "the log has no such column");
    }

    #[test]
    fn the_digits_of_a_time_show_its_resolution() {
        for (value, resolution_ms) in [
            (json!("02/Nov/2026:05:33:21 +0000"), 1_000.0),
            (json!("02/Nov/2026:05:33:21.250"), 1.0),
            (json!("2026-11-02T05:33:21Z"), 1_000.0),
            (json!("2026-11-02T05:33:21.25Z"), 10.0),
            (json!("2026-11-02T05:33:21.250123456Z"), 0.001),
            (json!("1793597601.250"), 1.0),
            (json!(1_793_597_601), 1_000.0),
            (json!("1793597601250"), 1.0),
            (json!(1_793_597_601_250_000_i64), 0.001),
        ] {
            let stamp = stamp_of(&value, None).unwrap();
            assert!((stamp.resolution_ms - resolution_ms).abs() < 1e-9, "{value}: {stamp:?}");
        }
    }
}
