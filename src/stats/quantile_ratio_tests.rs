//! Promises of the quantile ratio, checked on small seeded simulations.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// `clusters` groups of `size` pairs with lognormal values of log standard deviation 0.6, whose
/// log values share the cluster's part with weight `icc`; the candidate is `ratio` times slower.
fn simulated(
    clusters: u64,
    size: u64,
    icc: f64,
    ratio: f64,
    rng: &mut ChaCha8Rng,
) -> Vec<PairedValue> {
    let mut pairs = Vec::new();
    for cluster in 0..clusters {
        let (cx, cy) = normal_pair(rng);
        for _ in 0..size {
            let (x, y) = normal_pair(rng);
            let mix = |c: f64, own: f64| (0.6 * (icc.sqrt() * c + (1.0 - icc).sqrt() * own)).exp();
            let (incumbent, candidate) = (mix(cx, x), ratio * mix(cy, y));
            pairs.push(PairedValue { incumbent, candidate, cluster });
        }
    }
    pairs
}

/// How many of `runs` simulated data sets at the margin would wrongly pass.
fn false_passes(runs: u64, p: f64, clusters: u64, size: u64, icc: f64) -> usize {
    (0..runs)
        .filter(|seed| {
            let mut rng = rng(*seed);
            let pairs = simulated(clusters, size, icc, 1.2, &mut rng);
            quantile_ratio(&pairs, p, 0.95, 400, &mut rng).unwrap().high <= 1.2
        })
        .count()
}

#[test]
fn a_candidate_at_the_margin_passes_at_most_at_the_nominal_rate() {
    // 5 % of 300 is 15, with a standard deviation of 3.8: 26 is three of them above.
    let independent = false_passes(300, 0.9, 400, 1, 0.0);
    assert!((3..=26).contains(&independent), "{independent}");
    let clustered = false_passes(300, 0.9, 80, 5, 0.5);
    assert!(clustered <= 26, "{clustered}");
}

#[test]
fn samples_too_small_for_the_normal_approximation_stay_on_the_safe_side() {
    let tail = false_passes(300, 0.95, 200, 1, 0.0);
    assert!(tail <= 26, "{tail}");
    let mut draws = rng(1);
    let tiny = simulated(50, 1, 0.0, 1.0, &mut draws);
    let estimate = quantile_ratio(&tiny, 0.99, 0.95, 500, &mut draws).unwrap();
    assert!(estimate.high.is_infinite(), "{}", estimate.high);
}

#[test]
fn the_same_seed_gives_the_same_bits_in_any_row_order() {
    let pairs = simulated(60, 5, 0.3, 1.1, &mut rng(5));
    let reversed: Vec<PairedValue> = pairs.iter().rev().copied().collect();
    let forward = quantile_ratio(&pairs, 0.9, 0.95, 200, &mut rng(9)).unwrap();
    let backward = quantile_ratio(&reversed, 0.9, 0.95, 200, &mut rng(9)).unwrap();
    assert_eq!(forward, backward);
}

#[test]
fn identical_arms_have_ratio_one_and_bounds_around_it() {
    let pairs: Vec<PairedValue> = simulated(600, 1, 0.0, 1.0, &mut rng(3))
        .into_iter()
        .map(|pair| PairedValue { candidate: pair.incumbent, ..pair })
        .collect();
    let estimate = quantile_ratio(&pairs, 0.9, 0.95, 500, &mut rng(4)).unwrap();
    assert!((estimate.correlation - 1.0).abs() < 1e-12);
    for number in [estimate.value, estimate.low, estimate.high] {
        assert!((number - 1.0).abs() < 1e-12, "{number}");
    }
}

#[test]
fn failures_beyond_the_tail_make_the_ratio_infinite_or_unknown() {
    let failing = |incumbent: bool, candidate: bool| -> RatioEstimate {
        let pairs: Vec<PairedValue> = simulated(500, 1, 0.0, 1.0, &mut rng(7))
            .into_iter()
            .enumerate()
            .map(|(i, pair)| PairedValue {
                incumbent: if incumbent && i % 4 == 0 { f64::INFINITY } else { pair.incumbent },
                candidate: if candidate && i % 4 == 0 { f64::INFINITY } else { pair.candidate },
                cluster: pair.cluster,
            })
            .collect();
        quantile_ratio(&pairs, 0.9, 0.95, 300, &mut rng(8)).unwrap()
    };
    let candidate = failing(false, true);
    assert!(candidate.value.is_infinite() && candidate.low.is_infinite());
    let both = failing(true, true);
    assert!(both.value.is_nan() && both.low.abs() < 1e-15 && both.high.is_infinite());
    let incumbent = failing(true, false);
    assert!(incumbent.value.abs() < 1e-15 && incumbent.high.abs() < 1e-15);
}

#[test]
fn p_values_are_never_zero_and_agree_with_the_bounds() {
    let pairs = simulated(800, 1, 0.0, 1.1, &mut rng(11));
    let estimate = quantile_ratio(&pairs, 0.9, 0.95, 999, &mut rng(12)).unwrap();
    assert!((estimate.p_greater(0.0) - 0.001).abs() < 1e-12);
    assert!((estimate.p_at_most(1e9) - 0.001).abs() < 1e-12);
    assert!(estimate.p_greater(estimate.low * 0.999) <= 0.051);
    assert!(estimate.p_at_most(estimate.high) <= 0.051);
    assert!(estimate.p_at_most(estimate.high * 0.98) > 0.051);
}

#[test]
fn negative_and_missing_durations_are_refused() {
    let bad = |incumbent| [PairedValue { incumbent, candidate: 1.0, cluster: 0 }; 3];
    let run = |pairs: &[PairedValue]| quantile_ratio(pairs, 0.5, 0.95, 10, &mut rng(1)).err();
    assert_eq!(run(&bad(-1.0)), Some(StatsError::NegativeValue));
    assert_eq!(run(&bad(f64::NAN)), Some(StatsError::NotANumber));
    assert_eq!(run(&[]), Some(StatsError::EmptySample));
}
