//! Estimates, intervals and tests on slices and counts: the arithmetic behind every verdict.
//!
//! Pure functions without I/O, clock or Arrow; where chance is needed, the caller passes a seeded
//! generator. Each bound is one-sided at the level `confidence`, so that a pair of bounds forms
//! the two-sided interval at level 2 * `confidence` - 1. Rows that are not independent share a
//! cluster number; with all clusters different every method reduces to independent rows. No
//! result depends on the order of the rows.

mod cluster;
mod design;
mod distribution;
mod error;
mod mean;
mod multiplicity;
mod outcome;
mod paired;
mod proportion;
mod quantile;
mod quantile_bounds;
mod quantile_ratio;
mod rate;
mod rate_limit;
mod ratio;
mod ratio_of_ratios;
mod sample_size;
pub mod special;
mod sum;

pub use cluster::{ClusterMean, cluster_mean};
pub use design::{DesignEffect, FEW_CLUSTERS, LEAST_CLUSTERS, design_effect};
pub use distribution::{BoxStats, box_stats, ecdf_points};
pub use error::StatsError;
pub use mean::{mean_bounds, mean_bounds_within, mean_p_greater, mean_p_less};
pub use multiplicity::{benjamini_hochberg, benjamini_yekutieli, bonferroni, hochberg, holm};
pub use outcome::{Decision, Direction, Side, decide};
pub use paired::{
    McNemar, mcnemar, tango_bounds, tango_interval, tango_p_greater, tango_p_less, tango_z,
};
pub use proportion::{
    Alternative, Interval, ProportionMethod, binom_test, clopper_pearson_effective,
    proportion_interval,
};
pub use quantile::{QuantileType, quantile, sorted, type1, type7, weighted_type1};
pub use quantile_bounds::{
    Estimate, Ranks, order_statistic_ranks, quantile_bounds, quantile_bounds_clustered,
};
pub use quantile_ratio::{PairedValue, RatioEstimate, quantile_ratio};
pub use rate::{GateTest, quantile_gate, rate_bounds, rate_gate};
pub use rate_limit::{Arrival, MinuteLimits, Rejections, limit_rejections};
pub use ratio::{RatioOfTotals, ratio_of_totals};
pub use ratio_of_ratios::{RateRow, RatioOfRatios, ratio_of_ratios};
pub use sample_size::{
    binom_pass, log_sparsity, n_for_mean, n_for_quantile_ratio, quantile_upper, zero_fail,
};
