//! How much an accuracy loses where the queries are deformed.

use crate::{Error, Result};

/// The loss of each deformed version of the queries, in percent of the clean accuracy.
///
/// ```text
/// drop(v) = 100 * (clean - deformed(v)) / clean
/// ```
///
/// Negative where a version is ranked better than the clean sketches.
///
/// # Shapes
/// `clean` and every entry of `deformed` in `0..=100`, one entry a version, out as many; each is at most 100.
///
/// # Errors
/// A clean accuracy that is not above 0, which can lose nothing.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 3: "average performance percentage drop", printed as
/// `19.16 (+- 3.48)` over ten versions of each test sketch.
///
/// ```
/// // 40% become 30% and 20%: a quarter and a half of it are lost.
/// assert_eq!(retrace::metric::relative_drops(40.0, &[30.0, 20.0])?, [25.0, 50.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn relative_drops(clean: f64, deformed: &[f64]) -> Result<Vec<f64>> {
    if !(clean > 0.0 && clean.is_finite()) {
        return Err(Error::value("clean accuracy", "above 0", clean));
    }
    Ok(deformed.iter().map(|accuracy| 100.0 * (clean - accuracy) / clean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentage_drop_by_hand() {
        // 50 becomes 40, 45, 50, 0 and 60.
        let drops = relative_drops(50.0, &[40.0, 45.0, 50.0, 0.0, 60.0]).unwrap();
        assert_eq!(drops, [20.0, 10.0, 0.0, 100.0, -20.0]);
        assert!(relative_drops(50.0, &[]).unwrap().is_empty());
    }

    #[test]
    fn percentage_drop_refuses_a_clean_accuracy_of_zero() {
        for clean in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = relative_drops(clean, &[0.0]).unwrap_err().to_string();
            assert!(error.starts_with("clean accuracy: expected above 0"), "{error}");
        }
    }
}
