//! Image translation: a network that draws the pixels of a sketch from those of a photo.

use super::patch::{SmallStart, channels, leaky, strided};
use super::{Activation, ConvConfig, ConvNorm, Convolution, Mode, NormConfig, Scope};
use crate::{Error, Result};
use candle_core::Tensor;
use candle_nn::ops::sigmoid;

/// A U-Net: halves the photo `depth` times, doubles it as often, and hands every map across to the half that grows.
///
/// ```text
/// e_1 = leaky(conv(photo)),  e_i = leaky(norm(conv(e_(i-1)))),  without a norm in the last
/// u_depth = e_depth,  u_i = [relu(norm(conv(upsample(u_(i+1))))), e_i]
/// sketch = sigmoid(conv(upsample(u_1)))
/// ```
///
/// Maps are halved by 4 x 4 convolutions of stride 2. They are doubled by repeating every pixel, and a 3 x 3 convolution
/// follows: the transposed convolution of the original leaves more of a checkerboard (Odena et al., Deconvolution and
/// Checkerboard Artifacts, Distill, 2016). The original's dropout, its only noise, is left out: a photo has one sketch.
///
/// # References
/// Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017, Sec. 3.2.1 and 6.1.1.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::model::{Mode, Parameters, Translator};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// let translator = Translator::new(4, 3, &mut parameters.root())?;
/// let photos = Tensor::zeros((2, 32, 24, 3), DType::F32, &Device::Cpu)?;
/// assert_eq!(translator.forward(&photos, Mode::Eval)?.dims(), [2, 32, 24]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Translator {
    /// From the photo to the smallest map.
    halvings: Vec<Halving>,
    /// From the smallest map to the largest that is handed across.
    doublings: Vec<ConvNorm>,
    last: SmallStart,
}

impl Translator {
    /// Registers `down<i>`, `up<i>` and `last`, `i` from 1 at the photo; `width` channels double with every halving, up
    /// to eight times as many.
    ///
    /// # Errors
    /// No width or no depth; a name that is taken.
    pub fn new(width: usize, depth: usize, scope: &mut Scope) -> Result<Self> {
        if width == 0 || depth == 0 {
            return Err(Error::value("translator", "1 or more of width and depth", format!("{width}, {depth}")));
        }
        let mut halvings = Vec::new();
        for level in 0..depth {
            let inputs = if level == 0 { 3 } else { channels(width, level - 1) };
            let has_norm = level > 0 && level + 1 < depth;
            let scope = &mut scope.push(format!("down{}", level + 1));
            halvings.push(Halving::new(inputs, channels(width, level), has_norm, scope)?);
        }
        // The smallest map comes alone, the others with what was handed across.
        let grown = |level: usize| channels(width, level) * if level + 1 == depth { 1 } else { 2 };
        let mut doublings = Vec::new();
        for level in (0..depth - 1).rev() {
            let config = ConvConfig::new(grown(level + 1), channels(width, level), 3);
            let scope = &mut scope.push(format!("up{}", level + 1));
            let names = ["convolution", "norm"];
            doublings.push(ConvNorm::register(scope, names, config, NormConfig::default(), Activation::Relu)?);
        }
        Ok(Self { halvings, doublings, last: SmallStart::new(grown(0), 3, &mut scope.push("last"))? })
    }

    /// Sketches of a batch of photos.
    ///
    /// # Shapes
    /// `photos` `(b, h, w, 3)`, of any range, sides multiples of `2^depth`; out `(b, h, w)`, 0 (ink) to 1 (paper).
    ///
    /// # Errors
    /// Other sides, or another number of channels.
    pub fn forward(&self, photos: &Tensor, mode: Mode) -> Result<Tensor> {
        self.check(photos)?;
        let mut maps = vec![photos.clone()];
        for halving in &self.halvings {
            let map = halving.forward(&maps[maps.len() - 1], mode)?;
            maps.push(map);
        }
        let (mut x, across) = (maps[maps.len() - 1].clone(), &maps[1..maps.len() - 1]);
        for (doubling, map) in self.doublings.iter().zip(across.iter().rev()) {
            x = Tensor::cat(&[&doubling.forward(&upsample(&x)?, mode)?, map], 3)?;
        }
        Ok(sigmoid(&self.last.forward(&upsample(&x)?, mode)?)?)
    }

    fn check(&self, photos: &Tensor) -> Result<()> {
        let (_, h, w, c) = photos.dims4()?;
        let step = 1 << self.halvings.len();
        if h == 0 || w == 0 || h % step != 0 || w % step != 0 || c != 3 {
            let expected = format!("3 channels and sides that are multiples of {step}");
            return Err(Error::value("photos (b, h, w, 3) of a translator", expected, format!("{:?}", photos.dims())));
        }
        Ok(())
    }
}

/// A convolution that halves a map; a norm but at both ends of the network; a leaky rectifier.
#[derive(Debug)]
enum Halving {
    Plain(Convolution),
    Normed(ConvNorm),
}

impl Halving {
    fn new(inputs: usize, outputs: usize, has_norm: bool, scope: &mut Scope) -> Result<Self> {
        let config = strided(inputs, outputs, !has_norm);
        Ok(if has_norm {
            let (names, norm) = (["convolution", "norm"], NormConfig::default());
            Self::Normed(ConvNorm::register(scope, names, config, norm, Activation::None)?)
        } else {
            Self::Plain(Convolution::new(config, &mut scope.push("convolution"))?)
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        leaky(&match self {
            Self::Plain(convolution) => convolution.forward(x, mode)?,
            Self::Normed(layer) => layer.forward(x, mode)?,
        })
    }
}

/// Every pixel four times, `(b, h, w, c)` to `(b, 2 h, 2 w, c)`; gradients pass.
pub(crate) fn upsample(x: &Tensor) -> Result<Tensor> {
    let (b, h, w, c) = x.dims4()?;
    let repeated = x.reshape((b, h, 1, w, 1, c))?.broadcast_as((b, h, 2, w, 2, c))?;
    Ok(repeated.reshape((b, 2 * h, 2 * w, c))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{DType, Device, Var};

    fn translator(width: usize, depth: usize) -> (Parameters, Translator) {
        let mut parameters = Parameters::new(Seed(4), &Device::Cpu);
        let translator = Translator::new(width, depth, &mut parameters.root()).unwrap();
        (parameters, translator)
    }

    fn wave(shape: (usize, usize, usize, usize)) -> Tensor {
        let count = shape.0 * shape.1 * shape.2 * shape.3;
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn doubling_repeats_pixels_and_sums_gradients() {
        let x = Tensor::new(&[1.0_f32, 2.0, 3.0, 4.0], &Device::Cpu).unwrap().reshape((1, 2, 2, 1)).unwrap();
        let x = Var::from_tensor(&x).unwrap();
        let y = upsample(&x).unwrap();
        let values = y.reshape((4, 4)).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(values[..2], [[1.0, 1.0, 2.0, 2.0]; 2]);
        assert_eq!(values[2..], [[3.0, 3.0, 4.0, 4.0]; 2]);
        let weights = Tensor::arange(0.0_f32, 16.0, &Device::Cpu).unwrap().reshape((1, 4, 4, 1)).unwrap();
        let gradients = (y * weights).unwrap().sum_all().unwrap().backward().unwrap();
        let found = gradients.get(&x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(found, [10.0, 18.0, 42.0, 50.0]); // 0 + 1 + 4 + 5 and so on
    }

    #[test]
    fn sketches_have_the_sides_of_their_photos_and_stay_in_range() {
        for (depth, h, w) in [(1, 2, 6), (2, 8, 4), (3, 32, 24), (5, 32, 32)] {
            let (parameters, translator) = translator(2, depth);
            for mode in [Mode::Train, Mode::Eval] {
                let sketches = translator.forward(&wave((2, h, w, 3)), mode).unwrap();
                assert_eq!(sketches.dims(), [2, h, w], "{depth}");
                let values = sketches.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{depth}");
            }
            // A norm in every doubling but the last; in every halving but the first and the last.
            let tensors = parameters.tensors();
            let norms = tensors.keys().filter(|name| name.ends_with("running_mean")).count();
            assert_eq!(norms, depth - 1 + depth.saturating_sub(2), "{depth}");
        }
    }

    #[test]
    fn gradients_reach_the_photo_and_all_weights() {
        let (parameters, translator) = translator(3, 3);
        let photos = Var::from_tensor(&wave((2, 16, 16, 3))).unwrap();
        let sketches = translator.forward(&photos, Mode::Train).unwrap();
        let gradients = (sketches.sqr().unwrap().sum_all().unwrap()).backward().unwrap();
        let magnitude = |x: &Tensor| x.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(magnitude(gradients.get(&photos).unwrap()) > 0.0);
        for (name, var) in parameters.trainable() {
            assert!(magnitude(gradients.get(&var).unwrap()) > 0.0, "{name}");
        }
    }

    /// Pixels of a box as the photo, its outline as the sketch.
    fn picture() -> (Tensor, Tensor) {
        let is_within = |i: usize, rim: usize| {
            let (x, y) = (i % 32, i / 32);
            (8 + rim..24 - rim).contains(&x) && (10 + rim..22 - rim).contains(&y)
        };
        let photo: Vec<f32> = (0..3 * 1024).map(|i| f32::from(u8::from(is_within(i / 3, 0)))).collect();
        let ink = |i: usize| is_within(i, 0) && !is_within(i, 2);
        let sketch: Vec<f32> = (0..1024).map(|i| f32::from(u8::from(!ink(i)))).collect();
        let device = Device::Cpu;
        let photo = Tensor::from_vec(photo, (1, 32, 32, 3), &device).unwrap();
        (photo, Tensor::from_vec(sketch, (1, 32, 32), &device).unwrap())
    }

    #[test]
    fn sixty_steps_learn_the_outline_of_a_box() {
        let (parameters, translator) = translator(8, 3);
        let (photo, sketch) = picture();
        let mut losses = Vec::new();
        for _ in 0..60 {
            let error = (translator.forward(&photo, Mode::Train).unwrap() - &sketch).unwrap();
            let loss = error.sqr().unwrap().mean_all().unwrap();
            losses.push(loss.to_scalar::<f32>().unwrap());
            let gradients = loss.backward().unwrap();
            for (_, var) in parameters.trainable() {
                let step = gradients.get(&var).unwrap();
                var.set(&(var.as_detached_tensor() - step).unwrap()).unwrap();
            }
        }
        assert!(losses[59] < 0.1 * losses[0], "{} after {}", losses[59], losses[0]);
    }

    #[test]
    fn sides_that_cannot_be_halved_are_an_error() {
        let (_, translator) = translator(2, 3);
        for shape in [(1, 32, 28, 3), (1, 4, 8, 3), (1, 8, 8, 1)] {
            let error = translator.forward(&wave(shape), Mode::Eval).unwrap_err().to_string();
            assert!(error.contains("3 channels and sides that are multiples of 8"), "{error}");
        }
        let none = Tensor::zeros((1, 0, 8, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(translator.forward(&none, Mode::Eval).is_err());
        for (width, depth) in [(0, 3), (2, 0)] {
            assert!(Translator::new(width, depth, &mut Parameters::new(Seed(4), &Device::Cpu).root()).is_err());
        }
    }
}
