//! Means, ratios of totals, and what is resampled.

use rehearsal::stats::{self, Bootstrap, EquivalenceDesign, QuantileType, StatsError};

use super::Families;
use super::case::Case;

pub(super) const FAMILIES: Families = &[
    ("tost", tost),
    ("cluster_mean", cluster_mean),
    ("ratio_delta", ratio_delta),
    ("bootstrap_bca", bootstrap_bca),
    ("asymptotic_cs", asymptotic_cs),
];

fn tost(case: &Case<'_>) {
    let design = match case.text("kind") {
        "welch" => EquivalenceDesign::Welch,
        "pooled" => EquivalenceDesign::Pooled,
        "paired" => EquivalenceDesign::Paired,
        other => panic!("{other}"),
    };
    let margins = (case.number("low"), case.number("upp"));
    let (x, y) = (case.numbers("x"), case.numbers("y"));
    let test = stats::equivalence(&x, &y, margins, design).unwrap();
    case.expect("p", test.p);
    case.expect("t_low", test.t_low);
    case.expect("p_low", test.p_low);
    case.expect("t_upp", test.t_high);
    case.expect("p_upp", test.p_high);
    case.expect("df", test.df);
}

fn cluster_mean(case: &Case<'_>) {
    let cluster = case.counts("cluster").unwrap();
    let mean = stats::cluster_mean(&case.numbers("x"), &cluster).unwrap();
    case.expect("mean", mean.mean);
    case.expect("se_iid", mean.se_iid.unwrap());
    case.expect("se_cluster", mean.se_cluster);
    case.expect("se_cluster_g", mean.se_cluster_g.unwrap());
    case.expect("deff", mean.deff.unwrap());
    case.expect_count("G", mean.clusters);
}

fn ratio_delta(case: &Case<'_>) {
    let cluster = case.counts("cluster");
    let (y, x) = (case.numbers("y"), case.numbers("x"));
    let ratio = stats::ratio_of_totals(&y, &x, cluster.as_deref(), case.number("conf")).unwrap();
    case.expect("ratio", ratio.ratio);
    case.expect("se", ratio.se);
    case.expect("lo", ratio.wald_low);
    case.expect("hi", ratio.wald_high);
    if case.output.get("fieller_lo").is_some() {
        // With y proportional to x the reference subtracts equal squares and keeps only
        // half of its digits: it has 1.49999998 and 1.50000002 for exactly 1.5.
        let absolute = if ratio.se < 1e-12 { 1e-7 } else { case.absolute };
        let (low, high) = (ratio.fieller_low.unwrap(), ratio.fieller_high.unwrap());
        case.close("fieller_lo", low, &case.output["fieller_lo"], absolute);
        case.close("fieller_hi", high, &case.output["fieller_hi"], absolute);
    }
}

const REPLICATES: usize = 9_999;
const SEED: u64 = 20_261_122;

fn bootstrap_bca(case: &Case<'_>) {
    let found = bootstrapped(case).unwrap();
    case.expect("theta", found.value);
    case.expect("accel", found.acceleration);
    let bca = found.bca.unwrap();
    let tolerance = |key: &str| case.output[key].as_f64().unwrap().max(case.absolute);
    case.close("bca_lo", bca.low, &case.output["bca_lo"], tolerance("tol_lo"));
    case.close("bca_hi", bca.high, &case.output["bca_hi"], tolerance("tol_hi"));
    // The tolerances are stated for BCa; the percentile ends lie no further out in the tails.
    case.close("pct_lo", found.percentile.low, &case.output["pct_lo"], tolerance("tol_lo"));
    case.close("pct_hi", found.percentile.high, &case.output["pct_hi"], tolerance("tol_hi"));
}

fn bootstrapped(case: &Case<'_>) -> Result<Bootstrap, StatsError> {
    let (x, confidence) = (case.numbers("x"), case.number("conf"));
    if case.text("statistic") == "ratio_of_sums" {
        let rows: Vec<[f64; 2]> = case.numbers("y").iter().zip(&x).map(|(y, x)| [*y, *x]).collect();
        let total = |rows: &[[f64; 2]], at: usize| rows.iter().map(|row| row[at]).sum::<f64>();
        let ratio = |rows: &[[f64; 2]]| total(rows, 0) / total(rows, 1);
        return stats::bca_bootstrap(&rows, ratio, confidence, REPLICATES, SEED);
    }
    let statistic: fn(&[f64]) -> f64 = match case.text("statistic") {
        "mean" => |x| x.iter().sum::<f64>() / x.len() as f64,
        "median" => |x| stats::quantile(x, 0.5, QuantileType::Linear).unwrap(),
        "p95" => |x| stats::quantile(x, 0.95, QuantileType::Linear).unwrap(),
        "trimmed_mean10" => |x| {
            let cut = x.len() / 10;
            let kept = &x[cut..x.len() - cut];
            kept.iter().sum::<f64>() / kept.len() as f64
        },
        other => panic!("{other}"),
    };
    let rows: Vec<[f64; 1]> = x.iter().map(|x| [*x]).collect();
    let of_sorted = |rows: &[[f64; 1]]| {
        let mut values: Vec<f64> = rows.iter().map(|[x]| *x).collect();
        values.sort_unstable_by(f64::total_cmp);
        statistic(&values)
    };
    stats::bca_bootstrap(&rows, of_sorted, confidence, REPLICATES, SEED)
}

fn asymptotic_cs(case: &Case<'_>) {
    let width = stats::confidence_sequence(
        case.count("n"),
        case.number("sd"),
        case.number("alpha"),
        case.count("n_opt"),
    )
    .unwrap();
    case.expect("rho2", width.rho2);
    case.expect("half_width", width.half_width);
}
