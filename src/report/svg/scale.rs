//! Maps values to coordinates and picks round tick values.

/// Values below or beyond these are drawn at the edge: no axis can be labelled there.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e15;
/// No axis has more ticks than this.
const MOST_TICKS: usize = 16;
/// A log axis is used from this ratio of largest to smallest value on.
const LOG_FROM_RATIO: f64 = 20.0;

/// A mapping from values to coordinates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    /// Smallest and largest value shown.
    domain: (f64, f64),
    /// Where they lie.
    range: (f64, f64),
    logarithmic: bool,
}

impl Scale {
    /// A linear scale from zero to a round number that is not below `largest`.
    pub(crate) fn from_zero(largest: f64, range: (f64, f64)) -> Self {
        let largest = if (SMALLEST..=LARGEST).contains(&largest) { largest } else { 1.0 };
        let step = round_step(largest / 4.0);
        Scale { domain: (0.0, (largest / step).ceil() * step), range, logarithmic: false }
    }

    /// A linear scale over exactly this domain; an empty one is widened.
    pub(crate) fn over(domain: (f64, f64), range: (f64, f64)) -> Self {
        let (low, high) = domain;
        let is_drawable = |value: f64| value.abs() <= LARGEST;
        let domain = if is_drawable(low) && is_drawable(high) && high - low > SMALLEST {
            domain
        } else if is_drawable(low) {
            (low, low + 1.0)
        } else {
            (0.0, 1.0)
        };
        Scale { domain, range, logarithmic: false }
    }

    /// A scale for positive durations: logarithmic when they span more than a factor of 20.
    pub(crate) fn for_durations(values: impl Iterator<Item = f64>, range: (f64, f64)) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| (SMALLEST..=LARGEST).contains(value)) {
            low = low.min(value);
            high = high.max(value);
        }
        if high <= 0.0 || high / low < LOG_FROM_RATIO {
            return Scale::from_zero(high, range);
        }
        let domain = (round_down(low), round_up(high));
        Scale { domain, range, logarithmic: true }
    }

    /// Whether equal distances are equal ratios.
    pub(crate) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// The largest value shown.
    pub(crate) fn largest(&self) -> f64 {
        self.domain.1
    }

    /// Where a value lies; what lies outside the domain is moved to its nearer end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let value = if value.is_nan() { low } else { value.clamp(low, high) };
        let share = if self.logarithmic {
            (value / low).ln() / (high / low).ln()
        } else {
            (value - low) / (high - low)
        };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values to label, smallest first.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if self.logarithmic { self.log_ticks() } else { self.linear_ticks() }
    }

    fn linear_ticks(&self) -> Vec<f64> {
        let (low, high) = self.domain;
        let step = round_step((high - low) / 5.0);
        let first = (low / step).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last).map(|multiple| multiple as f64 * step).take(MOST_TICKS).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let (low, high) = self.domain;
        let decades = (high / low).log10();
        let factors: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let first = low.log10().floor() as i32;
        let last = high.log10().ceil() as i32;
        (first..=last)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)))
            .filter(|tick| *tick >= low * 0.999 && *tick <= high * 1.001)
            .take(MOST_TICKS)
            .collect()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|candidate| *candidate >= step * (1.0 - 1e-9))
        .unwrap_or(power * 10.0)
}

fn round_up(value: f64) -> f64 {
    round_step(value)
}

/// The largest of 1, 2, 5 times a power of ten that is not above `value`.
fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|candidate| *candidate <= value * (1.0 + 1e-9))
        .unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(given: &[f64], wanted: &[f64]) {
        assert_eq!(given.len(), wanted.len(), "{given:?} {wanted:?}");
        for (g, w) in given.iter().zip(wanted) {
            assert!((g - w).abs() <= w.abs() * 1e-9 + 1e-12, "{given:?} {wanted:?}");
        }
    }

    #[test]
    fn linear_ticks_are_round_and_reach_the_largest_value() {
        let scale = Scale::from_zero(730.0, (0.0, 100.0));
        assert_close(&scale.ticks(), &[0.0, 200.0, 400.0, 600.0, 800.0]);
        assert_close(&[scale.position(400.0)], &[50.0]);
    }

    #[test]
    fn wide_spans_use_a_log_axis_with_round_ends() {
        let scale = Scale::for_durations([30.0, 900.0].into_iter(), (0.0, 300.0));
        assert!(scale.is_logarithmic());
        assert_close(&scale.ticks(), &[20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]);
        assert_close(&[scale.position(20.0), scale.position(1000.0)], &[0.0, 300.0]);
        let far = Scale::for_durations([1.5, 9_000.0].into_iter(), (0.0, 300.0));
        assert_close(&far.ticks(), &[1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
    }

    #[test]
    fn what_lies_outside_is_drawn_at_the_edge() {
        let scale = Scale::from_zero(10.0, (50.0, 250.0));
        for (value, wanted) in [(f64::INFINITY, 250.0), (-3.0, 50.0), (f64::NAN, 50.0)] {
            assert_close(&[scale.position(value)], &[wanted]);
        }
    }

    #[test]
    fn empty_and_degenerate_domains_still_have_a_scale() {
        let scales = [
            Scale::for_durations(std::iter::empty(), (0.0, 1.0)),
            Scale::from_zero(0.0, (0.0, 1.0)),
            Scale::from_zero(f64::INFINITY, (0.0, 1.0)),
            Scale::over((5.0, 5.0), (0.0, 1.0)),
            Scale::from_zero(5e-324, (0.0, 1.0)),
            Scale::from_zero(f64::MAX, (0.0, 1.0)),
            Scale::for_durations([5e-324, f64::MAX].into_iter(), (0.0, 1.0)),
            Scale::over((f64::NEG_INFINITY, 5.0), (0.0, 1.0)),
            Scale::over((f64::MIN, f64::MAX), (0.0, 1.0)),
        ];
        for scale in scales {
            assert!(scale.ticks().len() > 1, "{scale:?}");
            assert!(scale.position(scale.largest()).is_finite(), "{scale:?}");
        }
    }
}
