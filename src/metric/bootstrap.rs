//! How sure the difference of two rows is.

use super::quantile::interpolate;
use crate::{Error, Result, seed::Seed};
use rand::RngExt;

/// Resamples of every interval: the ends of a 95% interval then rest on 250 values each.
pub const RESAMPLES: usize = 10_000;

/// A mean difference and its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Mean difference over all queries.
    pub effect: f64,
    /// The 2.5th percentile of the resampled means.
    pub low: f64,
    /// The 97.5th percentile of the resampled means.
    pub high: f64,
}

/// The mean of `a - b` over queries, with a 95% percentile interval from resampling the queries in pairs.
///
/// ```text
/// difference(i) = a(i) - b(i)
/// effect        = mean over i of difference(i)
/// resample      = mean over queries drawn with replacement, RESAMPLES times
/// ```
///
/// Several seeds are pooled before: `a(i)` is query i's score averaged over the seeds of its row. The interval says how
/// far the effect depends on the choice of queries; what depends on the choice of seeds is the deviation in a table.
///
/// # Shapes
/// `a` and `b` have one score a query, same queries in the same order; the result is in their unit.
///
/// # Errors
/// No query, different lengths, or a score that is not finite.
///
/// # References
/// Efron and Tibshirani, An Introduction to the Bootstrap, 1993, Sec. 13.3 (percentile interval).
///
/// ```
/// use retrace::{metric::paired_interval, seed::Seed};
/// let found = paired_interval(&[100.0, 100.0], &[0.0, 0.0], Seed(0))?;
/// assert_eq!((found.effect, found.low, found.high), (100.0, 100.0, 100.0));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn paired_interval(a: &[f64], b: &[f64], seed: Seed) -> Result<Interval> {
    let differences = subtract(a, b)?;
    let count = u32::try_from(differences.len()).map_err(|error| Error::value("queries", "below 2^32", error))?;
    let mut stream = seed.stream("bootstrap");
    let mut means = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        // u32, not usize: the same draws on every machine.
        let sum: f64 = (0..count).map(|_| differences[stream.random_range(0..count) as usize]).sum();
        means.push(sum / f64::from(count));
    }
    means.sort_by(f64::total_cmp);
    let effect = differences.iter().sum::<f64>() / f64::from(count);
    Ok(Interval { effect, low: interpolate(&means, 0.025), high: interpolate(&means, 0.975) })
}

fn subtract(a: &[f64], b: &[f64]) -> Result<Vec<f64>> {
    if a.is_empty() || a.len() != b.len() {
        return Err(Error::value(
            "paired scores",
            "as many of a as of b, at least one",
            format!("{} and {}", a.len(), b.len()),
        ));
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    match differences.iter().position(|value| !value.is_finite()) {
        Some(i) => Err(Error::value(format!("scores of query {i}"), "finite numbers", differences[i])),
        None => Ok(differences),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_normal_one_for_many_queries() {
        // 400 queries, 120 gained and 40 lost: mean 20, sd of a difference sqrt(0.4 - 0.04) * 100 = 60,
        // standard error 60 / sqrt(400) = 3, so the interval is near 20 -+ 1.96 * 3.
        let a: Vec<f64> = (0..400).map(|i| if i < 120 { 100.0 } else { 0.0 }).collect();
        let b: Vec<f64> = (0..400).map(|i| if i >= 360 { 100.0 } else { 0.0 }).collect();
        let found = paired_interval(&a, &b, Seed(3)).unwrap();
        assert!((found.effect - 20.0).abs() < 1e-9, "{found:?}");
        assert!((found.low - 14.12).abs() < 0.5 && (found.high - 25.88).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn pairing_counts() {
        // The same scores in both rows differ in no query, however much the queries differ among themselves.
        let scores: Vec<f64> = (0..50).map(f64::from).collect();
        let found = paired_interval(&scores, &scores, Seed(0)).unwrap();
        assert_eq!(found, Interval { effect: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn the_seed_decides() {
        let (a, b) = ([100.0, 0.0, 100.0, 0.0, 0.0, 0.0, 100.0], [0.0; 7]);
        let first = paired_interval(&a, &b, Seed(1)).unwrap();
        assert_eq!(first, paired_interval(&a, &b, Seed(1)).unwrap());
        assert!(first.low < first.effect && first.effect < first.high);
    }

    #[test]
    fn degenerate_input_is_an_error() {
        assert!(paired_interval(&[], &[], Seed(0)).is_err());
        assert!(paired_interval(&[1.0], &[1.0, 2.0], Seed(0)).is_err());
        assert!(paired_interval(&[f64::NAN], &[1.0], Seed(0)).unwrap_err().to_string().contains("query 0"));
    }
}
