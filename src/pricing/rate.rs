//! The price of one token.

use std::fmt;
use std::str::FromStr;

use super::decimal::{scaled, to_text};
use super::error::PriceError;

/// Decimals of a dollar that a token price keeps; the finest list price known has 24.
const DECIMALS: i32 = 24;

/// Dollars per token, exact to 10^-24 dollars.
///
/// Shown and parsed per million tokens, `0.50 USD/1M`; `USD/1K` and `USD/1` are read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UsdPerToken(i128);

impl UsdPerToken {
    /// A price of nothing, which is not the same as no price.
    pub const FREE: Self = Self(0);

    /// The price from the decimal text of dollars per token, such as `2.5e-06`; `None` if the
    /// text is not a number or has more decimals than are kept.
    pub fn from_usd_text(text: &str) -> Option<Self> {
        scaled(text, DECIMALS).map(Self)
    }

    /// The cost of `tokens` in units of 10^-24 dollars.
    pub(super) fn times(self, tokens: u64) -> Result<i128, PriceError> {
        self.0.checked_mul(i128::from(tokens)).ok_or(PriceError::Overflow)
    }

    /// Whole nano-dollars per million tokens, rounded half up; `None` beyond what 64 bits hold.
    pub fn as_nanousd_per_million(self) -> Option<i64> {
        const UNITS: i128 = 1_000_000_000;
        i64::try_from((self.0 + UNITS / 2) / UNITS).ok()
    }

    /// Dollars per million tokens, for display and charts only.
    pub fn as_usd_per_million(self) -> f64 {
        self.0 as f64 / 1e18
    }
}

impl FromStr for UsdPerToken {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let malformed = || PriceError::Malformed {
            text: text.to_owned(),
            expected: "a price such as \"0.50 USD/1M\"",
        };
        let (amount, per) = text.trim().split_once('/').ok_or_else(malformed)?;
        let number = amount.trim_end().strip_suffix("USD").ok_or_else(malformed)?.trim_end();
        let tokens_decimals = match per.trim() {
            "1M" => 6,
            "1K" | "1k" => 3,
            "1" => 0,
            _ => return Err(malformed()),
        };
        scaled(number, DECIMALS - tokens_decimals).map(Self).ok_or_else(malformed)
    }
}

impl fmt::Display for UsdPerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("{} USD/1M", to_text(self.0, 18, 2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_price_per_million_thousand_and_token_is_the_same() {
        let per_token = UsdPerToken::from_usd_text("5e-07");
        assert_eq!("0.50 USD/1M".parse().ok(), per_token);
        assert_eq!("0.0005 USD/1K".parse().ok(), per_token);
        assert_eq!("0.0000005USD/1".parse().ok(), per_token);
    }

    #[test]
    fn a_price_is_shown_as_it_can_be_written_in_a_plan() {
        for text in ["0.50 USD/1M", "15.00 USD/1M", "0.0375 USD/1M"] {
            assert_eq!(text.parse::<UsdPerToken>().map(|price| price.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn a_price_in_nano_dollars_per_million_tokens_is_rounded_half_up() {
        let price = |text: &str| UsdPerToken::from_usd_text(text).unwrap();
        assert_eq!(price("2.5e-06").as_nanousd_per_million(), Some(2_500_000_000));
        assert_eq!(price("1.5e-15").as_nanousd_per_million(), Some(2));
        assert_eq!(price("1").as_nanousd_per_million(), Some(1_000_000_000_000_000));
    }

    #[test]
    fn a_price_without_unit_is_refused() {
        for text in ["0.50", "0.50 USD", "0.50 USD/M", "0.50 EUR/1M", "-1 USD/1M", "USD/1M", ""] {
            assert!(text.parse::<UsdPerToken>().is_err(), "{text}");
        }
    }
}
