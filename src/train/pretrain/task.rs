//! What all pre-trainings share: the trait of a method.

use super::config::PretrainConfig;
use super::photo::{Labels, PhotoSet};
use super::score::{self, AttributeScore};
use super::trunk::Trunk;
use crate::Result;
use crate::seed::Stream;
use crate::train::named::Tensors;
use candle_core::Tensor;

/// A method in training.
pub(super) trait PretrainTask {
    /// The backbone, and every tensor that is trained.
    fn trunk(&self) -> &Trunk;

    /// The loss of a batch.
    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor>;

    /// Told after every step of how much of the training is done, 0 to 1.
    fn moved(&mut self, _share: f64) -> Result<()> {
        Ok(())
    }

    /// The state to save beside the parameters, for resuming.
    fn state(&self) -> Result<Tensors> {
        Ok(Tensors::new())
    }

    /// Restores a saved state.
    fn restore(&mut self, _state: &Tensors) -> Result<()> {
        Ok(())
    }

    /// Gives the backbone statistics of whole photos: methods that show it tiles or strong views leave it those of these.
    fn settle(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<()> {
        self.trunk().settle(config, &|batch| Ok(photos.plain(batch)?.0))
    }

    /// How well held-out photos are known: by their neighbours' attributes, unless the method learns attributes or there
    /// are none.
    fn score(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
        match config.corpus {
            Some(_) => score::own_photo(self.trunk(), photos, config),
            None => score::probe(self.trunk(), photos, config),
        }
    }
}

/// Photos of a training step, given by their positions.
pub(super) struct PhotoBatch<'a> {
    pub(super) photos: &'a PhotoSet,
    pub(super) positions: &'a [usize],
    pub(super) config: &'a PretrainConfig,
}

impl PhotoBatch<'_> {
    /// As [`PhotoSet::augmented`].
    pub(super) fn augmented(&self, stream: &mut Stream) -> Result<(Tensor, Vec<Labels>)> {
        self.photos.augmented(self.positions, self.config, stream)
    }

    /// As many augmented versions of every photo as are asked for, one below the other.
    pub(super) fn views(&self, count: usize, stream: &mut Stream) -> Result<Tensor> {
        let views = (0..count).map(|_| Ok(self.augmented(stream)?.0)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&views, 0)?)
    }
}
