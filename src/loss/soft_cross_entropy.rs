use super::cross_entropy::log_softmax;
use crate::{Error, Result};
use candle_core::{D, Tensor};

/// Cross-entropy to a distribution over the classes instead of one class.
///
/// ```text
/// L = mean over rows i of - sum over c of target_ic log softmax(logits_i)_c
/// ```
///
/// # Shapes
/// `logits`, `targets` `(b, c)`; rows of `targets` sum to 1; out a scalar.
///
/// # Errors
/// Other shapes.
///
/// # References
/// Gidaris et al., OBoW, CVPR 2021, Eq. 1 (its loss on bags of words).
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[0.0_f64, 0.0]], &Device::Cpu)?;
/// let targets = Tensor::new(&[[0.25_f64, 0.75]], &Device::Cpu)?;
/// let loss = retrace::loss::soft_cross_entropy_loss(&logits, &targets)?.to_scalar::<f64>()?;
/// assert!((loss - 2.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn soft_cross_entropy_loss(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    Ok((surprise(logits, targets)?.sum_all()?.neg()? / logits.dim(0)?.max(1) as f64)?)
}

/// The same, one value a row; their mean is [`soft_cross_entropy_loss`].
///
/// ```text
/// L_i = - sum over c of target_ic log softmax(logits_i)_c
/// ```
///
/// # Shapes
/// As [`soft_cross_entropy_loss`], but out `(b)`.
///
/// # Errors
/// As [`soft_cross_entropy_loss`].
///
/// # References
/// As [`soft_cross_entropy_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[0.0_f64, 0.0], [3.0_f64.ln(), 0.0]], &Device::Cpu)?;
/// let targets = Tensor::new(&[[0.25_f64, 0.75], [0.0, 1.0]], &Device::Cpu)?;
/// let losses = retrace::loss::soft_cross_entropy_losses(&logits, &targets)?.to_vec1::<f64>()?;
/// assert!((losses[0] - 2.0_f64.ln()).abs() < 1e-12 && (losses[1] - 4.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn soft_cross_entropy_losses(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    Ok(surprise(logits, targets)?.sum(D::Minus1)?.neg()?)
}

/// `target log softmax(logits)` of every row and class.
fn surprise(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    if logits.dims() != targets.dims() {
        return Err(Error::value("targets", format!("{:?}", logits.dims()), format!("{:?}", targets.dims())));
    }
    Ok((log_softmax(logits)? * targets.to_dtype(logits.dtype())?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::cross_entropy_loss;
    use candle_core::Device;

    fn tensor(rows: [[f64; 4]; 3]) -> Tensor {
        Tensor::new(&rows, &Device::Cpu).unwrap()
    }

    #[test]
    fn soft_cross_entropy_of_one_hot_targets_equals_cross_entropy() {
        let logits = tensor([[0.1, -0.4, 0.3, 0.2], [-0.3, 0.5, 0.0, -0.1], [0.4, 0.4, -0.2, -0.5]]);
        let hot = tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]);
        let soft = soft_cross_entropy_loss(&logits, &hot).unwrap().to_scalar::<f64>().unwrap();
        let hard = cross_entropy_loss(&logits, &[Some(1), Some(3), Some(0)]).unwrap();
        assert!((soft - hard.to_scalar::<f64>().unwrap()).abs() < 1e-12);
        assert!(soft_cross_entropy_loss(&logits, &logits.t().unwrap()).is_err());
        assert!(soft_cross_entropy_losses(&logits, &logits.t().unwrap()).is_err());
    }
}
