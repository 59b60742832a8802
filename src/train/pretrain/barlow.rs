//! Barlow Twins.

use super::head::Perceptron;
use super::task::{PhotoBatch, PretrainTask};
use super::trunk::Trunk;
use crate::Result;
use crate::loss::barlow_twins_loss;
use crate::model::Mode;
use crate::seed::Stream;
use candle_core::Tensor;

/// A projector of three layers on the pooled features.
pub(super) struct BarlowTwins {
    trunk: Trunk,
    projector: Perceptron,
    weight: f64,
}

impl BarlowTwins {
    pub(super) fn new(mut trunk: Trunk, width: usize, weight: f64) -> Result<Self> {
        let channels = trunk.channels();
        let projector = Perceptron::new(channels, &[width, width], width, &mut trunk.scope().push("projector"))?;
        Ok(Self { trunk, projector, weight })
    }
}

impl PretrainTask for BarlowTwins {
    fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor> {
        let features = self.trunk.features(&batch.views(2, stream)?, Mode::Train)?;
        let projected = self.projector.forward(&features, Mode::Train)?;
        let b = batch.positions.len();
        barlow_twins_loss(&projected.narrow(0, 0, b)?, &projected.narrow(0, b, b)?, self.weight)
    }
}
