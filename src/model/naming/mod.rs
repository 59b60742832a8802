//! Tensor names of other libraries for our networks.
//!
//! A [`Naming`] says, for each tensor of a network, what a foreign file calls it and how it lies there: whole, turned,
//! or cut into queries, keys and values. [`translate`] reads such a file strictly: a tensor of ours that is not there,
//! one of another shape, and one that is neither ours nor on the naming's list are all reported.

mod clip;
mod lite;

use super::{Allowance, Architecture, LoadReport, Parameters};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, str::FromStr};

/// The library whose names a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// This library's: torchvision's, `efficientnet_lite_pytorch`'s, and OpenAI's less their `visual.`.
    Own,
    /// `torchvision`.
    Torchvision,
    /// `timm`.
    Timm,
    /// `transformers` of Hugging Face.
    Transformers,
    /// OpenAI's CLIP, and `open_clip`.
    #[serde(rename = "openai")]
    OpenAi,
}

/// Where a tensor of ours is in a foreign file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TensorPlace {
    Whole(String),
    /// Rows and columns change places.
    Turned(String),
    /// Under leading dimensions of 1.
    Squeezed(String),
    /// Its rows are divided evenly among these.
    Rows([String; 3]),
}

impl Naming {
    /// Every naming.
    pub const ALL: [Self; 5] = [Self::Own, Self::Torchvision, Self::Timm, Self::Transformers, Self::OpenAi];

    /// The name in tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
            Self::Transformers => "transformers",
            Self::OpenAi => "openai",
        }
    }

    /// The namings that are known of a network, ours first.
    ///
    /// timm calls the tensors of ResNets and Inception-v3 as torchvision does.
    pub fn of(architecture: Architecture) -> &'static [Self] {
        match architecture {
            Architecture::Mini | Architecture::SketchANet => &[Self::Own],
            Architecture::EfficientNetLite0 => &[Self::Own, Self::Timm],
            Architecture::ResNet18 | Architecture::ResNet50 | Architecture::InceptionV3 | Architecture::Vgg16 => {
                &[Self::Own, Self::Torchvision, Self::Timm]
            }
            Architecture::ClipVitB32 => &[Self::Own, Self::OpenAi, Self::Timm, Self::Transformers],
        }
    }

    /// The naming of a file, by a tensor that only it has; ours if no other is found.
    ///
    /// ```
    /// use retrace::model::{Architecture, naming::Naming};
    /// let names = ["conv_head.weight", "conv_stem.weight"];
    /// assert_eq!(Naming::find(Architecture::EfficientNetLite0, names), Naming::Timm);
    /// ```
    pub fn find<'a>(architecture: Architecture, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let told = Self::of(architecture)
            .iter()
            .find(|naming| naming.mark(architecture).is_some_and(|mark| names.contains(mark)));
        told.copied().unwrap_or(Self::Own)
    }

    /// A tensor that no other naming of the network has.
    fn mark(self, architecture: Architecture) -> Option<&'static str> {
        match (architecture, self) {
            (Architecture::Vgg16, Self::Torchvision) => Some("classifier.0.weight"),
            (Architecture::Vgg16, Self::Timm) => Some("pre_logits.fc1.weight"),
            (Architecture::ResNet18 | Architecture::ResNet50 | Architecture::InceptionV3, Self::Torchvision) => {
                Some("fc.weight")
            }
            (Architecture::EfficientNetLite0, Self::Timm) => Some("conv_stem.weight"),
            (Architecture::ClipVitB32, Self::OpenAi) => Some("visual.conv1.weight"),
            (Architecture::ClipVitB32, Self::Timm) => Some("patch_embed.proj.weight"),
            (Architecture::ClipVitB32, Self::Transformers) => Some("vision_model.embeddings.patch_embedding.weight"),
            _ => None,
        }
    }

    /// What a file may have beside the network, as patterns of names: classifiers, the text's half of CLIP, and
    /// PyTorch's count of batches, which matters only where batch norm has no momentum.
    pub fn allowed(self, architecture: Architecture) -> &'static [&'static str] {
        match (architecture, self) {
            (Architecture::EfficientNetLite0, Self::Own) => &["_fc.*", "*.num_batches_tracked"],
            (Architecture::EfficientNetLite0, _) => &["classifier.*", "*.num_batches_tracked"],
            (Architecture::Vgg16, Self::Timm) => &["pre_logits.*", "head.fc.*"],
            (Architecture::Vgg16, _) => &["classifier.*"],
            (Architecture::InceptionV3, _) => &["AuxLogits.*", "fc.*", "*.num_batches_tracked"],
            (Architecture::ClipVitB32, naming) => clip::allowed(naming),
            _ => &["fc.*", "*.num_batches_tracked"],
        }
    }

    /// Where `own` is.
    fn place(self, architecture: Architecture, own: &str) -> TensorPlace {
        match (architecture, self) {
            (Architecture::EfficientNetLite0, Self::Timm) => TensorPlace::Whole(lite::timm(own)),
            (Architecture::ClipVitB32, Self::OpenAi) => TensorPlace::Whole(format!("visual.{own}")),
            (Architecture::ClipVitB32, Self::Timm) => clip::timm(own),
            (Architecture::ClipVitB32, Self::Transformers) => clip::transformers(own),
            _ => TensorPlace::Whole(own.to_string()),
        }
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Naming {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|naming| naming.name() == name);
        found.ok_or_else(|| Error::value("naming", format!("one of {names}"), name))
    }
}

impl TensorPlace {
    fn names(&self) -> &[String] {
        match self {
            Self::Whole(name) | Self::Turned(name) | Self::Squeezed(name) => std::slice::from_ref(name),
            Self::Rows(names) => names,
        }
    }

    /// The shape of each part, of a tensor of ours of the shape `own`.
    fn shape(&self, own: &[usize]) -> Vec<usize> {
        match (self, own) {
            (Self::Turned(_), _) => own.iter().rev().copied().collect(),
            (Self::Rows(names), [rows, rest @ ..]) => [&[rows / names.len()], rest].concat(),
            _ => own.to_vec(),
        }
    }

    /// Puts the parts together.
    fn gather(&self, parts: &[&Tensor], own: &[usize]) -> Result<Tensor> {
        Ok(match self {
            Self::Turned(_) => parts[0].t()?.contiguous()?,
            Self::Rows(_) => Tensor::cat(parts, 0)?,
            Self::Whole(_) | Self::Squeezed(_) => parts[0].reshape(own)?,
        })
    }

    /// Whether a part may have this shape.
    fn takes(&self, found: &[usize], own: &[usize]) -> bool {
        let found = match self {
            Self::Squeezed(_) => &found[found.iter().take_while(|side| **side == 1).count()..],
            _ => found,
        };
        found == self.shape(own)
    }
}

/// A foreign file's tensors under our names, with what was found; strict but for [`Naming::allowed`].
///
/// The report has our names of what is loaded, and the file's names of all else.
///
/// # Errors
/// A naming that the network has not; a missing, misshapen or unexpected tensor, by the file's name; a bias that our
/// network has not and that is not 0.
///
/// ```
/// use candle_core::Device;
/// use retrace::model::naming::{Naming, translate};
/// use retrace::model::{Architecture, NormConfig, Parameters, build};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// build(Architecture::Mini, &mut parameters.root(), NormConfig::default())?;
/// let mut file = parameters.tensors();
/// let (tensors, report) = translate(Architecture::Mini, Naming::Own, &parameters, &file)?;
/// assert_eq!((tensors.len(), report.extra.len()), (file.len(), 0));
/// file.remove("conv1.weight");
/// let error = translate(Architecture::Mini, Naming::Own, &parameters, &file).unwrap_err().to_string();
/// assert!(error.contains("1 missing (conv1.weight)"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn translate(
    architecture: Architecture,
    naming: Naming,
    parameters: &Parameters,
    file: &BTreeMap<String, Tensor>,
) -> Result<(BTreeMap<String, Tensor>, LoadReport)> {
    if !Naming::of(architecture).contains(&naming) {
        let known = Naming::of(architecture).iter().map(|naming| naming.name()).collect::<Vec<_>>().join(", ");
        return Err(Error::value(format!("naming of {architecture}"), format!("one of {known}"), naming));
    }
    let (mut tensors, mut report, mut taken) = (BTreeMap::new(), LoadReport::default(), BTreeSet::new());
    for (own, tensor) in parameters.tensors() {
        let place = naming.place(architecture, &own);
        taken.extend(place.names().iter().cloned());
        let (found, missing): (Vec<_>, Vec<_>) = place.names().iter().partition(|name| file.contains_key(*name));
        let parts: Vec<&Tensor> = found.iter().filter_map(|name| file.get(*name)).collect();
        let odd = found.iter().zip(&parts).find(|(_, part)| !place.takes(part.dims(), tensor.dims()));
        match odd {
            _ if !missing.is_empty() => report.missing.push(join(&missing)),
            Some((name, part)) => {
                let expected = place.shape(tensor.dims());
                report.misshapen.push(format!("{name}: expected {expected:?}, found {:?}", part.dims()));
            }
            None => {
                tensors.insert(own.clone(), place.gather(&parts, tensor.dims())?);
                report.loaded.push(own);
            }
        }
    }
    report.extra = file.keys().filter(|name| !taken.contains(*name)).cloned().collect();
    report.check(&Allowance { missing: &[], extra: naming.allowed(architecture) })?;
    if (architecture, naming) == (Architecture::ClipVitB32, Naming::Timm) {
        clip::check_bias(file)?;
    }
    Ok((tensors, report))
}

fn join(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
