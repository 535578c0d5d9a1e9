//! How many pairs of answers are compared in a second: `cargo bench --bench similarity`.
//!
//! Makes pairs of some 1.2 KB, the second a rewriting of the first, and times each measure on one
//! thread. Beside edit similarity stands the textbook's table of distances in the same run; the
//! ratio is what counts. `REHEARSAL_BENCH_PAIRS=FILE` takes pairs from a file instead, one a line
//! with a tab between, so that `benches/peers/similarity_peers.py` can time rapidfuzz,
//! rouge-score and sacrebleu on the same.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::hint::black_box;
use std::time::Instant;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rehearsal::similarity;

const PAIRS: usize = 2_000;
const ROUNDS: usize = 3;

/// Answers of which the second changes 15 % of the words and now and then the order of sentences.
fn generated() -> Vec<(String, String)> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let vocabulary: Vec<String> = (0..600)
        .map(|_| {
            let length = random.random_range(2..11);
            (0..length).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
        })
        .collect();
    let word = |random: &mut ChaCha8Rng| {
        // Squared, so that some words are frequent.
        let place = random.random::<f64>().powi(2) * vocabulary.len() as f64;
        vocabulary.get(place as usize).cloned().unwrap_or_default()
    };
    let pair = |random: &mut ChaCha8Rng| {
        let sentences: Vec<Vec<String>> =
            (0..13).map(|_| (0..14).map(|_| word(random)).collect()).collect();
        let mut rewritten = sentences.clone();
        for each in rewritten.iter_mut().flatten() {
            if random.random_bool(0.15) {
                *each = word(random);
            }
        }
        if random.random_bool(0.3) {
            rewritten.shuffle(random);
        }
        let text = |sentences: &[Vec<String>]| {
            sentences.iter().map(|words| words.join(" ")).collect::<Vec<String>>().join(". ")
        };
        (text(&sentences), text(&rewritten))
    };
    (0..PAIRS).map(|_| pair(&mut random)).collect()
}

#[expect(clippy::disallowed_methods, reason = "where a benchmark finds its data is the user's")]
fn pairs() -> Vec<(String, String)> {
    let Ok(file) = std::env::var("REHEARSAL_BENCH_PAIRS") else { return generated() };
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let pair = |line: &str| {
        let (a, b) = line.split_once('\t').expect("a line has a tab");
        (a.to_owned(), b.to_owned())
    };
    text.lines().take(20_000).map(pair).collect()
}

/// The textbook's table, for comparison.
fn table(a: &str, b: &str) -> f64 {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, x) in a.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let here = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    1.0 - row.last().copied().unwrap_or(0) as f64 / a.len().max(b.len()) as f64
}

/// Pairs a second on one thread, the best of some rounds, and the mean of the measure.
fn rate(pairs: &[(String, String)], measure: impl Fn(&str, &str) -> f64) -> (f64, f64) {
    let mut best = f64::INFINITY;
    let mut sum = 0.0;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        sum = pairs.iter().map(|(a, b)| black_box(measure(a, b))).sum();
        best = best.min(began.elapsed().as_secs_f64());
    }
    (pairs.len() as f64 / best, sum / pairs.len() as f64)
}

type Measure = fn(&str, &str) -> f64;

fn main() {
    let pairs = pairs();
    let few = pairs.get(..200.min(pairs.len())).unwrap_or_default();
    let (textbook, _) = rate(few, table);
    println!("{:24} {textbook:>9.0} pairs/s", "table of distances");
    let (edit, mean) = rate(&pairs, similarity::edit_similarity);
    println!(
        "{:24} {edit:>9.0} pairs/s  mean {mean:.6}, {:.0} times",
        "edit similarity",
        edit / textbook
    );
    let measures: [(&str, Measure); 6] = [
        ("token F1", similarity::token_f1),
        ("ROUGE-L", |a, b| similarity::rouge_l(a, b).f1),
        ("LCS F1", |a, b| similarity::word_lcs_f1(a, b).f1),
        ("chrF", similarity::chrf),
        ("chrF++", similarity::chrf_plus_plus),
        ("refusal, language", |a, b| {
            let refused = similarity::refusal(a) == similarity::Refusal::Full;
            f64::from(u8::from(refused)) + f64::from(u8::from(similarity::language(b).is_some()))
        }),
    ];
    for (name, measure) in measures {
        let (rate, mean) = rate(&pairs, measure);
        println!("{name:24} {rate:>9.0} pairs/s  mean {mean:.6}");
    }
}
