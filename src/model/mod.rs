//! Networks, initialisers, strict weight loading; and HOG, the descriptor that needs no learning.
//!
//! A network is a [`Backbone`]: picture in, feature map out. [`build`] makes one by name, with every tensor registered
//! in [`Parameters`] under the name that the PyTorch original gives it, so that [`weights`] and [`import`] can check a
//! file name by name. An [`Embedder`] puts pooling and normalisation on top, and a [`Network`] trains, saves and loads
//! one. An [`Overlay`] runs the same network on weights that are given.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use retrace::model::{Architecture, Embedder, Mode, NormConfig, Parameters};
//! use retrace::seed::Seed;
//! let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
//! let embedder = Embedder::new(Architecture::Mini, NormConfig::default(), None, &mut parameters.root())?;
//! let pictures = Tensor::ones((2, 3, 64, 64), DType::F32, &Device::Cpu)?;
//! assert_eq!(embedder.forward(&pictures, Mode::Eval)?.dims(), [2, 256]);
//! # Ok::<(), retrace::Error>(())
//! ```

mod activation;
mod architecture;
mod attention;
mod conv;
mod efficientnet;
mod embedding;
pub mod hog;
pub mod import;
mod inception;
mod init;
mod layer_norm;
mod linear;
mod load_report;
mod mini;
pub mod naming;
mod network;
mod norm;
mod overlay;
mod parameter;
mod patch;
pub mod pretrained;
mod recurrent;
mod resnet;
mod scope;
mod sketch_a_net;
pub mod state_dict;
mod translator;
mod vgg;
mod vision_transformer;
pub mod weights;

#[cfg(test)]
mod tests;

pub use activation::Activation;
pub use architecture::{Architecture, Normalisation, PublishedWeights, build};
pub use attention::{SpatialAttention, Squash};
pub use conv::{ConvConfig, ConvNorm, Convolution, Padding};
pub use efficientnet::EfficientNet;
pub use embedding::{Embedder, HeadConfig, HeadStart, l2_normalise, pool};
pub use inception::Inception;
pub use init::{Fan, Init};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use load_report::{Allowance, LoadReport};
pub use network::{Network, NetworkConfig};
pub use norm::{BatchNorm, NormConfig, Statistic};
pub use overlay::Overlay;
pub use parameter::Parameters;
pub use patch::{PatchDiscriminator, certainty, judge_losses};
pub use recurrent::{Lstm, MapAttention};
pub use resnet::ResNet;
pub use scope::{Scope, Weight};
pub use sketch_a_net::SketchANet;
pub use translator::Translator;
pub(crate) use translator::upsample;
pub use vgg::Vgg;
pub use vision_transformer::VisionTransformer;

use crate::Result;
use candle_core::Tensor;

/// Whether a forward pass is part of a training step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Gradients reach the trained weights; batch norm uses what its [`NormConfig`] says.
    Train,
    /// Gradients reach the input but no weight, so nothing is kept for a backward pass; running statistics.
    Eval,
}

/// A network up to its last feature map.
pub trait Backbone: Send + Sync {
    /// The feature map of a batch of pictures.
    ///
    /// # Shapes
    /// `(b, 3, h, w)`, normalised as [`Architecture::normalisation`] says, in; `(b, h', w', channels)` out.
    /// Inside the network every map is channels-last.
    ///
    /// # Errors
    /// Another number of input channels, or a picture too small for the network's strides.
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor>;

    /// Channels of the feature map.
    fn channels(&self) -> usize;
}
