//! The ordinary cluster bootstrap of a ratio of quantiles, to check the index bootstrap against.

use rand::Rng;
use rayon::prelude::*;

use super::super::design::LEAST_CLUSTERS;
use super::super::error::{StatsError, check_confidence, check_open_probability};
use super::super::quantile::{type1, type1_rank};
use super::super::quantile_ratio::PairedValue;
use super::generator;

/// The ratio candidate / incumbent of one quantile with one-sided percentile bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapRatio {
    /// Ratio of the two type 1 quantiles.
    pub value: f64,
    /// The one-sided lower bound.
    pub low: f64,
    /// The one-sided upper bound.
    pub high: f64,
    /// Pairs.
    pub n: u64,
    /// Independent clusters of pairs.
    pub clusters: u64,
}

/// Bootstraps the ratio of the `p`-quantiles of `pairs`, whole clusters at a time.
///
/// Each replicate gives every cluster a weight from Poisson(1), the limit of drawing clusters
/// with replacement (Hanley and MacGibbon 2006), and passes once over the sorted values.
/// Percentile bounds, because BCa's jackknife is unstable for extreme quantiles. A replicate
/// without a defined ratio counts as +infinity in the upper and 0 in the lower bound. Fewer than
/// five clusters are an error.
pub fn cluster_bootstrap_ratio(
    pairs: &[PairedValue],
    p: f64,
    confidence: f64,
    replicates: usize,
    seed: u64,
) -> Result<BootstrapRatio, StatsError> {
    check_confidence(confidence)?;
    check_open_probability(p)?;
    if replicates == 0 {
        return Err(StatsError::ParameterOutOfRange { name: "replicates", value: 0.0 });
    }
    if pairs.is_empty() {
        return Err(StatsError::EmptySample);
    }
    if pairs.iter().any(|pair| pair.incumbent.is_nan() || pair.candidate.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    if pairs.iter().any(|pair| pair.incumbent < 0.0 || pair.candidate < 0.0) {
        return Err(StatsError::NegativeValue);
    }
    let mut names: Vec<u64> = pairs.iter().map(|pair| pair.cluster).collect();
    names.sort_unstable();
    names.dedup();
    let clusters = names.len() as u64;
    if clusters < LEAST_CLUSTERS {
        return Err(StatsError::TooFewClusters { clusters, needed: LEAST_CLUSTERS });
    }
    let incumbent = Column::of(pairs, &names, |pair| pair.incumbent);
    let candidate = Column::of(pairs, &names, |pair| pair.candidate);
    let ones = vec![1; names.len()];
    let ratio = |weights: &[u32]| candidate.quantile(weights, p) / incumbent.quantile(weights, p);
    let draws: Vec<f64> = (0..replicates)
        .into_par_iter()
        .map(|replicate| ratio(&poisson_weights(names.len(), seed, replicate)))
        .collect();
    let bound = |undefined: f64, level: f64| {
        let mut known: Vec<f64> =
            draws.iter().map(|r| if r.is_nan() { undefined } else { *r }).collect();
        known.sort_unstable_by(f64::total_cmp);
        type1(&known, level)
    };
    Ok(BootstrapRatio {
        value: ratio(&ones),
        low: bound(0.0, 1.0 - confidence)?,
        high: bound(f64::INFINITY, confidence)?,
        n: pairs.len() as u64,
        clusters,
    })
}

/// The values of one arm from the largest down, each with the place of its cluster.
struct Column(Vec<(f64, u32)>);

impl Column {
    fn of(pairs: &[PairedValue], names: &[u64], value: fn(&PairedValue) -> f64) -> Self {
        let place = |cluster: u64| names.partition_point(|name| *name < cluster) as u32;
        let mut rows: Vec<(f64, u32)> =
            pairs.iter().map(|pair| (value(pair), place(pair.cluster))).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        Column(rows)
    }

    /// The type 1 quantile with the weight of each cluster; NaN where nothing has weight.
    fn quantile(&self, weights: &[u32], p: f64) -> f64 {
        let weight = |place: u32| weights.get(place as usize).map_or(0, |w| *w as usize);
        let total: usize = self.0.iter().map(|(_, place)| weight(*place)).sum();
        // Latency quantiles sit in the upper tail, so the walk begins there.
        let above = total - type1_rank(total, p).min(total);
        let mut passed = 0;
        let found = self.0.iter().find(|(_, place)| {
            passed += weight(*place);
            passed > above
        });
        found.map_or(f64::NAN, |(value, _)| *value)
    }
}

fn poisson_weights(clusters: usize, seed: u64, replicate: usize) -> Vec<u32> {
    let mut generator = generator(seed, replicate);
    (0..clusters).map(|_| poisson(generator.random())).collect()
}

/// The number of events of a Poisson distribution with mean 1 at the uniform `u`.
fn poisson(u: f64) -> u32 {
    let mut chance = (-1.0_f64).exp();
    let mut reached = chance;
    let mut events = 0;
    while u > reached && events < 30 {
        events += 1;
        chance /= f64::from(events);
        reached += chance;
    }
    events
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::super::{quantile_ratio, sorted};
    use super::*;

    fn pairs() -> Vec<PairedValue> {
        let mut generator = ChaCha8Rng::seed_from_u64(11);
        (0..900)
            .map(|i| {
                let shared = generator.random::<f64>();
                let mut value = || (1.0 + shared + generator.random::<f64>()).exp();
                PairedValue { incumbent: value(), candidate: 1.1 * value(), cluster: i / 3 }
            })
            .collect()
    }

    #[test]
    fn it_agrees_with_the_index_bootstrap() {
        let pairs = pairs();
        let own = cluster_bootstrap_ratio(&pairs, 0.9, 0.95, 1000, 3).unwrap();
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        let index = quantile_ratio(&pairs, 0.9, 0.95, 5000, &mut generator).unwrap();
        assert!((own.value - index.value).abs() < 1e-12);
        let width = index.high - index.low;
        assert!((own.high - index.high).abs() < 0.35 * width, "{own:?} {index:?}");
        assert!((own.low - index.low).abs() < 0.35 * width, "{own:?} {index:?}");
    }

    #[test]
    fn neither_the_order_of_pairs_nor_the_threads_change_a_bit() {
        let pairs = pairs();
        let reversed: Vec<PairedValue> = pairs.iter().rev().copied().collect();
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let forward = cluster_bootstrap_ratio(&pairs, 0.9, 0.95, 200, 3);
        assert_eq!(forward, one.install(|| cluster_bootstrap_ratio(&reversed, 0.9, 0.95, 200, 3)));
    }

    #[test]
    fn a_weighted_quantile_is_that_of_repeated_rows() {
        let pairs = pairs();
        let names: Vec<u64> = (0..300).collect();
        let weights: Vec<u32> = (0..300).map(|i| i % 4).collect();
        let column = Column::of(&pairs, &names, |pair| pair.incumbent);
        let repeated: Vec<f64> = pairs
            .iter()
            .flat_map(|pair| vec![pair.incumbent; weights[pair.cluster as usize] as usize])
            .collect();
        for p in [0.01, 0.5, 0.99] {
            let wanted = type1(&sorted(&repeated).unwrap(), p).unwrap();
            assert!(column.quantile(&weights, p).total_cmp(&wanted).is_eq());
        }
        assert!(column.quantile(&[0; 300], 0.5).is_nan());
    }

    #[test]
    fn weights_average_one() {
        let weights = poisson_weights(20_000, 1, 1);
        let mean = f64::from(weights.iter().sum::<u32>()) / 20_000.0;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
    }
}
