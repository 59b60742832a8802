//! Two clouds of features as a picture.

use super::principal::{dot, plane};
use super::separation::check;
use crate::Result;
use serde::{Deserialize, Serialize};

/// Two clouds on the first two principal components of both together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// A point for each row of the first cloud.
    pub a: Vec<(f64, f64)>,
    /// A point for each row of the second cloud.
    pub b: Vec<(f64, f64)>,
    /// Share of the total variance along each axis, in percent.
    pub explained: (f64, f64),
}

/// Principal components of two clouds, joined and centred.
///
/// ```text
/// x(r) = (r - mean) . v1        y(r) = (r - mean) . v2        v1, v2: largest eigenvectors of the joint covariance
/// ```
///
/// The same rows give the same picture: the sign of an axis is fixed (its largest coordinate is positive), and where
/// rows lie on a line the second axis is 0. The paper does not say how it draws its Fig. 2b and c; this is linear, so
/// distances in the picture are never longer than those of the features.
///
/// # Shapes
/// `a` is `(n, d)`, `b` is `(m, d)`, row by row.
///
/// # Errors
/// An empty cloud, an incomplete row, or features that are not finite.
///
/// # References
/// Jolliffe, Principal Component Analysis, 2002, Sec. 1.1; to redraw Li et al., Photo Pre-Training, But for Sketch,
/// CVPR 2023, Fig. 2b and c.
///
/// ```
/// let found = retrace::analysis::embed(&[0.0, 0.0, 3.0, 4.0], &[6.0, 8.0], 2)?; // steps of 5 on a line
/// assert!((found.a[0].0 + 5.0).abs() < 1e-9 && found.a[1].0.abs() < 1e-9 && (found.b[0].0 - 5.0).abs() < 1e-9);
/// assert!((found.explained.0 - 100.0).abs() < 1e-9);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn embed(a: &[f32], b: &[f32], d: usize) -> Result<Embedding> {
    check([a, b], d, 1)?;
    let mut rows: Vec<f64> = a.iter().chain(b).map(|value| f64::from(*value)).collect();
    let n = (rows.len() / d) as f64;
    for column in 0..d {
        let mean = rows.iter().skip(column).step_by(d).sum::<f64>() / n;
        rows.iter_mut().skip(column).step_by(d).for_each(|value| *value -= mean);
    }
    let [(first, along), (second, across)] = plane(&rows, d);
    let whole = dot(&rows, &rows) / n;
    let percent = |variance: f64| if whole > 0.0 { 100.0 * variance / whole } else { 0.0 };
    let mut points: Vec<_> = rows.chunks_exact(d).map(|row| (dot(row, &first), dot(row, &second))).collect();
    let b = points.split_off(a.len() / d);
    Ok(Embedding { a: points, b, explained: (percent(along), percent(across)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::separation::tests::cloud;

    #[test]
    fn embed_keeps_the_distance_of_two_clouds() {
        let (a, b) = (cloud("a", 60, 0.0), cloud("b", 40, 20.0));
        let found = embed(&a, &b, 8).unwrap();
        assert_eq!((found.a.len(), found.b.len()), (60, 40));
        let middle = |points: &[(f64, f64)]| points.iter().map(|point| point.0).sum::<f64>() / points.len() as f64;
        assert!((middle(&found.b) - middle(&found.a) - 20.0).abs() < 0.6, "{found:?}"); // 20 +- sqrt(1/60 + 1/40) * 3
        // Between the means lies a variance of 0.24 * 400, along each of the 8 axes about 1.
        assert!((found.explained.0 - 100.0 * 97.0 / 104.0).abs() < 2.0 && found.explained.1 < 3.0, "{found:?}");
        assert_eq!(found, embed(&a, &b, 8).unwrap());
    }

    #[test]
    fn embed_refuses_bad_clouds() {
        assert!(embed(&[], &[1.0], 1).is_err() && embed(&[1.0], &[1.0, 2.0, 3.0], 2).is_err());
        assert!(embed(&[1.0], &[1.0], 0).is_err());
        let error = embed(&[1.0, 2.0], &[1.0, f32::NAN], 1).unwrap_err().to_string();
        assert!(error.contains("second cloud, row 1"), "{error}");
        assert_eq!(embed(&[2.0, 2.0], &[2.0, 2.0], 2).unwrap().explained, (0.0, 0.0));
    }
}
