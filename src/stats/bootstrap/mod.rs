//! Intervals by resampling, for statistics without a formula of their own.
//!
//! Replicate r draws from stream r of the seed, so that results depend neither on the number of
//! threads nor on which thread computed what.

mod bca;
mod cluster;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use bca::{Bootstrap, bca_bootstrap};
pub use cluster::{BootstrapRatio, cluster_bootstrap_ratio};

fn generator(seed: u64, replicate: usize) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(replicate as u64);
    generator
}
