//! EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, so that it quantises well.

use super::{Activation, Backbone, BatchNorm, ConvConfig, ConvNorm, Convolution, Mode, NormConfig, Padding, Scope};
use crate::{Result, kernel::channels_last};
use candle_core::Tensor;

/// One row of the table: a run of inverted residual blocks.
struct Stage {
    repeats: usize,
    kernel: usize,
    /// Stride of the first block; the others have 1.
    stride: usize,
    /// Inner channels over input channels.
    expansion: usize,
    outputs: usize,
}

const fn stage(repeats: usize, kernel: usize, stride: usize, expansion: usize, outputs: usize) -> Stage {
    Stage { repeats, kernel, stride, expansion, outputs }
}

/// Tan and Le, EfficientNet, ICML 2019, Table 1 (B0); Lite0 keeps it.
const LITE0: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

/// Stage and place within it of a block, both from 0, and whether it widens.
pub(super) fn stage_of(block: usize) -> Option<(usize, usize, bool)> {
    let mut first = 0;
    for (index, row) in LITE0.iter().enumerate() {
        if block < first + row.repeats {
            return Some((index, block - first, row.expansion > 1));
        }
        first += row.repeats;
    }
    None
}

/// Table 1, stage 1.
const STEM: usize = 32;

/// Table 1, stage 9.
const HEAD: usize = 1280;

/// The original's `batch_norm_epsilon`.
const EPSILON: f64 = 1e-3;

/// One less the original's `batch_norm_momentum`, 0.99.
pub(super) const MOMENTUM: f64 = 0.01;

/// The network up to its last convolution, with the tensor names of the pip package `efficientnet_lite_pytorch`.
///
/// # References
/// Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019.
#[derive(Debug)]
pub struct EfficientNet {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    head: ConvNorm,
}

impl EfficientNet {
    /// EfficientNet-Lite0.
    ///
    /// # Errors
    /// A tensor name that is taken.
    pub fn lite0(scope: &mut Scope, norm: NormConfig) -> Result<Self> {
        let config = ConvConfig { stride: 2, padding: Padding::Same, ..ConvConfig::new(3, STEM, 3) };
        let stem = layer(scope, ["_conv_stem", "_bn0"], config, norm, Activation::Relu6)?;
        let mut blocks = Vec::new();
        let mut inputs = STEM;
        for row in &LITE0 {
            for repeat in 0..row.repeats {
                let stride = if repeat == 0 { row.stride } else { 1 };
                let mut place = scope.push("_blocks");
                blocks.push(InvertedResidual::new(row, inputs, stride, &mut place.push(blocks.len()), norm)?);
                inputs = row.outputs;
            }
        }
        let head = layer(scope, ["_conv_head", "_bn1"], ConvConfig::new(inputs, HEAD, 1), norm, Activation::Relu6)?;
        Ok(Self { stem, blocks, head })
    }
}

impl Backbone for EfficientNet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = self.stem.forward(&channels_last(x)?, mode)?;
        for block in &self.blocks {
            x = block.forward(&x, mode)?;
        }
        self.head.forward(&x, mode)
    }

    fn channels(&self) -> usize {
        HEAD
    }
}

/// Inverted residual: widen, convolve each channel alone, narrow, add the input where the shapes agree.
#[derive(Debug)]
struct InvertedResidual {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    skip: bool,
}

impl InvertedResidual {
    fn new(row: &Stage, inputs: usize, stride: usize, scope: &mut Scope, norm: NormConfig) -> Result<Self> {
        let inner = inputs * row.expansion;
        let expand = match row.expansion {
            1 => None,
            _ => {
                let config = ConvConfig::new(inputs, inner, 1);
                Some(layer(scope, ["_expand_conv", "_bn0"], config, norm, Activation::Relu6)?)
            }
        };
        let config =
            ConvConfig { stride, padding: Padding::Same, groups: inner, ..ConvConfig::new(inner, inner, row.kernel) };
        let depthwise = layer(scope, ["_depthwise_conv", "_bn1"], config, norm, Activation::Relu6)?;
        let config = ConvConfig::new(inner, row.outputs, 1);
        let project = layer(scope, ["_project_conv", "_bn2"], config, norm, Activation::None)?;
        Ok(Self { expand, depthwise, project, skip: stride == 1 && inputs == row.outputs })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x, mode)?,
            None => x.clone(),
        };
        let y = self.depthwise.forward(&wide, mode)?;
        self.project.forward_onto(&y, self.skip.then_some(x), mode)
    }
}

fn layer(
    scope: &mut Scope,
    names: [&str; 2],
    config: ConvConfig,
    norm: NormConfig,
    activation: Activation,
) -> Result<ConvNorm> {
    let convolution = Convolution::new(config, &mut scope.push(names[0]))?;
    let norm = BatchNorm::new(config.outputs, norm, &mut scope.push(names[1]))?.with(EPSILON, MOMENTUM);
    Ok(ConvNorm::new(convolution, norm, activation))
}
