//! Layers above the backbone; they are dropped after pre-training.

use crate::Result;
use crate::kernel::{self, Bounds};
use crate::model::{BatchNorm, Init, Mode, NormConfig, Scope, Weight};
use candle_core::Tensor;

/// `y = x W^T + b`.
pub(super) struct Linear {
    weight: Weight,
    bias: Weight,
}

impl Linear {
    pub(super) fn new(inputs: usize, outputs: usize, scope: &mut Scope) -> Result<Self> {
        let init = Init::Normal { deviation: (inputs as f32).sqrt().recip() }; // lengths stay about the same
        Ok(Self {
            weight: scope.weight("weight", &[outputs, inputs], init)?,
            bias: scope.weight("bias", &[outputs], Init::Zeros)?,
        })
    }

    /// `(b, inputs)` in, `(b, outputs)` out.
    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        Ok(x.matmul(&self.weight.value(mode).t()?)?.broadcast_add(&self.bias.value(mode))?)
    }
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
            let linear = Linear::new(size, *next, &mut scope.push(format!("linear{i}")))?;
            layers.push((linear, BatchNorm::new(*next, NormConfig::default(), &mut scope.push(format!("norm{i}")))?));
            size = *next;
        }
        Ok(Self { hidden: layers, last: Linear::new(size, outputs, &mut scope.push("last"))? })
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
