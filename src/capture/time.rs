//! Points in time in the forms that logs use, as microseconds since 1970 in UTC.

use chrono::{DateTime, NaiveDateTime};
use serde_json::Value;

use crate::dataset::CapturedExchange;

/// A point in time, and how it was stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Microseconds since 1970 in UTC.
    pub(super) us: i64,
    /// The column `time_basis`.
    pub(super) basis: &'static str,
}

/// Reads a point in time, also in the forms of access logs; without a zone it is in the zone that
/// the user states, else in UTC.
///
/// Forms beyond those of [`parse`]: `02/Nov/2026:05:33:21 +0000` of the common log format, and
/// `02/Nov/2026:05:33:21.250` of HAProxy, which has no zone.
pub(super) fn moment(value: &Value, utc_offset_s: Option<i32>) -> Option<Moment> {
    let text = value.as_str().map_or("", str::trim);
    if let Ok(zoned) = DateTime::parse_from_str(text, "%d/%b/%Y:%H:%M:%S%.f %z") {
        return Some(Moment { us: zoned.timestamp_micros(), basis: "rfc3339" });
    }
    if let Some(naive) = naive(text) {
        let basis = if utc_offset_s.is_some() { "stated_offset" } else { "assumed_utc" };
        let offset_us = i64::from(utc_offset_s.unwrap_or(0)) * 1_000_000;
        return Some(Moment { us: naive.and_utc().timestamp_micros() - offset_us, basis });
    }
    let us = parse(value)?;
    let is_number = value.is_number() || text.parse::<f64>().is_ok();
    Some(Moment { us, basis: if is_number { "epoch" } else { "rfc3339" } })
}

fn naive(text: &str) -> Option<NaiveDateTime> {
    const FORMS: [&str; 3] =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%d/%b/%Y:%H:%M:%S%.f"];
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

/// Fills the time columns of a row.
pub(super) fn fill_time(row: &mut CapturedExchange, moment: Moment) {
    row.captured_at = moment.us;
    row.time_basis = Some(moment.basis.to_owned());
}

/// Reads a point in time, in microseconds since 1970; `None` if it is none.
///
/// Numbers (and texts that are numbers) are taken by magnitude: below 1e11 seconds, below 1e14
/// milliseconds, below 1e17 microseconds, else nanoseconds. Texts may be RFC 3339, with a space
/// for the `T` or an offset such as `+0000` too; without a zone they are UTC.
pub(super) fn parse(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => epoch_whole(whole),
            None => epoch(number.as_f64()?),
        },
        Value::String(text) => {
            let text = text.trim();
            match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => epoch_whole(whole),
                (_, Ok(number)) => epoch(number),
                _ => written(text),
            }
        }
        _ => None,
    }
}

/// Keeps every digit, which a float of nanoseconds would not.
fn epoch_whole(number: i64) -> Option<i64> {
    match number {
        ..0 => None,
        0..100_000_000_000 => number.checked_mul(1_000_000),
        100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000),
        100_000_000_000_000..100_000_000_000_000_000 => Some(number),
        _ => Some(number / 1_000),
    }
}

fn epoch(number: f64) -> Option<i64> {
    let factor = match number {
        ..1e11 => 1e6,
        ..1e14 => 1e3,
        ..1e17 => 1.0,
        _ => 1e-3,
    };
    let microseconds = (number * factor).round();
    (0.0..9e18).contains(&microseconds).then_some(microseconds as i64)
}

fn written(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"].iter().find_map(|form| {
        let zoned = DateTime::parse_from_str(text, &format!("{form}%#z"))
            .or_else(|_| DateTime::parse_from_str(text, &format!("{form} %#z")));
        let zoned = zoned.map(|time| time.timestamp_micros());
        let naive = || {
            let text = text.strip_suffix(" UTC").unwrap_or(text);
            NaiveDateTime::parse_from_str(text, form).map(|time| time.and_utc().timestamp_micros())
        };
        zoned.or_else(|_| naive()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// 2026-11-02 05:33:21.25 UTC.
    const MOMENT: i64 = 1_793_597_601_250_000;

    #[test]
    fn epochs_are_scaled_by_their_magnitude() {
        for value in [
            json!(1_793_597_601.25),
            json!(1_793_597_601_250_i64),
            json!(1_793_597_601_250_000_i64),
            json!(1_793_597_601_250_000_000_i64),
            json!("1793597601250000000"),
            json!("1793597601.25"),
        ] {
            assert_eq!(parse(&value), Some(MOMENT), "{value}");
        }
    }

    #[test]
    fn written_times_are_read_and_without_zone_they_are_utc() {
        for text in [
            "2026-11-02T05:33:21.250Z",
            "2026-11-02T06:33:21.250+01:00",
            "2026-11-02T06:33:21.250+0100",
            "2026-11-02 05:33:21.25+00",
            "2026-11-02T05:33:21.2500000",
            "2026-11-02 05:33:21.250",
            "2026-11-02 05:33:21.250 UTC",
            "2026-11-02 05:33:21.250 +0000",
        ] {
            assert_eq!(parse(&json!(text)), Some(MOMENT), "{text}");
        }
    }

    #[test]
    fn access_log_times_are_read_and_a_stated_zone_counts_where_there_is_none() {
        let at = |text: &str, offset| moment(&json!(text), offset).map(|m| (m.us, m.basis));
        let second = MOMENT - 250_000;
        assert_eq!(at("02/Nov/2026:06:33:21 +0100", Some(7_200)), Some((second, "rfc3339")));
        assert_eq!(at("02/Nov/2026:07:33:21.250", Some(7_200)), Some((MOMENT, "stated_offset")));
        assert_eq!(at("2026-11-02 05:33:21.2500000", None), Some((MOMENT, "assumed_utc")));
        assert_eq!(at("2026-11-02T05:33:21.250Z", Some(7_200)), Some((MOMENT, "rfc3339")));
        assert_eq!(at("1793597601250000000", Some(7_200)), Some((MOMENT, "epoch")));
        assert_eq!(at("soon", None), None);
    }

    #[test]
    fn what_is_no_time_is_unknown() {
        for value in
            [json!("yesterday"), json!(-5), json!(-5.5), json!(null), json!("NaN"), json!([1])]
        {
            assert_eq!(parse(&value), None, "{value}");
        }
    }
}
