//! Batch normalisation, with statistics of the batch or frozen ones, and a trained or frozen scale and shift.

use super::{Init, Mode, Scope, Weight};
use crate::kernel::{self, Bounds, Moments};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// Where mean and variance come from in training mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// From the batch; the running statistics follow.
    Batch,
    /// The running statistics, which stay as they are.
    Running,
}

/// How the batch norms of a network take part in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormConfig {
    /// Which statistics training uses; in evaluation they are always the running ones.
    pub statistic: Statistic,
    /// Whether scale and shift are trained.
    pub trainable: bool,
}

impl Default for NormConfig {
    /// Training from scratch: statistics of the batch, scale and shift trained.
    fn default() -> Self {
        Self { statistic: Statistic::Batch, trainable: true }
    }
}

impl NormConfig {
    /// Fine-tuning in small batches: running statistics, scale and shift trained.
    pub fn running() -> Self {
        Self { statistic: Statistic::Running, trainable: true }
    }

    /// Nothing of the norm moves.
    pub fn frozen() -> Self {
        Self { statistic: Statistic::Running, trainable: false }
    }
}

/// The part of the running statistics that a training batch replaces, where a network does not say otherwise: PyTorch's.
pub(super) const MOMENTUM: f64 = 0.1;

/// Batch normalisation over all but the channel dimension.
///
/// ```text
/// y = weight (x - mean) / sqrt(variance + epsilon) + bias
/// running <- (1 - momentum) running + momentum statistic    (the running variance follows the unbiased one)
/// ```
///
/// # Shapes
/// `weight`, `bias`, `running_mean`, `running_var`: `(channels)`.
///
/// # References
/// Ioffe and Szegedy, Batch Normalization, ICML 2015, Algorithm 1.
#[derive(Debug)]
pub struct BatchNorm {
    weight: Weight,
    bias: Weight,
    running_mean: Weight,
    running_var: Weight,
    statistic: Statistic,
    epsilon: f64,
    momentum: f64,
}

impl BatchNorm {
    /// Registers the four tensors; epsilon 1e-5 and momentum 0.1 are PyTorch's.
    ///
    /// # Errors
    /// A taken name.
    pub fn new(channels: usize, config: NormConfig, scope: &mut Scope) -> Result<Self> {
        let mut affine = |name: &str, init: Init| {
            if config.trainable { scope.weight(name, &[channels], init) } else { scope.buffer(name, &[channels], init) }
        };
        let (weight, bias) = (affine("weight", Init::Ones)?, affine("bias", Init::Zeros)?);
        let running_mean = scope.buffer("running_mean", &[channels], Init::Zeros)?;
        let running_var = scope.buffer("running_var", &[channels], Init::Ones)?;
        Ok(Self {
            weight,
            bias,
            running_mean,
            running_var,
            statistic: config.statistic,
            epsilon: 1e-5,
            momentum: MOMENTUM,
        })
    }

    /// The same with another epsilon and momentum.
    pub fn with(mut self, epsilon: f64, momentum: f64) -> Self {
        (self.epsilon, self.momentum) = (epsilon, momentum);
        self
    }

    /// Normalises a batch; in training mode with batch statistics, the running ones follow.
    ///
    /// # Shapes
    /// `(b, h, w, channels)` in and out.
    ///
    /// # Errors
    /// Another number of channels; a single number per channel where the batch's variance is needed.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward_onto(x, None, Bounds::NONE, mode)
    }

    /// [`BatchNorm::forward`], an addition and a cut in one pass.
    ///
    /// # Shapes
    /// As [`BatchNorm::forward`]; `residual` like `x`.
    ///
    /// # Errors
    /// As [`BatchNorm::forward`], and a residual of another shape.
    pub fn forward_onto(&self, x: &Tensor, residual: Option<&Tensor>, bounds: Bounds, mode: Mode) -> Result<Tensor> {
        if let Some((scale, shift)) = self.scale_and_shift(mode)? {
            let y = x.broadcast_mul(&scale)?.broadcast_add(&shift)?;
            return Ok(match residual {
                Some(residual) => kernel::add(&y, residual, bounds)?,
                None => kernel::rectify(&y, bounds)?,
            });
        }
        let (b, h, w, _) = x.dims4()?;
        let count = b * h * w;
        if count < 2 {
            return Err(Error::value("batch norm", "at least 2 numbers per channel to take a variance of", count));
        }
        let moments = kernel::moments(x)?;
        self.follow(&moments, count)?;
        let (weight, bias) = (self.weight.value(mode), self.bias.value(mode));
        Ok(kernel::batch_norm(x, &moments, [&weight, &bias], self.epsilon, residual, bounds)?)
    }

    /// Multiplier and addend of each channel where running statistics are used; none where the batch's are.
    ///
    /// # Shapes
    /// `(channels)` each.
    ///
    /// # Errors
    /// None on a whole layer.
    pub fn scale_and_shift(&self, mode: Mode) -> Result<Option<(Tensor, Tensor)>> {
        if mode == Mode::Train && self.statistic == Statistic::Batch {
            return Ok(None);
        }
        let scale = kernel::norm_scale(&self.weight.value(mode), &self.running_var.value(mode), self.epsilon)?;
        let shift = kernel::norm_shift(&self.bias.value(mode), &self.running_mean.value(mode), &scale)?;
        Ok(Some((scale, shift)))
    }

    /// Moves the running statistics; given ones stay as they are.
    fn follow(&self, moments: &Moments, count: usize) -> Result<()> {
        let unbiased = (&moments.variance * (count as f64 / (count - 1) as f64))?;
        for (running, new) in [(&self.running_mean, &moments.mean), (&self.running_var, &unbiased)] {
            running.update(|old| (old * (1.0 - self.momentum))? + (new * self.momentum)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{Device, Var};

    fn layer(config: NormConfig) -> (Parameters, BatchNorm) {
        let mut parameters = Parameters::new(Seed(1), &Device::Cpu);
        let layer = BatchNorm::new(2, config, &mut parameters.root()).unwrap();
        (parameters, layer)
    }

    fn flat(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Channel 0 holds 0, 2, 4, 6 (mean 3, variance 5), channel 1 holds 1 throughout.
    fn batch() -> Var {
        let values = [0.0_f32, 1.0, 2.0, 1.0, 4.0, 1.0, 6.0, 1.0];
        Var::from_slice(&values, (2, 1, 2, 2), &Device::Cpu).unwrap()
    }

    #[test]
    fn batch_norm_with_batch_statistics_by_hand() {
        let (parameters, layer) = layer(NormConfig::default());
        let y = flat(&layer.forward(&batch(), Mode::Train).unwrap());
        let unit = 1.0 / (5.0_f32 + 1e-5).sqrt();
        for (found, expected) in y.iter().zip([-3.0 * unit, 0.0, -unit, 0.0, unit, 0.0, 3.0 * unit, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let tensors = parameters.tensors();
        let close = |name: &str, expected: [f32; 2]| {
            for (found, expected) in flat(&tensors[name]).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{name}: {found} {expected}");
            }
        };
        close("running_mean", [0.3, 0.1]);
        close("running_var", [0.9 + 0.1 * 5.0 * 4.0 / 3.0, 0.9]); // unbiased: divided by 3, not by 4
    }

    #[test]
    fn running_statistics_stay_and_shape_the_output() {
        for (config, mode) in [(NormConfig::running(), Mode::Train), (NormConfig::default(), Mode::Eval)] {
            let (parameters, layer) = layer(config);
            layer.running_mean.var().unwrap().set(&Tensor::new(&[1.0_f32, -1.0], &Device::Cpu).unwrap()).unwrap();
            layer.running_var.var().unwrap().set(&Tensor::new(&[4.0_f32, 1.0], &Device::Cpu).unwrap()).unwrap();
            let y = flat(&layer.forward(&batch(), mode).unwrap());
            for (found, expected) in y.iter().zip([-0.5, 2.0, 0.5, 2.0, 1.5, 2.0, 2.5, 2.0]) {
                assert!((found - expected).abs() < 1e-4, "{found} {expected}");
            }
            assert_eq!(flat(&parameters.tensors()["running_mean"]), [1.0, -1.0]);
        }
    }

    #[test]
    fn frozen_means_no_gradient_and_no_trained_tensor() {
        let (parameters, layer) = layer(NormConfig::frozen());
        assert!(parameters.trainable().is_empty());
        let x = batch();
        let gradients = layer.forward(&x, Mode::Train).unwrap().sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(&x).is_some() && gradients.get(layer.weight.var().unwrap()).is_none());
    }

    #[test]
    fn batch_norm_refuses_one_number_per_channel() {
        let (_, layer) = layer(NormConfig::default());
        let x = Tensor::new(&[1.0_f32, 2.0], &Device::Cpu).unwrap().reshape((1, 1, 1, 2)).unwrap();
        let error = layer.forward(&x, Mode::Train).unwrap_err().to_string();
        assert!(error.contains("at least 2 numbers"), "{error}");
    }
}
