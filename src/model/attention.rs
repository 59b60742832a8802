//! Spatial attention: where in its last map a network looks.

use super::{Init, Linear, Mode, Scope};
use crate::Result;
use candle_core::{D, Tensor};
use candle_nn::ops::{sigmoid, softmax};
use serde::{Deserialize, Serialize};

/// What makes attention of the scores of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Squash {
    /// A softmax over all places of a map: attention has the sum 1.
    #[default]
    Softmax,
    /// A sigmoid of every place by itself.
    Sigmoid,
}

/// A feature map that is raised where a convolution of 1 x 1 finds it worth a look.
///
/// ```text
/// y = x + x a,   a = squash(weight x + bias), one number a place
/// ```
///
/// The convolution starts at zero: at first every place counts the same, and `y` is a multiple of `x`.
///
/// # Shapes
/// `weight (1, channels)`, `bias (1)`.
///
/// # References
/// Song et al., Deep Spatial-Semantic Attention for Fine-Grained Sketch-Based Image Retrieval, ICCV 2017, Sec. 3.2.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::model::{Mode, Parameters, SpatialAttention, Squash};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// let attention = SpatialAttention::new(1, Squash::Softmax, &mut parameters.root())?;
/// let map = Tensor::new(&[2.0_f32, 6.0], &Device::Cpu)?.reshape((1, 1, 2, 1))?;
/// let raised = attention.forward(&map, Mode::Eval)?.flatten_all()?.to_vec1::<f32>()?;
/// assert_eq!(raised, [3.0, 9.0]); // a is a half at both places
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct SpatialAttention {
    score: Linear,
    squash: Squash,
}

impl SpatialAttention {
    /// Registers `weight` and `bias`.
    ///
    /// # Errors
    /// No channels, or a name that is taken.
    pub fn new(channels: usize, squash: Squash, scope: &mut Scope) -> Result<Self> {
        Ok(Self { score: Linear::new(channels, 1, Init::Zeros, scope)?, squash })
    }

    /// Attention itself.
    ///
    /// # Shapes
    /// `(b, h, w, c)` in, `(b, h, w)` of 0 to 1 out.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn weigh(&self, map: &Tensor, mode: Mode) -> Result<Tensor> {
        let (b, h, w, _) = map.dims4()?;
        let scores = self.score.forward(map, mode)?.reshape((b, h * w))?;
        let weights = match self.squash {
            Squash::Softmax => softmax(&scores, D::Minus1)?,
            Squash::Sigmoid => sigmoid(&scores)?,
        };
        Ok(weights.reshape((b, h, w))?)
    }

    /// The map with what is looked at raised.
    ///
    /// # Shapes
    /// `(b, h, w, c)` in and out.
    ///
    /// # Errors
    /// As [`SpatialAttention::weigh`].
    pub fn forward(&self, map: &Tensor, mode: Mode) -> Result<Tensor> {
        let weights = self.weigh(map, mode)?.unsqueeze(3)?;
        Ok((map + map.broadcast_mul(&weights)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Parameters;
    use crate::seed::Seed;
    use candle_core::{Device, Var};

    fn attention(squash: Squash) -> (Parameters, SpatialAttention) {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let attention = SpatialAttention::new(2, squash, &mut parameters.root()).unwrap();
        let weight = Tensor::new(&[[1.0_f32, -1.0]], &Device::Cpu).unwrap();
        let bias = Tensor::new(&[0.5_f32], &Device::Cpu).unwrap();
        parameters.load(&[("weight".to_string(), weight), ("bias".to_string(), bias)].into()).unwrap();
        (parameters, attention)
    }

    fn map() -> Tensor {
        Tensor::new(&[1.0_f32, 0.0, 0.0, 2.0], &Device::Cpu).unwrap().reshape((1, 2, 1, 2)).unwrap()
    }

    #[test]
    fn attention_by_hand() {
        // Scores 1.5 and -1.5.
        let by = |squash| {
            let found = attention(squash).1.weigh(&map(), Mode::Eval).unwrap();
            found.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let share = 1.0 / (1.0 + (-3.0_f32).exp());
        let single = 1.0 / (1.0 + (-1.5_f32).exp());
        let near = |found: Vec<f32>, expected: [f32; 2]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
        };
        near(by(Squash::Softmax), [share, 1.0 - share]);
        near(by(Squash::Sigmoid), [single, 1.0 - single]);
    }

    #[test]
    fn attention_raises_a_map_and_lets_gradients_through() {
        let (parameters, attention) = attention(Squash::Softmax);
        let x = Var::from_tensor(&map()).unwrap();
        let y = attention.forward(&x, Mode::Train).unwrap();
        let share = 1.0 / (1.0 + (-3.0_f32).exp());
        let found = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!((found[0] - 1.0 - share).abs() < 1e-6 && (found[3] - 4.0 + 2.0 * share).abs() < 1e-6, "{found:?}");
        let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(&x).is_some());
        let weight = &parameters.trainable()[1].1;
        assert!(gradients.get(weight).unwrap().abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap() > 0.0);
        assert!(attention.forward(&map().narrow(3, 0, 1).unwrap(), Mode::Eval).is_err());
    }
}
