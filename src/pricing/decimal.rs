//! Decimal text to scaled integers, exactly.

/// `text` times 10^`scale` as an integer; `None` unless it is a plain, not negative decimal
/// number (`12`, `0.50`, `2.5e-06`) that is a whole number at this scale.
pub(super) fn scaled(text: &str, scale: i32) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let shift = scale.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if value == 0 {
        return Some(0);
    }
    if shift >= 0 {
        return value.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?);
    }
    let divisor = 10_i128.checked_pow(shift.unsigned_abs())?;
    (value % divisor == 0).then_some(value / divisor)
}

/// A scaled integer as decimal text with at least `least` decimals and no other trailing zeros.
pub(super) fn to_text(value: i128, scale: usize, least: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let used = fraction.trim_end_matches('0').len().max(least.min(scale));
    match fraction.get(..used).unwrap_or_default() {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_gives_the_same_integer() {
        for text in ["2.5e-06", "2.5E-6", "0.0000025", "25e-7", "0.00000250"] {
            assert_eq!(scaled(text, 12), Some(2_500_000), "{text}");
        }
        assert_eq!(scaled("1.0000000000000001e-07", 24), Some(100_000_000_000_000_010));
        assert_eq!(scaled("0e5", 3), Some(0));
    }

    #[test]
    fn what_is_not_a_whole_number_at_the_scale_is_refused_not_rounded() {
        assert_eq!(scaled("0.1234", 3), None);
        assert_eq!(scaled("1e-30", 24), None);
        for text in ["", ".5", "-1", "+1", "1_000", "0x1", "NaN", "1e", "1.2.3", "1e999"] {
            assert_eq!(scaled(text, 3), None, "{text}");
        }
    }

    #[test]
    fn text_keeps_every_digit() {
        assert_eq!(to_text(1_234_567_000, 9, 2), "1.234567");
        assert_eq!(to_text(25_000_000_000, 9, 2), "25.00");
        assert_eq!(to_text(-1, 9, 2), "-0.000000001");
        assert_eq!(to_text(3, 0, 0), "3");
    }
}
