//! Sketch-a-Net, the field's early network of sketches.

use super::{Activation, Backbone, ConvConfig, Convolution, Mode, Padding, Scope};
use crate::Result;
use crate::kernel::{Window, channels_last, max_pool};
use candle_core::Tensor;

/// Kernel, stride, padding and channels of each convolution, and whether a maximum over 3 x 3, of stride 2, follows.
const LAYERS: [(usize, usize, usize, usize, bool); 5] =
    [(15, 3, 0, 64, true), (5, 1, 0, 128, true), (3, 1, 1, 256, false), (3, 1, 1, 256, false), (3, 1, 1, 256, false)];

/// The five convolutions of Sketch-a-Net, on pictures of three channels.
///
/// At 225 px its last map has 15 x 15 places, at 128 px 6 x 6. The layers of 512 numbers that follow there are a head here.
///
/// # References
/// Yu et al., Sketch-a-Net: a Deep Neural Network that Beats Humans, IJCV 2017, Table 1; as the triplet network of Yu et
/// al., Sketch Me That Shoe, CVPR 2016.
#[derive(Debug)]
pub struct SketchANet {
    convolutions: Vec<Convolution>,
}

impl SketchANet {
    pub(crate) fn new(scope: &mut Scope) -> Result<Self> {
        let (mut convolutions, mut inputs) = (Vec::new(), 3);
        for (at, (kernel, stride, padding, outputs, _)) in LAYERS.into_iter().enumerate() {
            let plain = ConvConfig::new(inputs, outputs, kernel);
            let config = ConvConfig { stride, padding: Padding::Each(padding), bias: true, ..plain };
            convolutions.push(Convolution::new(config, &mut scope.push(format!("conv{}", at + 1)))?);
            inputs = outputs;
        }
        Ok(Self { convolutions })
    }
}

impl Backbone for SketchANet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = channels_last(x)?;
        for (convolution, (.., is_pooled)) in self.convolutions.iter().zip(LAYERS) {
            x = convolution.forward_rectified(&x, Activation::Relu, mode)?;
            if is_pooled {
                x = max_pool(&x, [3, 3], Window { stride: 2, ..Window::default() })?;
            }
        }
        Ok(x)
    }

    fn channels(&self) -> usize {
        256
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Architecture, Mode, NormConfig, Parameters, build};
    use crate::seed::Seed;
    use candle_core::{DType, Device, Tensor};

    #[test]
    fn sketch_a_net_has_the_maps_of_its_paper() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let network = build(Architecture::SketchANet, &mut parameters.root(), NormConfig::default()).unwrap();
        for (side, places) in [(225, 15), (128, 6)] {
            let pictures = Tensor::zeros((1, 3, side, side), DType::F32, &Device::Cpu).unwrap();
            assert_eq!(network.forward(&pictures, Mode::Eval).unwrap().dims(), [1, places, places, 256]);
        }
        // 15 x 15 x 3 x 64, 5 x 5 x 64 x 128, 3 x 3 x 128 x 256 and twice 3 x 3 x 256 x 256, with their biases.
        assert_eq!(parameters.trainable_count(), 43_264 + 204_928 + 295_168 + 2 * 590_080);
    }
}
