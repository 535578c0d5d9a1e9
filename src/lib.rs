//! placeholder
pub mod chat;
pub mod dataset;
pub mod plan;
pub mod pricing;
pub mod provider;
pub mod similarity;
pub mod stats;
