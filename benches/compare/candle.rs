//! `mini` from candle's own layers, as one would write it without this library.
//!
//! Its matrix products are faster than in a program that has candle alone: this package turns on `gemm`'s AVX-512.

use super::network::{RATE, Runner, loss, pictures};
use super::request::Work;
use candle_core::{DType, Device, Tensor};
use candle_nn::{AdamW, BatchNorm, Conv2d, Conv2dConfig, Module, ModuleT, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use retrace::model::{Architecture, l2_normalise, pool};
use retrace::{Error, Result};

/// The network with its batch and Adam.
pub struct Candle {
    stem: Layer,
    blocks: Vec<Block>,
    pictures: Tensor,
    optimiser: AdamW,
    parameters: usize,
    work: Work,
}

impl Candle {
    /// Builds `mini`; to embed, batch norms are folded by candle's `absorb_bn`.
    ///
    /// # Errors
    /// Another network, or a failing tensor operation.
    pub fn new(network: Architecture, work: Work, device: &Device) -> Result<Self> {
        if network != Architecture::Mini {
            return Err(Error::value("network from candle's layers", "mini", network));
        }
        let map = VarMap::new();
        let root = VarBuilder::from_varmap(&map, DType::F32, device);
        let stem = Layer::new([3, 32, 3, 2], work, root.pp("stem"))?;
        // Channels in, channels out and stride, as `src/model/mini.rs` has them.
        let stages = [(32, 32, 2), (32, 64, 2), (64, 128, 1), (128, 256, 2)];
        let block = |(i, (inputs, outputs, stride))| Block::new(inputs, outputs, stride, work, root.pp(i));
        let blocks = stages.into_iter().enumerate().map(block).collect::<Result<Vec<_>>>()?;
        let names = map.data().lock().map_err(|_| Error::value("variables", "a free lock", "a poisoned one"))?.clone();
        let trained = names.iter().filter(|(name, _)| !name.contains("running"));
        let variables: Vec<_> = trained.map(|(_, var)| var.clone()).collect();
        let parameters = variables.iter().map(|var| var.elem_count()).sum();
        let optimiser = AdamW::new(variables, ParamsAdamW { lr: RATE, weight_decay: 0.0, ..Default::default() })?;
        Ok(Self { stem, blocks, pictures: pictures(network, device)?, optimiser, parameters, work })
    }

    fn embed(&self) -> Result<Tensor> {
        let mut x = self.stem.forward(&self.pictures)?.relu()?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        l2_normalise(&pool(&x)?)
    }
}

impl Runner for Candle {
    fn step(&mut self) -> Result<()> {
        let embedding = self.embed()?;
        if self.work == Work::Train {
            self.optimiser.backward_step(&loss(&embedding)?)?;
        }
        Ok(())
    }

    fn parameters(&self) -> usize {
        self.parameters
    }
}

/// A convolution and its batch norm, which is none where it is folded.
struct Layer(Conv2d, Option<BatchNorm>);

impl Layer {
    fn new([inputs, outputs, kernel, stride]: [usize; 4], work: Work, place: VarBuilder) -> Result<Self> {
        let config = Conv2dConfig { stride, padding: kernel / 2, ..Default::default() };
        let convolution = candle_nn::conv2d_no_bias(inputs, outputs, kernel, config, place.pp("conv"))?;
        let norm = candle_nn::batch_norm(outputs, 1e-5, place.pp("norm"))?;
        Ok(match work {
            Work::Train => Self(convolution, Some(norm)),
            Work::Embed => {
                let folded = convolution.absorb_bn(&norm)?;
                // Detached, so that no graph is kept.
                let bias = folded.bias().map(Tensor::detach);
                Self(Conv2d::new(folded.weight().detach(), bias, config), None)
            }
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.0.forward(x)?;
        Ok(match &self.1 {
            Some(norm) => norm.forward_t(&y, true)?,
            None => y,
        })
    }
}

/// 3 x 3, 3 x 3, plus a 1 x 1 of the input.
struct Block {
    first: Layer,
    second: Layer,
    shortcut: Layer,
}

impl Block {
    fn new(inputs: usize, outputs: usize, stride: usize, work: Work, place: VarBuilder) -> Result<Self> {
        Ok(Self {
            first: Layer::new([inputs, outputs, 3, stride], work, place.pp("first"))?,
            second: Layer::new([outputs, outputs, 3, 1], work, place.pp("second"))?,
            shortcut: Layer::new([inputs, outputs, 1, stride], work, place.pp("shortcut"))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.second.forward(&self.first.forward(x)?.relu()?)?;
        Ok((y + self.shortcut.forward(x)?)?.relu()?)
    }
}
