//! Promises that hold for every dialect.

mod answers;
mod prepare;
mod properties;
mod requests;
mod streams;
