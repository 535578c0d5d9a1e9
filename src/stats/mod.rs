//! Estimates, intervals and tests on slices and counts: the arithmetic behind every verdict.
//!
//! Pure functions without I/O, clock or Arrow; where chance is needed, the caller passes a seeded
//! generator. Each bound is one-sided at the level `confidence`, so that a pair of bounds forms
//! the two-sided interval at level 2 * `confidence` - 1. Rows that are not independent share a
//! cluster number; with all clusters different every method reduces to independent rows. No
//! result depends on the order of the rows.

mod bootstrap;
mod cluster;
mod design;
mod distribution;
mod equivalence;
mod error;
mod harrell_davis;
mod mean;
mod multiplicity;
mod outcome;
mod paired;
mod proportion;
mod quantile;
mod quantile_bounds;
mod quantile_ratio;
mod rank;
mod rate;
mod rate_limit;
mod ratio;
mod ratio_of_ratios;
mod sample_size;
mod sequential;
pub mod special;
mod sum;
mod survival;
mod table;
mod woodruff;

pub use bootstrap::{Bootstrap, BootstrapRatio, bca_bootstrap, cluster_bootstrap_ratio};
pub use cluster::{ClusterMean, cluster_mean};
pub use design::{DesignEffect, FEW_CLUSTERS, LEAST_CLUSTERS, design_effect};
pub use distribution::{BoxStats, box_stats, ecdf_points};
pub use equivalence::{Equivalence, EquivalenceDesign, equivalence};
pub use error::StatsError;
pub use harrell_davis::harrell_davis;
pub use mean::{mean_bounds, mean_bounds_within, mean_p_greater, mean_p_less};
pub use multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, hochberg, holm};
pub use outcome::{Alternative, Decision, Direction, Side, decide};
pub use paired::{
    McNemar, mcnemar, tango_bounds, tango_interval, tango_p_greater, tango_p_less, tango_z,
};
pub use proportion::{
    Interval, ProportionMethod, binom_test, clopper_pearson_effective, proportion_interval,
};
pub use quantile::{QuantileType, quantile, sorted, type1, type7, weighted_type1};
pub use quantile_bounds::{
    Estimate, Ranks, order_statistic_ranks, quantile_bounds, quantile_bounds_clustered,
};
pub use quantile_ratio::{PairedValue, RatioEstimate, quantile_ratio};
pub use rank::{
    AndersonDarling, BrunnerMunzel, CliffsDelta, HodgesLehmann, KolmogorovSmirnov, MannWhitney,
    NullDistribution, RankMethod, SignedRank, TieRule, ZeroMethod, anderson_darling,
    brunner_munzel, cliffs_delta, hodges_lehmann, hodges_lehmann_paired, kolmogorov_smirnov,
    mann_whitney, signed_rank,
};
pub use rate::{GateTest, quantile_gate, rate_bounds, rate_gate};
pub use rate_limit::{Arrival, MinuteLimits, Rejections, limit_rejections};
pub use ratio::{RatioOfTotals, ratio_of_totals};
pub use ratio_of_ratios::{RateRow, RatioOfRatios, ratio_of_ratios};
pub use sample_size::{
    binom_pass, log_sparsity, n_for_mean, n_for_quantile_ratio, quantile_upper, zero_fail,
};
pub use sequential::{SequenceWidth, bernoulli_log_evidence, confidence_sequence};
pub use survival::{SurvivalCurve, SurvivalStep, kaplan_meier};
pub use table::{
    DifferenceMethod, Fisher, ScoreTest, ScoreVariance, Stratified, difference_interval,
    fisher_exact, score_test, stratified,
};
pub use woodruff::{WeightedRow, woodruff_bounds};
