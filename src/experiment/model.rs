//! A trained model, as it is ranked, kept and published.

use super::ranker::{Ranker, Space};
use crate::Result;
use crate::model::weights::{self, Storage};
use crate::model::{Architecture, Network, Parameters};
use crate::run::Places;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// A backbone and what it started from, for a model card.
pub fn describe_backbone(architecture: Architecture, weights: &str) -> [String; 2] {
    let started_from = match weights {
        "imagenet" => format!("ImageNet weights of {architecture}"),
        name => format!("`{name}` weights, pre-trained by this kit"),
    };
    [architecture.to_string(), started_from]
}

/// A trained network: weights that can be kept and published.
pub trait Kept {
    /// Writes what was trained, as precise as it was ranked.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()>;

    /// Every tensor that is needed to use it, and how precisely it is stored.
    fn release(&self) -> (BTreeMap<String, Tensor>, Storage);
}

impl Kept for Network {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        Self::save(self, path, metadata)
    }

    /// Half precision, as it was ranked; single where part of it was not trained here.
    fn release(&self) -> (BTreeMap<String, Tensor>, Storage) {
        let storage = if self.config().frozen { Storage::F32 } else { Storage::F16 };
        (self.parameters().tensors(), storage)
    }
}

/// Tensors of any kind, kept as they are.
impl Kept for Parameters {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        weights::save(path, &self.tensors(), Storage::F32, metadata)
    }

    fn release(&self) -> (BTreeMap<String, Tensor>, Storage) {
        (self.tensors(), Storage::F32)
    }
}

/// Where trained weights are read from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// What [`Kept::save`] wrote; what else the network needs, such as a frozen backbone, is found where its pre-training is.
    Checkpoint(&'a Path, &'a Places),
    /// What [`Kept::release`] gave: everything is in it.
    Release(&'a Path),
}

/// A trained network with the pictures of a corpus.
pub trait Model: Ranker {
    /// Its weights.
    fn network(&self) -> &dyn Kept;

    /// Whether sketches have strokes: only then can they be shown in part or deformed.
    fn is_vector(&self) -> bool;

    /// The meaning of the numbers that photos are sorted by, e.g. `how far its features are from those of the sketch`.
    fn distance(&self) -> &'static str {
        "the model's distance"
    }

    /// The space in which sketches and photos are points; none for any other distance.
    fn space(&self) -> Option<&dyn Space> {
        None
    }
}
