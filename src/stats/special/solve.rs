//! A root finder that cannot leave its bracket, for inverse distribution functions.

/// Ends of the search on a logarithmic or logit scale: `exp(-745)` is the least positive double.
pub(super) const LOG_LIMIT: f64 = 745.0;

const MAX_STEPS: usize = 400;

/// The root of an increasing function on `[low, high]` by Newton's method, which falls back on
/// bisection where a step leaves the bracket or the function is not finite.
///
/// `f` gives the value and the derivative; a value of -infinity or NaN counts as "left of it".
pub(super) fn increasing_root(
    start: f64,
    mut low: f64,
    mut high: f64,
    f: impl Fn(f64) -> (f64, f64),
) -> f64 {
    let mut t = start.clamp(low, high);
    for _ in 0..MAX_STEPS {
        let (value, slope) = f(t);
        if value > 0.0 {
            high = t;
        } else if value < 0.0 || value.is_nan() {
            low = t;
        } else {
            return t;
        }
        let newton = t - value / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - t).abs() <= 2.0 * f64::EPSILON * t.abs().max(1e-3) {
            return next;
        }
        t = next;
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_although_newton_alone_would_overshoot() {
        let root = increasing_root(10.0, -50.0, 50.0, |t| (t.tanh(), 1.0 - t.tanh().powi(2)));
        assert!(root.abs() < 1e-12, "{root}");
    }
}
