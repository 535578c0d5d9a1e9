//! Values with units, as people write them in a plan.

use std::time::Duration;

use super::settings::BoundUnit;

/// Reads `20%` or a plain fraction such as `0.2` as a share.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let parsed = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|value| value / 100.0),
        None => text.trim().parse::<f64>(),
    };
    match parsed {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(format!("`{text}` is not a share: write for instance `1%` or `0.01`")),
    }
}

/// Reads `500ms`, `2s` or `1min`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text.trim())
        .map_err(|_| format!("`{text}` is not a duration: write for instance `500ms` or `30s`"))
}

/// Reads `200/s` or `60/min` as requests per second.
pub(super) fn rate_per_second(text: &str) -> Result<f64, String> {
    let refuse = || format!("`{text}` is not a rate: write for instance `200/s` or `60/min`");
    let (count, unit) = text.split_once('/').ok_or_else(refuse)?;
    let count: f64 = count.trim().parse().map_err(|_| refuse())?;
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3600.0,
        _ => return Err(refuse()),
    };
    if count.is_finite() && count > 0.0 { Ok(count / seconds) } else { Err(refuse()) }
}

/// Reads a bound: `1500ms` as milliseconds, `0.1%` as a share, `1 USD` as dollars.
pub(super) fn bound(text: &str) -> Result<(f64, BoundUnit), String> {
    let trimmed = text.trim();
    if trimmed.ends_with('%') {
        return Ok((share(trimmed)?, BoundUnit::Share));
    }
    if let Some(dollars) = trimmed.strip_suffix("USD") {
        return match dollars.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok((value, BoundUnit::Usd)),
            _ => Err(format!("`{text}` is not an amount: write for instance `1 USD`")),
        };
    }
    if let Ok(number) = trimmed.parse::<f64>() {
        return Ok((number, BoundUnit::None));
    }
    let duration = duration(trimmed).map_err(|_| {
        format!("`{text}` has no unit that is known: write for instance `500ms`, `20%` or `1 USD`")
    })?;
    Ok((duration.as_secs_f64() * 1_000.0, BoundUnit::Milliseconds))
}

/// Reads a fixed zone such as `+02:00`, `-0530`, `Z` or `UTC`: seconds east of UTC.
pub fn utc_offset(text: &str) -> Option<i32> {
    let text = text.trim();
    if matches!(text, "Z" | "z" | "UTC" | "utc") {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|char| *char != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_carry_their_unit() {
        assert_eq!(bound("1500ms").unwrap(), (1500.0, BoundUnit::Milliseconds));
        assert_eq!(bound("2s").unwrap(), (2000.0, BoundUnit::Milliseconds));
        assert_eq!(bound("0.5 %").unwrap(), (0.005, BoundUnit::Share));
        assert_eq!(bound("3 USD").unwrap(), (3.0, BoundUnit::Usd));
        assert_eq!(bound("1.2").unwrap(), (1.2, BoundUnit::None));
        assert!(bound("12 parsecs").is_err());
    }

    #[test]
    fn rates_have_a_unit_of_time() {
        assert!((rate_per_second("60/min").unwrap() - 1.0).abs() < 1e-12);
        assert!(rate_per_second("60").is_err());
        assert!(rate_per_second("-1/s").is_err());
    }

    #[test]
    fn zones_are_fixed_offsets() {
        let zones = ["+02:00", "-0530", "Z", "UTC", "+00:00"].map(utc_offset);
        assert_eq!(zones, [Some(7_200), Some(-19_800), Some(0), Some(0), Some(0)]);
        for wrong in ["CET", "02:00", "+2", "+25:00", "+02:60", "", "+é:00"] {
            assert_eq!(utc_offset(wrong), None, "{wrong}");
        }
    }
}
