//! Figures as text: significant digits, grouping, units.
//!
//! A figure never stands without its unit, an infinite one prints as `∞`, an unknown one as `–`.

use super::text::shown;

/// Printed where a figure is unknown.
pub(crate) const UNKNOWN: &str = "–";
/// Printed where a figure is larger than every number.
pub(crate) const INFINITE: &str = "∞";

/// The unit of a criterion's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// `ms`
    Milliseconds,
    /// `share`: 0 to 1, printed as percent.
    Share,
    /// `pp`: a difference of shares, printed as percentage points.
    PercentagePoints,
    /// `USD`
    Usd,
    /// `ratio`: printed with a multiplication sign.
    Ratio,
    /// Any other word, printed after the number.
    Other(String),
}

impl Unit {
    /// Reads the unit of a criterion: `ms`, `share` (also `rate`, `fraction`, `proportion`), `pp`,
    /// `USD`, `ratio`; any other text is kept.
    pub(crate) fn parse(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "ms" => Unit::Milliseconds,
            "share" | "rate" | "fraction" | "proportion" => Unit::Share,
            "pp" | "percentage_points" => Unit::PercentagePoints,
            "usd" => Unit::Usd,
            "ratio" | "x" => Unit::Ratio,
            "" | "1" => Unit::Other(String::new()),
            _ => Unit::Other(shown(text.trim())),
        }
    }

    /// The unit of a criterion's figures, given how they are compared: a difference of shares is in
    /// percentage points.
    pub(crate) fn compared(text: &str, comparison: &str) -> Self {
        match Unit::parse(text) {
            Unit::Share if matches!(comparison, "increase" | "excess") => Unit::PercentagePoints,
            unit => unit,
        }
    }

    fn scale(&self) -> f64 {
        match self {
            Unit::Share | Unit::PercentagePoints => 100.0,
            _ => 1.0,
        }
    }

    fn label(&self, number: &str) -> String {
        match self {
            Unit::Milliseconds => format!("{number} ms"),
            Unit::Share => format!("{number}%"),
            Unit::PercentagePoints => format!("{number} pp"),
            Unit::Usd => format!("{number} USD"),
            Unit::Ratio => format!("{number}×"),
            Unit::Other(unit) if unit.is_empty() => number.to_owned(),
            Unit::Other(unit) => format!("{number} {unit}"),
        }
    }
}

/// Puts commas between groups of three digits of the integer part.
fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("−", digits),
        None => ("", number),
    };
    let (integer, fraction) = digits.split_once('.').map_or((digits, None), |(i, f)| (i, Some(f)));
    let mut text = String::from(sign);
    for (position, digit) in integer.chars().enumerate() {
        if position > 0 && (integer.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// `value` with at least `digits` significant digits; the integer part is always whole.
pub(crate) fn significant(value: f64, digits: i32) -> String {
    if let Some(text) = not_finite(value) {
        return text;
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (digits - 1 - magnitude).clamp(0, 17) as usize;
    grouped(&format!("{value:.decimals$}"))
}

/// `value` with up to `digits` significant digits and no trailing zeros.
fn trimmed(value: f64, digits: i32) -> String {
    let text = significant(value, digits);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn not_finite(value: f64) -> Option<String> {
    if value.is_nan() {
        Some(UNKNOWN.to_owned())
    } else if value.is_infinite() {
        Some(if value > 0.0 { INFINITE.to_owned() } else { format!("−{INFINITE}") })
    } else {
        None
    }
}

/// A count, digits grouped.
pub(crate) fn count(value: impl Into<u128>) -> String {
    grouped(&value.into().to_string())
}

/// A sum of tokens, digits grouped.
pub(crate) fn tokens(value: i64) -> String {
    grouped(&value.to_string())
}

/// A limit as the plan sets it: every digit that it has, no more.
pub(crate) fn limit(value: f64, unit: &Unit) -> String {
    if let Some(text) = not_finite(value) {
        return text;
    }
    unit.label(&trimmed(value * unit.scale(), 12))
}

/// A measured figure to be read beside its limit.
///
/// Four significant digits, more where rounding would carry it onto or across the limit: a reader
/// must see on which side of the limit a figure lies.
pub(crate) fn beside_limit(value: Option<f64>, bound: f64, unit: &Unit) -> String {
    let Some(value) = value else { return UNKNOWN.to_owned() };
    if let Some(text) = not_finite(value) {
        return text;
    }
    let side = value.total_cmp(&bound);
    if side.is_eq() {
        return limit(bound, unit);
    }
    let scaled_bound = bound * unit.scale();
    let number = (4..=17)
        .map(|digits| significant(value * unit.scale(), digits))
        .find(|text| read_back(text).is_none_or(|read| read.total_cmp(&scaled_bound) == side))
        .unwrap_or_else(|| significant(value * unit.scale(), 17));
    unit.label(&number)
}

/// The value of a printed number.
fn read_back(text: &str) -> Option<f64> {
    text.replace(',', "").replace('−', "-").parse().ok()
}

/// A duration: milliseconds up to 10 s, seconds beyond.
pub(crate) fn duration_ms(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text;
    }
    let size = value.abs();
    if size >= 10_000.0 {
        format!("{} s", grouped(&format!("{:.2}", value / 1000.0)))
    } else if size >= 100.0 {
        format!("{} ms", grouped(&format!("{value:.0}")))
    } else {
        format!("{} ms", significant(value, 3))
    }
}

/// A time since a start: seconds, whole from 100 on, else with one decimal.
pub(crate) fn elapsed_s(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text;
    }
    let decimals = usize::from(value.abs() < 100.0 && value != 0.0);
    format!("{} s", grouped(&format!("{value:.decimals$}")))
}

/// A rate of requests: three significant digits, no trailing zeros.
pub(crate) fn per_second(value: f64) -> String {
    format!("{}/s", trimmed(value, 3))
}

/// A share as percent; never rounds to 0 % or 100 % what is not.
pub(crate) fn share(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text;
    }
    let percent = value * 100.0;
    if percent.abs() >= 99.995 && percent.abs() < 100.0 {
        return "> 99.99%".to_owned();
    }
    let digits = if percent.abs() >= 99.0 { 4 } else { 3 };
    if percent.abs() >= 100.0 || percent == 0.0 {
        return format!("{}%", trimmed(percent, 5));
    }
    format!("{}%", significant(percent, digits))
}

/// An amount in USD: whole dollars from a thousand on, cents from one on, three significant digits
/// below.
pub(crate) fn usd(value: f64) -> String {
    if let Some(text) = not_finite(value) {
        return text;
    }
    if value == 0.0 {
        "0 USD".to_owned()
    } else if value.abs() >= 1000.0 {
        format!("{} USD", grouped(&format!("{value:.0}")))
    } else if value.abs() >= 1.0 {
        format!("{value:.2} USD").replace('-', "−")
    } else {
        format!("{} USD", significant(value, 3))
    }
}

/// Integer nano-dollars in USD, every digit kept, at least two decimals.
pub(crate) fn nanousd(value: impl Into<i128>) -> String {
    let value = value.into();
    let sign = if value < 0 { "-" } else { "" };
    let (whole, nano) =
        (value.unsigned_abs() / 1_000_000_000, value.unsigned_abs() % 1_000_000_000);
    let fraction = format!("{nano:09}");
    let kept = fraction.trim_end_matches('0').len().max(2);
    format!("{} USD", grouped(&format!("{sign}{whole}.{}", &fraction[..kept])))
}

/// A p-value: three decimals, or two significant digits, or a bound when it is tiny.
pub(crate) fn p_value(value: Option<f64>) -> String {
    match value {
        None => UNKNOWN.to_owned(),
        Some(p) if !p.is_finite() => UNKNOWN.to_owned(),
        Some(p) if p > 0.0 && p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) if p >= 0.001 => format!("{p:.3}"),
        Some(p) => significant(p, 2),
    }
}

/// A confidence level, such as `95%`.
pub(crate) fn confidence(level: f64) -> String {
    not_finite(level).unwrap_or_else(|| format!("{}%", trimmed(level * 100.0, 6)))
}

/// A quantile's name, such as `p99.9`.
pub(crate) fn percentile_name(p: f64) -> String {
    not_finite(p).unwrap_or_else(|| format!("p{}", trimmed(p * 100.0, 8)))
}

/// A figure that may be unknown.
pub(crate) fn optional(value: Option<f64>, print: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), print)
}

#[cfg(test)]
mod tests;
