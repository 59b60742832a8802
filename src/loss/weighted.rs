//! Distances in which every sketch weighs the dimensions in its own way.

use crate::Result;
use candle_core::{D, Tensor};

/// Squared distance of every sketch to every photo, both scaled by the sketch's own weights.
///
/// ```text
/// d(i, k) = |w_i * s_i - w_i * p_k|^2 = sum over d of w_id^2 (s_id - p_kd)^2
/// ```
///
/// Two products of matrices do it, so that the features of photos are computed once for all sketches.
///
/// # Shapes
/// `sketches` and `weights` `(n, d)`, `photos` `(m, d)`; out `(n, m)`, 0 or more.
///
/// # Errors
/// Row lengths that differ.
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Eq. 8 and 9.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let row = |values: [f64; 2]| Tensor::new(&[values], &Device::Cpu);
/// let found = retrace::loss::weighted_distances(&row([1.0, 0.0])?, &row([0.0, 2.0])?, &row([3.0, 1.0])?)?;
/// assert_eq!(found.to_vec2::<f64>()?, [[9.0 + 4.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn weighted_distances(sketches: &Tensor, photos: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let square = weights.sqr()?;
    let own = (sketches.sqr()? * &square)?.sum_keepdim(D::Minus1)?;
    let cross = (sketches * &square)?.matmul(&photos.t()?)?;
    let other = square.matmul(&photos.sqr()?.t()?)?;
    // Rounding can leave a distance just below zero; the absolute value lets NaN through.
    Ok((own.broadcast_add(&other)? - (cross * 2.0)?)?.abs()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    fn tensor(rows: usize, shift: f64) -> Tensor {
        let values: Vec<f64> = (0..rows * 5).map(|i| ((i as f64 + shift) * 1.7).sin()).collect();
        Tensor::from_vec(values, (rows, 5), &Device::Cpu).unwrap()
    }

    #[test]
    fn distances_agree_with_a_loop() {
        let (s, p, w) = (tensor(3, 0.0), tensor(4, 9.0), tensor(3, 5.0));
        let found = weighted_distances(&s, &p, &w).unwrap().to_vec2::<f64>().unwrap();
        let [s, p, w] = [s, p, w].map(|x| x.to_vec2::<f64>().unwrap());
        for i in 0..3 {
            for k in 0..4 {
                let slow: f64 = (0..5).map(|d| (w[i][d] * s[i][d] - w[i][d] * p[k][d]).powi(2)).sum();
                assert!((found[i][k] - slow).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn weights_of_one_leave_the_plain_distance() {
        let (s, p) = (tensor(3, 0.0), tensor(4, 9.0));
        let plain = super::super::distances(&s, &p).unwrap().sqr().unwrap();
        let found = weighted_distances(&s, &p, &s.ones_like().unwrap()).unwrap();
        assert!((found - plain).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap() < 1e-9);
    }

    #[test]
    fn gradient_of_the_weights_agrees_with_differences() {
        let (s, p) = (tensor(2, 0.0), tensor(2, 9.0));
        let w = Var::from_tensor(&tensor(2, 5.0)).unwrap();
        let loss = |w: &Tensor| weighted_distances(&s, &p, w).unwrap().sum_all().unwrap();
        let gradient = loss(w.as_tensor()).backward().unwrap();
        let gradient = gradient.get(&w).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let flat = tensor(2, 5.0).flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for (i, found) in gradient.iter().enumerate() {
            let at = |by: f64| {
                let mut moved = flat.clone();
                moved[i] += by;
                loss(&Tensor::from_vec(moved, (2, 5), &Device::Cpu).unwrap()).to_scalar::<f64>().unwrap()
            };
            assert!(((at(1e-5) - at(-1e-5)) / 2e-5 - found).abs() < 1e-6);
        }
    }
}
