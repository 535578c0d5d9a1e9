//! Two-by-two tables: differences of two independent rates, exact and stratified tests.

#![allow(
    clippy::many_single_char_names,
    reason = "the letters are those of the formulas in the literature"
)]

mod difference;
mod fisher;
mod strata;

pub use difference::{DifferenceMethod, ScoreTest, ScoreVariance, difference_interval, score_test};
pub use fisher::{Fisher, fisher_exact};
pub use strata::{Stratified, stratified};
