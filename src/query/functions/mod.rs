//! SQL functions of ours: estimates over `stats`, comparisons over `similarity`.

mod aggregate;
mod catalogue_cost;
mod cosine;
mod estimate;
mod methods;
mod scalar;
mod texts;

pub(crate) use aggregate::aggregates;
pub(crate) use catalogue_cost::catalogue_cost;
pub(crate) use scalar::scalars;
