//! Seeded draws that depend on what is asked, never on when it arrives.
//!
//! Every draw is a function of the simulator's seed, the request body, the caller's
//! `x-rehearsal-draw` header and the draw's purpose. Two runs that send the same set of requests
//! in different orders, or over different numbers of connections, see the same provider.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The source of all draws for one request.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    key: [u8; 32],
    body_hash: [u8; 32],
    attempt: u64,
}

impl Draws {
    /// Draws for the body `body`, sent with the header value `draw`.
    pub(super) fn new(seed: u64, body: &[u8], draw: Option<&str>) -> Self {
        let body_hash: [u8; 32] = Sha256::digest(body).into();
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(body_hash);
        hash.update(draw.unwrap_or(""));
        Draws { key: hash.finalize().into(), body_hash, attempt: attempt_number(draw) }
    }

    /// The same draws as if this were the first attempt, so that they hold for every retry.
    pub(super) fn of_every_attempt(&self, seed: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(self.body_hash);
        Draws { key: hash.finalize().into(), body_hash: self.body_hash, attempt: 1 }
    }

    /// Draws of its own for each choice of one answer; those of the first are the request's.
    pub(super) fn of_choice(&self, index: u64) -> Self {
        if index == 0 {
            return self.clone();
        }
        Draws { key: self.digest(&format!("choice {index}")), ..self.clone() }
    }

    /// The attempt that the caller says this is, from 1.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// A generator of its own for `purpose`; other purposes are independent of it.
    pub(super) fn rng(&self, purpose: &str) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.digest(purpose))
    }

    /// One draw from the uniform distribution on [0, 1).
    pub(super) fn uniform(&self, purpose: &str) -> f64 {
        self.rng(purpose).random()
    }

    /// Hexadecimal digits for identifiers, at most 64.
    pub(super) fn hex(&self, purpose: &str, digits: usize) -> String {
        let mut text = hex(&self.digest(purpose));
        text.truncate(digits);
        text
    }

    /// The body's SHA-256 in hexadecimal.
    pub(super) fn body_sha256(&self) -> String {
        hex(&self.body_hash)
    }

    fn digest(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(purpose);
        hash.finalize().into()
    }
}

/// A draw from the standard normal distribution, by the Box-Muller transform.
pub(super) fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    // 1 - u lies in (0, 1], so that the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// The trailing decimal digits of the header, so that a caller may put what it likes (a repeat,
/// an arm) before the attempt number.
fn attempt_number(draw: Option<&str>) -> u64 {
    let text = draw.unwrap_or("");
    let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    text.get(text.len() - digits..).and_then(|tail| tail.parse().ok()).unwrap_or(1).max(1)
}

/// The bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| DIGITS.get(usize::from(nibble)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_draws_the_same_and_any_other_differs() {
        let base = Draws::new(1, b"body", Some("1"));
        let again = Draws::new(1, b"body", Some("1"));
        assert_eq!(base.hex("id", 64), again.hex("id", 64));
        for other in [
            Draws::new(2, b"body", Some("1")),
            Draws::new(1, b"bodz", Some("1")),
            Draws::new(1, b"body", Some("2")),
        ] {
            assert_ne!(base.hex("id", 64), other.hex("id", 64));
        }
        assert_ne!(base.hex("id", 64), base.hex("fault", 64));
    }

    #[test]
    fn draws_of_every_attempt_ignore_the_header() {
        let first = Draws::new(1, b"body", Some("1")).of_every_attempt(1);
        let third = Draws::new(1, b"body", Some("3")).of_every_attempt(1);
        assert_eq!(first.hex("outage", 64), third.hex("outage", 64));
    }

    #[test]
    fn the_attempt_is_the_number_at_the_end_of_the_header() {
        for (header, attempt) in
            [(None, 1), (Some("2"), 2), (Some("r1-a3"), 3), (Some("x"), 1), (Some("0"), 1)]
        {
            assert_eq!(attempt_number(header), attempt, "{header:?}");
        }
    }

    #[test]
    fn bytes_are_written_as_two_hexadecimal_digits_each() {
        assert_eq!(hex(&[0x00, 0x9f, 0xa5]), "009fa5");
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let n = 20_000;
        let draws: Vec<f64> = (0..n).map(|_| standard_normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|draw| draw * draw).sum::<f64>() / f64::from(n);
        // Five standard errors: 1/sqrt(n) of the mean, sqrt(2/n) of the variance.
        assert!(mean.abs() < 5.0 * 0.0071, "{mean}");
        assert!((variance - 1.0).abs() < 5.0 * 0.01, "{variance}");
    }
}
