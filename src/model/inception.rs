//! Inception-v3, with torchvision's tensor names.

use super::norm::MOMENTUM;
use super::{Activation, Backbone, BatchNorm, ConvConfig, ConvNorm, Convolution, Mode, NormConfig, Padding, Scope};
use crate::kernel::{Window, average_pool, channels_last, max_pool};
use crate::{Error, Result};
use candle_core::Tensor;

/// Epsilon of every batch norm: torchvision's, and that of the TensorFlow original.
const EPSILON: f64 = 1e-3;

/// Least height and width of a picture, in pixels: the last block then has a map of one.
const SMALLEST: usize = 75;

/// A 3 x 3 maximum of stride 2.
const HALVE: Window = Window { stride: 2, padding: [[0; 2]; 2], dilation: 1, groups: 1 };

/// Name, output channels, height and width of the kernel, stride, of a convolution with norm and rectifier.
///
/// At stride 1 it keeps the size, at stride 2 it has no padding.
pub(super) type Layer = (&'static str, usize, [usize; 2], usize);

/// The first operation of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Input,
    /// Means of 3 x 3 pixels, zeros around the map counted.
    Average,
    /// Maxima of 3 x 3 pixels at stride 2.
    Maximum,
}

/// One path through a block.
pub(super) struct BranchConfig {
    pub start: Start,
    pub layers: Vec<Layer>,
    /// Layers beside each other at the end.
    pub fork: Vec<Layer>,
}

const fn square(name: &'static str, outputs: usize, kernel: usize) -> Layer {
    (name, outputs, [kernel, kernel], 1)
}

const fn halving(name: &'static str, outputs: usize) -> Layer {
    (name, outputs, [3, 3], 2)
}

const fn wide(name: &'static str, outputs: usize, kernel: usize) -> Layer {
    (name, outputs, [1, kernel], 1)
}

const fn tall(name: &'static str, outputs: usize, kernel: usize) -> Layer {
    (name, outputs, [kernel, 1], 1)
}

fn path(layers: &[Layer]) -> BranchConfig {
    BranchConfig { start: Start::Input, layers: layers.to_vec(), fork: Vec::new() }
}

fn pooled(start: Start, layers: &[Layer]) -> BranchConfig {
    BranchConfig { start, ..path(layers) }
}

/// Sec. 6, Fig. 5; `outputs` of the pooled path.
fn block_a(outputs: usize) -> Vec<BranchConfig> {
    vec![
        path(&[square("branch1x1", 64, 1)]),
        path(&[square("branch5x5_1", 48, 1), square("branch5x5_2", 64, 5)]),
        path(&[square("branch3x3dbl_1", 64, 1), square("branch3x3dbl_2", 96, 3), square("branch3x3dbl_3", 96, 3)]),
        pooled(Start::Average, &[square("branch_pool", outputs, 1)]),
    ]
}

/// Sec. 5, Fig. 10: half the size.
fn block_b() -> Vec<BranchConfig> {
    vec![
        path(&[halving("branch3x3", 384)]),
        path(&[square("branch3x3dbl_1", 64, 1), square("branch3x3dbl_2", 96, 3), halving("branch3x3dbl_3", 96)]),
        pooled(Start::Maximum, &[]),
    ]
}

/// Sec. 6, Fig. 6; `inner` channels between the layers.
fn block_c(inner: usize) -> Vec<BranchConfig> {
    vec![
        path(&[square("branch1x1", 192, 1)]),
        path(&[square("branch7x7_1", inner, 1), wide("branch7x7_2", inner, 7), tall("branch7x7_3", 192, 7)]),
        path(&[
            square("branch7x7dbl_1", inner, 1),
            tall("branch7x7dbl_2", inner, 7),
            wide("branch7x7dbl_3", inner, 7),
            tall("branch7x7dbl_4", inner, 7),
            wide("branch7x7dbl_5", 192, 7),
        ]),
        pooled(Start::Average, &[square("branch_pool", 192, 1)]),
    ]
}

/// Sec. 5, Fig. 10: half the size.
fn block_d() -> Vec<BranchConfig> {
    vec![
        path(&[square("branch3x3_1", 192, 1), halving("branch3x3_2", 320)]),
        path(&[
            square("branch7x7x3_1", 192, 1),
            wide("branch7x7x3_2", 192, 7),
            tall("branch7x7x3_3", 192, 7),
            halving("branch7x7x3_4", 192),
        ]),
        pooled(Start::Maximum, &[]),
    ]
}

/// Sec. 6, Fig. 7.
fn block_e() -> Vec<BranchConfig> {
    let forked = |layers: &[Layer], fork: [Layer; 2]| BranchConfig { fork: fork.to_vec(), ..path(layers) };
    vec![
        path(&[square("branch1x1", 320, 1)]),
        forked(&[square("branch3x3_1", 384, 1)], [wide("branch3x3_2a", 384, 3), tall("branch3x3_2b", 384, 3)]),
        forked(
            &[square("branch3x3dbl_1", 448, 1), square("branch3x3dbl_2", 384, 3)],
            [wide("branch3x3dbl_3a", 384, 3), tall("branch3x3dbl_3b", 384, 3)],
        ),
        pooled(Start::Average, &[square("branch_pool", 192, 1)]),
    ]
}

/// Inception-v3 up to its last block, without the auxiliary classifier.
///
/// # References
/// Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, Table 1.
#[derive(Debug)]
pub struct Inception {
    /// Convolutions before the first and before the second pooling.
    stem: [Vec<ConvNorm>; 2],
    blocks: Vec<InceptionBlock>,
    channels: usize,
}

impl Inception {
    /// Inception-v3.
    ///
    /// # Errors
    /// A tensor name that is taken.
    pub fn v3(scope: &mut Scope, norm: NormConfig) -> Result<Self> {
        let mut stem = |name: &str, config: ConvConfig| layer(&mut scope.push(name), config, norm);
        let bare = |config: ConvConfig| ConvConfig { padding: Padding::Each(0), ..config };
        let stem = [
            vec![
                stem("Conv2d_1a_3x3", bare(ConvConfig { stride: 2, ..ConvConfig::new(3, 32, 3) }))?,
                stem("Conv2d_2a_3x3", bare(ConvConfig::new(32, 32, 3)))?,
                stem("Conv2d_2b_3x3", ConvConfig::new(32, 64, 3))?,
            ],
            vec![
                stem("Conv2d_3b_1x1", ConvConfig::new(64, 80, 1))?,
                stem("Conv2d_4a_3x3", bare(ConvConfig::new(80, 192, 3)))?,
            ],
        ];
        let (mut blocks, mut channels) = (Vec::new(), 192);
        for (name, paths) in table() {
            let block = InceptionBlock::new(&paths, channels, &mut scope.push(name), norm)?;
            channels = block.channels;
            blocks.push(block);
        }
        Ok(Self { stem, blocks, channels })
    }
}

/// The blocks by name, in order.
fn table() -> [(&'static str, Vec<BranchConfig>); 11] {
    [
        ("Mixed_5b", block_a(32)),
        ("Mixed_5c", block_a(64)),
        ("Mixed_5d", block_a(64)),
        ("Mixed_6a", block_b()),
        ("Mixed_6b", block_c(128)),
        ("Mixed_6c", block_c(160)),
        ("Mixed_6d", block_c(160)),
        ("Mixed_6e", block_c(192)),
        ("Mixed_7a", block_d()),
        ("Mixed_7b", block_e()),
        ("Mixed_7c", block_e()),
    ]
}

impl Backbone for Inception {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let (_, _, h, w) = x.dims4()?;
        if h.min(w) < SMALLEST {
            let expected = format!("at least {SMALLEST} x {SMALLEST} pixels");
            return Err(Error::value("picture of inception-v3", expected, format!("{h} x {w}")));
        }
        let mut x = channels_last(x)?;
        for stage in &self.stem {
            x = max_pool(&run(stage, &x, mode)?, [3, 3], HALVE)?;
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

/// Branches whose outputs are put behind each other.
#[derive(Debug)]
pub(super) struct InceptionBlock {
    branches: Vec<Branch>,
    channels: usize,
}

#[derive(Debug)]
struct Branch {
    start: Start,
    layers: Vec<ConvNorm>,
    fork: Vec<ConvNorm>,
}

impl InceptionBlock {
    pub(super) fn new(paths: &[BranchConfig], inputs: usize, scope: &mut Scope, norm: NormConfig) -> Result<Self> {
        let (mut branches, mut channels) = (Vec::new(), 0);
        for path in paths {
            let (mut layers, mut width) = (Vec::new(), inputs);
            for &(name, outputs, kernel, stride) in &path.layers {
                layers.push(layer(&mut scope.push(name), config(width, outputs, kernel, stride), norm)?);
                width = outputs;
            }
            let fork = path.fork.iter().map(|&(name, outputs, kernel, stride)| {
                layer(&mut scope.push(name), config(width, outputs, kernel, stride), norm)
            });
            let fork = fork.collect::<Result<Vec<_>>>()?;
            channels += match path.fork.as_slice() {
                [] => width,
                fork => fork.iter().map(|layer| layer.1).sum(),
            };
            branches.push(Branch { start: path.start, layers, fork });
        }
        Ok(Self { branches, channels })
    }

    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut maps = Vec::new();
        for branch in &self.branches {
            let x = match branch.start {
                Start::Input => x.clone(),
                Start::Average => average_pool(x, [3, 3], Window::default().padded(1))?,
                Start::Maximum => max_pool(x, [3, 3], HALVE)?,
            };
            let y = run(&branch.layers, &x, mode)?;
            for layer in &branch.fork {
                maps.push(layer.forward(&y, mode)?);
            }
            if branch.fork.is_empty() {
                maps.push(y);
            }
        }
        Ok(Tensor::cat(&maps, 3)?)
    }
}

fn run(layers: &[ConvNorm], x: &Tensor, mode: Mode) -> Result<Tensor> {
    layers.iter().try_fold(x.clone(), |x, layer| layer.forward(&x, mode))
}

fn config(inputs: usize, outputs: usize, kernel: [usize; 2], stride: usize) -> ConvConfig {
    let padding = if stride == 1 { Padding::Half } else { Padding::Each(0) };
    ConvConfig { kernel, stride, padding, ..ConvConfig::new(inputs, outputs, 1) }
}

fn layer(scope: &mut Scope, config: ConvConfig, norm: NormConfig) -> Result<ConvNorm> {
    let convolution = Convolution::new(config, &mut scope.push("conv"))?;
    let norm = BatchNorm::new(config.outputs, norm, &mut scope.push("bn"))?.with(EPSILON, MOMENTUM);
    Ok(ConvNorm::new(convolution, norm, Activation::Relu))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{DType, Device};

    #[test]
    fn inception_takes_pictures_of_75_pixels_and_no_smaller_ones() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let network = Inception::v3(&mut parameters.root(), NormConfig::default()).unwrap();
        let of = |h: usize, w: usize| {
            let picture = Tensor::ones((1, 3, h, w), DType::F32, &Device::Cpu).unwrap();
            network.forward(&picture, Mode::Eval)
        };
        assert_eq!(of(75, 75).unwrap().dims(), [1, 1, 1, 2048]);
        assert_eq!(of(75, 107).unwrap().dims(), [1, 1, 2, 2048]);
        let error = of(74, 107).unwrap_err().to_string();
        assert!(error.contains("at least 75 x 75 pixels, found 74 x 107"), "{error}");
    }
}
