use crate::{Error, Result};
use candle_core::Tensor;

/// Keeps the deviation of a dimension that does not vary above 0 (PyTorch's batch norm adds the same).
const FLOOR: f64 = 1e-5;

/// Makes two views of a photo agree in every dimension, and the dimensions differ from one another: Barlow Twins.
///
/// ```text
/// L = sum over i of (1 - C_ii)^2 + weight sum over i != j of C_ij^2,   C = z(a)^T z(b) / b
/// ```
///
/// `z` takes the batch's mean from each dimension and divides it by the batch's deviation. A sum over dimensions and not
/// over photos: there is no value of a single photo.
///
/// # Shapes
/// `a`, `b` `(b, d)`, row = photo, b at least 2; out a scalar.
///
/// # Errors
/// Other shapes.
///
/// # References
/// Zbontar et al., Barlow Twins, ICML 2021, Eq. 1 and 2.
///
/// ```
/// use candle_core::{Device, Tensor};
/// // Two dimensions that do not correlate, seen alike in both views: only the diagonal could cost, and it is 1.
/// let a = Tensor::new(&[[1.0_f64, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &Device::Cpu)?;
/// let loss = retrace::loss::barlow_twins_loss(&a, &a, 0.005)?.to_scalar::<f64>()?;
/// assert!(loss < 1e-8);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn barlow_twins_loss(a: &Tensor, b: &Tensor, weight: f64) -> Result<Tensor> {
    let (rows, columns) = a.dims2()?;
    if b.dims() != a.dims() || rows < 2 {
        return Err(Error::value("views", "two of one shape, of 2 photos or more", format!("{a:?} and {b:?}")));
    }
    let correlation = (standardise(a)?.t()?.matmul(&standardise(b)?)? / rows as f64)?;
    let own = Tensor::eye(columns, a.dtype(), a.device())?;
    let square = (&own - correlation)?.sqr()?;
    let weights = ((own.ones_like()? * weight)? + (own * (1.0 - weight))?)?;
    Ok((square * weights)?.sum_all()?)
}

fn standardise(x: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(0)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(0)? + FLOOR)?.sqrt()?;
    Ok(centred.broadcast_div(&deviation)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, Var};
    use rand::RngExt;

    fn random(shape: (usize, usize), seed: u64) -> Vec<f64> {
        let mut stream = crate::seed::Seed(seed).stream("test");
        (0..shape.0 * shape.1).map(|_| stream.random::<f64>() - 0.5).collect()
    }

    fn tensor(values: &[f64], shape: (usize, usize)) -> Tensor {
        Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
    }

    /// Eq. 1 and 2 with loops.
    fn slow(a: &[f64], b: &[f64], (n, d): (usize, usize), weight: f64) -> f64 {
        let column = |x: &[f64], j: usize| -> Vec<f64> {
            let values: Vec<f64> = (0..n).map(|i| x[i * d + j]).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64 + FLOOR).sqrt();
            values.iter().map(|v| (v - mean) / deviation).collect()
        };
        let mut sum = 0.0;
        for i in 0..d {
            for j in 0..d {
                let c: f64 = column(a, i).iter().zip(column(b, j)).map(|(x, y)| x * y).sum::<f64>() / n as f64;
                sum += if i == j { (1.0 - c).powi(2) } else { weight * c * c };
            }
        }
        sum
    }

    #[test]
    fn correlation_loss_agrees_with_loops_and_finite_differences() {
        let shape = (7, 4);
        let (a, b) = (random(shape, 1), random(shape, 2));
        let loss = |a: &[f64]| {
            let loss = barlow_twins_loss(&tensor(a, shape), &tensor(&b, shape), 0.3).unwrap();
            loss.to_scalar::<f64>().unwrap()
        };
        assert!((loss(&a) - slow(&a, &b, shape, 0.3)).abs() < 1e-12);
        let var = Var::from_tensor(&tensor(&a, shape)).unwrap();
        let gradient = barlow_twins_loss(&var, &tensor(&b, shape), 0.3).unwrap().backward().unwrap();
        let gradient = gradient.get(&var).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (i, found) in gradient.iter().enumerate() {
            let at = |by: f64| {
                loss(&a.iter().enumerate().map(|(j, x)| if i == j { x + by } else { *x }).collect::<Vec<_>>())
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
        assert!(barlow_twins_loss(&tensor(&a[..4], (1, 4)), &tensor(&b[..4], (1, 4)), 0.3).is_err());
        let flat = Tensor::zeros((3, 2), DType::F64, &Device::Cpu).unwrap();
        assert_eq!(barlow_twins_loss(&flat, &flat, 0.3).unwrap().to_scalar::<f64>().unwrap(), 2.0);
    }
}
