//! From a picture to a point on the unit sphere: pooling, an optional linear head, normalisation.

use super::{Architecture, Backbone, Init, Linear, Mode, NormConfig, Scope, build};
use crate::kernel::{Window, average_pool};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A linear layer between pooling and normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadConfig {
    /// Numbers in an embedding.
    pub dimension: usize,
    /// The initial values of the layer.
    pub start: HeadStart,
}

/// Initial values of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadStart {
    /// The first rows of the identity: training starts from the backbone's own embedding.
    Identity,
    /// Normal, of variance 1 / inputs, so that lengths stay about the same.
    Normal,
}

/// A backbone, global average pooling, an optional linear head, and l2 normalisation.
///
/// ```text
/// embedding = v / |v|,  v = head.weight u + head.bias,  u = mean over positions of backbone(x)
/// ```
pub struct Embedder {
    backbone: Box<dyn Backbone>,
    head: Option<Linear>,
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedder({} channels to {} dimensions)", self.backbone.channels(), self.dimension())
    }
}

impl Embedder {
    /// Builds the network; the head's tensors are `head.weight (dimension, channels)` and `head.bias (dimension)`.
    ///
    /// # Errors
    /// A head of 0 dimensions, or a tensor name that is taken.
    pub fn new(
        architecture: Architecture,
        norm: NormConfig,
        head: Option<HeadConfig>,
        scope: &mut Scope,
    ) -> Result<Self> {
        let backbone = build(architecture, scope, norm)?;
        let channels = backbone.channels();
        let head = head.map(|config| layer(config, channels, &mut scope.push("head"))).transpose()?;
        Ok(Self { backbone, head })
    }

    /// Embeds a batch of pictures.
    ///
    /// # Shapes
    /// `(b, 3, h, w)`, normalised as the architecture expects, in; `(b, dimension)`, rows of length 1, out.
    ///
    /// # Errors
    /// As [`Backbone::forward`].
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.embed(&self.features(x, mode)?, mode)
    }

    /// The pooled feature map, before head and normalisation: what to keep where the backbone is frozen.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in, `(b, channels)` out.
    ///
    /// # Errors
    /// As [`Backbone::forward`].
    pub fn features(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        pool(&self.backbone.forward(x, mode)?)
    }

    /// The rest of [`Embedder::forward`] after [`Embedder::features`].
    ///
    /// # Shapes
    /// `(b, channels)` in, `(b, dimension)`, rows of length 1, out.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn embed(&self, features: &Tensor, mode: Mode) -> Result<Tensor> {
        match &self.head {
            Some(head) => l2_normalise(&head.forward(features, mode)?),
            None => l2_normalise(features),
        }
    }

    /// Numbers in an embedding.
    pub fn dimension(&self) -> usize {
        self.head.as_ref().map_or(self.backbone.channels(), Linear::outputs)
    }

    /// The network below the pooling.
    pub fn backbone(&self) -> &dyn Backbone {
        self.backbone.as_ref()
    }
}

fn layer(config: HeadConfig, channels: usize, scope: &mut Scope) -> Result<Linear> {
    let HeadConfig { dimension, start } = config;
    if dimension == 0 {
        return Err(Error::value("head dimension", "1 or more", 0));
    }
    let init = match start {
        HeadStart::Identity => Init::Identity,
        HeadStart::Normal => Init::Normal { deviation: (channels as f32).sqrt().recip() },
    };
    Linear::new(channels, dimension, init, scope)
}

/// Global average pooling.
///
/// # Shapes
/// `(b, h, w, c)` in, `(b, c)` out.
///
/// # Errors
/// Another number of dimensions.
///
/// ```
/// # use candle_core::{Device, Tensor};
/// let map = Tensor::new(&[1.0_f32, 2.0, 3.0, 6.0], &Device::Cpu)?.reshape((1, 2, 2, 1))?;
/// assert_eq!(retrace::model::pool(&map)?.to_vec2::<f32>()?, [[3.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn pool(map: &Tensor) -> Result<Tensor> {
    let (b, h, w, c) = map.dims4()?;
    Ok(average_pool(map, [h, w], Window::default())?.reshape((b, c))?)
}

/// Scales every row to length 1.
///
/// ```text
/// y = x / sqrt(|x|^2 + 1e-12)
/// ```
///
/// The constant makes the row of zeros stay 0 with a finite gradient; a row of length 1 loses half a millionth of a
/// millionth of its length.
///
/// # Shapes
/// `(b, d)` in and out.
///
/// # Errors
/// Another number of dimensions.
///
/// ```
/// # use candle_core::{Device, Tensor};
/// let rows = Tensor::new(&[[3.0_f32, 4.0], [0.0, 0.0]], &Device::Cpu)?;
/// let unit = retrace::model::l2_normalise(&rows)?.to_vec2::<f32>()?;
/// assert_eq!(unit, [[0.6, 0.8], [0.0, 0.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn l2_normalise(x: &Tensor) -> Result<Tensor> {
    const EPSILON: f64 = 1e-12; // below the square of any length that single precision tells from rounding
    x.dims2()?;
    let length = (x.sqr()?.sum_keepdim(1)? + EPSILON)?.sqrt()?;
    Ok(x.broadcast_div(&length)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{Device, Var};

    fn pictures() -> Tensor {
        let values: Vec<f32> = (0..2 * 3 * 64 * 64).map(|i| (i as f32 * 0.37).sin()).collect();
        Tensor::from_vec(values, (2, 3, 64, 64), &Device::Cpu).unwrap()
    }

    fn mini(head: Option<HeadConfig>) -> (Parameters, Embedder) {
        let mut parameters = Parameters::new(Seed(2), &Device::Cpu);
        let embedder = Embedder::new(Architecture::Mini, NormConfig::default(), head, &mut parameters.root()).unwrap();
        (parameters, embedder)
    }

    #[test]
    fn an_identity_head_starts_as_no_head() {
        let head = HeadConfig { dimension: 256, start: HeadStart::Identity };
        let ((_, plain), (_, headed)) = (mini(None), mini(Some(head)));
        let one = plain.forward(&pictures(), Mode::Eval).unwrap().to_vec2::<f32>().unwrap();
        let other = headed.forward(&pictures(), Mode::Eval).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(one, other);
        for row in one {
            assert!((row.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_head_changes_the_dimension_and_is_trained() {
        let (parameters, embedder) = mini(Some(HeadConfig { dimension: 7, start: HeadStart::Normal }));
        let y = embedder.forward(&pictures(), Mode::Eval).unwrap();
        assert_eq!((y.dims(), embedder.dimension()), ([2, 7].as_slice(), 7));
        let names: Vec<String> = parameters.trainable().into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"head.weight".to_string()) && names.contains(&"head.bias".to_string()));
        let zero = HeadConfig { dimension: 0, start: HeadStart::Normal };
        let mut parameters = Parameters::new(Seed(2), &Device::Cpu);
        assert!(Embedder::new(Architecture::Mini, NormConfig::default(), Some(zero), &mut parameters.root()).is_err());
    }

    #[test]
    fn every_trained_tensor_gets_a_gradient_in_training_and_none_in_evaluation() {
        let (parameters, embedder) = mini(Some(HeadConfig { dimension: 7, start: HeadStart::Normal }));
        let first = |mode| embedder.forward(&pictures(), mode).unwrap().narrow(1, 0, 1).unwrap().sum_all().unwrap();
        let gradients = first(Mode::Train).backward().unwrap();
        for (name, var) in parameters.trainable() {
            let gradient = gradients.get(&var).unwrap_or_else(|| panic!("{name} has no gradient"));
            let size = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(size > 0.0 && size.is_finite(), "{name}: {size}");
        }
        let gradients = first(Mode::Eval).backward().unwrap();
        assert!(parameters.trainable().iter().all(|(_, var)| gradients.get(var).is_none()));
    }

    #[test]
    fn a_row_of_zeros_has_a_finite_gradient() {
        let x = Var::new(&[[0.0_f32, 0.0], [3.0, 4.0]], &Device::Cpu).unwrap();
        let gradients = l2_normalise(&x).unwrap().sum_all().unwrap().backward().unwrap();
        let slopes = gradients.get(&x).unwrap().to_vec2::<f32>().unwrap();
        assert!(slopes.iter().flatten().all(|slope| slope.is_finite()), "{slopes:?}");
        // d(x1 + x2)/|x| at (3, 4): (1 - 3 * 7 / 25) / 5 and (1 - 4 * 7 / 25) / 5.
        assert!((slopes[1][0] - 0.032).abs() < 1e-6 && (slopes[1][1] + 0.024).abs() < 1e-6, "{slopes:?}");
        assert!(l2_normalise(&x.unsqueeze(0).unwrap()).is_err());
    }
}
