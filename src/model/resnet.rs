//! Residual networks, with torchvision's tensor names.

use super::{Activation, Backbone, ConvConfig, ConvNorm, Mode, NormConfig, Scope};
use crate::Result;
use crate::kernel::{Window, channels_last, max_pool};
use candle_core::Tensor;

/// The table of a residual network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResidualTable {
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
pub(crate) const RESNET_18: ResidualTable = ResidualTable {
    stem: (64, 7),
    pooled: true,
    bottleneck: false,
    stages: [(64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)],
};

/// He et al., Table 1, 50 layers.
pub(crate) const RESNET_50: ResidualTable = ResidualTable {
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
    blocks: Vec<ResidualBlock>,
    channels: usize,
}

impl ResNet {
    pub(crate) fn new(table: &ResidualTable, scope: &mut Scope, norm: NormConfig) -> Result<Self> {
        let (mut inputs, kernel) = table.stem;
        let config = ConvConfig { stride: 2, ..ConvConfig::new(3, inputs, kernel) };
        let stem = ConvNorm::register(scope, ["conv1", "bn1"], config, norm, Activation::Relu)?;
        let mut blocks = Vec::new();
        for (index, (inner, repeats, first)) in table.stages.into_iter().enumerate() {
            let mut place = scope.push(format!("layer{}", index + 1));
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first } else { 1 };
                let block = ResidualBlock::new(table.bottleneck, inputs, inner, stride, &mut place.push(repeat), norm)?;
                inputs = block.channels;
                blocks.push(block);
            }
        }
        Ok(Self { stem, pooled: table.pooled, blocks, channels: inputs })
    }
}

impl Backbone for ResNet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = self.stem.forward(&channels_last(x)?, mode)?;
        if self.pooled {
            let window = Window { stride: 2, ..Window::default() }.padded(1);
            x = max_pool(&x, [3, 3], window)?;
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
struct ResidualBlock {
    layers: Vec<ConvNorm>,
    /// Rectified after the input has been added.
    last: ConvNorm,
    /// A 1 x 1 convolution where the input's shape is not the output's.
    shortcut: Option<ConvNorm>,
    channels: usize,
}

impl ResidualBlock {
    fn new(
        bottleneck: bool,
        inputs: usize,
        inner: usize,
        stride: usize,
        scope: &mut Scope,
        norm: NormConfig,
    ) -> Result<Self> {
        let strided = |config| ConvConfig { stride, ..config };
        // A bottleneck is four times as wide at its end: Table 1.
        let (outputs, configs) = if bottleneck {
            (4 * inner, vec![ConvConfig::new(inputs, inner, 1), strided(ConvConfig::new(inner, inner, 3))])
        } else {
            (inner, vec![strided(ConvConfig::new(inputs, inner, 3))])
        };
        let mut register = |index: usize, config| {
            let (convolution, batch_norm) = (format!("conv{index}"), format!("bn{index}"));
            ConvNorm::register(scope, [&convolution, &batch_norm], config, norm, Activation::Relu)
        };
        let layers: Vec<_> = configs.iter().zip(1..).map(|(c, i)| register(i, *c)).collect::<Result<_>>()?;
        let last = register(layers.len() + 1, ConvConfig::new(inner, outputs, if bottleneck { 1 } else { 3 }))?;
        let shortcut = if stride != 1 || inputs != outputs {
            let config = strided(ConvConfig::new(inputs, outputs, 1));
            Some(ConvNorm::register(&mut scope.push("downsample"), ["0", "1"], config, norm, Activation::None)?)
        } else {
            None
        };
        Ok(Self { layers, last, shortcut, channels: outputs })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let skipped = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x, mode)?,
            None => x.clone(),
        };
        let mut y = x.clone();
        for layer in &self.layers {
            y = layer.forward(&y, mode)?;
        }
        self.last.forward_onto(&y, Some(&skipped), mode)
    }
}
