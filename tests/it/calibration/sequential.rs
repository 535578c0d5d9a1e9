//! Looking again and again: only the always-valid methods keep their level.

use rand::Rng;
use rehearsal::stats::{
    Alternative, Direction, bernoulli_log_evidence, binom_test, confidence_sequence,
};

use super::{count, most, normal};

const ALPHA: f64 = 0.05;

/// The rows (from 1) with an event, at a rate of one in fifty, up to `rows`.
fn events(rows: u64, rng: &mut rand_chacha::ChaCha8Rng) -> Vec<u64> {
    let mut at = 0;
    let mut found = Vec::new();
    loop {
        // The gap to the next event is geometric.
        let gap = (1.0 - rng.random::<f64>()).ln() / 0.98_f64.ln();
        at += gap.floor() as u64 + 1;
        if at > rows {
            return found;
        }
        found.push(at);
    }
}

/// Whether some look of a path of `rows` rows satisfies `crossed(events, rows so far)`.
///
/// Evidence for a low rate is largest just before an event or at the end, evidence for a high
/// rate just after an event; no other look can be the first to cross.
fn ever(events: &[u64], rows: u64, crossed: impl Fn(u64, u64) -> bool) -> bool {
    let before = (0..).zip(events).any(|(seen, at)| *at > 1 && crossed(seen, at - 1));
    let after = (1..).zip(events).any(|(seen, at)| crossed(seen, *at));
    before || after || crossed(events.len() as u64, rows)
}

#[test]
fn evidence_crosses_its_limit_at_most_as_often_as_alpha_however_often_one_looks() {
    let (runs, rows) = (400, 2000);
    let limit = (1.0 / ALPHA).ln();
    for direction in [Direction::AtMost, Direction::AtLeast] {
        let evidence =
            |k, n| bernoulli_log_evidence(k, n, 0.02, (0.5, 0.5), direction).unwrap() >= limit;
        let crossed = count(runs, |rng| ever(&events(rows, rng), rows, evidence));
        assert!(crossed <= most(runs, ALPHA), "{direction:?}: {crossed}");
    }
    let peeking = |k, n| binom_test(k, n, 0.02, Alternative::Less).unwrap() <= ALPHA;
    let crossed = count(runs, |rng| ever(&events(rows, rng), rows, peeking));
    assert!(crossed > most(runs, 2.0 * ALPHA), "plain peeking: {crossed}");
}

#[test]
fn a_confidence_sequence_holds_the_mean_at_all_times() {
    let (runs, rows) = (300, 1200_u64);
    let widths: Vec<f64> =
        (1..=rows).map(|n| confidence_sequence(n, 1.0, ALPHA, 500).unwrap().half_width).collect();
    let escapes = |factor: &dyn Fn(u64) -> f64, rng: &mut rand_chacha::ChaCha8Rng| {
        let (mut sum, mut squares) = (0.0, 0.0);
        (1..=rows).any(|n| {
            let x = normal(rng);
            sum += x;
            squares += x * x;
            let mean = sum / n as f64;
            let sd = (squares / n as f64 - mean * mean).max(0.0).sqrt();
            n >= 100 && mean.abs() > factor(n) * sd
        })
    };
    let sequence = count(runs, |rng| escapes(&|n| widths[n as usize - 1], rng));
    let single = count(runs, |rng| escapes(&|n| 1.959_964 / (n as f64).sqrt(), rng));
    assert!(
        sequence <= most(runs, ALPHA) && single > most(runs, 2.0 * ALPHA),
        "{sequence} {single}"
    );
}
