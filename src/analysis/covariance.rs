//! How much the gradients of single samples differ.

use crate::{Error, Result};
use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The spread of the gradients seen so far, of which only a mean and a sum are kept.
///
/// ```text
/// mean_n = mean_(n-1) + (g_n - mean_(n-1)) / n
/// sum_n  = sum_(n-1) + (n - 1) / n * |g_n - mean_(n-1)|^2
/// ```
///
/// The covariance matrix C of p parameters has p^2 entries; it is positive semi-definite, so its singular values are
/// its eigenvalues and its nuclear norm is its trace, which is `sum_n / (n - 1)`.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 3 (Covariance of gradients) and Fig. 4b;
/// Welford, Note on a Method for Calculating Corrected Sums of Squares and Products, Technometrics 1962.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::analysis::GradientSum;
/// let mut gradients = GradientSum::default();
/// for gradient in [[0.0_f32, 4.0], [2.0, 4.0], [4.0, 4.0]] {
///     gradients.add(&[("w".to_string(), Tensor::new(&gradient, &Device::Cpu)?)].into())?;
/// }
/// let found = gradients.spread()?;
/// assert!((found.nuclear_norm - 4.0).abs() < 1e-6); // variance 4 + 0
/// assert!((found.signal - 20.0).abs() < 1e-5); // |(2, 4)|^2
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct GradientSum {
    count: usize,
    mean: BTreeMap<String, Tensor>,
    sum: f64,
}

/// Statistics of a set of gradients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GradientSpread {
    /// How many gradients.
    pub samples: usize,
    /// Nuclear norm of their covariance matrix (of n - 1): 0 = all the same, lower is better.
    pub nuclear_norm: f64,
    /// Squared length of their mean. It contains the noise of the mean, `nuclear_norm / samples` on average.
    pub signal: f64,
}

impl GradientSum {
    /// Adds the gradient of one more sample.
    ///
    /// # Shapes
    /// Any, by name; the same names and shapes every time.
    ///
    /// # Errors
    /// Other names or shapes than those of the first gradient, or a gradient that is not finite; then nothing changes.
    pub fn add(&mut self, gradient: &BTreeMap<String, Tensor>) -> Result<()> {
        self.check(gradient)?;
        let n = (self.count + 1) as f64;
        let (mut moved, mut squares) = (BTreeMap::new(), 0.0);
        for (name, gradient) in gradient {
            let gradient = gradient.detach().to_dtype(DType::F32)?;
            let mean = self.mean.get(name).cloned().map_or_else(|| gradient.zeros_like(), Ok)?;
            let step = (gradient - &mean)?;
            squares += length2(&step)?;
            // Single precision is enough for a mean, which is set right at every step; the sum only ever grows.
            moved.insert(name.clone(), (mean + (step / n)?)?);
        }
        if !squares.is_finite() {
            return Err(Error::value(
                format!("gradient {}", self.count),
                "finite numbers",
                format!("a squared length of {squares}"),
            ));
        }
        self.count += 1;
        self.mean = moved;
        self.sum += squares * (n - 1.0) / n;
        Ok(())
    }

    /// The spread of the gradients added so far.
    ///
    /// # Errors
    /// Fewer than two gradients.
    pub fn spread(&self) -> Result<GradientSpread> {
        if self.count < 2 {
            return Err(Error::value("gradients", "at least 2", self.count));
        }
        let signal = self.mean.values().map(length2).sum::<Result<f64>>()?;
        Ok(GradientSpread { samples: self.count, nuclear_norm: self.sum / (self.count - 1) as f64, signal })
    }

    fn check(&self, gradient: &BTreeMap<String, Tensor>) -> Result<()> {
        let what = || format!("gradient {}", self.count);
        if gradient.is_empty() {
            return Err(Error::value(what(), "at least one tensor", "none"));
        }
        if self.count == 0 {
            return Ok(());
        }
        let differs = |name: &&String| {
            self.mean.get(*name).map(|tensor| tensor.dims()) != gradient.get(*name).map(|tensor| tensor.dims())
        };
        match self.mean.keys().chain(gradient.keys()).find(differs) {
            Some(name) => {
                let dims = |side: &BTreeMap<String, Tensor>| {
                    side.get(name).map_or("no tensor".into(), |tensor| format!("{:?}", tensor.dims()))
                };
                Err(Error::value(format!("{}, {name}", what()), dims(&self.mean), dims(gradient)))
            }
            None => Ok(()),
        }
    }
}

fn length2(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use candle_core::Device;
    use rand::RngExt;

    type Matrix = [[f64; 3]; 3];

    fn named(row: [f32; 3]) -> BTreeMap<String, Tensor> {
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        [("a".to_string(), tensor(&row[..1])), ("b".to_string(), tensor(&row[1..]))].into()
    }

    fn spread(rows: &[[f32; 3]]) -> GradientSpread {
        let mut gradients = GradientSum::default();
        rows.iter().for_each(|row| gradients.add(&named(*row)).unwrap());
        gradients.spread().unwrap()
    }

    /// The whole matrix.
    fn covariance(rows: &[[f32; 3]]) -> Matrix {
        let n = rows.len() as f64;
        let mean = |c: usize| rows.iter().map(|row| f64::from(row[c])).sum::<f64>() / n;
        let product = |a: usize, b: usize| {
            let terms = rows.iter().map(|row| (f64::from(row[a]) - mean(a)) * (f64::from(row[b]) - mean(b)));
            terms.sum::<f64>() / (n - 1.0)
        };
        std::array::from_fn(|a| std::array::from_fn(|b| product(a, b)))
    }

    fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
        std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    }

    /// Jacobi's rotations: the diagonal of a symmetric matrix after the rest has been turned to 0.
    fn eigenvalues(mut m: Matrix) -> [f64; 3] {
        for _ in 0..50 {
            for (p, q) in [(0, 1), (0, 2), (1, 2)] {
                let angle = 0.5 * (2.0 * m[p][q]).atan2(m[q][q] - m[p][p]);
                let mut turn: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
                (turn[p][p], turn[q][q], turn[p][q], turn[q][p]) =
                    (angle.cos(), angle.cos(), angle.sin(), -angle.sin());
                let back = std::array::from_fn(|i| std::array::from_fn(|j| turn[j][i]));
                m = multiply(&back, &multiply(&m, &turn));
            }
        }
        std::array::from_fn(|i| m[i][i])
    }

    #[test]
    fn spread_of_three_gradients_by_hand() {
        // Mean (1, 2, 3); squared distances 1 + 4 + 0, 1 + 0 + 9, 0 + 4 + 9, of n - 1 = 2.
        let found = spread(&[[0.0, 0.0, 3.0], [2.0, 2.0, 6.0], [1.0, 4.0, 0.0]]);
        assert!((found.nuclear_norm - 14.0).abs() < 1e-5 && (found.signal - 14.0).abs() < 1e-5, "{found:?}");
        assert_eq!(found.samples, 3);
        let same = spread(&[[1.0, 2.0, 2.0]; 5]);
        assert_eq!((same.nuclear_norm, same.signal), (0.0, 9.0));
    }

    #[test]
    fn spread_equals_the_nuclear_norm_of_the_whole_matrix() {
        let mut stream = Seed(2).stream("test");
        let rows: Vec<[f32; 3]> = (0..40)
            .map(|_| {
                let [x, y, z]: [f32; 3] = std::array::from_fn(|_| stream.random::<f32>());
                [5.0 + 3.0 * x, x - 2.0 * y, 0.5 * z + y] // correlated
            })
            .collect();
        let (found, matrix) = (spread(&rows).nuclear_norm, covariance(&rows));
        assert!(matrix[0][1].abs() > 0.1, "{matrix:?}");
        let trace: f64 = (0..3).map(|i| matrix[i][i]).sum();
        // Singular values: roots of the eigenvalues of C^T C, without using that C has no negative ones.
        let singular: f64 = eigenvalues(multiply(&matrix, &matrix)).iter().map(|value| value.max(0.0).sqrt()).sum();
        assert!((found - trace).abs() < 1e-5 * trace, "{found} and {trace}");
        assert!((found - singular).abs() < 1e-5 * trace, "{found} and {singular}");
        assert!(
            eigenvalues([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 5.0]]).iter().any(|v| (v - 3.0).abs() < 1e-9)
        );
    }

    #[test]
    fn spread_keeps_precision_at_a_large_mean() {
        let rows: Vec<[f32; 3]> = (0..100).map(|i| [1000.0 + (i % 2) as f32, 0.0, 0.0]).collect();
        let found = spread(&rows).nuclear_norm; // 25 / 99: variance 1/4, of n - 1
        assert!((found - 25.0 / 99.0).abs() < 1e-4, "{found}");
    }

    #[test]
    fn add_refuses_another_shape_and_changes_nothing() {
        let mut gradients = GradientSum::default();
        assert!(gradients.add(&BTreeMap::new()).is_err() && gradients.spread().is_err());
        gradients.add(&named([1.0, 2.0, 3.0])).unwrap();
        assert!(gradients.spread().unwrap_err().to_string().contains("at least 2"));
        let mut short = named([1.0; 3]);
        short.remove("a");
        let error = gradients.add(&short).unwrap_err().to_string();
        assert!(error.contains("gradient 1, a: expected [1], found no tensor"), "{error}");
        assert!(gradients.add(&named([f32::NAN, 0.0, 0.0])).is_err());
        gradients.add(&named([1.0, 2.0, 5.0])).unwrap();
        assert!((gradients.spread().unwrap().nuclear_norm - 2.0).abs() < 1e-6);
    }
}
