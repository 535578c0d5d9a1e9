//! Amounts of money in whole nano-dollars.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::decimal::{scaled, to_text};
use super::error::PriceError;

/// An amount in nano-dollars (10^-9 USD), up to about 9.2 billion dollars.
///
/// Shown as `$1.234567`, with two to nine decimals; parsed from `25 USD` or `$25`, where an
/// amount finer than a nano-dollar is refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

impl NanoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// The sum, or [`PriceError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, PriceError> {
        self.0.checked_add(other.0).map(Self).ok_or(PriceError::Overflow)
    }

    /// The difference, or [`PriceError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, PriceError> {
        self.0.checked_sub(other.0).map(Self).ok_or(PriceError::Overflow)
    }

    /// `count` times the amount, or [`PriceError::Overflow`].
    pub fn checked_mul(self, count: u64) -> Result<Self, PriceError> {
        let count = i64::try_from(count).map_err(|_| PriceError::Overflow)?;
        self.0.checked_mul(count).map(Self).ok_or(PriceError::Overflow)
    }

    /// The sum of all amounts, or [`PriceError::Overflow`].
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, PriceError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// The amount in dollars, for charts and ratios only.
    pub fn as_usd(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl fmt::Display for NanoUsd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = to_text(i128::from(self.0.unsigned_abs()), 9, 2);
        formatter.pad(&format!("{sign}${amount}"))
    }
}

impl FromStr for NanoUsd {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let malformed = || PriceError::Malformed {
            text: text.to_owned(),
            expected: "an amount such as \"25 USD\"",
        };
        let trimmed = text.trim();
        let number = match (trimmed.strip_suffix("USD"), trimmed.strip_prefix('$')) {
            (Some(number), _) => number.trim_end(),
            (None, Some(number)) => number.trim_start(),
            (None, None) => return Err(malformed()),
        };
        let nanos = scaled(number, 9).ok_or_else(malformed)?;
        i64::try_from(nanos).map(Self).map_err(|_| PriceError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        assert_eq!("25 USD".parse(), Ok(NanoUsd(25_000_000_000)));
        assert_eq!(" 0.5USD ".parse(), Ok(NanoUsd(500_000_000)));
        assert_eq!("$0.000000001".parse(), Ok(NanoUsd(1)));
    }

    #[test]
    fn other_currencies_signs_and_finer_amounts_are_refused() {
        for text in ["25", "25 EUR", "-1 USD", "USD", "0.0000000001 USD", "", "1,5 USD"] {
            assert!(text.parse::<NanoUsd>().is_err(), "{text}");
        }
        assert_eq!("10000000000 USD".parse::<NanoUsd>(), Err(PriceError::Overflow));
    }

    #[test]
    fn amounts_are_shown_with_every_digit_that_counts() {
        assert_eq!(NanoUsd(1_234_567_000).to_string(), "$1.234567");
        assert_eq!(NanoUsd(0).to_string(), "$0.00");
        assert_eq!(NanoUsd(-1_500_000_000).to_string(), "-$1.50");
        assert_eq!(NanoUsd(i64::MIN).to_string(), "-$9223372036.854775808");
    }

    #[test]
    fn arithmetic_never_wraps() {
        let most = NanoUsd(i64::MAX);
        assert_eq!(most.checked_add(NanoUsd(1)), Err(PriceError::Overflow));
        assert_eq!(most.checked_mul(2), Err(PriceError::Overflow));
        assert_eq!(NanoUsd(i64::MIN).checked_sub(NanoUsd(1)), Err(PriceError::Overflow));
        assert_eq!(NanoUsd::checked_sum([NanoUsd(1), NanoUsd(2)]), Ok(NanoUsd(3)));
        assert_eq!(NanoUsd::checked_sum([most, NanoUsd(1)]), Err(PriceError::Overflow));
    }
}
