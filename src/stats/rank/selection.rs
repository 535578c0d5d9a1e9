//! The k-th smallest of all pairwise sums of two samples, without forming the sums.

use super::super::quantile::{from_order_key, order_key};

/// Which pairs (i, j) of two ascending samples are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairs {
    /// All of them: `first[i] + second[j]`.
    All,
    /// Those with i <= j of one sample, halved: Walsh averages `(d[i] + d[j]) / 2`.
    Walsh,
}

/// Pairwise sums of finite ascending samples.
pub(super) struct Sums<'a> {
    pub(super) first: &'a [f64],
    pub(super) second: &'a [f64],
    pub(super) pairs: Pairs,
}

impl Sums<'_> {
    /// How many sums there are.
    pub(super) fn len(&self) -> u64 {
        let n = self.first.len() as u64;
        match self.pairs {
            Pairs::All => n * self.second.len() as u64,
            Pairs::Walsh => n * (n + 1) / 2,
        }
    }

    fn sum(&self, i: usize, j: usize) -> f64 {
        let sum = self.first[i] + self.second[j];
        if self.pairs == Pairs::Walsh { sum / 2.0 } else { sum }
    }

    /// For each i, how many j from the first pair on have a sum of at most `limit`.
    fn visit(&self, limit: f64, mut seen: impl FnMut(usize, usize, usize)) {
        let mut end = self.second.len();
        for i in 0..self.first.len() {
            // The larger the first part, the fewer second parts stay within the limit.
            while end > 0 && self.sum(i, end - 1) > limit {
                end -= 1;
            }
            let start = if self.pairs == Pairs::Walsh { i } else { 0 };
            seen(i, start, end.max(start));
        }
    }

    fn count(&self, limit: f64) -> u64 {
        let mut count = 0;
        self.visit(limit, |_, start, end| count += (end - start) as u64);
        count
    }

    /// The sum of this rank, from 1 to [`Sums::len`].
    ///
    /// Bisection over the order of doubles narrows the candidates until they fit into memory;
    /// each step counts in linear time. The result is one of the sums, to the last bit.
    pub(super) fn select(&self, rank: u64) -> f64 {
        let enough = 4 * (self.first.len() + self.second.len()) as u64 + 64;
        let last = (self.first.len() - 1, self.second.len() - 1);
        let mut low = order_key(self.sum(0, 0)) - 1;
        let mut high = order_key(self.sum(last.0, last.1));
        let (mut below, mut within) = (0, self.len());
        while within - below > enough && high.abs_diff(low) > 1 {
            let middle = i64::midpoint(low, high);
            let count = self.count(from_order_key(middle));
            if count >= rank {
                (high, within) = (middle, count);
            } else {
                (low, below) = (middle, count);
            }
        }
        if high.abs_diff(low) <= 1 {
            return from_order_key(high);
        }
        let mut starts = Vec::with_capacity(self.first.len());
        // Nothing lies at or below the first limit, whose key may not be a number.
        if below == 0 {
            starts.extend(
                (0..self.first.len()).map(|i| if self.pairs == Pairs::Walsh { i } else { 0 }),
            );
        } else {
            self.visit(from_order_key(low), |_, _, end| starts.push(end));
        }
        let mut candidates = Vec::with_capacity((within - below) as usize);
        self.visit(from_order_key(high), |i, _, end| {
            candidates.extend((starts[i]..end).map(|j| self.sum(i, j)));
        });
        let at = (rank - below - 1) as usize;
        *candidates.select_nth_unstable_by(at, f64::total_cmp).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(n: u32, factor: u32) -> Vec<f64> {
        let mut values: Vec<f64> =
            (0..n).map(|i| f64::from(i * factor % 1009) / 3.0 - 100.0).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn selection_agrees_with_sorting_all_sums() {
        let (x, y) = (scattered(150, 7919), scattered(120, 104_729));
        for pairs in [Pairs::All, Pairs::Walsh] {
            let second = if pairs == Pairs::All { &y } else { &x };
            let sums = Sums { first: &x, second, pairs };
            let mut all: Vec<f64> = Vec::new();
            for i in 0..x.len() {
                let start = if pairs == Pairs::Walsh { i } else { 0 };
                all.extend((start..second.len()).map(|j| sums.sum(i, j)));
            }
            all.sort_by(f64::total_cmp);
            assert_eq!(all.len() as u64, sums.len());
            for rank in [1, 2, 17, all.len() / 3, all.len() / 2, all.len() - 1, all.len()] {
                let found = sums.select(rank as u64);
                assert!((found - all[rank - 1]).abs() < 1e-300, "{rank}");
            }
        }
    }

    #[test]
    fn many_equal_sums_are_found_without_collecting_them() {
        let x = vec![1.0; 2000];
        let sums = Sums { first: &x, second: &x, pairs: Pairs::All };
        assert!((sums.select(1_000_000) - 2.0).abs() < 1e-300);
    }
}
