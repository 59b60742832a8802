//! Layers above the backbone; they are dropped after pre-training.

use crate::Result;
use crate::kernel::{self, Bounds};
use crate::model::{BatchNorm, Init, Linear, Mode, NormConfig, Scope};
use candle_core::Tensor;

/// A linear layer that starts so that lengths stay about the same.
pub(super) fn linear(inputs: usize, outputs: usize, scope: &mut Scope) -> Result<Linear> {
    Linear::new(inputs, outputs, Init::Normal { deviation: (inputs as f32).sqrt().recip() }, scope)
}

/// Linear layers with batch norm and a rectifier between them.
pub(super) struct Perceptron {
    hidden: Vec<(Linear, BatchNorm)>,
    last: Linear,
}

impl Perceptron {
    /// `sizes` from the inputs to the outputs.
    pub(super) fn new(inputs: usize, hidden: &[usize], outputs: usize, scope: &mut Scope) -> Result<Self> {
        let (mut layers, mut size) = (Vec::new(), inputs);
        for (i, next) in hidden.iter().enumerate() {
            let layer = linear(size, *next, &mut scope.push(format!("linear{i}")))?;
            layers.push((layer, BatchNorm::new(*next, NormConfig::default(), &mut scope.push(format!("norm{i}")))?));
            size = *next;
        }
        Ok(Self { hidden: layers, last: linear(size, outputs, &mut scope.push("last"))? })
    }

    /// `(b, inputs)` in, `(b, outputs)` out.
    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = x.clone();
        for (linear, norm) in &self.hidden {
            let y = linear.forward(&x, mode)?;
            let (b, c) = y.dims2()?;
            x = norm.forward_onto(&y.reshape((b, 1, 1, c))?, None, RECTIFIED, mode)?.reshape((b, c))?;
        }
        self.last.forward(&x, mode)
    }
}

/// No number below 0.
const RECTIFIED: Bounds = kernel::Bounds::RELU;
