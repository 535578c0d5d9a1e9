//! Two-by-two tables in several strata: one effect common to all, and whether there is one.

use super::super::error::StatsError;
use super::super::special::chi2_sf;
use super::super::sum::compensated_sum;

/// The tests and estimates of Cochran, Mantel and Haenszel over tables [a, b, c, d], with the
/// event in the first column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratified {
    /// Mantel and Haenszel's chi-squared (1959) of "no effect in any stratum".
    pub chi2: f64,
    /// Its p-value, with one degree of freedom.
    pub p: f64,
    /// The pooled odds ratio; NaN where no stratum tells.
    pub odds_ratio: f64,
    /// The pooled risk ratio of the first row to the second.
    pub risk_ratio: f64,
    /// The pooled risk difference, first row minus second (Greenland and Robins 1985).
    pub risk_difference: f64,
    /// Breslow and Day's chi-squared (1980) of "the odds ratio is the same everywhere", with
    /// Tarone's correction (1985); absent for fewer than two strata that tell.
    pub heterogeneity: Option<f64>,
    /// Its p-value.
    pub p_heterogeneity: Option<f64>,
}

/// Pools two-by-two tables over strata.
///
/// Strata with fewer than two rows or an empty margin tell nothing and contribute nothing.
/// `correction` takes half a unit off the distance, which never becomes negative.
pub fn stratified(strata: &[[u64; 4]], correction: bool) -> Result<Stratified, StatsError> {
    if strata.is_empty() {
        return Err(StatsError::EmptySample);
    }
    let cells: Vec<Cells> = strata.iter().map(Cells::new).collect();
    let total = |f: fn(&Cells) -> f64| compensated_sum(cells.iter().map(f));
    let distance = total(|s| if s.tells() { s.a - s.expected() } else { 0.0 }).abs();
    let variance = total(|s| if s.tells() { s.variance() } else { 0.0 });
    let corrected = if correction { (distance - 0.5).max(0.0) } else { distance };
    let chi2 = if variance > 0.0 { corrected * corrected / variance } else { 0.0 };
    let odds_ratio = total(|s| s.over_n(s.a * s.d)) / total(|s| s.over_n(s.b * s.c));
    let risk_ratio =
        total(|s| s.over_n(s.a * (s.c + s.d))) / total(|s| s.over_n(s.c * (s.a + s.b)));
    let weights = total(|s| s.over_n((s.a + s.b) * (s.c + s.d)));
    let risk_difference = total(|s| s.over_n(s.a * (s.c + s.d) - s.c * (s.a + s.b))) / weights;
    let telling: Vec<&Cells> = cells.iter().filter(|s| s.tells()).collect();
    let heterogeneity = (telling.len() >= 2 && odds_ratio.is_finite() && odds_ratio > 0.0)
        .then(|| breslow_day(&telling, odds_ratio));
    Ok(Stratified {
        chi2,
        p: chi2_sf(chi2, 1.0),
        odds_ratio,
        risk_ratio,
        risk_difference,
        heterogeneity,
        p_heterogeneity: heterogeneity.map(|chi2| chi2_sf(chi2, telling.len() as f64 - 1.0)),
    })
}

struct Cells {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    n: f64,
}

impl Cells {
    fn new([a, b, c, d]: &[u64; 4]) -> Self {
        let [a, b, c, d] = [*a as f64, *b as f64, *c as f64, *d as f64];
        Self { a, b, c, d, n: a + b + c + d }
    }

    fn tells(&self) -> bool {
        let margins = [self.a + self.b, self.c + self.d, self.a + self.c, self.b + self.d];
        self.n >= 2.0 && margins.iter().all(|margin| *margin > 0.0)
    }

    fn expected(&self) -> f64 {
        (self.a + self.b) * (self.a + self.c) / self.n
    }

    fn variance(&self) -> f64 {
        let rows = (self.a + self.b) * (self.c + self.d);
        let columns = (self.a + self.c) * (self.b + self.d);
        rows / self.n * columns / (self.n * (self.n - 1.0))
    }

    fn over_n(&self, product: f64) -> f64 {
        if self.n > 0.0 { product / self.n } else { 0.0 }
    }

    /// The first cell that gives this table's margins the odds ratio `ratio`.
    fn fitted(&self, ratio: f64) -> f64 {
        let (row, column) = (self.a + self.b, self.a + self.c);
        // (1 - ratio) A^2 + linear A - ratio row column = 0, in the form that does not cancel.
        let linear = self.n - row - column + ratio * (row + column);
        let root = (linear * linear + 4.0 * (1.0 - ratio) * ratio * row * column).max(0.0).sqrt();
        2.0 * ratio * row * column / (linear + root)
    }
}

fn breslow_day(strata: &[&Cells], ratio: f64) -> f64 {
    let fits: Vec<(f64, f64)> = strata
        .iter()
        .map(|s| {
            let a = s.fitted(ratio);
            let (row, column) = (s.a + s.b, s.a + s.c);
            let (b, c) = (row - a, column - a);
            let d = s.n - row - column + a;
            (s.a - a, 1.0 / (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d))
        })
        .collect();
    let chi2 = compensated_sum(fits.iter().map(|(gap, variance)| gap * gap / variance));
    let gap = compensated_sum(fits.iter().map(|(gap, _)| *gap));
    chi2 - gap * gap / compensated_sum(fits.iter().map(|(_, variance)| *variance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strata_that_tell_nothing_change_nothing() {
        let plain = stratified(&[[8, 32, 41, 37], [32, 27, 35, 15]], true).unwrap();
        let with_empty =
            stratified(&[[8, 32, 41, 37], [0, 0, 0, 0], [32, 27, 35, 15]], true).unwrap();
        assert_eq!(plain, with_empty);
        let none = stratified(&[[0, 9, 0, 9]], false).unwrap();
        assert!((none.p - 1.0).abs() < 1e-15 && none.heterogeneity.is_none());
        assert_eq!(stratified(&[], false), Err(StatsError::EmptySample));
    }

    #[test]
    fn pooling_reveals_what_the_crude_table_hides() {
        // Within each stratum the first row has the lower rate, over both together the higher.
        let pooled = stratified(&[[81, 6, 234, 36], [192, 71, 55, 25]], false).unwrap();
        assert!(pooled.odds_ratio > 1.0 && pooled.risk_difference > 0.0, "{pooled:?}");
        let crude = stratified(&[[273, 77, 289, 61]], false).unwrap();
        assert!(crude.odds_ratio < 1.0 && crude.risk_difference < 0.0);
    }
}
