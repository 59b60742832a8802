//! How far a series varies around its mean.

use crate::metric::mean_sd;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A series relative to its mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Every value divided by the mean: 1 = the mean.
    pub normalised: Vec<f64>,
    /// Mean of the series, in its unit.
    pub mean: f64,
    /// How far a value lies from the mean on average, as a part of it: 0 = constant, lower is steadier.
    pub deviation: f64,
}

/// The spread of a series, e.g. of the test accuracy after each of the last steps, relative to its mean.
///
/// ```text
/// normalised(t) = x(t) / mean(x)        deviation = mean over t of |normalised(t) - 1|
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
/// assert_eq!((found.normalised, found.deviation), (vec![0.5, 1.0, 1.5], 1.0 / 3.0));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn stability(series: &[f64]) -> Result<Stability> {
    let (mean, sd) = mean_sd(series)?;
    if sd.is_none() {
        return Err(Error::value("series", "at least 2 values", series.len()));
    }
    if mean <= 0.0 {
        return Err(Error::value("mean of the series", "above 0, to divide by it", mean));
    }
    let normalised: Vec<f64> = series.iter().map(|value| value / mean).collect();
    let deviation = normalised.iter().map(|value| (value - 1.0).abs()).sum::<f64>() / series.len() as f64;
    Ok(Stability { normalised, mean, deviation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stability_by_hand() {
        let found = stability(&[40.0, 50.0, 60.0, 50.0]).unwrap();
        assert_eq!(found.normalised, [0.8, 1.0, 1.2, 1.0]);
        assert!((found.deviation - 0.1).abs() < 1e-12 && found.mean == 50.0); // 0.2, 0, 0.2, 0
        assert_eq!(stability(&[7.0; 3]).unwrap().deviation, 0.0);
    }

    #[test]
    fn stability_ignores_the_unit() {
        let (percent, share) = (stability(&[40.0, 50.0]).unwrap(), stability(&[0.4, 0.5]).unwrap());
        assert!((percent.deviation - share.deviation).abs() < 1e-12);
    }

    #[test]
    fn stability_refuses_short_and_unusable_series() {
        for series in [&[][..], &[1.0], &[0.0, 0.0], &[-1.0, 1.0], &[-1.0, -2.0], &[f64::NAN, 1.0]] {
            assert!(stability(series).is_err(), "{series:?}");
        }
    }
}
