//! The value below which a given share of values lies.

use crate::{Error, Result};

/// A quantile, linear between the two nearest values (Hyndman and Fan's type 7); the median at `share` 0.5.
///
/// ```text
/// place = share * (n - 1)        quantile = x(floor place) + (x(ceil place) - x(floor place)) * fraction of place
/// ```
///
/// # Shapes
/// `values` in any order; `share` in `0..=1`; the result is in their unit.
///
/// # Errors
/// No value, one that is not finite, or a share outside `0..=1`.
///
/// # References
/// Hyndman and Fan, Sample Quantiles in Statistical Packages, The American Statistician 1996, Definition 7.
///
/// ```
/// assert_eq!(retrace::metric::quantile(&[4.0, 1.0, 2.0], 0.75)?, 3.0);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn quantile(values: &[f64], share: f64) -> Result<f64> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return Err(Error::value("values of a quantile", "one or more finite numbers", format!("{values:?}")));
    }
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::value("share of a quantile", "0 to 1", share));
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(interpolate(&sorted, share))
}

/// Linear between the two nearest of `sorted`, which is not empty.
pub(super) fn interpolate(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_by_hand() {
        assert_eq!(interpolate(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.25), 2.0);
        assert_eq!(interpolate(&[1.0, 2.0], 0.5), 1.5);
        assert_eq!(interpolate(&[7.0], 0.975), 7.0);
        assert_eq!(quantile(&[5.0, 1.0, 4.0, 2.0], 0.5).unwrap(), 3.0);
        assert_eq!(quantile(&[5.0, 1.0], 0.0).unwrap(), 1.0);
    }

    #[test]
    fn quantile_refuses_no_values_and_bad_shares() {
        assert!(quantile(&[], 0.5).is_err() && quantile(&[f64::NAN], 0.5).is_err());
        assert!(quantile(&[1.0], 1.1).is_err() && quantile(&[1.0], f64::NAN).is_err());
    }
}
