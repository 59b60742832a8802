//! A trained network with the pictures of a corpus.

use super::boxes::Annotations;
use super::config::Config;
use super::graph::Graphs;
use super::network::{Encoded, RegionNetwork, Top};
use crate::dataset::{Album, Pair, Split};
use crate::experiment::{Bench, Gallery, Kept, Model, Order, Pictures, Ranker, View};
use crate::model::{Mode, Normalisation};
use crate::seed::Stream;
use crate::train::{Feed, Pixels};
use crate::{Error, Result};
use candle_core::{Device, Tensor};

/// Pictures to a forward pass, and sketches to a round of matching.
const CHUNK: usize = 32;

/// A trained network with the pictures of a corpus.
pub struct RegionModel {
    /// The network.
    pub network: RegionNetwork,
    pictures: Pictures,
    normalisation: Normalisation,
    album: Album,
    /// Of the oracle alone.
    annotations: Option<Annotations>,
    /// Of `SceneSketcher` alone.
    graphs: Option<Graphs>,
    device: Device,
}

impl RegionModel {
    /// A network with the pictures of some splits.
    ///
    /// # Errors
    /// Pictures that are not there; a watch that stops.
    pub fn open(
        config: &Config,
        network: RegionNetwork,
        bench: &Bench,
        splits: &[Split],
        order: &Order,
    ) -> Result<Self> {
        let album = bench.album(config.prepare, splits, order.watch)?;
        let (pictures, normalisation) = (config.pictures(), config.architecture.normalisation());
        let has_graphs = config.top == Top::Graph;
        let graphs = has_graphs.then(|| Graphs::read(bench.source(), order.device)).transpose()?;
        let is_oracle = config.top == Top::Annotations;
        let annotations = is_oracle.then(|| Annotations::read(bench.source())).transpose()?;
        Ok(Self { network, pictures, normalisation, album, annotations, graphs, device: order.device.clone() })
    }

    /// Pixels as the network expects them.
    pub fn pixels(&self) -> Pixels<'_> {
        Pixels { augment: self.pictures.augment, ..Pixels::plain(&self.album, self.normalisation, &self.device) }
    }

    /// A training batch: what its sketches and photos become.
    ///
    /// # Errors
    /// A position outside the pictures that are there.
    pub(super) fn batch(&self, pairs: &[Pair], stream: &mut Stream) -> Result<[Encoded; 2]> {
        let b = pairs.len();
        if let Some(graphs) = &self.graphs {
            let sketches: Vec<usize> = pairs.iter().map(|pair| pair.sketch).collect();
            let photos: Vec<usize> = pairs.iter().map(|pair| pair.photo).collect();
            let [sketches, photos] = [graphs.sketches(&sketches, None)?, graphs.photos(&photos)?];
            return Ok([self.network.encode(&sketches, Mode::Train)?, self.network.encode(&photos, Mode::Train)?]);
        }
        // In one pass, so that batch statistics, where used, are of both.
        let (sketches, photos) = self.pixels().pairs(pairs, stream)?;
        let both = self.network.encode(&Tensor::cat(&[sketches, photos], 0)?, Mode::Train)?;
        Ok([both.narrow(0, 0, b)?, both.narrow(0, b, b)?])
    }

    /// What pictures become, chunk by chunk.
    fn encode(&self, positions: &[usize], show: &dyn Fn(&[usize]) -> Result<Tensor>) -> Result<Encoded> {
        let chunk = |chunk| Ok(self.network.encode(&show(chunk)?, Mode::Eval)?.detach());
        let parts = positions.chunks(CHUNK).map(chunk).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// The regions, or vectors, of photos.
    ///
    /// # Errors
    /// A position outside the pictures that are there.
    pub fn photos(&self, photos: &[usize]) -> Result<Encoded> {
        self.encode(photos, &|chunk| match &self.graphs {
            Some(graphs) => graphs.photos(chunk),
            None => self.pixels().photos(chunk),
        })
    }

    /// The regions, or vectors, of sketches.
    ///
    /// # Errors
    /// As [`Self::photos`]; a view that the corpus does not have.
    pub fn sketches(&self, sketches: &[usize], view: View) -> Result<Encoded> {
        self.encode(sketches, &|chunk| match (&self.graphs, view) {
            (None, _) => view.of(&self.pixels(), chunk),
            (Some(graphs), View::Whole) => graphs.sketches(chunk, None),
            (Some(graphs), View::Masked(mask)) => graphs.sketches(chunk, Some(&mask)),
            (Some(_), _) => Err(Error::value("graph of a sketch", "whole objects", "parts of strokes")),
        })
    }
}

impl Ranker for RegionModel {
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>> {
        if let Some(annotations) = &self.annotations {
            return Ok(Box::new(BoxGallery { annotations, photos: photos.to_vec() }));
        }
        Ok(Box::new(RegionGallery { model: self, photos: self.photos(photos)? }))
    }
}

/// What the photos of a gallery became, computed once.
struct RegionGallery<'a> {
    model: &'a RegionModel,
    photos: Encoded,
}

impl Gallery for RegionGallery<'_> {
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for chunk in sketches.chunks(CHUNK) {
            let encoded = self.model.sketches(chunk, view)?;
            let found = self.model.network.distances(&encoded, &self.photos, Mode::Eval)?;
            all.extend(found.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(all)
    }
}

/// Photos whose annotated objects are compared.
struct BoxGallery<'a> {
    annotations: &'a Annotations,
    photos: Vec<usize>,
}

impl Gallery for BoxGallery<'_> {
    /// Of whole sketches.
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        match view {
            View::Whole => Ok(self.annotations.distances(sketches, &self.photos)),
            _ => Err(Error::value("sketches of the oracle", "whole ones", "parts of them")),
        }
    }
}

impl Model for RegionModel {
    fn network(&self) -> &dyn Kept {
        &self.network
    }

    /// Of graphs, no: they are not drawn stroke by stroke.
    fn is_vector(&self) -> bool {
        self.graphs.is_none() && self.album.is_vector()
    }

    fn distance(&self) -> &'static str {
        "how far its regions are from those of the sketch, as the row matches them"
    }
}
