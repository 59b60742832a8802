//! VGG without batch norm, with torchvision's tensor names.

use super::{Activation, Backbone, ConvConfig, Convolution, Mode, Scope};
use crate::Result;
use crate::kernel::{Window, channels_last, max_pool};
use candle_core::Tensor;

/// Simonyan and Zisserman, Table 1, column D: convolutions and channels of each stage.
pub(crate) const VGG_16: [(usize, usize); 5] = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];

/// A VGG up to its last pooling, torchvision's `features`. It has no batch norm.
///
/// # References
/// Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015, Table 1.
#[derive(Debug)]
pub struct Vgg {
    stages: Vec<Vec<Convolution>>,
    channels: usize,
}

impl Vgg {
    pub(crate) fn new(table: &[(usize, usize)], scope: &mut Scope) -> Result<Self> {
        let (mut place, mut stages) = (scope.push("features"), Vec::new());
        let (mut index, mut inputs) = (0, 3);
        for &(count, outputs) in table {
            let mut stage = Vec::new();
            for _ in 0..count {
                let config = ConvConfig { bias: true, ..ConvConfig::new(inputs, outputs, 3) };
                stage.push(Convolution::new(config, &mut place.push(index))?);
                inputs = outputs;
                index += 2; // a rectifier takes a number too
            }
            stages.push(stage);
            index += 1; // as does pooling
        }
        Ok(Self { stages, channels: inputs })
    }
}

impl Backbone for Vgg {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = channels_last(x)?;
        for stage in &self.stages {
            for convolution in stage {
                x = convolution.forward_rectified(&x, Activation::Relu, mode)?;
            }
            x = max_pool(&x, [2, 2], Window { stride: 2, ..Window::default() })?;
        }
        Ok(x)
    }

    fn channels(&self) -> usize {
        self.channels
    }
}
