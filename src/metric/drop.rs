//! How much an accuracy loses where the queries are deformed.

use super::mean_sd;
use crate::{Error, Result};

/// Mean and sample standard deviation of what deformed versions of the queries lose, in percent of the clean accuracy.
///
/// ```text
/// drop(v) = 100 * (clean - deformed(v)) / clean
/// ```
///
/// Negative where a version is ranked better than the clean sketches.
///
/// # Shapes
/// `clean` and every entry of `deformed` in `0..=100`, one entry a version; the mean is at most 100.
///
/// # Errors
/// A clean accuracy that is not above 0, which can lose nothing; no version, or one that is not finite.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 3: "average performance percentage drop", printed as
/// `19.16 (+- 3.48)` over ten versions of each test sketch. Whether the paper divides by `n` or by `n - 1` it does not say.
///
/// ```
/// // 40% become 30% and 20%: a quarter and a half of it are lost.
/// let (mean, sd) = retrace::metric::relative_drop(40.0, &[30.0, 20.0])?;
/// assert_eq!((mean, sd), (37.5, Some(f64::sqrt(312.5))));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn relative_drop(clean: f64, deformed: &[f64]) -> Result<(f64, Option<f64>)> {
    if !(clean > 0.0 && clean.is_finite()) {
        return Err(Error::value("clean accuracy", "above 0", clean));
    }
    let drops: Vec<f64> = deformed.iter().map(|accuracy| 100.0 * (clean - accuracy) / clean).collect();
    mean_sd(&drops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_by_hand() {
        // 50 becomes 40, 45 and 50: losses of 20, 10 and 0 percent.
        assert_eq!(relative_drop(50.0, &[40.0, 45.0, 50.0]).unwrap(), (10.0, Some(10.0)));
        assert_eq!(relative_drop(50.0, &[0.0]).unwrap(), (100.0, None));
        assert_eq!(relative_drop(50.0, &[60.0]).unwrap(), (-20.0, None));
    }

    #[test]
    fn what_cannot_be_divided_is_an_error() {
        for clean in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = relative_drop(clean, &[0.0]).unwrap_err().to_string();
            assert!(error.starts_with("clean accuracy: expected above 0"), "{error}");
        }
        assert!(relative_drop(50.0, &[]).is_err() && relative_drop(50.0, &[f64::NAN]).is_err());
    }
}
