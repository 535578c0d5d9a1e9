//! What a request costs: prices with units, tiers, dates and sources, and exact money.
//!
//! Prices are integers of 10^-24 dollars per token, read from decimal text, so no price passes
//! through floating point. A cost is rounded once, half up, to whole nano-dollars. An unknown
//! price is an error, never zero; a published price of zero is a price.

mod catalogue;
mod decimal;
mod error;
mod litellm;
mod lookup;
mod money;
mod price;
mod rate;

pub use catalogue::Catalogue;
pub use error::PriceError;
pub use money::NanoUsd;
pub use price::{Price, Tier};
pub use rate::UsdPerToken;
