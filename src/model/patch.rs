//! The discriminator of image translation: whether the patches of a picture are real.

use super::{Activation, ConvConfig, ConvNorm, Convolution, Init, Mode, NormConfig, Padding, Scope, Weight};
use crate::kernel::{Bounds, Window, conv2d, rectify};
use crate::{Error, Result};
use candle_core::Tensor;
use candle_nn::ops::sigmoid;

/// A convolutional network that judges every patch of a picture by itself: real (large) or made (small).
///
/// ```text
/// (4 x 4 convolution of stride 2, norm but in the first, leaky rectifier) x layers
/// 4 x 4 convolution, norm, leaky rectifier;  4 x 4 convolution to one number a patch
/// ```
///
/// With 3 layers a patch is 70 x 70 pixels. A photo and a sketch are judged as a pair by putting them side by side in
/// the channels. The last weights start from a normal distribution of deviation 0.02, as all do in the original; the others
/// start by Kaiming's rule, as everywhere in this crate, of which the norms take the scale out.
///
/// # References
/// Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017, Sec. 3.2.2 and 6.1.2.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::model::{Mode, Parameters, PatchDiscriminator};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// let judge = PatchDiscriminator::new(4, 8, 3, &mut parameters.root())?;
/// let pairs = Tensor::zeros((2, 64, 64, 4), DType::F32, &Device::Cpu)?;
/// assert_eq!(judge.forward(&pairs, Mode::Eval)?.dims(), [2, 6, 6]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct PatchDiscriminator {
    first: Convolution,
    others: Vec<ConvNorm>,
    score: SmallStart,
}

impl PatchDiscriminator {
    /// Registers `first`, `convolution<i>`, `norm<i>` and `score`; `width` channels double with every layer, up to eight
    /// times as many.
    ///
    /// # Errors
    /// No inputs, no width or no layers; a name that is taken.
    pub fn new(inputs: usize, width: usize, layers: usize, scope: &mut Scope) -> Result<Self> {
        if inputs == 0 || width == 0 || layers == 0 {
            let found = format!("{inputs}, {width}, {layers}");
            return Err(Error::value("patch discriminator", "1 or more inputs, width and layers", found));
        }
        let first = Convolution::new(strided(inputs, width, true), &mut scope.push("first"))?;
        let mut others = Vec::new();
        for layer in 1..=layers {
            let stride = if layer < layers { 2 } else { 1 };
            let channels = [layer - 1, layer].map(|layer| channels(width, layer));
            let config = ConvConfig { stride, ..strided(channels[0], channels[1], false) };
            let names = [format!("convolution{layer}"), format!("norm{layer}")];
            let names = [names[0].as_str(), names[1].as_str()];
            others.push(ConvNorm::register(scope, names, config, NormConfig::default(), Activation::None)?);
        }
        let score = SmallStart::new(channels(width, layers), 4, &mut scope.push("score"))?;
        Ok(Self { first, others, score })
    }

    /// A logit for every patch.
    ///
    /// # Shapes
    /// `pairs` `(b, h, w, inputs)`, of any range; out `(b, h', w')`, where `h' = h / 2^layers - 2`, rounded down.
    ///
    /// # Errors
    /// Another number of channels; a side below `3 * 2^layers` pixels.
    pub fn forward(&self, pairs: &Tensor, mode: Mode) -> Result<Tensor> {
        let (_, h, w, _) = pairs.dims4()?;
        let least = 3 << self.others.len();
        if h.min(w) < least {
            let found = format!("{h} x {w}");
            return Err(Error::value("picture of a patch discriminator", format!("sides of {least} or more"), found));
        }
        let mut x = leaky(&self.first.forward(pairs, mode)?)?;
        for layer in &self.others {
            x = leaky(&layer.forward(&x, mode)?)?;
        }
        self.score.forward(&x, mode)
    }
}

/// How sure a discriminator is that a sample is real: the mean over its patches.
///
/// ```text
/// certainty = mean over patches of 1 / (1 + exp(-logit))
/// ```
///
/// # Shapes
/// `logits` `(b, h, w)`; out `(b)`, 0 to 1.
///
/// # Errors
/// Another number of dimensions.
///
/// # References
/// Bhunia et al., More Photos are All You Need, CVPR 2021, Sec. 3.3: the weight of a generated pair.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[[0.0_f64, 3.0_f64.ln()]]], &Device::Cpu)?;
/// let found = retrace::model::certainty(&logits)?.to_vec1::<f64>()?[0];
/// assert!((found - 0.625).abs() < 1e-12); // of 1/2 and 3/4
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn certainty(logits: &Tensor) -> Result<Tensor> {
    mean_over_patches(&sigmoid(logits)?)
}

/// The discriminator's own loss, one value a sample.
///
/// ```text
/// L = mean over patches of log(1 + exp(-logit)) for a real sample, of log(1 + exp(logit)) for a made one
/// ```
///
/// # Shapes
/// `logits` `(b, h, w)`; out `(b)`.
///
/// # Errors
/// Another number of dimensions.
///
/// # References
/// Bhunia et al., More Photos are All You Need, CVPR 2021, Eq. 5.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[[3.0_f64.ln()]]], &Device::Cpu)?;
/// let loss = |is_real| Ok::<f64, retrace::Error>(retrace::model::judge_losses(&logits, is_real)?.to_vec1::<f64>()?[0]);
/// // Real with 3/4.
/// assert!((loss(true)? + 0.75_f64.ln()).abs() < 1e-12 && (loss(false)? + 0.25_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn judge_losses(logits: &Tensor, is_real: bool) -> Result<Tensor> {
    let wrong = if is_real { logits.neg()? } else { logits.clone() };
    let size = wrong.abs()?;
    // max(x, 0) + log(1 + exp(-|x|)): no exponential overflows.
    let losses = (((wrong + &size)? / 2.0)? + (size.neg()?.exp()? + 1.0)?.log()?)?;
    mean_over_patches(&losses)
}

fn mean_over_patches(values: &Tensor) -> Result<Tensor> {
    let (b, h, w) = values.dims3()?;
    Ok(values.reshape((b, h * w))?.mean(1)?)
}

/// `x` above 0, `0.2 x` below.
pub(super) fn leaky(x: &Tensor) -> Result<Tensor> {
    Ok(((rectify(x, Bounds::RELU)? * 0.8)? + (x * 0.2)?)?)
}

/// A 4 x 4 convolution that halves the sides of a map.
pub(super) fn strided(inputs: usize, outputs: usize, bias: bool) -> ConvConfig {
    ConvConfig { stride: 2, padding: Padding::Each(1), bias, ..ConvConfig::new(inputs, outputs, 4) }
}

/// Channels after so many halvings, from 0: double with each, up to 8 times.
pub(super) fn channels(width: usize, layer: usize) -> usize {
    width << layer.min(3)
}

/// A convolution to a single number a pixel whose weights start near zero, and its sigmoid near a half.
///
/// Kaiming's rule by outputs would start it, with its one output channel, at logits of tens, where nothing learns.
#[derive(Debug)]
pub(super) struct SmallStart {
    weight: Weight,
    bias: Weight,
}

impl SmallStart {
    /// Registers `weight` and `bias`.
    pub(super) fn new(inputs: usize, kernel: usize, scope: &mut Scope) -> Result<Self> {
        let weight = scope.weight("weight", &[1, inputs, kernel, kernel], Init::Normal { deviation: 0.02 })?;
        Ok(Self { weight, bias: scope.weight("bias", &[1], Init::Zeros)? })
    }

    /// `(b, h, w, inputs)` to `(b, h', w')`, with a border of one zero.
    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let window = Window::default().padded(1);
        let y = conv2d(x, &self.weight.value(mode), Some(&self.bias.value(mode)), window, Bounds::NONE)?;
        Ok(y.squeeze(3)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{Device, Var};

    fn judge(inputs: usize, width: usize, layers: usize) -> (Parameters, PatchDiscriminator) {
        let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
        let judge = PatchDiscriminator::new(inputs, width, layers, &mut parameters.root()).unwrap();
        (parameters, judge)
    }

    fn wave(b: usize, size: usize, c: usize) -> Tensor {
        let values: Vec<f32> = (0..b * size * size * c).map(|i| (i as f32 * 0.7).sin()).collect();
        Tensor::from_vec(values, (b, size, size, c), &Device::Cpu).unwrap()
    }

    fn magnitude(x: &Tensor) -> f32 {
        x.abs().unwrap().sum_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn patches_of_the_original_are_30_x_30_at_256_pixels() {
        let (parameters, judge) = judge(6, 2, 3);
        for (size, out) in [(24, 1), (64, 6), (128, 14), (256, 30)] {
            assert_eq!(judge.forward(&wave(1, size, 6), Mode::Eval).unwrap().dims(), [1, out, out], "{size}");
        }
        let tensors = parameters.tensors();
        assert_eq!(tensors["first.weight"].dims(), [2, 6, 4, 4]);
        assert_eq!(tensors["convolution3.weight"].dims(), [16, 8, 4, 4]);
        assert_eq!(tensors["score.weight"].dims(), [1, 16, 4, 4]);
    }

    #[test]
    fn channels_double_eight_times_at_most() {
        assert_eq!([0, 1, 2, 3, 4, 9].map(|layer| channels(64, layer)), [64, 128, 256, 512, 512, 512]);
    }

    #[test]
    fn a_patch_sees_70_pixels() {
        let (_, judge) = judge(1, 2, 3);
        let x = Var::from_tensor(&wave(1, 128, 1)).unwrap();
        let patch = judge.forward(&x, Mode::Eval).unwrap().narrow(1, 7, 1).unwrap().narrow(2, 7, 1).unwrap();
        let gradient = patch.sum_all().unwrap().backward().unwrap().get(&x).unwrap().reshape((128, 128)).unwrap();
        let rows = gradient.abs().unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap();
        let seen: Vec<usize> = (0..128).filter(|row| rows[*row] > 0.0).collect();
        assert_eq!(seen.last().unwrap() - seen[0] + 1, 70);
    }

    #[test]
    fn judge_losses_and_certainty_by_hand() {
        let logits = Tensor::new(&[[[0.0_f64, 1.0], [-2.0, 4.0]], [[0.0; 2]; 2]], &Device::Cpu).unwrap();
        let values = |x: Tensor| x.to_vec1::<f64>().unwrap();
        let mean = |of: fn(f64) -> f64| [0.0_f64, 1.0, -2.0, 4.0].into_iter().map(of).sum::<f64>() / 4.0;
        let near = |found: Vec<f64>, expected: [f64; 2]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} {expected:?}");
        };
        let ln2 = 2.0_f64.ln();
        near(values(judge_losses(&logits, true).unwrap()), [mean(|x| (1.0 + (-x).exp()).ln()), ln2]);
        near(values(judge_losses(&logits, false).unwrap()), [mean(|x| (1.0 + x.exp()).ln()), ln2]);
        near(values(certainty(&logits).unwrap()), [mean(|x| 1.0 / (1.0 + (-x).exp())), 0.5]);
    }

    #[test]
    fn judge_losses_have_the_slope_of_the_error() {
        let values = [-900.0_f64, -3.0, 0.0, 0.5, 900.0];
        for (is_real, label) in [(true, 1.0), (false, 0.0)] {
            let x = Var::new(&[[values]], &Device::Cpu).unwrap();
            let loss = judge_losses(&x, is_real).unwrap().sum_all().unwrap();
            assert!(loss.to_scalar::<f64>().unwrap().is_finite());
            let slopes = loss.backward().unwrap().get(&x).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            for (slope, x) in slopes.iter().zip(values) {
                let expected = (1.0 / (1.0 + (-x).exp()) - label) / 5.0;
                assert!((slope - expected).abs() < 1e-12, "{x}: {slope} against {expected}");
            }
        }
    }

    #[test]
    fn leaky_keeps_a_fifth_below_zero() {
        let x = Var::new(&[-5.0_f32, -0.5, 2.0], &Device::Cpu).unwrap();
        let y = leaky(&x).unwrap();
        let slopes = y.sum_all().unwrap().backward().unwrap().get(&x).unwrap().to_vec1::<f32>().unwrap();
        for (found, expected) in [(y.to_vec1::<f32>().unwrap(), [-1.0, -0.1, 2.0]), (slopes, [0.2, 0.2, 1.0])] {
            assert!(found.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{found:?}");
        }
    }

    #[test]
    fn gradients_reach_the_pair_and_all_weights() {
        let (parameters, judge) = judge(4, 2, 2);
        let x = Var::from_tensor(&wave(2, 32, 4)).unwrap();
        let loss = judge_losses(&judge.forward(&x, Mode::Train).unwrap(), true).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        assert!(magnitude(gradients.get(&x).unwrap()) > 0.0);
        for (name, var) in parameters.trainable() {
            assert!(magnitude(gradients.get(&var).unwrap()) > 0.0, "{name}");
        }
    }

    #[test]
    fn small_pictures_and_empty_networks_are_errors() {
        let (_, judge) = judge(4, 2, 3);
        let error = judge.forward(&wave(1, 23, 4), Mode::Eval).unwrap_err().to_string();
        assert!(error.contains("sides of 24 or more, found 23 x 23"), "{error}");
        assert!(judge.forward(&wave(1, 32, 3), Mode::Eval).unwrap_err().to_string().contains("4 channels"));
        for [inputs, width, layers] in [[0, 2, 3], [4, 0, 3], [4, 2, 0]] {
            let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
            assert!(PatchDiscriminator::new(inputs, width, layers, &mut parameters.root()).is_err());
        }
    }

    #[test]
    fn thirty_steps_tell_two_kinds_of_pictures_apart() {
        let (parameters, judge) = judge(4, 4, 2);
        let ones = Tensor::ones((2, 32, 32, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let pictures = Tensor::cat(&[&ones, &ones.neg().unwrap()], 0).unwrap();
        let logits = || {
            let logits = judge.forward(&pictures, Mode::Train).unwrap();
            [0, 2].map(|start| logits.narrow(0, start, 2).unwrap())
        };
        for _ in 0..30 {
            let [real, made] = logits();
            let loss = (judge_losses(&real, true).unwrap() + judge_losses(&made, false).unwrap()).unwrap();
            let gradients = loss.mean_all().unwrap().backward().unwrap();
            for (_, var) in parameters.trainable() {
                let step = (gradients.get(&var).unwrap() * 0.1).unwrap();
                var.set(&(var.as_detached_tensor() - step).unwrap()).unwrap();
            }
        }
        let [real, made] = logits().map(|logits| certainty(&logits).unwrap().to_vec1::<f32>().unwrap());
        assert!(real.iter().all(|value| *value > 0.9) && made.iter().all(|value| *value < 0.1), "{real:?} {made:?}");
    }
}
