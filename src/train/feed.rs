//! Where a network's input comes from: pixels prepared again for every step, or features of a frozen backbone.

use crate::dataset::{Album, Mask, Pair};
use crate::model::Normalisation;
use crate::seed::{Seed, Stream};
use crate::sketch::{Affine, AugmentConfig, DeformConfig};
use crate::{Error, Result};
use candle_core::{Device, Tensor};

/// Input tensors by position in the index.
pub trait Feed: Send + Sync {
    /// A training batch: sketches and their photos, row by row, deformed at random.
    ///
    /// # Errors
    /// A position outside the index.
    fn pairs(&self, pairs: &[Pair], stream: &mut Stream) -> Result<(Tensor, Tensor)>;

    /// Whole sketches as they are.
    ///
    /// # Errors
    /// A position outside the index.
    fn sketches(&self, positions: &[usize]) -> Result<Tensor>;

    /// Photos as they are.
    ///
    /// # Errors
    /// A position outside the index.
    fn photos(&self, positions: &[usize]) -> Result<Tensor>;

    /// Sketches of which the first `percent` of the points are drawn.
    ///
    /// # Errors
    /// A corpus without strokes.
    fn partial(&self, positions: &[usize], percent: u32) -> Result<Tensor>;

    /// Sketches whose strokes are deformed at random: the version of each that the seed says, as
    /// [`Album::deformed`] draws it.
    ///
    /// # Errors
    /// A corpus without strokes; a feed that makes no pictures, as all do that say nothing else.
    fn deformed(&self, _: &[usize], _: &DeformConfig, _: Seed, _: u32) -> Result<Tensor> {
        Err(Error::value("deformed sketches", "a feed that draws strokes anew", "one that does not"))
    }

    /// Sketches with objects or strokes left out, as [`Album::masked`] draws them.
    ///
    /// # Errors
    /// Parts that the corpus does not know; a feed that makes no pictures, as all do that say nothing else.
    fn masked(&self, _: &[usize], _: &Mask) -> Result<Tensor> {
        Err(Error::value("masked sketches", "a feed that draws sketches anew", "one that does not"))
    }
}

/// Pixels of an album, normalised as the network expects.
pub struct Pixels<'a> {
    /// Decoded pictures.
    pub album: &'a Album,
    /// Deformations of training batches.
    pub augment: AugmentConfig,
    /// The normalisation of the network.
    pub normalisation: Normalisation,
    /// Where the tensors go.
    pub device: Device,
}

impl<'a> Pixels<'a> {
    /// Pictures that no batch deforms.
    pub fn plain(album: &'a Album, normalisation: Normalisation, device: &Device) -> Self {
        Self { album, augment: AugmentConfig::none(), normalisation, device: device.clone() }
    }
}

impl Feed for Pixels<'_> {
    fn pairs(&self, pairs: &[Pair], stream: &mut Stream) -> Result<(Tensor, Tensor)> {
        let (sketches, photos) = self.album.pairs(pairs, &self.augment, stream, &self.device)?;
        Ok((self.normalisation.apply(&sketches)?, self.normalisation.apply(&photos)?))
    }

    fn sketches(&self, positions: &[usize]) -> Result<Tensor> {
        self.normalisation.apply(&self.album.sketches(&plain(positions), &self.device)?)
    }

    fn photos(&self, positions: &[usize]) -> Result<Tensor> {
        self.normalisation.apply(&self.album.photos(&plain(positions), &self.device)?)
    }

    fn partial(&self, positions: &[usize], percent: u32) -> Result<Tensor> {
        self.normalisation.apply(&self.album.partial(positions, f64::from(percent), &self.device)?)
    }

    fn deformed(&self, positions: &[usize], config: &DeformConfig, seed: Seed, version: u32) -> Result<Tensor> {
        self.normalisation.apply(&self.album.deformed(positions, config, seed, version, &self.device)?)
    }

    fn masked(&self, positions: &[usize], mask: &Mask) -> Result<Tensor> {
        self.normalisation.apply(&self.album.masked(positions, mask, &self.device)?)
    }
}

/// Pictures as they are.
pub(super) fn plain(positions: &[usize]) -> Vec<(usize, Affine)> {
    positions.iter().map(|position| (*position, Affine::default())).collect()
}
