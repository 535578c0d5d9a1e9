//! The angle between two vectors.

/// The cosine of the angle between two vectors, from -1 to 1.
///
/// Each vector is scaled by its largest magnitude first, so that nothing overflows or vanishes.
/// `None` when a vector is empty, zero or not finite, or when the lengths differ.
pub fn cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let largest = |vector: &[f64]| vector.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let (a_scale, b_scale) = (largest(a), largest(b));
    let finite = a.iter().chain(b).all(|x| x.is_finite());
    if !finite || a_scale <= 0.0 || b_scale <= 0.0 {
        return None;
    }
    let (mut product, mut a_square, mut b_square) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x / a_scale, y / b_scale);
        product += x * y;
        a_square += x * x;
        b_square += y * y;
    }
    let cosine: f64 = product / (f64::sqrt(a_square) * f64::sqrt(b_square));
    Some(cosine.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_does_not_matter() {
        let cosine = cosine(&[3e300, 4e300], &[3e-300, 4e-300]).unwrap();
        assert!((cosine - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_has_no_direction_has_no_angle() {
        for (a, b) in [(&[][..], &[][..]), (&[0.0], &[1.0]), (&[1.0], &[1.0, 2.0])] {
            assert_eq!(cosine(a, b), None);
        }
        assert_eq!(cosine(&[f64::NAN], &[1.0]), None);
        assert_eq!(cosine(&[f64::INFINITY], &[1.0]), None);
    }
}
