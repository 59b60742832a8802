//! The usual model: one network maps sketches and photos to points.

use super::{Bench, Kept, Model, Order, Space, View};
use crate::dataset::{Album, PrepareConfig, Split};
use crate::file::hash_file;
use crate::model::{Network, l2_normalise};
use crate::report::score::EARLY;
use crate::sketch::AugmentConfig;
use crate::train::{FeaturePlan, Features, Feed, Pixels};
use crate::{Result, device};
use candle_core::{Device, Tensor};
use std::path::Path;

/// How pictures reach a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pictures {
    /// Size and ink.
    pub prepare: PrepareConfig,
    /// Deformations of training batches.
    pub augment: AugmentConfig,
}

/// A network with the pictures of a corpus.
pub struct EmbeddingModel {
    /// The network.
    pub network: Network,
    pictures: Pictures,
    album: Album,
    /// Kept ones, where the backbone is frozen.
    features: Option<Features>,
    device: Device,
}

/// Where a network's input comes from.
pub enum Input<'a> {
    /// Pictures, prepared again for every step.
    Pixels(Pixels<'a>),
    /// Features of a frozen backbone.
    Features(&'a Features),
}

impl Input<'_> {
    /// As a feed.
    pub fn feed(&self) -> &dyn Feed {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Features(features) => *features,
        }
    }
}

impl EmbeddingModel {
    /// A network with the pictures of some splits.
    ///
    /// # Errors
    /// Pictures that are not there; a watch that stops.
    pub fn open(network: Network, pictures: Pictures, bench: &Bench, splits: &[Split], order: &Order) -> Result<Self> {
        let album = bench.album(pictures.prepare, splits, order.watch)?;
        Ok(Self { network, pictures, album, features: None, device: order.device.clone() })
    }

    /// The input of the network in training and evaluation.
    pub fn input(&self) -> Input<'_> {
        self.features.as_ref().map_or_else(|| Input::Pixels(self.pixels()), Input::Features)
    }

    /// Pixels as the network expects them.
    pub fn pixels(&self) -> Pixels<'_> {
        let normalisation = self.network.config().architecture.normalisation();
        Pixels { augment: self.pictures.augment, ..Pixels::plain(&self.album, normalisation, &self.device) }
    }

    /// Pooled features of photos, rows of length 1.
    ///
    /// # Shapes
    /// `photos` b positions of the index; out `(b, c)`.
    ///
    /// # Errors
    /// A position outside the pictures that are there.
    pub fn pooled(&self, photos: &[usize]) -> Result<Tensor> {
        Ok(l2_normalise(&self.network.features(&self.pixels().photos(photos)?)?)?.detach())
    }

    /// Names the network's pictures of a corpus, and the network itself, by its file of weights.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn key(&self, dataset: &str, bench: &Bench, weights: &Path) -> Result<String> {
        let (data, architecture) = (bench.source().version(), self.network.config().architecture);
        let prepare = serde_json::to_string(&self.pictures.prepare)?;
        Ok(format!("{dataset} {data} {architecture} {} {prepare}", hash_file(weights)?))
    }

    /// Computes features of the frozen backbone for some deformed versions of every picture; they are the input from now on.
    ///
    /// # Errors
    /// A failing forward pass; a folder that cannot be written; a watch that stops.
    pub fn keep_features(&mut self, key: &str, versions: u32, bench: &Bench, order: &Order) -> Result<()> {
        let index = bench.index();
        let percents = if self.album.is_vector() { EARLY.to_vec() } else { Vec::new() };
        let sketches = if percents.is_empty() { Vec::new() } else { index.sketches_of(Split::Test) };
        let plan = FeaturePlan {
            pixels: &self.pixels(),
            backbone: &|x| self.network.features(x),
            counts: [index.photos.len(), index.sketches.len()],
            versions,
            partial: (sketches, percents),
            key: format!("{key} {}", device::name(&self.device)),
        };
        self.features = Some(Features::open(&plan, &order.places.cache, order.watch)?);
        Ok(())
    }
}

impl Space for EmbeddingModel {
    fn photos(&self, photos: &[usize]) -> Result<Tensor> {
        self.network.embed_in_evaluation(&self.input().feed().photos(photos)?)
    }

    fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        self.network.embed_in_evaluation(&view.of(self.input().feed(), sketches)?)
    }
}

impl Model for EmbeddingModel {
    fn network(&self) -> &dyn Kept {
        &self.network
    }

    fn is_vector(&self) -> bool {
        self.album.is_vector()
    }

    fn distance(&self) -> &'static str {
        "how far its features are from those of the sketch"
    }

    fn space(&self) -> Option<&dyn Space> {
        Some(self)
    }
}
