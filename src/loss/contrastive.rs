use super::{cross_entropy_loss, cross_entropy_losses};
use crate::{Error, Result};
use candle_core::Tensor;

/// Makes each photo's own text nearer to it than the batch's other texts, and the other way round: CLIP.
///
/// ```text
/// L = (CE(s A B^T, own) + CE(s B A^T, own)) / 2
/// ```
///
/// # Shapes
/// `a`, `b` `(b, d)`, rows of length 1, row i of both belonging together; `scale` `(1)`, the s above; out a scalar.
///
/// # Errors
/// Other shapes.
///
/// # References
/// Radford et al., CLIP, ICML 2021, Fig. 3.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let a = Tensor::new(&[[1.0_f64, 0.0], [0.0, 1.0]], &Device::Cpu)?;
/// let scale = Tensor::new(&[3.0_f64.ln()], &Device::Cpu)?;
/// // Own: e^ln 3 = 3; other: e^0 = 1. Both ways the probability of the own one is 3 / 4.
/// let loss = retrace::loss::contrastive_loss(&a, &a, &scale)?.to_scalar::<f64>()?;
/// assert!((loss + 0.75_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn contrastive_loss(a: &Tensor, b: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let (logits, own) = similarities(a, b, scale)?;
    let there = cross_entropy_loss(&logits, &own)?;
    let back = cross_entropy_loss(&logits.t()?.contiguous()?, &own)?;
    Ok(((there + back)? / 2.0)?)
}

/// The same, one value a pair; their mean is [`contrastive_loss`].
///
/// ```text
/// L_i = (CE(s A_i B^T, i) + CE(s B_i A^T, i)) / 2
/// ```
///
/// # Shapes
/// As [`contrastive_loss`], but out `(b)`.
///
/// # Errors
/// As [`contrastive_loss`].
///
/// # References
/// As [`contrastive_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// let a = Tensor::new(&[[1.0_f64, 0.0], [0.0, 1.0]], &Device::Cpu)?;
/// let scale = Tensor::new(&[3.0_f64.ln()], &Device::Cpu)?;
/// let losses = retrace::loss::contrastive_losses(&a, &a, &scale)?.to_vec1::<f64>()?;
/// assert!(losses.iter().all(|loss| (loss + 0.75_f64.ln()).abs() < 1e-12));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn contrastive_losses(a: &Tensor, b: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let (logits, own) = similarities(a, b, scale)?;
    let there = cross_entropy_losses(&logits, &own)?;
    let back = cross_entropy_losses(&logits.t()?.contiguous()?, &own)?;
    Ok(((there + back)? / 2.0)?)
}

/// `s A B^T`, and where each row's own partner is.
fn similarities(a: &Tensor, b: &Tensor, scale: &Tensor) -> Result<(Tensor, Vec<Option<usize>>)> {
    if a.dims() != b.dims() {
        return Err(Error::value("pairs", "as many rows and columns on either side", format!("{a:?} and {b:?}")));
    }
    let logits = a.matmul(&b.t()?)?.broadcast_mul(scale)?;
    let own = (0..a.dim(0)?).map(Some).collect();
    Ok((logits, own))
}
