//! How often intervals hold the true value: exactly where outcomes can be enumerated, else by
//! simulation.

use rand_chacha::ChaCha8Rng;
use rehearsal::stats::special::binomial_pmf;
use rehearsal::stats::{
    DifferenceMethod, Interval, ProportionMethod, Side, WeightedRow, bca_bootstrap,
    cluster_bootstrap_ratio, difference_interval, hodges_lehmann, hodges_lehmann_paired,
    proportion_interval, tango_interval, woodruff_bounds,
};

use super::{count, in_sessions, least, normal};

fn holds(interval: Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

#[test]
fn exact_intervals_of_a_proportion_never_fall_below_their_level() {
    let n = 60;
    let coverage = |method, p: f64| -> f64 {
        let covers =
            |k: &u64| holds(proportion_interval(*k, n, 0.9, Side::TwoSided, method).unwrap(), p);
        (0..=n).filter(covers).map(|k| binomial_pmf(k, n, p)).sum()
    };
    let rates: Vec<f64> = (1..40).map(|i| f64::from(i) / 80.0).collect();
    let average =
        |method| rates.iter().map(|p| coverage(method, *p)).sum::<f64>() / rates.len() as f64;
    for p in &rates {
        assert!(coverage(ProportionMethod::ClopperPearson, *p) >= 0.9 - 1e-12, "{p}");
    }
    for method in [ProportionMethod::Wilson, ProportionMethod::Jeffreys] {
        assert!((average(method) - 0.9).abs() < 0.015, "{method:?} {}", average(method));
    }
}

#[test]
fn intervals_of_a_difference_cover_close_to_their_level() {
    let (n1, n2, p1, p2) = (40, 30, 0.2, 0.1);
    for method in [
        DifferenceMethod::Newcombe,
        DifferenceMethod::AgrestiCaffo,
        DifferenceMethod::MiettinenNurminen,
    ] {
        let mut coverage = 0.0;
        for k1 in 0..=20 {
            for k2 in 0..=14 {
                let interval = difference_interval((k1, n1), (k2, n2), 0.9, method).unwrap();
                if holds(interval, p1 - p2) {
                    coverage += binomial_pmf(k1, n1, p1) * binomial_pmf(k2, n2, p2);
                }
            }
        }
        assert!((0.885..0.93).contains(&coverage), "{method:?} {coverage}");
    }
}

#[test]
fn tango_s_interval_covers_close_to_its_level() {
    // Only the first in 8 %, only the second in 4 % of 120 pairs.
    let (n, first, second) = (120, 0.08, 0.04);
    let mut coverage = 0.0;
    for b in 0..=30 {
        for c in 0..=20 {
            if holds(tango_interval(n, b, c, 0.9).unwrap(), first - second) {
                let given = binomial_pmf(c, n - b, second / (1.0 - first));
                coverage += binomial_pmf(b, n, first) * given;
            }
        }
    }
    assert!((0.885..0.93).contains(&coverage), "{coverage}");
}

#[test]
fn shifts_are_covered_as_often_as_stated() {
    let runs = 300;
    let sample = |n: usize, rng: &mut ChaCha8Rng| -> Vec<f64> {
        (0..n).map(|_| normal(rng).exp()).collect()
    };
    let two = count(runs, |rng| {
        let (x, y) = (sample(30, rng), sample(25, rng));
        let shifted: Vec<f64> = x.iter().map(|x| x + 3.0).collect();
        let found = hodges_lehmann(&shifted, &y, 0.9, false).unwrap();
        found.low <= 3.0 && 3.0 <= found.high
    });
    let paired = count(runs, |rng| {
        let d: Vec<f64> = (0..25).map(|_| normal(rng) + 0.5).collect();
        let found = hodges_lehmann_paired(&d, 0.9, true).unwrap();
        found.low <= 0.5 && 0.5 <= found.high
    });
    assert!(two >= least(runs, 0.9) && paired >= least(runs, 0.9), "{two} {paired}");
}

#[test]
fn quantiles_of_weighted_sessions_are_bounded_as_often_as_stated() {
    let runs = 150;
    // Every second session stands for three: the truth stays that of every row.
    let bounds = |p: f64, rng: &mut ChaCha8Rng| {
        let rows: Vec<WeightedRow> = in_sessions(120, 5, 0.4, rng)
            .into_iter()
            .map(|(value, cluster)| {
                let weight = if cluster % 2 == 0 { 3.0 } else { 1.0 };
                WeightedRow { value, weight, cluster }
            })
            .collect();
        woodruff_bounds(&rows, p, 0.95).unwrap()
    };
    for (p, truth) in [(0.5, 0.0), (0.9, 1.281_552), (0.98, 2.053_749)] {
        let both = count(runs, |rng| {
            let found = bounds(p, rng);
            found.low <= truth && truth <= found.high
        });
        // Two one-sided bounds of 95 %; estimated design effects cost a little in the tails.
        assert!(both >= least(runs, 0.88), "{p}: {both}");
    }
}

#[test]
fn bootstraps_cover_a_skewed_mean_and_a_ratio_of_quantiles() {
    let runs = 120;
    let mean = |rows: &[[f64; 1]]| rows.iter().map(|[x]| x).sum::<f64>() / rows.len() as f64;
    let truth = 0.125_f64.exp();
    let skewed = count(runs, |rng| {
        let rows: Vec<[f64; 1]> = (0..50).map(|_| [(0.5 * normal(rng)).exp()]).collect();
        holds(bca_bootstrap(&rows, mean, 0.9, 200, 5).unwrap().bca.unwrap(), truth)
    });
    assert!(skewed >= least(runs, 0.87), "{skewed}");
    let ratio = count(runs, |rng| {
        let x = in_sessions(80, 4, 0.5, rng);
        let y = in_sessions(80, 4, 0.5, rng);
        let pairs: Vec<rehearsal::stats::PairedValue> = x
            .iter()
            .zip(&y)
            .map(|((x, cluster), (y, _))| rehearsal::stats::PairedValue {
                incumbent: (0.6 * x).exp(),
                candidate: (0.6 * y).exp(),
                cluster: *cluster,
            })
            .collect();
        let found = cluster_bootstrap_ratio(&pairs, 0.9, 0.95, 100, 5).unwrap();
        found.low <= 1.0 && 1.0 <= found.high
    });
    assert!(ratio >= least(runs, 0.88), "{ratio}");
}
