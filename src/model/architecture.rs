//! The networks by name, and what each expects of its input.

use super::{Backbone, EfficientNet, Inception, NormConfig, ResNet, Scope, SketchANet, Vgg, VisionTransformer};
use super::{efficientnet, mini, norm, resnet, vgg, vision_transformer};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A network by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Architecture {
    /// EfficientNet-Lite0, 1280 channels.
    #[serde(rename = "efficientnet-lite0")]
    EfficientNetLite0,
    /// ResNet-18, 512 channels.
    #[serde(rename = "resnet18")]
    ResNet18,
    /// ResNet-50, 2048 channels.
    #[serde(rename = "resnet50")]
    ResNet50,
    /// VGG-16 without batch norm, 512 channels.
    #[serde(rename = "vgg16")]
    Vgg16,
    /// Inception-v3, 2048 channels; pictures of at least 75 x 75, 299 x 299 in training.
    #[serde(rename = "inception-v3")]
    InceptionV3,
    /// The image tower of CLIP ViT-B/32: one embedding of 512 numbers for a picture of 224 x 224.
    #[serde(rename = "clip-vit-b32")]
    ClipVitB32,
    /// A small residual network for 64 x 64 pictures, 256 channels.
    #[serde(rename = "mini")]
    Mini,
    /// The five convolutions of Sketch-a-Net, 256 channels; pictures of at least 90 x 90.
    #[serde(rename = "sketch-a-net")]
    SketchANet,
}

/// Published weights of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedWeights {
    /// The data that they were trained on, as in file names.
    pub weights: &'static str,
    /// Side of the pictures that they are made for, in pixels.
    pub side: u32,
}

/// Mean and deviation that a picture's channels are shifted and divided by.
///
/// ```text
/// y = (x - mean) / std,  x in [0, 1], channels red, green, blue
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub std: [f32; 3],
}

impl Default for Normalisation {
    /// Pixels as they are, 0 to 1.
    fn default() -> Self {
        Self { mean: [0.0; 3], std: [1.0; 3] }
    }
}

/// torchvision's weights: the channel moments of ImageNet.
const IMAGENET: Normalisation = Normalisation { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/// EfficientNet-Lite was trained on bytes mapped by (x - 127) / 128 (the `MEAN_RGB` and `STDDEV_RGB` of its TensorFlow
/// original), not on ImageNet's channel moments as other EfficientNets were.
const LITE: Normalisation = Normalisation { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3] };

/// CLIP's own channel moments (`_transform` of OpenAI's program).
const CLIP: Normalisation =
    Normalisation { mean: [0.481_454_66, 0.457_827_5, 0.408_210_73], std: [0.268_629_54, 0.261_302_6, 0.275_777_1] };

/// The range [-1, 1]: nothing is pre-trained, or Inception-v3. torchvision's pictures for that one have ImageNet's
/// moments at first, but its network undoes them (`transform_input`); ours does not need to.
const CENTRED: Normalisation = Normalisation { mean: [0.5; 3], std: [0.5; 3] };

impl Architecture {
    /// Every network.
    pub const ALL: [Self; 8] = [
        Self::EfficientNetLite0,
        Self::ResNet18,
        Self::ResNet50,
        Self::Vgg16,
        Self::InceptionV3,
        Self::ClipVitB32,
        Self::Mini,
        Self::SketchANet,
    ];

    /// The name in configurations, file names and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::EfficientNetLite0 => "efficientnet-lite0",
            Self::ResNet18 => "resnet18",
            Self::ResNet50 => "resnet50",
            Self::Vgg16 => "vgg16",
            Self::InceptionV3 => "inception-v3",
            Self::ClipVitB32 => "clip-vit-b32",
            Self::Mini => "mini",
            Self::SketchANet => "sketch-a-net",
        }
    }

    /// Name and picture size of the network's published weights; none for `mini`, which exists here only,
    /// and for `sketch-a-net`, which starts from nothing.
    ///
    /// ```
    /// use retrace::model::Architecture;
    /// let published = Architecture::InceptionV3.published().unwrap();
    /// assert_eq!((published.weights, published.side), ("imagenet", 299));
    /// ```
    pub fn published(self) -> Option<PublishedWeights> {
        match self {
            Self::Mini | Self::SketchANet => None,
            Self::ClipVitB32 => Some(PublishedWeights { weights: "clip", side: 224 }),
            Self::InceptionV3 => Some(PublishedWeights { weights: "imagenet", side: 299 }),
            _ => Some(PublishedWeights { weights: "imagenet", side: 224 }),
        }
    }

    /// The data that the network's published weights were trained on.
    pub fn normalisation(self) -> Normalisation {
        match self {
            Self::EfficientNetLite0 => LITE,
            Self::ResNet18 | Self::ResNet50 | Self::Vgg16 => IMAGENET,
            Self::ClipVitB32 => CLIP,
            Self::InceptionV3 | Self::Mini | Self::SketchANet => CENTRED,
        }
    }

    /// The part of batch norm's running statistics that a training batch replaces.
    ///
    /// ```
    /// use retrace::model::Architecture;
    /// assert_eq!(Architecture::Mini.momentum(), 0.1);
    /// assert_eq!(Architecture::EfficientNetLite0.momentum(), 0.01); // 75% of the old ones are left after 29 batches
    /// ```
    pub fn momentum(self) -> f64 {
        match self {
            Self::EfficientNetLite0 => efficientnet::MOMENTUM,
            Self::ResNet18
            | Self::ResNet50
            | Self::Vgg16
            | Self::InceptionV3
            | Self::ClipVitB32
            | Self::Mini
            | Self::SketchANet => norm::MOMENTUM,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|architecture| architecture.name() == name);
        found.ok_or_else(|| Error::value("architecture", format!("one of {names}"), name))
    }
}

impl Normalisation {
    /// Normalises a batch of pictures.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in `[0, 1]` in, the same shape out.
    ///
    /// # Errors
    /// Another number of channels.
    ///
    /// ```
    /// use candle_core::{DType, Device, Tensor};
    /// use retrace::model::Normalisation;
    /// let white = Tensor::ones((1, 3, 1, 1), DType::F32, &Device::Cpu)?;
    /// let normalisation = Normalisation { mean: [0.5, 0.5, 0.0], std: [0.5, 0.25, 1.0] };
    /// assert_eq!(normalisation.apply(&white)?.flatten_all()?.to_vec1::<f32>()?, [1.0, 2.0, 1.0]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn apply(&self, pictures: &Tensor) -> Result<Tensor> {
        let column = |values: &[f32; 3]| Tensor::new(values, pictures.device())?.reshape((1, 3, 1, 1));
        let scale = column(&self.std.map(f32::recip))?;
        Ok(pictures.broadcast_sub(&column(&self.mean)?)?.broadcast_mul(&scale)?)
    }
}

/// Builds a network whose tensors are registered in `scope` under the names of the PyTorch original.
///
/// `norm` is for batch norms: VGG-16 and CLIP's transformer have none.
///
/// # Errors
/// A tensor name that is taken.
pub fn build(architecture: Architecture, scope: &mut Scope, norm: NormConfig) -> Result<Box<dyn Backbone>> {
    Ok(match architecture {
        Architecture::EfficientNetLite0 => Box::new(EfficientNet::lite0(scope, norm)?),
        Architecture::ResNet18 => Box::new(ResNet::new(&resnet::RESNET_18, scope, norm)?),
        Architecture::ResNet50 => Box::new(ResNet::new(&resnet::RESNET_50, scope, norm)?),
        Architecture::Vgg16 => Box::new(Vgg::new(&vgg::VGG_16, scope)?),
        Architecture::InceptionV3 => Box::new(Inception::v3(scope, norm)?),
        Architecture::ClipVitB32 => Box::new(VisionTransformer::new(vision_transformer::CLIP_B32, scope)?),
        Architecture::Mini => Box::new(ResNet::new(&mini::MINI, scope, norm)?),
        Architecture::SketchANet => Box::new(SketchANet::new(scope)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{DType, Device};

    #[test]
    fn architecture_names_agree_with_serde_and_parsing() {
        for architecture in Architecture::ALL {
            assert_eq!(architecture.name().parse::<Architecture>().unwrap(), architecture);
            assert_eq!(serde_json::to_value(architecture).unwrap(), architecture.name());
        }
        let error = "resnet-18".parse::<Architecture>().unwrap_err().to_string();
        assert!(error.contains("resnet18, resnet50") && error.contains("found resnet-18"), "{error}");
    }

    #[test]
    fn parameter_counts_are_the_published_ones() {
        // efficientnet_lite_pytorch 0.1 and torchvision 0.29, less the classifiers' 1281000, 513000, 2049000, 123642856
        // and 2049000 and Inception's auxiliary 3326696; OpenAI's image tower whole.
        let published = [3_371_008, 11_176_512, 23_508_032, 14_714_688, 21_785_568, 87_849_216];
        for (architecture, count) in Architecture::ALL.into_iter().zip(published) {
            let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
            build(architecture, &mut parameters.root(), NormConfig::default()).unwrap();
            assert_eq!(parameters.trainable_count(), count, "{architecture}");
        }
    }

    /// `_transform_input` of torchvision's network, on pictures that ImageNet's moments have normalised.
    #[test]
    fn inception_sees_what_torchvision_shows_it() {
        let pictures = Tensor::rand(0.0_f32, 1.0, (2, 3, 4, 5), &Device::Cpu).unwrap();
        let channel = |i: usize| {
            let x = IMAGENET.apply(&pictures).unwrap().narrow(1, i, 1).unwrap();
            let (mean, std) = (f64::from(IMAGENET.mean[i]), f64::from(IMAGENET.std[i]));
            x.affine(std / 0.5, (mean - 0.5) / 0.5).unwrap()
        };
        let theirs = Tensor::cat(&[channel(0), channel(1), channel(2)], 1).unwrap();
        let ours = Architecture::InceptionV3.normalisation().apply(&pictures).unwrap();
        let worst = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(worst < 1e-6, "{worst}");
    }

    #[test]
    fn normalisation_maps_white_and_black_to_the_ends() {
        let pictures = Tensor::new(&[0.0_f32, 0.5, 1.0], &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
        let values = CENTRED.apply(&pictures).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values, [-1.0, 0.0, 1.0]);
        let white = Tensor::ones((1, 3, 1, 1), DType::F32, &Device::Cpu).unwrap();
        let values = LITE.apply(&white).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.iter().all(|v| (v - 1.0).abs() < 1e-6), "(255 - 127) / 128 = 1, found {values:?}");
        assert!(IMAGENET.apply(&Tensor::ones((1, 4, 1, 1), DType::F32, &Device::Cpu).unwrap()).is_err());
    }
}
