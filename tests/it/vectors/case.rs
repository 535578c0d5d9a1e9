//! One case of the vector file: its inputs, its expected outputs, and what differed.

use std::cell::RefCell;

use rehearsal::stats::{Alternative, Side};
use serde_json::Value;

pub(super) struct Case<'a> {
    pub(super) id: &'a str,
    pub(super) input: &'a Value,
    pub(super) output: &'a Value,
    relative: f64,
    pub(super) absolute: f64,
    misses: RefCell<Vec<String>>,
}

impl<'a> Case<'a> {
    /// The tolerance of a case overrides that of its family.
    pub(super) fn new(value: &'a Value, family: &'a Value) -> Self {
        let tolerance = value.get("tol").unwrap_or(&family["tol"]);
        Case {
            id: value["id"].as_str().unwrap(),
            input: &value["in"],
            output: &value["out"],
            relative: tolerance["rel"].as_f64().unwrap(),
            absolute: tolerance["abs"].as_f64().unwrap(),
            misses: RefCell::default(),
        }
    }

    pub(super) fn misses(self) -> Vec<String> {
        self.misses.into_inner()
    }

    fn miss(&self, key: &str, got: &dyn std::fmt::Debug, want: &Value) {
        self.misses.borrow_mut().push(format!("{} {key}: got {got:?}, want {want}", self.id));
    }

    pub(super) fn number(&self, key: &str) -> f64 {
        number(&self.input[key])
    }

    pub(super) fn count(&self, key: &str) -> u64 {
        self.input[key].as_u64().unwrap_or_else(|| panic!("{}: {key}", self.id))
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.input[key].as_bool().unwrap_or_else(|| panic!("{}: {key}", self.id))
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.input[key].as_str().unwrap_or_else(|| panic!("{}: {key}", self.id))
    }

    pub(super) fn numbers(&self, key: &str) -> Vec<f64> {
        numbers(&self.input[key])
    }

    pub(super) fn counts(&self, key: &str) -> Option<Vec<u64>> {
        self.input[key].as_array().map(|list| list.iter().map(|v| v.as_u64().unwrap()).collect())
    }

    pub(super) fn side(&self) -> Side {
        match self.text("side") {
            "lower" => Side::Lower,
            "upper" => Side::Upper,
            "two-sided" => Side::TwoSided,
            other => panic!("{other}"),
        }
    }

    pub(super) fn alternative(&self) -> Alternative {
        match self.text("alternative") {
            "less" => Alternative::Less,
            "greater" => Alternative::Greater,
            "two-sided" => Alternative::TwoSided,
            other => panic!("{other}"),
        }
    }

    /// A number passes when it differs by at most max(abs, rel * larger magnitude).
    pub(super) fn expect(&self, key: &str, got: f64) {
        self.close(key, got, &self.output[key], self.absolute);
    }

    /// `null` means undefined.
    pub(super) fn expect_option(&self, key: &str, got: Option<f64>) {
        self.close_option(key, got, &self.output[key]);
    }

    pub(super) fn expect_count(&self, key: &str, got: u64) {
        if Some(got) != self.output[key].as_u64() {
            self.miss(key, &got, &self.output[key]);
        }
    }

    pub(super) fn expect_flag(&self, key: &str, got: bool) {
        if Some(got) != self.output[key].as_bool() {
            self.miss(key, &got, &self.output[key]);
        }
    }

    pub(super) fn expect_all(&self, key: &str, got: &[f64]) {
        let got: Vec<Option<f64>> = got.iter().copied().map(Some).collect();
        self.expect_all_options(key, &got);
    }

    pub(super) fn expect_all_options(&self, key: &str, got: &[Option<f64>]) {
        let want = self.output[key].as_array().unwrap();
        if got.len() != want.len() {
            self.miss(key, &got.len(), &Value::from(want.len()));
        }
        for (got, want) in got.iter().zip(want) {
            self.close_option(key, *got, want);
        }
    }

    fn close_option(&self, key: &str, got: Option<f64>, want: &Value) {
        match got {
            None if want.is_null() => {}
            Some(got) if !want.is_null() => self.close(key, got, want, self.absolute),
            _ => self.miss(key, &got, want),
        }
    }

    pub(super) fn close(&self, key: &str, got: f64, want: &Value, absolute: f64) {
        let wanted = number(want);
        let scale = got.abs().max(wanted.abs());
        let same = got.total_cmp(&wanted).is_eq() || (got.is_nan() && wanted.is_nan());
        // An infinite scale would forgive everything.
        let near = scale.is_finite() && (got - wanted).abs() <= absolute.max(self.relative * scale);
        if !(same || near) {
            self.miss(key, &got, want);
        }
    }
}

/// Numbers are JSON numbers or the names of the values that JSON lacks.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("NaN") => f64::NAN,
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => value.as_f64().unwrap_or_else(|| panic!("{value}")),
    }
}

pub(super) fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(number).collect()
}
