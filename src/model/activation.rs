//! Rectifiers.

use crate::{
    Result,
    kernel::{Bounds, rectify},
};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// The activation after a norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `x`.
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

impl Activation {
    /// Its bounds.
    pub fn bounds(self) -> Bounds {
        match self {
            Self::None => Bounds::NONE,
            Self::Relu => Bounds::RELU,
            Self::Relu6 => Bounds::RELU6,
        }
    }

    /// Applies it to every number of a tensor of any shape.
    ///
    /// # Errors
    /// None on floating point tensors.
    pub fn apply(self, x: &Tensor) -> Result<Tensor> {
        Ok(rectify(x, self.bounds())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn activation_values_and_slopes() {
        let x = Var::new(&[-1.0_f32, 0.5, 5.0, 7.0], &Device::Cpu).unwrap();
        for (activation, values, slopes) in [
            (Activation::None, [-1.0, 0.5, 5.0, 7.0], [1.0, 1.0, 1.0, 1.0]),
            (Activation::Relu, [0.0, 0.5, 5.0, 7.0], [0.0, 1.0, 1.0, 1.0]),
            (Activation::Relu6, [0.0, 0.5, 5.0, 6.0], [0.0, 1.0, 1.0, 0.0]),
        ] {
            let y = activation.apply(&x).unwrap();
            assert_eq!(y.to_vec1::<f32>().unwrap(), values);
            let gradients = y.sum_all().unwrap().backward().unwrap();
            let found = gradients.get(&x).map_or(vec![1.0; 4], |g| g.to_vec1::<f32>().unwrap());
            assert_eq!(found, slopes, "{activation:?}");
        }
    }
}
