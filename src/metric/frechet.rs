//! How far two sets of features lie apart, as two normal distributions: the FID of the field, on any features.

use crate::{Error, Result};

/// Frechet distance of the normal distributions with the means and covariances of two sets.
///
/// ```text
/// d = |mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a^1/2 C_b C_a^1/2)^1/2)
/// ```
///
/// Covariances are unbiased (over n - 1). No root of a matrix is taken: with `C = F^T F` the last trace is the sum of
/// the singular values of `F_a F_b^T`, which keeps all digits where a root of rounding errors keeps half. Time grows with
/// the cube of what is smallest: the rows of one set, those of the other, or `d`.
///
/// # Shapes
/// `a` and `b`: rows of `d` features, one after the other, 2 or more each; fewer than `d` will do. Out 0 or more, in
/// squared units of the features.
///
/// # Errors
/// Fewer than two rows, a length that is no multiple of `d`, features that are not finite or whose squares overflow.
///
/// # References
/// Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017, Eq. 6; Dowson and Landau, The Frechet
/// Distance between Multivariate Normal Distributions, 1982.
///
/// ```
/// // Means 1 and 4, deviations 2 (variances over n - 1) and 4: 3^2 + 2^2.
/// let (a, b) = ([1.0 - 2.0_f64.sqrt(), 1.0 + 2.0_f64.sqrt()], [4.0 - 8.0_f64.sqrt(), 4.0 + 8.0_f64.sqrt()]);
/// let distance = retrace::metric::frechet_distance(&a, &b, 1)?;
/// assert!((distance - 13.0).abs() < 1e-9);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn frechet_distance(a: &[f64], b: &[f64], d: usize) -> Result<f64> {
    let (a, b) = (Normal::new("first features", a, d)?, Normal::new("second features", b, d)?);
    let apart: f64 = a.mean.iter().zip(&b.mean).map(|(x, y)| (x - y).powi(2)).sum();
    let distance = apart + a.trace() + b.trace() - 2.0 * sum_singular_values(product(&a.factor, &b.factor))?;
    if !distance.is_finite() {
        return Err(Error::value("features", "squares that f64 holds", distance));
    }
    Ok(distance.max(0.0)) // rounding can leave equal sets just below
}

/// A mean, and rows `F` of a covariance `F^T F`.
struct Normal {
    mean: Vec<f64>,
    factor: Vec<Vec<f64>>,
}

impl Normal {
    fn new(name: &str, features: &[f64], d: usize) -> Result<Self> {
        check(name, features, d)?;
        let n = features.len() / d;
        let mean: Vec<f64> = (0..d).map(|k| features.iter().skip(k).step_by(d).sum::<f64>() / n as f64).collect();
        let scale = ((n - 1) as f64).sqrt().recip();
        let centre = |row: &[f64]| row.iter().zip(&mean).map(|(x, mean)| (x - mean) * scale).collect();
        let rows: Vec<Vec<f64>> = features.chunks_exact(d).map(centre).collect();
        let factor = if n > d { triangle(transpose(&rows)) } else { rows };
        Ok(Self { mean, factor })
    }

    /// The sum of the variances.
    fn trace(&self) -> f64 {
        self.factor.iter().map(|row| dot(row, row)).sum()
    }
}

fn check(name: &str, features: &[f64], d: usize) -> Result<()> {
    if d == 0 || !features.len().is_multiple_of(d) || features.len() < 2 * d {
        let found = format!("{} numbers", features.len());
        return Err(Error::value(name, format!("two or more whole rows of {d} numbers"), found));
    }
    match features.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let found = format!("{} in row {}, column {}", features[at], at / d, at % d);
            Err(Error::value(name, "finite numbers", found))
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn transpose(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (0..rows[0].len()).map(|k| rows.iter().map(|row| row[k]).collect()).collect()
}

/// `F_a F_b^T` column by column, the smaller side of it along the columns.
fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (columns, rows) = if a.len() < b.len() { (a, b) } else { (b, a) };
    columns.iter().map(|column| rows.iter().map(|row| dot(row, column)).collect()).collect()
}

/// The upper triangle `R` with `R^T R = X^T X`, by modified Gram-Schmidt: its `R` is as exact as Householder's.
fn triangle(mut columns: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let d = columns.len();
    let mut rows = vec![vec![0.0; d]; d];
    for (k, row) in rows.iter_mut().enumerate() {
        let (done, rest) = columns.split_at_mut(k + 1);
        let pivot = &mut done[k];
        row[k] = dot(pivot, pivot).sqrt();
        if row[k] > 0.0 {
            pivot.iter_mut().for_each(|x| *x /= row[k]);
        }
        for (along, column) in row[k + 1..].iter_mut().zip(rest) {
            *along = dot(pivot, column);
            column.iter_mut().zip(pivot.iter()).for_each(|(x, y)| *x -= *along * y);
        }
    }
    rows
}

/// Columns count as orthogonal below this cosine; singular values are then exact to its square.
const COSINE: f64 = 1e-11;

/// Rounds over all pairs of columns; ten or fewer are usual.
const ROUNDS: usize = 60;

/// The sum of the singular values: Jacobi's rotations make all columns orthogonal, and their lengths are the values.
fn sum_singular_values(mut columns: Vec<Vec<f64>>) -> Result<f64> {
    for _ in 0..ROUNDS {
        if !rotate_pairs(&mut columns) {
            return Ok(columns.iter().map(|column| dot(column, column).sqrt()).sum());
        }
    }
    Err(Error::value("singular values", format!("convergence in {ROUNDS} rounds"), "none"))
}

/// One round over all pairs; whether any was turned.
fn rotate_pairs(columns: &mut [Vec<f64>]) -> bool {
    let total: f64 = columns.iter().map(|column| dot(column, column)).sum();
    // A column this short is rounding error of the others, and its direction never settles.
    let floor = total * 1e-30;
    let mut is_turned = false;
    for first in 0..columns.len() {
        let (head, rest) = columns.split_at_mut(first + 1);
        for second in rest {
            is_turned |= rotate(&mut head[first], second, floor);
        }
    }
    is_turned
}

/// Turns two columns in their plane so that they are orthogonal; whether they were not.
fn rotate(a: &mut [f64], b: &mut [f64], floor: f64) -> bool {
    let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
    // Written so that an overflow, which makes NaN of the cosine, ends the rounds.
    let is_skew = aa > floor && bb > floor && ab.abs() > COSINE * (aa * bb).sqrt();
    if is_skew {
        let half = (bb - aa) / (2.0 * ab);
        let tangent = half.signum() / (half.abs() + half.hypot(1.0));
        let cosine = tangent.hypot(1.0).recip();
        for (x, y) in a.iter_mut().zip(b) {
            (*x, *y) = (cosine * (*x - tangent * *y), cosine * (*y + tangent * *x));
        }
    }
    is_skew
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `features` in `frechet.py`.
    fn wave(n: usize, d: usize, pace: f64, shift: f64) -> Vec<f64> {
        let value = |i: usize, k: usize| (pace * (i * k) as f64).sin() + shift * k as f64;
        (1..=n).flat_map(|i| (1..=d).map(move |k| value(i, k))).collect()
    }

    #[test]
    fn frechet_of_one_dimension_is_that_of_means_and_deviations() {
        let (a, b) = ([1.0, 2.0, 3.0, 6.0], [-1.0, 0.0, 7.0]);
        let moments = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let square: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
            (mean, (square / (x.len() - 1) as f64).sqrt())
        };
        let ((mean_a, deviation_a), (mean_b, deviation_b)) = (moments(&a), moments(&b));
        let expected = (mean_a - mean_b).powi(2) + (deviation_a - deviation_b).powi(2);
        assert!((frechet_distance(&a, &b, 1).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn frechet_of_uncorrelated_features_is_a_sum_over_them() {
        // Corners of boxes: covariances are diagonal, with 4/3 of the squared half sides.
        let corners = |x: f64, y: f64, at: f64| [at - x, -y, at - x, y, at + x, -y, at + x, y];
        let found = frechet_distance(&corners(1.0, 2.0, 0.0), &corners(4.0, 0.5, 3.0), 2).unwrap();
        assert!((found - (9.0 + 4.0 / 3.0 * (9.0 + 2.25))).abs() < 1e-12, "{found}");
    }

    #[test]
    fn frechet_of_equal_sets_is_zero_and_arguments_may_change_places() {
        for (n, m, d) in [(40, 30, 5), (6, 4, 8), (20, 3, 6), (2, 2, 1)] {
            let (a, b) = (wave(n, d, 0.37, 0.1), wave(m, d, 0.53, -0.05));
            assert!(frechet_distance(&a, &a, d).unwrap() < 1e-9, "{n}, {d}");
            let (there, back) = (frechet_distance(&a, &b, d).unwrap(), frechet_distance(&b, &a, d).unwrap());
            assert!(there > 1e-3 && (there - back).abs() < 1e-12, "{there} {back}");
        }
        assert_eq!(frechet_distance(&[3.0; 8], &[3.0; 6], 2).unwrap(), 0.0, "no variance at all");
    }

    /// Expected numbers: the singular values of `frechet.py`, with which roots of covariances agree there.
    #[test]
    fn frechet_is_that_of_numpy() {
        for ((n, m, d), expected) in
            [((40, 30, 5), 1.272358977154819), ((6, 4, 8), 7.465668984690773), ((20, 3, 6), 4.556162263006248)]
        {
            let found = frechet_distance(&wave(n, d, 0.37, 0.1), &wave(m, d, 0.53, -0.05), d).unwrap();
            assert!((found - expected).abs() < 1e-9, "{found} against {expected}");
        }
    }

    #[test]
    fn triangle_has_the_products_of_its_columns() {
        let columns = transpose(&wave(7, 4, 0.9, 0.0).chunks(4).map(<[f64]>::to_vec).collect::<Vec<_>>());
        let rows = triangle(columns.clone());
        let back = transpose(&rows);
        for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
            assert!((dot(&back[i], &back[j]) - dot(&columns[i], &columns[j])).abs() < 1e-12, "{i},{j}");
            assert!(i <= j || rows[i][j] == 0.0);
        }
    }

    #[test]
    fn singular_values_of_singular_and_graded_columns() {
        // All ones, 3 x 5: a single value, the root of 15.
        let ones = sum_singular_values(vec![vec![1.0; 5]; 3]).unwrap();
        assert!((ones - 15.0_f64.sqrt()).abs() < 1e-12, "{ones}");
        let graded = sum_singular_values(vec![vec![1.0, 1.0], vec![0.0, 1e-9]]).unwrap();
        // The squared sum is |columns|^2 + 2 |determinant|.
        assert!((graded - (2.0 + 1e-18 + 2e-9_f64).sqrt()).abs() < 1e-12, "{graded}");
    }

    #[test]
    fn frechet_refuses_what_has_no_covariance() {
        let message = |a: &[f64], d: usize| frechet_distance(a, &[0.0, 1.0, 2.0, 3.0], d).unwrap_err().to_string();
        assert!(message(&[1.0, 2.0], 2).contains("first features: expected two or more whole rows of 2 numbers"));
        assert!(message(&[1.0, 2.0, 3.0, 4.0, 5.0], 2).contains("found 5 numbers"));
        assert!(message(&[], 0).contains("rows of 0"));
        assert!(message(&[1.0, 2.0, 3.0, f64::NAN], 2).contains("found NaN in row 1, column 1"));
        assert!(message(&[1e200, -1e200, 3.0, 4.0], 2).contains("squares that f64 holds"));
        let error = frechet_distance(&[0.0, 1.0, 2.0, 3.0], &[1.0], 1).unwrap_err().to_string();
        assert!(error.starts_with("second features"), "{error}");
    }
}
