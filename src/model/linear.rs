//! The one linear layer of the crate.

use super::{Init, Mode, Scope, Weight};
use crate::{Error, Result};
use candle_core::Tensor;

/// A linear layer with a bias.
///
/// ```text
/// y = x weight^T + bias
/// ```
///
/// # Shapes
/// `weight (outputs, inputs)`, `bias (outputs)`.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::model::{Init, Linear, Mode, Parameters};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// let layer = Linear::new(2, 1, Init::Ones, &mut parameters.root())?;
/// let x = Tensor::new(&[[3.0_f32, 4.0]], &Device::Cpu)?;
/// assert_eq!(layer.forward(&x, Mode::Eval)?.to_vec2::<f32>()?, [[7.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Linear {
    weight: Weight,
    bias: Weight,
    sides: [usize; 2],
}

impl Linear {
    /// Registers `weight` and `bias`; the bias starts as 0.
    ///
    /// # Errors
    /// No inputs or no outputs, or a name that is taken.
    pub fn new(inputs: usize, outputs: usize, init: Init, scope: &mut Scope) -> Result<Self> {
        Self::register(scope, ["weight", "bias"], inputs, outputs, init)
    }

    /// [`Linear::new`] under the names that are given, for weight and bias.
    ///
    /// # Errors
    /// As [`Linear::new`].
    pub fn register(scope: &mut Scope, names: [&str; 2], inputs: usize, outputs: usize, init: Init) -> Result<Self> {
        if inputs == 0 || outputs == 0 {
            return Err(Error::value("linear layer", "1 or more inputs and outputs", format!("{inputs}, {outputs}")));
        }
        let weight = scope.weight(names[0], &[outputs, inputs], init)?;
        Ok(Self { weight, bias: scope.weight(names[1], &[outputs], Init::Zeros)?, sides: [inputs, outputs] })
    }

    /// Applies the layer to every row.
    ///
    /// # Shapes
    /// `(..., inputs)` in, `(..., outputs)` out.
    ///
    /// # Errors
    /// Another number of inputs.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let [inputs, outputs] = self.sides;
        let Some((&last, others)) = x.dims().split_last().filter(|(last, _)| **last == inputs) else {
            return Err(Error::value("linear layer's input", format!("rows of {inputs}"), format!("{:?}", x.dims())));
        };
        let rows = x.reshape((others.iter().product::<usize>(), last))?;
        let y = rows.matmul(&self.weight.value(mode).t()?)?.broadcast_add(&self.bias.value(mode))?;
        Ok(y.reshape([others, &[outputs][..]].concat())?)
    }

    /// Numbers in a row of the output.
    pub fn outputs(&self) -> usize {
        self.sides[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::Device;

    #[test]
    fn linear_by_hand() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let layer = Linear::register(&mut parameters.root(), ["w", "b"], 3, 2, Init::Identity).unwrap();
        let bias = Tensor::new(&[0.5_f32, -0.5], &Device::Cpu).unwrap();
        let weight = Tensor::new(&[[1.0_f32, 0.0, 2.0], [0.0, 1.0, 0.0]], &Device::Cpu).unwrap();
        parameters.load(&[("w".to_string(), weight), ("b".to_string(), bias)].into()).unwrap();
        let x = Tensor::new(&[[[1.0_f32, 2.0, 3.0]], [[0.0, 0.0, -1.0]]], &Device::Cpu).unwrap();
        let y = layer.forward(&x, Mode::Train).unwrap();
        assert_eq!(y.to_vec3::<f32>().unwrap(), [[[7.5, 1.5]], [[-1.5, -0.5]]]);
    }

    /// Checkpoints and runs of a seed depend on it.
    #[test]
    fn linear_draws_from_the_streams_of_its_names() {
        let (mut one, mut other) = (Parameters::new(Seed(4), &Device::Cpu), Parameters::new(Seed(4), &Device::Cpu));
        let init = Init::Normal { deviation: 0.5 };
        Linear::new(3, 2, init, &mut one.root().push("head")).unwrap();
        other.root().weight("head.weight", &[2, 3], init).unwrap();
        other.root().weight("head.bias", &[2], Init::Zeros).unwrap();
        let values = |parameters: &Parameters| -> Vec<(String, Vec<f32>)> {
            let tensors = parameters.tensors().into_iter();
            tensors.map(|(name, tensor)| (name, tensor.flatten_all().unwrap().to_vec1().unwrap())).collect()
        };
        assert_eq!(values(&one), values(&other));
        assert_eq!(one.trainable_count(), 8);
    }

    #[test]
    fn linear_refuses_another_width() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let layer = Linear::new(3, 2, Init::Ones, &mut parameters.root().push("a")).unwrap();
        let x = Tensor::new(&[[1.0_f32, 2.0]], &Device::Cpu).unwrap();
        let error = layer.forward(&x, Mode::Eval).unwrap_err().to_string();
        assert!(error.contains("rows of 3") && error.contains("[1, 2]"), "{error}");
        assert!(Linear::new(0, 2, Init::Ones, &mut parameters.root().push("b")).is_err());
        assert!(Linear::new(2, 0, Init::Ones, &mut parameters.root().push("c")).is_err());
    }
}
