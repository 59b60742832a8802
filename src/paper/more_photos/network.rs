//! The retrieval network: a backbone with spatial attention (Sec. 3.2).

use super::config::RetrievalConfig;
use crate::model::weights;
use crate::model::{
    Allowance, Backbone, Mode, Normalisation, Parameters, SpatialAttention, Squash, build, l2_normalise, pool,
};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use std::path::Path;

/// F: pictures to points.
pub struct SpatialNetwork {
    parameters: Parameters,
    backbone: Box<dyn Backbone>,
    attention: SpatialAttention,
    normalisation: Normalisation,
}

impl SpatialNetwork {
    /// At its start, without pre-trained weights.
    ///
    /// # Errors
    /// Settings that do not build.
    pub fn new(config: &RetrievalConfig, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let backbone = build(config.architecture, &mut parameters.root(), config.norm)?;
        let channels = backbone.channels();
        let attention = SpatialAttention::new(channels, Squash::Softmax, &mut parameters.root().push("attention"))?;
        Ok(Self { parameters, backbone, attention, normalisation: config.architecture.normalisation() })
    }

    /// Loads pre-trained weights of the backbone; attention keeps its initial values.
    ///
    /// # Errors
    /// A file that does not hold exactly the backbone's tensors.
    pub fn load_backbone(&self, path: &Path) -> Result<()> {
        weights::load(path, &self.parameters, &Allowance { missing: &["attention.*"], extra: &[] })?;
        Ok(())
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What an optimiser moves.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.parameters.trainable()
    }

    /// Points of length 1: with unit lengths a margin means the same for every backbone.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` of 0 to 1 in, `(b, c)` out.
    ///
    /// # Errors
    /// Pictures of another shape.
    pub fn embed(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let map = self.backbone.forward(&self.normalisation.apply(pictures)?, mode)?;
        l2_normalise(&pool(&self.attention.forward(&map, mode)?)?)
    }

    /// A copy with weights of its own, which nothing trains.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn copy(&self, config: &RetrievalConfig) -> Result<Self> {
        let copy = Self::new(config, Seed(0), self.parameters.device())?;
        copy.parameters.load(&self.parameters.tensors())?;
        Ok(copy)
    }
}

/// Refuses what a generator of pixels cannot do.
pub(super) fn no_strokes() -> Error {
    Error::value("generator", "one of strokes", "one of pixels")
}
