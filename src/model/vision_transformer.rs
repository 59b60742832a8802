//! CLIP's image tower, a vision transformer, with OpenAI's tensor names less their `visual.`.

use super::{Backbone, ConvConfig, Convolution, Init, LayerNorm, Linear, Mode, Padding, Scope, Weight};
use crate::kernel::channels_last;
use crate::{Error, Result};
use candle_core::{D, Tensor};
use candle_nn::ops::{sigmoid, softmax};

/// The sizes of a vision transformer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransformerTable {
    /// Side of the picture, in pixels.
    pub side: usize,
    /// Side of a patch, in pixels.
    pub patch: usize,
    /// Numbers of a token.
    pub width: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads of every attention.
    pub heads: usize,
    /// Numbers of an embedding.
    pub outputs: usize,
}

/// Radford et al., Table 20, ViT-B/32.
pub(crate) const CLIP_B32: TransformerTable =
    TransformerTable { side: 224, patch: 32, width: 768, layers: 12, heads: 12, outputs: 512 };

/// Inner numbers of a token's own two layers over its width (Dosovitskiy et al., Table 1: 3072 over 768).
const WIDENING: usize = 4;

/// CLIP's image tower: patches and a class token through a transformer, the class token's projection out.
///
/// ```text
/// t = norm([class, patches of x] + positions);  t <- t + attend(norm(t)), t <- t + widen(norm(t)) in every block
/// y = norm(t[0]) proj
/// ```
///
/// It has no batch norm. Pictures have the one size that there are positions for.
///
/// # References
/// Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021, Sec. 2.4;
/// Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, Eq. 1 to 4.
#[derive(Debug)]
pub struct VisionTransformer {
    table: TransformerTable,
    patches: Convolution,
    class: Weight,
    positions: Weight,
    before: LayerNorm,
    blocks: Vec<TransformerBlock>,
    after: LayerNorm,
    proj: Weight,
}

impl VisionTransformer {
    pub(crate) fn new(table: TransformerTable, scope: &mut Scope) -> Result<Self> {
        let TransformerTable { side, patch, width, layers, outputs, .. } = table;
        let (count, init) = ((side / patch).pow(2) + 1, scaled(width));
        let config = ConvConfig { stride: patch, padding: Padding::Each(0), ..ConvConfig::new(3, width, patch) };
        let patches = Convolution::new(config, &mut scope.push("conv1"))?;
        let class = scope.weight("class_embedding", &[width], init)?;
        let positions = scope.weight("positional_embedding", &[count, width], init)?;
        let before = LayerNorm::new(width, &mut scope.push("ln_pre"))?;
        let mut place = scope.push("transformer");
        let mut place = place.push("resblocks");
        let blocks = (0..layers).map(|i| TransformerBlock::new(table, &mut place.push(i))).collect::<Result<_>>()?;
        let after = LayerNorm::new(width, &mut scope.push("ln_post"))?;
        let proj = scope.weight("proj", &[width, outputs], init)?;
        Ok(Self { table, patches, class, positions, before, blocks, after, proj })
    }

    /// The tokens that enter the first block: `(b, 1 + patches, width)`.
    fn tokens(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let (b, _, h, w) = x.dims4()?;
        let TransformerTable { side, width, .. } = self.table;
        if [h, w] != [side, side] {
            let expected = format!("{side} x {side} pixels, for which there are positions");
            return Err(Error::value("vision transformer's pictures", expected, format!("{h} x {w}")));
        }
        let patches = self.patches.forward(&channels_last(x)?, mode)?.reshape((b, (), width))?;
        let class = self.class.value(mode).reshape((1, 1, width))?.broadcast_as((b, 1, width))?;
        let tokens = Tensor::cat(&[&class.contiguous()?, &patches], 1)?;
        self.before.forward(&tokens.broadcast_add(&self.positions.value(mode))?, mode)
    }
}

impl Backbone for VisionTransformer {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut tokens = self.tokens(x, mode)?;
        for block in &self.blocks {
            tokens = block.forward(&tokens, mode)?;
        }
        let class = tokens.narrow(1, 0, 1)?.squeeze(1)?;
        let y = self.after.forward(&class, mode)?.matmul(&self.proj.value(mode))?;
        Ok(y.unsqueeze(1)?.unsqueeze(1)?)
    }

    fn channels(&self) -> usize {
        self.table.outputs
    }
}

/// Attention between the tokens, then a perceptron on each; both are added to their input.
#[derive(Debug)]
struct TransformerBlock {
    attention: Attention,
    norms: [LayerNorm; 2],
    widen: Linear,
    narrow: Linear,
}

impl TransformerBlock {
    fn new(table: TransformerTable, scope: &mut Scope) -> Result<Self> {
        let TransformerTable { width, layers, .. } = table;
        let inner = WIDENING * width;
        let mut norm = |name: &str| LayerNorm::new(width, &mut scope.push(name));
        let norms = [norm("ln_1")?, norm("ln_2")?];
        let attention = Attention::new(table, &mut scope.push("attn"))?;
        let mut place = scope.push("mlp");
        let widen = Linear::new(width, inner, scaled(2 * width), &mut place.push("c_fc"))?;
        let narrow = Linear::new(inner, width, scaled(2 * layers * width), &mut place.push("c_proj"))?;
        Ok(Self { attention, norms, widen, narrow })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let x = (x + self.attention.forward(&self.norms[0].forward(x, mode)?, mode)?)?;
        let wide = quick_gelu(&self.widen.forward(&self.norms[1].forward(&x, mode)?, mode)?)?;
        Ok((&x + self.narrow.forward(&wide, mode)?)?)
    }
}

/// Self-attention with several heads.
///
/// ```text
/// q, k, v = x in^T + bias, cut into heads of d numbers;  y = [softmax(q k^T / sqrt(d)) v of every head] out^T + bias
/// ```
#[derive(Debug)]
pub(super) struct Attention {
    project: Linear,
    merge: Linear,
    heads: usize,
}

impl Attention {
    pub(super) fn new(table: TransformerTable, scope: &mut Scope) -> Result<Self> {
        let TransformerTable { width, layers, heads, .. } = table;
        // Rows of the queries, the keys and the values below each other, as in PyTorch's attention.
        let names = ["in_proj_weight", "in_proj_bias"];
        let project = Linear::register(scope, names, width, 3 * width, scaled(width))?;
        let merge = Linear::new(width, width, scaled(2 * layers * width), &mut scope.push("out_proj"))?;
        Ok(Self { project, merge, heads })
    }

    /// `(b, tokens, width)` in and out.
    pub(super) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let (b, tokens, width) = x.dims3()?;
        let d = width / self.heads;
        let all = self.project.forward(x, mode)?.reshape((b, tokens, 3, self.heads, d))?;
        let part = |i: usize| all.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let alike = ((q * (d as f64).sqrt().recip())?.matmul(&k.t()?.contiguous()?))?;
        let seen = softmax(&alike, D::Minus1)?.matmul(&v)?;
        self.merge.forward(&seen.transpose(1, 2)?.reshape((b, tokens, width))?, mode)
    }
}

/// `x / (1 + exp(-1.702 x))`, which CLIP has in place of the Gaussian error linear unit.
pub(super) fn quick_gelu(x: &Tensor) -> Result<Tensor> {
    const SLOPE: f64 = 1.702; // Hendrycks and Gimpel, Gaussian Error Linear Units, Sec. 2
    Ok((x * sigmoid(&(x * SLOPE)?)?)?)
}

/// As OpenAI's program starts its transformers: normal, of variance `1 / fan`.
fn scaled(fan: usize) -> Init {
    Init::Normal { deviation: (fan as f32).sqrt().recip() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{DType, Device};

    const TINY: TransformerTable = TransformerTable { side: 8, patch: 4, width: 4, layers: 2, heads: 2, outputs: 3 };

    #[test]
    fn vision_transformer_refuses_another_size() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let network = VisionTransformer::new(TINY, &mut parameters.root()).unwrap();
        let of = |h, w| network.forward(&Tensor::zeros((2, 3, h, w), DType::F32, &Device::Cpu).unwrap(), Mode::Eval);
        assert_eq!(of(8, 8).unwrap().dims(), [2, 1, 1, network.channels()]);
        for (h, w) in [(8, 4), (16, 16)] {
            let error = of(h, w).unwrap_err().to_string();
            assert!(error.contains("8 x 8 pixels") && error.contains(&format!("found {h} x {w}")), "{error}");
        }
    }

    #[test]
    fn attention_by_hand() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let table = TransformerTable { width: 1, heads: 1, ..TINY };
        let attention = Attention::new(table, &mut parameters.root()).unwrap();
        let column = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap().reshape(((), 1)).unwrap();
        let zeros = |n| Tensor::zeros(n, DType::F32, &Device::Cpu).unwrap();
        // q = 2 x, k = x, v = 10 x; out = identity.
        let tensors = [
            ("in_proj_weight", column(&[2.0, 1.0, 10.0])),
            ("in_proj_bias", zeros(3)),
            ("out_proj.weight", column(&[1.0])),
            ("out_proj.bias", zeros(1)),
        ];
        parameters.load(&tensors.map(|(name, tensor)| (name.to_string(), tensor)).into()).unwrap();
        let x = column(&[0.0, 1.0]).unsqueeze(0).unwrap();
        let y = attention.forward(&x, Mode::Eval).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let share = 1.0 / (1.0 + (-2.0_f32).exp()); // the second token's query is 2, the keys are 0 and 1
        assert!((y[0] - 5.0).abs() < 1e-5 && (y[1] - 10.0 * share).abs() < 1e-5, "{y:?}");
    }

    #[test]
    fn quick_gelu_by_hand() {
        let x = Tensor::new(&[0.0_f32, 1.0, -100.0, 100.0], &Device::Cpu).unwrap();
        let y = quick_gelu(&x).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!([y[0], y[2], y[3]], [0.0, 0.0, 100.0]);
        assert!((y[1] - 0.845_796).abs() < 1e-5, "{y:?}"); // 1 / (1 + e^-1.702)
    }
}
