//! Two ascending samples walked through together, one group of equal values at a time.

/// How many values of each sample share one value, and how many are smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TieGroup {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) x_below: u64,
    pub(super) y_below: u64,
}

/// The groups of equal values of two ascending samples, in ascending order.
pub(super) struct TieGroups<'a> {
    x: &'a [f64],
    y: &'a [f64],
    i: usize,
    j: usize,
}

pub(super) fn tie_groups<'a>(x: &'a [f64], y: &'a [f64]) -> TieGroups<'a> {
    TieGroups { x, y, i: 0, j: 0 }
}

impl Iterator for TieGroups<'_> {
    type Item = TieGroup;

    fn next(&mut self) -> Option<TieGroup> {
        let (i, j) = (self.i, self.j);
        let value = match (self.x.get(i), self.y.get(j)) {
            (Some(x), Some(y)) => x.min(*y),
            (Some(x), None) => *x,
            (None, Some(y)) => *y,
            (None, None) => return None,
        };
        while self.x.get(self.i).is_some_and(|x| *x <= value) {
            self.i += 1;
        }
        while self.y.get(self.j).is_some_and(|y| *y <= value) {
            self.j += 1;
        }
        Some(TieGroup {
            x: (self.i - i) as u64,
            y: (self.j - j) as u64,
            x_below: i as u64,
            y_below: j as u64,
        })
    }
}

/// t^3 - t, the share of a group of t equal values in every correction for ties.
pub(super) fn tie_term(equal: u64) -> u128 {
    let t = u128::from(equal);
    t * t * t - t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_count_what_is_equal_and_what_is_below() {
        let found: Vec<TieGroup> = tie_groups(&[1.0, 2.0, 2.0], &[2.0, 3.0]).collect();
        let group = |x, y, x_below, y_below| TieGroup { x, y, x_below, y_below };
        assert_eq!(found, [group(1, 0, 0, 0), group(2, 1, 1, 0), group(0, 1, 3, 1)]);
        assert_eq!(tie_groups(&[], &[]).count(), 0);
        assert_eq!(tie_term(3), 24);
    }

    #[test]
    fn zeros_of_both_signs_are_equal() {
        assert_eq!(tie_groups(&[-0.0, 0.0], &[-0.0]).count(), 1);
    }
}
