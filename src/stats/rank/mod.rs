//! Tests and effect sizes of ranks: they assume no distribution and hold for values at +infinity.
//!
//! Every result is computed from counts of smaller and equal values, so that it depends on
//! nothing but the order of the values. Rows must be independent: with clusters, hand over one
//! value per cluster.

#![allow(
    clippy::many_single_char_names,
    reason = "the letters are those of the formulas in the literature"
)]

mod anderson_darling;
mod brunner_munzel;
mod exact;
mod hodges_lehmann;
mod kolmogorov_smirnov;
mod mann_whitney;
mod selection;
mod signed_rank;
mod ties;

pub use anderson_darling::{AndersonDarling, TieRule, anderson_darling};
pub use brunner_munzel::{
    BrunnerMunzel, CliffsDelta, NullDistribution, brunner_munzel, cliffs_delta,
};
pub use hodges_lehmann::{HodgesLehmann, hodges_lehmann, hodges_lehmann_paired};
pub use kolmogorov_smirnov::{KolmogorovSmirnov, kolmogorov_smirnov};
pub use mann_whitney::{MannWhitney, mann_whitney};
pub use signed_rank::{SignedRank, ZeroMethod, signed_rank};

/// How a p-value of ranks is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankMethod {
    /// By the exact distribution over all assignments of the observed ranks, ties included.
    Exact,
    /// By the normal distribution with a variance corrected for ties.
    Asymptotic {
        /// Whether the statistic moves half a unit towards its mean first.
        continuity: bool,
    },
}
