//! How far a series wanders.

use crate::metric::mean_sd;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A series relative to its mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Every value divided by the mean: 1 = the mean.
    pub normalised: Vec<f64>,
    /// Of the series, in its unit.
    pub mean: f64,
    /// Coefficient of variation, standard deviation (of n - 1) by mean: 0 = constant, lower is steadier.
    pub variation: f64,
}

/// The spread of a series, e.g. of the test accuracy after each of the last steps, relative to its mean.
///
/// ```text
/// normalised(t) = x(t) / mean(x)        variation = sd(x) / mean(x)
/// ```
///
/// # Shapes
/// At least two values, in the order of time.
///
/// # Errors
/// Fewer than two values, one that is not finite, or a mean that is not above 0.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Fig. 4c (mean-normalised, last 100 training iterations).
///
/// ```
/// let found = retrace::analysis::stability(&[1.0, 2.0, 3.0])?;
/// assert_eq!((found.normalised, found.variation), (vec![0.5, 1.0, 1.5], 0.5));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn stability(series: &[f64]) -> Result<Stability> {
    let (mean, sd) = mean_sd(series)?;
    let sd = sd.ok_or_else(|| Error::value("series", "at least 2 values", series.len()))?;
    if mean <= 0.0 {
        return Err(Error::value("mean of the series", "above 0, to divide by it", mean));
    }
    Ok(Stability { normalised: series.iter().map(|value| value / mean).collect(), mean, variation: sd / mean })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let found = stability(&[40.0, 50.0, 60.0, 50.0]).unwrap();
        assert_eq!(found.normalised, [0.8, 1.0, 1.2, 1.0]);
        // Squares 100 + 0 + 100 + 0 of n - 1 = 3.
        assert!((found.variation - (200.0_f64 / 3.0).sqrt() / 50.0).abs() < 1e-12 && found.mean == 50.0);
        assert_eq!(stability(&[7.0; 3]).unwrap().variation, 0.0);
    }

    #[test]
    fn the_unit_does_not_matter() {
        let (percent, share) = (stability(&[40.0, 50.0]).unwrap(), stability(&[0.4, 0.5]).unwrap());
        assert!((percent.variation - share.variation).abs() < 1e-12);
    }

    #[test]
    fn degenerate_input_is_an_error() {
        for series in [&[][..], &[1.0], &[0.0, 0.0], &[-1.0, 1.0], &[-1.0, -2.0], &[f64::NAN, 1.0]] {
            assert!(stability(series).is_err(), "{series:?}");
        }
    }
}
