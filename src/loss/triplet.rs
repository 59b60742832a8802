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
    let Violations { all, negatives } = Violations::new(sketches, photos, owners, margin)?;
    Ok((all.sum_all()? / negatives.iter().sum::<f64>())?)
}

/// The same over distances of any kind.
///
/// # Shapes
/// `distances` `(b, b)`: of sketch i to photo k, the pairs on the diagonal; `owners` as [`triplet_loss`]; out a scalar.
///
/// # Errors
/// As [`triplet_loss`].
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Eq. 9.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let distances = Tensor::new(&[[1.0_f64, 2.0], [1.0, 0.0]], &Device::Cpu)?;
/// // Sketch 0: 1.5 + 1 - 2. Sketch 1: 1.5 + 0 - 1.
/// assert_eq!(retrace::loss::triplet_loss_of(&distances, &[0, 1], 1.5)?.to_scalar::<f64>()?, 0.5);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn triplet_loss_of(distances: &Tensor, owners: &[usize], margin: f64) -> Result<Tensor> {
    let Violations { all, negatives } = Violations::of(distances, owners, margin)?;
    Ok((all.sum_all()? / negatives.iter().sum::<f64>())?)
}

/// The same, one value a sketch: what each of them adds, for a loss that weighs its samples.
///
/// ```text
/// L_i = mean over k with owner_k != owner_i of max(margin + d(s_i, p_i) - d(s_i, p_k), 0)
/// ```
///
/// The mean of the values is [`triplet_loss`] where every row has as many negatives: always if no photo is in the batch
/// twice. Elsewhere the scalar weighs a row by the number of its negatives.
///
/// # Shapes
/// As [`triplet_loss`], but out `(b)`.
///
/// # Errors
/// As [`triplet_loss`].
///
/// # References
/// As [`triplet_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// let sketches = Tensor::new(&[[0.0_f64, 0.0], [2.0, 0.0]], &Device::Cpu)?;
/// let photos = Tensor::new(&[[1.0_f64, 0.0], [2.0, 0.0]], &Device::Cpu)?;
/// // Sketch 0: 1.25 + 1 - 2. Sketch 1: 1.25 + 0 - 1.
/// let losses = retrace::loss::triplet_losses(&sketches, &photos, &[0, 1], 1.25)?.to_vec1::<f64>()?;
/// assert!(losses.iter().all(|loss| (loss - 0.25).abs() < 1e-5));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn triplet_losses(sketches: &Tensor, photos: &Tensor, owners: &[usize], margin: f64) -> Result<Tensor> {
    let Violations { all, negatives } = Violations::new(sketches, photos, owners, margin)?;
    let negatives = Tensor::new(negatives, all.device())?.to_dtype(all.dtype())?;
    Ok((all.sum(1)? / negatives)?)
}

/// The parts of both forms.
struct Violations {
    /// `(b, b)`: of sketch i against photo k, 0 where k is no negative of i.
    all: Tensor,
    /// How many negatives each row has: 1 or more, since a batch of two photos has one that is not the row's own.
    negatives: Vec<f64>,
}

impl Violations {
    fn new(sketches: &Tensor, photos: &Tensor, owners: &[usize], margin: f64) -> Result<Self> {
        if photos.dims() != sketches.dims() || owners.len() != sketches.dim(0)? {
            let found = format!("{:?}, {:?}, {} owners", sketches.dims(), photos.dims(), owners.len());
            return Err(Error::value("triplet batch", "as many photos and owners as sketches", found));
        }
        Self::of(&distances(sketches, photos)?, owners, margin)
    }

    fn of(all: &Tensor, owners: &[usize], margin: f64) -> Result<Self> {
        let b = owners.len();
        if all.dims() != [b, b] {
            let found = format!("{:?} for {b} owners", all.dims());
            return Err(Error::value("triplet batch", "as many photos and owners as sketches", found));
        }
        let negatives: Vec<f64> = owners.iter().map(|i| owners.iter().filter(|k| i != *k).count() as f64).collect();
        if negatives.iter().all(|count| *count == 0.0) {
            let found = format!("{b} rows of one photo");
            return Err(Error::value("triplet batch", "two different photos or more", found));
        }
        let own = (all * Tensor::eye(b, all.dtype(), all.device())?)?.sum_keepdim(1)?;
        let violation = hinge(&(own.broadcast_sub(all)? + margin)?)?;
        let mask = mask(owners, all)?;
        Ok(Self { all: (violation * mask)?, negatives })
    }
}

/// 1 where photo k is a negative of sketch i, 0 elsewhere.
fn mask(owners: &[usize], like: &Tensor) -> Result<Tensor> {
    let b = owners.len();
    let mask = owners.iter().flat_map(|i| owners.iter().map(move |k| f32::from(u8::from(i != k))));
    Ok(Tensor::from_vec(mask.collect(), (b, b), like.device())?.to_dtype(like.dtype())?)
}
