//! The known name that a mistyped one was meant to be.

use super::edit_similarity;

/// Below this similarity two names have nothing to do with each other.
const LEAST_SIMILARITY: f64 = 0.5;

/// The known name nearest to `typed`, for a "did you mean"; ties go to the first.
pub fn closest_name<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let similarity = edit_similarity(typed, name);
        if similarity >= LEAST_SIMILARITY && best.is_none_or(|(most, _)| similarity > most) {
            best = Some((similarity, name));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_stranger_is_not() {
        let known = ["latency_ms.p99", "error_rate"];
        assert_eq!(closest_name("eror_rate", known), Some("error_rate"));
        assert_eq!(closest_name("zzz", known), None);
    }
}
