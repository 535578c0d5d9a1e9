//! Means and ratios of rows that depend on each other, with every form of their error.

use super::super::record::{Cell, Kind, Outcome, PROBLEM, Shape, into_cells, outcome};
use super::Argument::{Cluster, Constant, Number};
use super::{Constants, Method, Rows};
use crate::stats::{
    Bootstrap, QuantileType, StatsError, bca_bootstrap, cluster_mean, mean_bounds, quantile,
    ratio_of_totals,
};

/// Replicates of the bootstrap.
const REPLICATES: usize = 9_999;

/// Beyond so many rows the jackknife of BCa, which is quadratic, takes minutes; formulas do as
/// well there.
const MOST_RESAMPLED: usize = 10_000;

const MEAN: Shape = &[
    ("mean", Kind::Float),
    ("se_iid", Kind::Float),
    ("se", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("deff", Kind::Float),
    ("n", Kind::Count),
    ("clusters", Kind::Count),
    PROBLEM,
];
const RATIO: Shape = &[
    ("ratio", Kind::Float),
    ("se", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("fieller_low", Kind::Float),
    ("fieller_high", Kind::Float),
    ("n", Kind::Count),
    ("clusters", Kind::Count),
    PROBLEM,
];
const BOOTSTRAP: Shape = &[
    ("value", Kind::Float),
    ("low", Kind::Float),
    ("high", Kind::Float),
    ("percentile_low", Kind::Float),
    ("percentile_high", Kind::Float),
    ("acceleration", Kind::Float),
    ("n", Kind::Count),
    PROBLEM,
];

pub(super) const METHODS: &[Method] = &[
    Method {
        name: "cluster_mean",
        description: "Mean with the standard error of independent rows and the cluster-robust \
                      one, a two-sided interval (Student's t below 20 clusters, none below 5) \
                      and the design effect",
        syntax: "cluster_mean(x, cluster [, confidence])",
        arguments: &[Number, Cluster, Constant],
        optional: 1,
        shape: MEAN,
        compute: |rows, constants| into_cells(MEAN, mean(rows, constants)),
    },
    Method {
        name: "ratio_ci",
        description: "Sum of y over sum of x with its cluster-robust error, the two-sided normal \
                      interval and Fieller's (NULL where it is unbounded)",
        syntax: "ratio_ci(y, x, cluster [, confidence])",
        arguments: &[Number, Number, Cluster, Constant],
        optional: 1,
        shape: RATIO,
        compute: |rows, constants| into_cells(RATIO, ratio(rows, constants)),
    },
    Method {
        name: "bootstrap_ci",
        description: "Mean, median or trimmed_mean (10 % off either end) of independent rows with \
                      the two-sided BCa interval (low, high) and the percentile one, 9,999 \
                      replicates",
        syntax: "bootstrap_ci(x, statistic [, confidence [, seed]])",
        arguments: &[Number, Constant, Constant, Constant],
        optional: 2,
        shape: BOOTSTRAP,
        compute: |rows, constants| into_cells(BOOTSTRAP, resampled(rows, constants)),
    },
    Method {
        name: "ratio_bootstrap_ci",
        description: "Sum of y over sum of x with the two-sided BCa interval over clusters, for \
                      few rows or where one cluster holds a large part, 9,999 replicates",
        syntax: "ratio_bootstrap_ci(y, x, cluster [, confidence [, seed]])",
        arguments: &[Number, Number, Cluster, Constant, Constant],
        optional: 2,
        shape: BOOTSTRAP,
        compute: |rows, constants| into_cells(BOOTSTRAP, resampled_ratio(rows, constants)),
    },
];

fn mean(rows: &Rows, constants: &Constants) -> Outcome {
    let (x, cluster) = (rows.column(0), rows.clusters(1));
    let confidence = constants.confidence(0);
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(StatsError::ConfidenceOutOfRange(confidence).to_string());
    }
    // A two-sided interval is the pair of one-sided bounds that share its error.
    let bounds = mean_bounds(&x, &cluster, f64::midpoint(1.0, confidence)).ok();
    outcome(cluster_mean(&x, &cluster), |mean| {
        vec![
            mean.mean.into(),
            mean.se_iid.into(),
            mean.se_cluster_g.into(),
            bounds.map(|bounds| bounds.low).into(),
            bounds.map(|bounds| bounds.high).into(),
            mean.deff.into(),
            mean.n.into(),
            mean.clusters.into(),
        ]
    })
}

fn ratio(rows: &Rows, constants: &Constants) -> Outcome {
    let cluster = rows.clusters(2);
    let ratio =
        ratio_of_totals(&rows.column(0), &rows.column(1), Some(&cluster), constants.confidence(0));
    outcome(ratio, |ratio| {
        vec![
            ratio.ratio.into(),
            ratio.se.into(),
            ratio.wald_low.into(),
            ratio.wald_high.into(),
            ratio.fieller_low.into(),
            ratio.fieller_high.into(),
            ratio.n.into(),
            ratio.clusters.into(),
        ]
    })
}

fn resample<const W: usize>(
    rows: &[[f64; W]],
    statistic: impl Fn(&[[f64; W]]) -> f64 + Sync,
    confidence: f64,
    seed: u64,
) -> Result<Bootstrap, String> {
    if rows.len() > MOST_RESAMPLED {
        let advice = "cluster_mean and ratio_ci have formulas for many";
        return Err(format!("at most {MOST_RESAMPLED} units are resampled; {advice}"));
    }
    bca_bootstrap(rows, statistic, confidence, REPLICATES, seed).map_err(|error| error.to_string())
}

fn seed(constants: &Constants, index: usize) -> u64 {
    constants.number(index).unwrap_or(0.0) as u64
}

fn resampled(rows: &Rows, constants: &Constants) -> Outcome {
    let statistic: fn(&[f64]) -> f64 = match constants.word(0) {
        Some("mean") => mean_of,
        Some("median") => |x: &[f64]| quantile(x, 0.5, QuantileType::Linear).unwrap_or(f64::NAN),
        Some("trimmed_mean") => |x: &[f64]| {
            let cut = x.len() / 10;
            mean_of(x.get(cut..x.len() - cut).unwrap_or_default())
        },
        other => {
            let other = other.unwrap_or("NULL");
            return Err(format!("`{other}` is no statistic: mean, median or trimmed_mean"));
        }
    };
    let of_sorted = |rows: &[[f64; 1]]| {
        let mut values: Vec<f64> = rows.iter().map(|[x]| *x).collect();
        values.sort_unstable_by(f64::total_cmp);
        statistic(&values)
    };
    let single: Vec<[f64; 1]> = rows.column(0).into_iter().map(|x| [x]).collect();
    let confidence = constants.confidence(1);
    let found = resample(&single, of_sorted, confidence, seed(constants, 2))?;
    Ok(bootstrap_cells(&found, rows.len()))
}

fn mean_of(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn resampled_ratio(rows: &Rows, constants: &Constants) -> Outcome {
    let mut by_cluster: Vec<(u64, f64, f64)> =
        rows.clusters(2).iter().zip(rows.iter()).map(|(c, row)| (*c, row[0], row[1])).collect();
    by_cluster
        .sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
    let totals: Vec<[f64; 2]> = by_cluster
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| [group.iter().map(|row| row.1).sum(), group.iter().map(|row| row.2).sum()])
        .collect();
    let ratio = |rows: &[[f64; 2]]| {
        let total = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>();
        total(0) / total(1)
    };
    let found = resample(&totals, ratio, constants.confidence(0), seed(constants, 1))?;
    Ok(bootstrap_cells(&found, rows.len()))
}

fn bootstrap_cells(found: &Bootstrap, n: usize) -> Vec<Cell> {
    vec![
        found.value.into(),
        found.bca.map(|bca| bca.low).into(),
        found.bca.map(|bca| bca.high).into(),
        found.percentile.low.into(),
        found.percentile.high.into(),
        found.acceleration.into(),
        n.into(),
    ]
}
