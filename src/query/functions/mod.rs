//! SQL functions of ours: estimates over `stats`, comparisons over `similarity`.

mod aggregate;
mod catalogue_cost;
mod cosine;
mod counts;
mod estimate;
mod listing;
mod methods;
mod record;
mod scalar;
mod texts;

pub(crate) use aggregate::aggregates;
pub(crate) use catalogue_cost::catalogue_cost;
pub(crate) use counts::counts;
pub use listing::functions;
pub(crate) use scalar::scalars;
