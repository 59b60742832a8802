//! Layer normalisation.

use super::{Init, Mode, Scope, Weight};
use crate::Result;
use candle_core::Tensor;
use candle_nn::ops::layer_norm_slow;

/// PyTorch's, and that of OpenAI's networks.
const EPSILON: f32 = 1e-5;

/// Normalisation of every row by its own mean and variance.
///
/// ```text
/// y = weight (x - mean) / sqrt(variance + 1e-5) + bias
/// ```
///
/// # Shapes
/// `weight`, `bias`: `(width)`.
///
/// # References
/// Ba, Kiros and Hinton, Layer Normalization, 2016, Eq. 4.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::model::{LayerNorm, Mode, Parameters};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// let layer = LayerNorm::new(2, &mut parameters.root())?;
/// let x = Tensor::new(&[[1000.0_f32, 3000.0]], &Device::Cpu)?;
/// assert_eq!(layer.forward(&x, Mode::Eval)?.to_vec2::<f32>()?, [[-1.0, 1.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct LayerNorm {
    weight: Weight,
    bias: Weight,
}

impl LayerNorm {
    /// Registers `weight`, which starts as 1, and `bias`, which starts as 0.
    ///
    /// # Errors
    /// A taken name.
    pub fn new(width: usize, scope: &mut Scope) -> Result<Self> {
        let weight = scope.weight("weight", &[width], Init::Ones)?;
        Ok(Self { weight, bias: scope.weight("bias", &[width], Init::Zeros)? })
    }

    /// Normalises every row.
    ///
    /// # Shapes
    /// `(..., width)` in and out.
    ///
    /// # Errors
    /// Another width.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        // candle's other layer norm is one pass, but has no gradient.
        Ok(layer_norm_slow(x, &self.weight.value(mode), &self.bias.value(mode), EPSILON)?)
    }
}
