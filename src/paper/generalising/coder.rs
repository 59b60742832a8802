//! Networks that see 64 x 64 sketches: an encoder, and a decoder that draws them again.

use crate::Result;
use crate::model::{Activation, BatchNorm, ConvConfig, ConvNorm, Convolution, Mode, NormConfig, Padding, Scope};
use candle_core::Tensor;

/// Width and height of the sketches (Sec. 4.1).
pub const SIDE: usize = 64;

/// Channels of the five strided convolutions. The paper prints none; these cost 17 million multiply-adds a sketch, there
/// and back.
const CHANNELS: [usize; 5] = [16, 32, 64, 64, 128];

/// Channels after the last 1 x 1 convolution, at 2 x 2 pixels.
const LAST: usize = 64;

/// Numbers that the encoder gives of a sketch.
pub const CODE: usize = LAST * 4;

/// Five convolutions of stride 2 and one of 1 x 1, each with batch norm and a rectifier.
///
/// # Shapes
/// `(b, 64, 64, 1)`, ink 1 and paper -1, in; `(b, 256)` out.
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Sec. 4.1.
#[derive(Debug)]
pub struct Encoder {
    layers: Vec<ConvNorm>,
}

impl Encoder {
    /// Registers its tensors.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn new(scope: &mut Scope) -> Result<Self> {
        let mut layers = Vec::new();
        let mut inputs = 1;
        for (i, outputs) in CHANNELS.into_iter().enumerate() {
            let config = ConvConfig { stride: 2, padding: Padding::Same, ..ConvConfig::new(inputs, outputs, 3) };
            layers.push(layer(scope, &format!("conv{}", i + 1), config)?);
            inputs = outputs;
        }
        layers.push(layer(scope, "last", ConvConfig::new(inputs, LAST, 1))?);
        Ok(Self { layers })
    }

    /// Encodes sketches.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn forward(&self, sketches: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = sketches.clone();
        for layer in &self.layers {
            x = layer.forward(&x, mode)?;
        }
        Ok(x.flatten_from(1)?)
    }
}

fn layer(scope: &mut Scope, name: &str, config: ConvConfig) -> Result<ConvNorm> {
    ConvNorm::register(&mut scope.push(name), ["conv", "norm"], config, NormConfig::default(), Activation::Relu)
}

/// One 1 x 1 convolution and five of stride 1/2; the last gives a picture through a hyperbolic tangent.
///
/// A convolution of stride 1/2 is one of 3 x 3 to four times the channels, of which each gives a pixel of 2 x 2. That is a
/// transposed convolution of stride 2 with a kernel of 6 x 6.
///
/// # Shapes
/// `(b, 256)` in, `(b, 64, 64, 1)`, -1 to 1, out.
///
/// # References
/// As [`Encoder`]; Shi et al., Real-Time Single Image Super-Resolution, CVPR 2016, for the form of the convolutions.
#[derive(Debug)]
pub struct Decoder {
    first: ConvNorm,
    layers: Vec<(Convolution, Option<BatchNorm>)>,
}

impl Decoder {
    /// Registers its tensors.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn new(scope: &mut Scope) -> Result<Self> {
        let first = layer(scope, "first", ConvConfig::new(LAST, CHANNELS[4], 1))?;
        let mut layers = Vec::new();
        for i in 0..5 {
            let (inputs, outputs) = (CHANNELS[4 - i], if i < 4 { CHANNELS[3 - i] } else { 1 });
            let scope = &mut scope.push(format!("deconv{}", i + 1));
            let convolution = Convolution::new(
                ConvConfig { bias: i == 4, ..ConvConfig::new(inputs, 4 * outputs, 3) },
                &mut scope.push("conv"),
            )?;
            let norm = (i < 4).then(|| BatchNorm::new(outputs, NormConfig::default(), &mut scope.push("norm")));
            layers.push((convolution, norm.transpose()?));
        }
        Ok(Self { first, layers })
    }

    /// Draws sketches.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn forward(&self, codes: &Tensor, mode: Mode) -> Result<Tensor> {
        let b = codes.dim(0)?;
        let mut x = self.first.forward(&codes.reshape((b, 2, 2, LAST))?, mode)?;
        for (convolution, norm) in &self.layers {
            x = shuffle(&convolution.forward(&x, mode)?)?;
            if let Some(norm) = norm {
                x = norm.forward_onto(&x, None, Activation::Relu.bounds(), mode)?;
            }
        }
        Ok(x.tanh()?)
    }
}

/// Four channels of a pixel become a pixel of each of 2 x 2.
///
/// # Shapes
/// `(b, h, w, 4 c)` in, `(b, 2 h, 2 w, c)` out.
fn shuffle(x: &Tensor) -> Result<Tensor> {
    let (b, h, w, c) = x.dims4()?;
    let c = c / 4;
    let parts = x.reshape(&[b, h, w, 2, 2, c][..])?.permute(&[0, 1, 3, 2, 4, 5][..])?;
    Ok(parts.contiguous()?.reshape((b, 2 * h, 2 * w, c))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Parameters;
    use crate::seed::Seed;
    use candle_core::{DType, Device};

    #[test]
    fn coder_maps_sketches_to_codes_and_back() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let encoder = Encoder::new(&mut parameters.root().push("encoder")).unwrap();
        let decoder = Decoder::new(&mut parameters.root().push("decoder")).unwrap();
        let sketches = Tensor::zeros((3, SIDE, SIDE, 1), DType::F32, &Device::Cpu).unwrap();
        let codes = encoder.forward(&sketches, Mode::Train).unwrap();
        assert_eq!(codes.dims(), [3, CODE]);
        let drawn = decoder.forward(&codes, Mode::Train).unwrap();
        assert_eq!(drawn.dims(), [3, SIDE, SIDE, 1]);
        assert!(drawn.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() <= 1.0);
    }

    /// `y[2 i + a, 2 j + b]` is channel `2 a + b` at `(i, j)`.
    #[test]
    fn shuffle_puts_channels_in_their_places() {
        let x = Tensor::arange(0f32, 2.0 * 3.0 * 8.0, &Device::Cpu).unwrap().reshape((1, 2, 3, 8)).unwrap();
        let y = shuffle(&x).unwrap();
        assert_eq!(y.dims(), [1, 4, 6, 2]);
        let [x, y] = [x, y].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        for (i, j, a, b, c) in [(0, 0, 0, 1, 0), (1, 2, 1, 0, 1), (1, 1, 1, 1, 0)] {
            assert_eq!(y[((2 * i + a) * 6 + 2 * j + b) * 2 + c], x[(i * 3 + j) * 8 + (2 * a + b) * 2 + c]);
        }
    }

    /// A convolution and a shuffle against candle's transposed convolution with the kernel that it stands for.
    #[test]
    fn shuffled_convolution_is_a_transposed_one() {
        let weight: Vec<f32> = (0..4 * 9).map(|i| ((i * 7 % 11) as f32) - 5.0).collect();
        let weight = Tensor::from_vec(weight, (4, 1, 3, 3), &Device::Cpu).unwrap();
        let x: Vec<f32> = (0..20).map(|i| (i * 3 % 7) as f32).collect();
        let x = Tensor::from_vec(x, (1, 1, 4, 5), &Device::Cpu).unwrap();
        let fine = x.conv2d(&weight, 1, 1, 1, 1).unwrap(); // (1, 4, 4, 5)
        let fine = shuffle(&fine.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()).unwrap();
        // Output 2 i + a sees input i + u - 1 through tap u of phase a: tap 4 - 2 u + a of a 6 x 6 kernel, padding 2.
        let flat = weight.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let mut kernel = vec![0f32; 36];
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            for (u, v) in (0..3).flat_map(|u| (0..3).map(move |v| (u, v))) {
                kernel[(4 - 2 * u + a) * 6 + 4 - 2 * v + b] = flat[(2 * a + b) * 9 + u * 3 + v];
            }
        }
        let kernel = Tensor::from_vec(kernel, (1, 1, 6, 6), &Device::Cpu).unwrap();
        let transposed = x.conv_transpose2d(&kernel, 2, 0, 2, 1).unwrap();
        let transposed = transposed.permute((0, 2, 3, 1)).unwrap();
        assert_eq!(fine.dims(), transposed.dims());
        assert!((fine - transposed).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-4);
    }
}
