//! Residual networks, with torchvision's tensor names.

use super::{Activation, Backbone, ConvConfig, ConvNorm, Mode, NormConfig, Scope};
use crate::Result;
use candle_core::Tensor;

/// The table of a residual network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Channels and kernel of the first convolution, of stride 2.
    pub stem: (usize, usize),
    /// Whether a 3 x 3 maximum of stride 2 follows.
    pub pooled: bool,
    /// Whether a block is 1 x 1, 3 x 3, 1 x 1 (four times as wide at its end) or 3 x 3, 3 x 3.
    pub bottleneck: bool,
    /// Inner channels, blocks and first stride of each stage.
    pub stages: [(usize, usize, usize); 4],
}

/// He et al., Table 1, 18 layers.
pub(crate) const RESNET_18: Table = Table {
    stem: (64, 7),
    pooled: true,
    bottleneck: false,
    stages: [(64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)],
};

/// He et al., Table 1, 50 layers.
pub(crate) const RESNET_50: Table = Table {
    stem: (64, 7),
    pooled: true,
    bottleneck: true,
    stages: [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)],
};

/// A residual network up to its last block. As in torchvision, a bottleneck's stride is on its 3 x 3 convolution.
///
/// # References
/// He et al., Deep Residual Learning for Image Recognition, CVPR 2016, Table 1.
#[derive(Debug)]
pub struct ResNet {
    stem: ConvNorm,
    pooled: bool,
    blocks: Vec<Block>,
    channels: usize,
}

impl ResNet {
    pub(crate) fn new(table: &Table, scope: &mut Scope, norm: NormConfig) -> Result<Self> {
        let (mut inputs, kernel) = table.stem;
        let config = ConvConfig { stride: 2, ..ConvConfig::new(3, inputs, kernel) };
        let stem = ConvNorm::register(scope, ["conv1", "bn1"], config, norm, Activation::Relu)?;
        let mut blocks = Vec::new();
        for (index, (inner, repeats, first)) in table.stages.into_iter().enumerate() {
            let mut place = scope.push(format!("layer{}", index + 1));
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first } else { 1 };
                let block = Block::new(table.bottleneck, inputs, inner, stride, &mut place.push(repeat), norm)?;
                inputs = block.channels;
                blocks.push(block);
            }
        }
        Ok(Self { stem, pooled: table.pooled, blocks, channels: inputs })
    }
}

impl Backbone for ResNet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = self.stem.forward(x, mode)?;
        if self.pooled {
            x = max_pool(&x)?;
        }
        for block in &self.blocks {
            x = block.forward(&x, mode)?;
        }
        Ok(x)
    }

    fn channels(&self) -> usize {
        self.channels
    }
}

#[derive(Debug)]
struct Block {
    layers: Vec<ConvNorm>,
    /// A 1 x 1 convolution where the input's shape is not the output's.
    shortcut: Option<ConvNorm>,
    channels: usize,
}

impl Block {
    fn new(
        bottleneck: bool,
        inputs: usize,
        inner: usize,
        stride: usize,
        scope: &mut Scope,
        norm: NormConfig,
    ) -> Result<Self> {
        let strided = |config| ConvConfig { stride, ..config };
        let (outputs, configs) = match bottleneck {
            // Four times as wide at its end: Table 1.
            true => (
                4 * inner,
                vec![
                    ConvConfig::new(inputs, inner, 1),
                    strided(ConvConfig::new(inner, inner, 3)),
                    ConvConfig::new(inner, 4 * inner, 1),
                ],
            ),
            false => (inner, vec![strided(ConvConfig::new(inputs, inner, 3)), ConvConfig::new(inner, inner, 3)]),
        };
        let mut layers = Vec::new();
        for (index, config) in configs.iter().enumerate() {
            let (convolution, batch_norm) = (format!("conv{}", index + 1), format!("bn{}", index + 1));
            let last = index + 1 == configs.len();
            let activation = if last { Activation::None } else { Activation::Relu };
            layers.push(ConvNorm::register(scope, [&convolution, &batch_norm], *config, norm, activation)?);
        }
        let shortcut = if stride != 1 || inputs != outputs {
            let config = strided(ConvConfig::new(inputs, outputs, 1));
            Some(ConvNorm::register(&mut scope.push("downsample"), ["0", "1"], config, norm, Activation::None)?)
        } else {
            None
        };
        Ok(Self { layers, shortcut, channels: outputs })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut y = x.clone();
        for layer in &self.layers {
            y = layer.forward(&y, mode)?;
        }
        let skipped = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x, mode)?,
            None => x.clone(),
        };
        Activation::Relu.apply(&(y + skipped)?)
    }
}

/// The maximum of 3 x 3 windows at stride 2 of a rectified map; zeros around it change nothing, since nothing is below 0.
///
/// candle's own maximum has no backward pass where windows overlap, so it is taken along one side, then the other.
fn max_pool(x: &Tensor) -> Result<Tensor> {
    max_along(&max_along(x, 2)?, 3)
}

/// `y[i] = max(x[2i - 1], x[2i], x[2i + 1])` along one dimension.
fn max_along(x: &Tensor, dimension: usize) -> Result<Tensor> {
    let size = x.dim(dimension)?;
    let outputs = size.div_ceil(2);
    // One zero in front, and behind as many as make a whole number of pairs: pair i holds x[2i - 1] and x[2i].
    let padded = x.pad_with_zeros(dimension, 1, 2 * outputs + 1 - size)?;
    let mut shape = padded.dims().to_vec();
    shape[dimension] = outputs + 1;
    shape.insert(dimension + 1, 2);
    let pairs = padded.reshape(shape)?;
    let (odd, even) = (pairs.narrow(dimension + 1, 0, 1)?, pairs.narrow(dimension + 1, 1, 1)?);
    let (odd, even) = (odd.squeeze(dimension + 1)?, even.squeeze(dimension + 1)?);
    let (before, after) = (odd.narrow(dimension, 0, outputs)?, odd.narrow(dimension, 1, outputs)?);
    Ok(before.maximum(&even.narrow(dimension, 0, outputs)?)?.maximum(&after)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn maxima_by_hand() {
        let x = Tensor::arange(1.0_f32, 21.0, &Device::Cpu).unwrap().reshape((1, 1, 4, 5)).unwrap();
        let y = max_pool(&x).unwrap();
        assert_eq!(y.dims(), [1, 1, 2, 3]);
        // Windows of rows {0, 1}, {1, 2, 3} and columns {0, 1}, {1, 2, 3}, {3, 4}.
        assert_eq!(y.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [7.0, 9.0, 10.0, 17.0, 19.0, 20.0]);
    }

    #[test]
    fn the_gradient_goes_to_the_largest() {
        let x = Var::new(&[1.0_f32, 5.0, 2.0, 3.0], &Device::Cpu).unwrap();
        let y = max_along(&x.reshape((1, 1, 1, 4)).unwrap(), 3).unwrap();
        let gradients = y.sum_all().unwrap().backward().unwrap();
        // Windows {1, 5} and {5, 2, 3}: both pick the 5.
        assert_eq!(gradients.get(&x).unwrap().to_vec1::<f32>().unwrap(), [0.0, 2.0, 0.0, 0.0]);
    }
}
