//! Numbers that may be infinite, in JSON, which knows no infinity.
//!
//! Finite values are JSON numbers; the infinities are the strings `"Infinity"` and `"-Infinity"`;
//! an unknown value is `null`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The JSON form of a possibly infinite, possibly unknown number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ExtendedNumber {
    /// An ordinary number.
    Finite(f64),
    /// `"Infinity"` or `"-Infinity"`.
    Infinite(Infinity),
    /// Unknown.
    Unknown(()),
}

/// The two infinities by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Infinity {
    /// Larger than every number.
    #[serde(rename = "Infinity")]
    Positive,
    /// Smaller than every number.
    #[serde(rename = "-Infinity")]
    Negative,
}

/// Writes the number; NaN counts as unknown.
pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    let extended = match *value {
        Some(number) if number.is_finite() => ExtendedNumber::Finite(number),
        Some(f64::INFINITY) => ExtendedNumber::Infinite(Infinity::Positive),
        Some(f64::NEG_INFINITY) => ExtendedNumber::Infinite(Infinity::Negative),
        _ => ExtendedNumber::Unknown(()),
    };
    extended.serialize(serializer)
}

/// Reads the number back.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(match Option::<ExtendedNumber>::deserialize(deserializer)? {
        Some(ExtendedNumber::Finite(number)) => Some(number),
        Some(ExtendedNumber::Infinite(Infinity::Positive)) => Some(f64::INFINITY),
        Some(ExtendedNumber::Infinite(Infinity::Negative)) => Some(f64::NEG_INFINITY),
        Some(ExtendedNumber::Unknown(())) | None => None,
    })
}
