use super::{distances, hinge};
use crate::{Error, Result};
use candle_core::Tensor;

/// Pulls every sketch to its own photo and away from the other photos of the batch.
///
/// ```text
/// L = mean over i, k with owner_k != owner_i of max(margin + d(s_i, p_i) - d(s_i, p_k), 0)
/// ```
///
/// A photo that is in the batch twice is never its own negative: `owners` tells which rows show the same photo.
///
/// # Shapes
/// `sketches` and `photos` `(b, d)`, row i of both is a pair; `owners` b identities; out a scalar.
///
/// # Errors
/// Sizes that differ, or a batch without any negative.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Eq. 1.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let sketches = Tensor::new(&[[0.0_f64, 0.0], [2.0, 0.0]], &Device::Cpu)?;
/// let photos = Tensor::new(&[[1.0_f64, 0.0], [2.0, 0.0]], &Device::Cpu)?;
/// // Sketch 0: 0.5 + 1 - 2 < 0. Sketch 1: 0.5 + 0 - 1 < 0. Margin 1.5 leaves 0.5 of each.
/// let loss = retrace::loss::triplet_loss(&sketches, &photos, &[0, 1], 1.5)?.to_scalar::<f64>()?;
/// assert!((loss - 0.5).abs() < 1e-5);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn triplet_loss(sketches: &Tensor, photos: &Tensor, owners: &[usize], margin: f64) -> Result<Tensor> {
    let (b, _) = sketches.dims2()?;
    if photos.dims() != sketches.dims() || owners.len() != b {
        let found = format!("{:?}, {:?}, {} owners", sketches.dims(), photos.dims(), owners.len());
        return Err(Error::value("triplet batch", "as many photos and owners as sketches", found));
    }
    let mask: Vec<f32> = owners.iter().flat_map(|i| owners.iter().map(move |k| f32::from(u8::from(i != k)))).collect();
    let negatives: f64 = mask.iter().map(|m| f64::from(*m)).sum();
    if negatives == 0.0 {
        return Err(Error::value("triplet batch", "two different photos or more", format!("{b} rows of one photo")));
    }
    let mask = Tensor::from_vec(mask, (b, b), sketches.device())?.to_dtype(sketches.dtype())?;
    let all = distances(sketches, photos)?;
    let own = (&all * Tensor::eye(b, all.dtype(), all.device())?)?.sum_keepdim(1)?;
    let violation = hinge(&(own.broadcast_sub(&all)? + margin)?)?;
    Ok(((violation * mask)?.sum_all()? / negatives)?)
}
