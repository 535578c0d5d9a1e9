//! SQL functions of ours: estimates over `stats`, comparisons over `similarity`.

mod aggregate;
mod estimate;
mod methods;
mod scalar;

pub(crate) use aggregate::aggregates;
pub(crate) use scalar::scalars;
