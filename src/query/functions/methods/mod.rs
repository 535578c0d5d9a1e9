//! The statistical methods behind the aggregate functions: rows of numbers in, one struct out.

mod clustered;
mod estimates;
mod paired;
mod quantiles;
mod two_samples;

use super::record::{Cell, Shape};

pub(super) use two_samples::alternative;

/// Level of bounds and intervals when a query names none.
pub(super) const DEFAULT_CONFIDENCE: f64 = 0.95;

/// What one argument of a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A column of numbers or of yes and no (1 and 0).
    Number,
    /// A column whose equal values mark rows that depend on each other: a number or a text.
    Cluster,
    /// A column of names, such as those of arms.
    Label,
    /// A number or word that is the same for all rows.
    Constant,
}

/// One method: its name in SQL, its arguments, and what it computes.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) syntax: &'static str,
    pub(crate) arguments: &'static [Argument],
    /// How many constants at the end may be left out.
    pub(crate) optional: usize,
    pub(crate) shape: Shape,
    pub(crate) compute: fn(&Rows, &Constants) -> Vec<Cell>,
}

impl std::fmt::Debug for Method {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Every method.
pub(crate) fn methods() -> impl Iterator<Item = &'static Method> {
    [
        estimates::METHODS,
        quantiles::METHODS,
        two_samples::METHODS,
        paired::METHODS,
        clustered::METHODS,
    ]
    .into_iter()
    .flatten()
}

/// The constants of a call, in the order of its arguments.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Constants(pub(crate) Vec<Option<String>>);

impl Constants {
    /// A number that may be left out or unknown.
    pub(super) fn number(&self, index: usize) -> Option<f64> {
        let number: f64 = self.0.get(index)?.as_ref()?.parse().ok()?;
        (!number.is_nan()).then_some(number)
    }

    /// A confidence level, or the usual one.
    pub(super) fn confidence(&self, index: usize) -> f64 {
        self.number(index).unwrap_or(DEFAULT_CONFIDENCE)
    }

    /// A word that may be left out.
    pub(super) fn word(&self, index: usize) -> Option<&str> {
        self.0.get(index)?.as_deref()
    }
}

/// Rows of numbers of one width, in one piece of memory.
#[derive(Debug)]
pub(crate) struct Rows {
    data: Vec<f64>,
    width: usize,
    /// The names that labels stand for, ascending: label i is `labels[i]`.
    labels: Vec<String>,
}

impl Rows {
    /// Cuts numbers into rows; a rest that fills no row is left out.
    pub(crate) fn new(data: Vec<f64>, width: usize, labels: Vec<String>) -> Self {
        Rows { data, width: width.max(1), labels }
    }

    fn iter(&self) -> std::slice::ChunksExact<'_, f64> {
        self.data.chunks_exact(self.width)
    }

    fn len(&self) -> usize {
        self.data.len() / self.width
    }

    /// The values of one argument.
    fn column(&self, argument: usize) -> Vec<f64> {
        self.iter().map(|row| row[argument]).collect()
    }

    /// The cluster of each row: any number, told apart by its bits.
    fn clusters(&self, argument: usize) -> Vec<u64> {
        self.iter().map(|row| cluster(row[argument])).collect()
    }
}

/// Different numbers are different clusters; both zeros are one.
fn cluster(value: f64) -> u64 {
    (value + 0.0).to_bits()
}
