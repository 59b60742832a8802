//! The discriminator: how certain it is that a photo and a sketch are a real pair (Eq. 5).

use crate::Result;
use crate::kernel::channels_last;
use crate::model::{Mode, Parameters, PatchDiscriminator, certainty, judge_losses};
use crate::seed::Seed;
use candle_core::{Device, Tensor};

/// Layers of stride 2 (Isola et al., Sec. 6.1: three for the 70 x 70 one).
const LAYERS: usize = 3;

/// `D_C`.
pub struct Critic {
    parameters: Parameters,
    network: PatchDiscriminator,
}

impl Critic {
    /// At its start.
    ///
    /// # Errors
    /// A width of 0.
    pub fn new(width: usize, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let network = PatchDiscriminator::new(4, width, LAYERS, &mut parameters.root())?;
        Ok(Self { parameters, network })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Photo and sketch side by side: three channels and one.
    fn pairs(photos: &Tensor, sketches: &Tensor) -> Result<Tensor> {
        let both = Tensor::cat(&[photos, &sketches.narrow(1, 0, 1)?], 1)?;
        Ok(channels_last(&((both * 2.0)? - 1.0)?)?)
    }

    /// How certain it is, 0 to 1.
    ///
    /// # Shapes
    /// `photos` and `sketches` `(b, 3, h, w)` of 0 to 1; out `(b)`.
    ///
    /// # Errors
    /// Pictures that are too small.
    pub fn certainty(&self, photos: &Tensor, sketches: &Tensor, mode: Mode) -> Result<Tensor> {
        certainty(&self.network.forward(&Self::pairs(photos, sketches)?, mode)?)
    }

    /// The loss of pairs that are to be judged real, or generated: one value a pair.
    ///
    /// # Shapes
    /// As [`Self::certainty`].
    ///
    /// # Errors
    /// As there.
    pub fn losses(&self, photos: &Tensor, sketches: &Tensor, is_real: bool, mode: Mode) -> Result<Tensor> {
        judge_losses(&self.network.forward(&Self::pairs(photos, sketches)?, mode)?, is_real)
    }
}
