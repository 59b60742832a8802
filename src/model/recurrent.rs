//! Recurrent layers, and attention that a state directs over a map.

use super::conv::Padding;
use super::{ConvConfig, Convolution, Init, Mode, Scope, Weight};
use crate::kernel::recurrent::{Looked, LstmWeights, Unrolled, lstm};
use crate::{Error, Result};
use candle_core::Tensor;

/// A layer of long short-term memory.
///
/// # Shapes
/// `weight_ih (4 h, k)`, `weight_hh (4 h, h)`, `bias (4 h)`: the four parts in the order in, forget, candidate, out.
///
/// # References
/// Hochreiter and Schmidhuber, Long Short-Term Memory, 1997.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::model::{Lstm, Mode, Parameters};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// let layer = Lstm::new(5, 8, &mut parameters.root())?;
/// let points = Tensor::zeros((2, 3, 5), DType::F32, &Device::Cpu)?;
/// let start = Tensor::zeros((2, 16), DType::F32, &Device::Cpu)?;
/// assert_eq!(layer.forward(&points, &start, None, Mode::Eval)?.hidden.dims(), [2, 3, 8]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Lstm {
    input: Weight,
    hidden: Weight,
    bias: Weight,
}

impl Lstm {
    /// Registers a layer of `inputs` numbers a step, those of a glimpse among them, and a state of `width`.
    ///
    /// # Errors
    /// No inputs or no state; a name that is taken.
    pub fn new(inputs: usize, width: usize, scope: &mut Scope) -> Result<Self> {
        if inputs == 0 || width == 0 {
            return Err(Error::value("recurrent layer", "1 or more inputs and outputs", format!("{inputs}, {width}")));
        }
        // As usual for such layers: a sum over the state keeps a variance of a third.
        let init = Init::Uniform { bound: (width as f32).sqrt().recip() };
        Ok(Self {
            input: scope.weight("weight_ih", &[4 * width, inputs], init)?,
            hidden: scope.weight("weight_hh", &[4 * width, width], init)?,
            bias: scope.weight("bias", &[4 * width], init)?,
        })
    }

    /// Its weights as the kernel takes them.
    pub fn weights(&self, mode: Mode) -> LstmWeights {
        LstmWeights { input: self.input.value(mode), hidden: self.hidden.value(mode), bias: self.bias.value(mode) }
    }

    /// All steps of some sequences.
    ///
    /// # Shapes
    /// As [`lstm`].
    ///
    /// # Errors
    /// As there.
    pub fn forward(&self, inputs: &Tensor, start: &Tensor, looked: Option<&Looked>, mode: Mode) -> Result<Unrolled> {
        Ok(lstm(inputs, start, &self.weights(mode), looked)?)
    }
}

/// Attention over the places of a map that a state directs.
///
/// ```text
/// J = tanh(W_B * map + W_S h),   alpha = softmax over places of w_a . J
/// ```
///
/// # Shapes
/// `map.weight (a, c, kernel, kernel)`, `map.bias (a)`, `query (a, h)`, `score (a)`.
///
/// # References
/// Bhunia et al., More Photos are All You Need, CVPR 2021, Eq. 2.
#[derive(Debug)]
pub struct MapAttention {
    keys: Convolution,
    query: Weight,
    score: Weight,
}

impl MapAttention {
    /// Registers the attention of a state of `width` numbers over maps of `channels`, with keys of `keys` numbers that a
    /// convolution of `kernel` makes, height and width.
    ///
    /// # Errors
    /// A size of 0; a name that is taken.
    pub fn new(channels: usize, kernel: [usize; 2], keys: usize, width: usize, scope: &mut Scope) -> Result<Self> {
        let config = ConvConfig { bias: true, kernel, padding: Padding::Half, ..ConvConfig::new(channels, keys, 1) };
        let init = |count: usize| Init::Uniform { bound: (count as f32).sqrt().recip() };
        Ok(Self {
            keys: Convolution::new(config, &mut scope.push("map"))?,
            query: scope.weight("query", &[keys, width], init(width))?,
            score: scope.weight("score", &[keys], init(keys))?,
        })
    }

    /// A map, ready to be looked at.
    ///
    /// # Shapes
    /// `(b, h, w, c)` in; h w places out, row by row.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn look(&self, map: &Tensor, mode: Mode) -> Result<Looked> {
        let (b, h, w, c) = map.dims4()?;
        let keys = self.keys.forward(map, mode)?;
        let a = keys.dim(3)?;
        Ok(Looked {
            values: map.contiguous()?.reshape((b, h * w, c))?,
            keys: keys.contiguous()?.reshape((b, h * w, a))?,
            query: self.query.value(mode),
            score: self.score.value(mode),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Parameters;
    use crate::seed::Seed;
    use candle_core::{DType, Device};

    #[test]
    fn a_layer_with_attention_trains_every_weight() {
        let mut parameters = Parameters::new(Seed(1), &Device::Cpu);
        let attention = MapAttention::new(6, [3, 3], 4, 8, &mut parameters.root().push("attention")).unwrap();
        let layer = Lstm::new(5 + 6, 8, &mut parameters.root().push("lstm")).unwrap();
        let values: Vec<f32> = (0..2 * 3 * 3 * 6).map(|i| (i as f32 * 0.37).sin()).collect();
        let map = Tensor::from_vec(values, (2, 3, 3, 6), &Device::Cpu).unwrap();
        let looked = attention.look(&map, Mode::Train).unwrap();
        assert_eq!((looked.values.dims(), looked.keys.dims()), (&[2, 9, 6][..], &[2, 9, 4][..]));
        let points = Tensor::ones((2, 3, 5), DType::F32, &Device::Cpu).unwrap();
        let start = Tensor::ones((2, 16), DType::F32, &Device::Cpu).unwrap();
        let out = layer.forward(&points, &start, Some(&looked), Mode::Train).unwrap();
        let sums = out.attention.unwrap().sum(2).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{sums:?}");
        let slopes = out.hidden.sum_all().unwrap().backward().unwrap();
        for (name, var) in parameters.trainable() {
            let slope =
                slopes.get(&var).map(|slope| slope.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap());
            assert!(slope.is_some_and(|slope| slope > 0.0), "{name}");
        }
    }

    #[test]
    fn a_map_of_other_channels_is_refused() {
        let mut parameters = Parameters::new(Seed(1), &Device::Cpu);
        let attention = MapAttention::new(6, [1, 3], 4, 8, &mut parameters.root()).unwrap();
        let map = Tensor::zeros((2, 3, 3, 5), DType::F32, &Device::Cpu).unwrap();
        assert!(attention.look(&map, Mode::Eval).unwrap_err().to_string().contains("6 channels"));
        assert!(Lstm::new(0, 8, &mut parameters.root().push("a")).is_err());
    }
}
