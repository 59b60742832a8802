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

/// The contrastive loss of squared distances, where a distance is not that of two unit vectors alone.
///
/// ```text
/// L = (CE(-S / 2 T, own) + CE(-S^T / 2 T, own)) / 2,   S the squares
/// ```
///
/// Of unit vectors `-d^2 / 2` is their cosine less 1, which makes this [`contrastive_loss`] at `s = 1 / T`.
///
/// # Shapes
/// `squares` `(b, b)`, row i and column i belonging together; `temperature` above 0; out a scalar.
///
/// # Errors
/// Distances that are not square.
///
/// # References
/// As [`contrastive_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// let far = 2.0_f64 * 3.0_f64.ln(); // the other one: e^(-ln 3) = 1 / 3
/// let squares = Tensor::new(&[[0.0, far], [far, 0.0]], &Device::Cpu)?;
/// let loss = retrace::loss::contrastive_loss_of(&squares, 1.0)?.to_scalar::<f64>()?;
/// assert!((loss + 0.75_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn contrastive_loss_of(squares: &Tensor, temperature: f64) -> Result<Tensor> {
    let (rows, columns) = squares.dims2()?;
    if rows != columns {
        return Err(Error::value("distances of pairs", "as many rows as columns", format!("{rows} x {columns}")));
    }
    let logits = (squares * (-0.5 / temperature))?;
    let own: Vec<Option<usize>> = (0..rows).map(Some).collect();
    let there = cross_entropy_loss(&logits, &own)?;
    let back = cross_entropy_loss(&logits.t()?.contiguous()?, &own)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::distances;
    use candle_core::Device;

    #[test]
    fn loss_of_distances_is_the_loss_of_unit_vectors() {
        let unit = |angles: [f64; 3]| angles.map(|angle| [angle.cos(), angle.sin()]);
        let a = Tensor::new(&unit([0.1, 1.2, 2.9]), &Device::Cpu).unwrap();
        let b = Tensor::new(&unit([0.3, 1.0, 4.0]), &Device::Cpu).unwrap();
        let scale = Tensor::new(&[5.0], &Device::Cpu).unwrap();
        let expected = contrastive_loss(&a, &b, &scale).unwrap().to_scalar::<f64>().unwrap();
        let found =
            contrastive_loss_of(&distances(&a, &b).unwrap().sqr().unwrap(), 0.2).unwrap().to_scalar::<f64>().unwrap();
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    #[test]
    fn distances_that_are_not_square_are_refused() {
        let wide = Tensor::zeros((2, 3), candle_core::DType::F64, &Device::Cpu).unwrap();
        assert!(contrastive_loss_of(&wide, 1.0).unwrap_err().to_string().contains("2 x 3"));
    }
}
