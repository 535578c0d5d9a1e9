//! Every reference value against `stats` and `similarity`.
//!
//! The values come from SciPy, statsmodels, mpmath, R, rapidfuzz and others; the file names
//! versions and defines each family in its `doc`. It is the one that the environment variable
//! `REHEARSAL_VECTORS` names, else the shipped copy.

mod case;
mod means;
mod quantiles;
mod ranks;
mod rates;
mod similarity;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use case::Case;
use serde_json::Value;

const SHIPPED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectors/stat_vectors.json"));

/// Checks one case; what differs is noted in it.
type Check = fn(&Case<'_>);

/// The names of families and how their cases are checked.
type Families = &'static [(&'static str, Check)];

fn check_of(family: &str) -> Option<Check> {
    let all = [
        quantiles::FAMILIES,
        ranks::FAMILIES,
        rates::FAMILIES,
        means::FAMILIES,
        similarity::FAMILIES,
    ];
    all.into_iter().flatten().find(|(name, _)| *name == family).map(|(_, check)| *check)
}

#[expect(clippy::disallowed_methods, reason = "the file of vectors is chosen from outside")]
fn file() -> String {
    match std::env::var("REHEARSAL_VECTORS") {
        Ok(path) => {
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        }
        Err(_) => SHIPPED.to_owned(),
    }
}

/// What differs in one case, nothing where it passes.
fn misses(value: &Value, family: &Value, check: Check) -> Vec<String> {
    let case = Case::new(value, family);
    match catch_unwind(AssertUnwindSafe(|| check(&case))) {
        Ok(()) => case.misses(),
        Err(_) => vec![format!("{}: the check panicked", case.id)],
    }
}

#[test]
fn every_reference_value_is_met() {
    let vectors: Value = serde_json::from_str(&file()).unwrap();
    let families = vectors["families"].as_object().unwrap();
    assert!(!families.is_empty(), "the file holds no families");
    // Written past the capture of the test harness, which would show nothing on success.
    let mut out = std::io::stdout().lock();
    let mut failures = Vec::new();
    for (name, family) in families {
        let cases = family["cases"].as_array().unwrap();
        let Some(check) = check_of(name) else {
            failures.push(format!("the family {name} is not known"));
            writeln!(out, "{name} 0/{}", cases.len()).unwrap();
            continue;
        };
        let missed: Vec<Vec<String>> = cases
            .iter()
            .map(|case| misses(case, family, check))
            .filter(|missed| !missed.is_empty())
            .collect();
        writeln!(out, "{name} {}/{}", cases.len() - missed.len(), cases.len()).unwrap();
        failures.extend(missed.into_iter().flatten());
    }
    drop(out);
    assert!(failures.is_empty(), "{} misses:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_value_beyond_its_tolerance_is_a_miss() {
    let family: Value = serde_json::from_str(
        r#"{"tol": {"rel": 1e-9, "abs": 1e-12},
            "cases": [{"id": "tost/x", "in": {"p": 1.0}, "out": {"v": 2.0, "n": 3}}]}"#,
    )
    .unwrap();
    let check = |got: f64, count: u64| {
        let case = Case::new(&family["cases"][0], &family);
        case.expect("v", got);
        case.expect_count("n", count);
        case.misses().len()
    };
    assert_eq!((check(2.0 + 1e-9, 3), check(2.0 + 3e-9, 3), check(2.0, 4)), (0, 1, 1));
    assert_eq!(check(f64::NAN, 3), 1);
    assert!(check_of("no_such_family").is_none());
}
