//! A trained network with the pictures of a corpus: what describes a sketch, and how far a photo is from it.

use super::adapt::{AdaptedNetwork, noise};
use super::coder::SIDE;
use super::config::{Config, TraitSource};
use crate::dataset::{Album, Ink, Pair, PrepareConfig, Split, WordVectors};
use crate::experiment::ranker::rows;
use crate::experiment::{Bench, Gallery, Kept, Model, Order, Pictures, Ranker, View};
use crate::loss::weighted_distances;
use crate::model::Mode;
use crate::model::Normalisation;
use crate::seed::Seed;
use crate::train::{FeaturePlan, Features, Feed, Pixels};
use crate::{Error, Result, device};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// Queries to a product.
const CHUNK: usize = 64;

/// The seed of the samples: one for all, so that a checkpoint ranks alike wherever it is opened.
pub(super) const NOISE: Seed = Seed(0x5eed_e7a0);

/// Sketches as the descriptor networks see them: lines of one pixel of 64, scaled and centred (Sec. 4.1) but for a margin of
/// two pixels, which the first convolution's kernel covers.
pub(super) const SKETCHES: PrepareConfig =
    PrepareConfig { side: SIDE as u32, ink: Ink::DarkOnWhite { width: 4.0 }, source: None, margin: Some(MARGIN) };

/// Pixels of the 256 canvas that sketches leave free at each side.
pub(super) const MARGIN: f32 = 8.0;

/// A trained network with the pictures of a corpus.
pub struct AdaptedModel {
    /// The networks.
    pub adapted: AdaptedNetwork,
    pictures: Pictures,
    samples: usize,
    album: Album,
    describer: Describer,
    /// Of whole pictures, where F does not move.
    features: Option<Features>,
    /// The sketches whose descriptions stand in for those of others.
    partners: BTreeMap<usize, usize>,
    device: Device,
}

/// Where descriptions of sketches come from.
enum Describer {
    None,
    /// Pictures for the descriptor network.
    Drawn(Album),
    /// A word vector for each sketch of the index.
    Words(Vec<Vec<f32>>),
}

impl AdaptedModel {
    /// Networks with the pictures of some splits.
    ///
    /// # Errors
    /// Pictures that are not there; a category whose name has no word vector; a watch that stops.
    pub fn open(
        config: &Config,
        adapted: AdaptedNetwork,
        bench: &Bench,
        splits: &[Split],
        order: &Order,
    ) -> Result<Self> {
        let album = bench.album(config.prepare, splits, order.watch)?;
        let describer = match &config.traits {
            TraitSource::None => Describer::None,
            TraitSource::WordVector => Describer::Words(word_vectors(bench)?),
            _ => Describer::Drawn(bench.album(SKETCHES, splits, order.watch)?),
        };
        let (pictures, samples, device) = (config.pictures(), config.samples, order.device.clone());
        let partners = BTreeMap::new();
        Ok(Self { adapted, pictures, samples, album, describer, features: None, partners, device })
    }

    /// The same model, which describes some sketches as it would others.
    pub(super) fn exchanged(self, partners: BTreeMap<usize, usize>) -> Self {
        Self { partners, ..self }
    }

    /// Pixels as F expects them.
    pub fn pixels(&self) -> Pixels<'_> {
        let normalisation = self.adapted.network.config().architecture.normalisation();
        Pixels { augment: self.pictures.augment, ..Pixels::plain(&self.album, normalisation, &self.device) }
    }

    /// Computes the features of all pictures, which F does not change any more; `key` names corpus, weights and size.
    ///
    /// # Errors
    /// A failing forward pass; a folder that cannot be written; a watch that stops.
    pub(super) fn keep_features(&mut self, key: &str, bench: &Bench, order: &Order) -> Result<()> {
        let (index, network) = (bench.index(), &self.adapted.network);
        let plan = FeaturePlan {
            pixels: &self.pixels(),
            backbone: &|x| network.features(x),
            counts: [index.photos.len(), index.sketches.len()],
            versions: 0,
            partial: Default::default(),
            key: format!("{key} {} {}", bench.source().version(), device::name(&self.device)),
        };
        self.features = Some(Features::open(&plan, &order.places.cache, order.watch)?);
        Ok(())
    }

    /// F of a batch of pairs, where it does not move: sketches and photos.
    ///
    /// # Errors
    /// A network whose features were not kept.
    pub(super) fn kept(&self, pairs: &[Pair]) -> Result<(Tensor, Tensor)> {
        let features =
            self.features.as_ref().ok_or_else(|| Error::value("features", "those of all pictures", "none"))?;
        let embed = |rows: &Tensor| self.adapted.network.embed_in_evaluation(rows);
        let sketches: Vec<usize> = pairs.iter().map(|pair| pair.sketch).collect();
        let photos: Vec<usize> = pairs.iter().map(|pair| pair.photo).collect();
        Ok((embed(&features.sketches(&sketches)?)?, embed(&features.photos(&photos)?)?))
    }

    fn embed(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        let input = match (&self.features, view) {
            (Some(features), View::Whole) => features.sketches(sketches)?,
            _ => view.of(&self.pixels(), sketches)?,
        };
        self.adapted.network.embed_in_evaluation(&input)
    }

    /// phi of sketches, by their positions in the index; none of `Hard-Transfer`.
    ///
    /// # Shapes
    /// Out `(b, M)`.
    ///
    /// # Errors
    /// A position outside the pictures that are there; a view that the corpus does not have.
    pub fn describe(&self, sketches: &[usize], view: View) -> Result<Option<Tensor>> {
        let described: Vec<usize> = sketches.iter().map(|own| *self.partners.get(own).unwrap_or(own)).collect();
        let sketches = described.as_slice();
        match (&self.describer, &self.adapted.descriptor) {
            (Describer::Drawn(album), Some(descriptor)) => {
                Ok(Some(descriptor.describe(&inked(album, sketches, view, &self.device)?)?))
            }
            (Describer::Words(vectors), _) => {
                let rows: Vec<f32> = sketches.iter().flat_map(|at| vectors[*at].iter().copied()).collect();
                let d = rows.len() / sketches.len().max(1);
                Ok(Some(Tensor::from_vec(rows, (sketches.len(), d), &self.device)?))
            }
            _ => Ok(None),
        }
    }
}

/// Sketches of 64 x 64 pixels, ink 1 and paper -1.
///
/// # Shapes
/// Out `(b, 64, 64, 1)`.
pub(super) fn inked(album: &Album, sketches: &[usize], view: View, device: &Device) -> Result<Tensor> {
    let feed = Pixels::plain(album, Normalisation::default(), device);
    ink(&view.of(&feed, sketches)?)
}

/// Pictures `(b, 3, 64, 64)`, dark on white, 0 to 1, as `(b, 64, 64, 1)` with ink 1 and paper -1.
pub(super) fn ink(pictures: &Tensor) -> Result<Tensor> {
    let grey = pictures.narrow(1, 0, 1)?.permute((0, 2, 3, 1))?.contiguous()?;
    Ok(((grey * -2.0)? + 1.0)?)
}

/// The word vector of every sketch's category.
fn word_vectors(bench: &Bench) -> Result<Vec<Vec<f32>>> {
    let (words, index) = (WordVectors::embedded()?, bench.index());
    let mut known: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for photo in &index.photos {
        if !known.contains_key(photo.category.as_str()) {
            known.insert(&photo.category, words.of_class(&photo.category)?);
        }
    }
    Ok(index.sketches.iter().map(|sketch| known[index.photos[sketch.photo].category.as_str()].clone()).collect())
}

impl Ranker for AdaptedModel {
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>> {
        let embed = |chunk: &[usize]| {
            let input = match &self.features {
                Some(features) => features.photos(chunk)?,
                None => self.pixels().photos(chunk)?,
            };
            self.adapted.network.embed_in_evaluation(&input)
        };
        let (values, d) = rows(photos, &embed)?;
        Ok(Box::new(AdaptedGallery { model: self, photos: Tensor::from_vec(values, (photos.len(), d), &self.device)? }))
    }
}

/// Features of a gallery, computed once.
struct AdaptedGallery<'a> {
    model: &'a AdaptedModel,
    photos: Tensor,
}

impl AdaptedGallery<'_> {
    /// The smallest distance over the samples of the weights (Sec. 3.2), or of what a sketch does not tell.
    fn chunk(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        let model = self.model;
        let features = model.embed(sketches, view)?;
        if let Some(regressor) = &model.adapted.regressor {
            let draw = |sample| noise(sketches, sample, regressor.latent(), NOISE, &model.device);
            return regressor.distances(&features, &self.photos, (0..model.samples).map(draw));
        }
        let descriptions = model.describe(sketches, view)?;
        let mut nearest: Option<Tensor> = None;
        let samples = if descriptions.is_some() { model.samples } else { 1 };
        for sample in 0..samples {
            let draw = |shape: &[usize]| noise(sketches, sample, shape[1], NOISE, &model.device);
            let (weights, _) = model.adapted.weigh(&features, descriptions.as_ref(), draw, Mode::Eval)?;
            let found = weighted_distances(&features, &self.photos, &weights)?;
            nearest = Some(nearest.map_or(Ok(found.clone()), |nearest| nearest.minimum(&found))?);
        }
        nearest.ok_or_else(|| Error::value("samples of the weights", "1 or more", 0))
    }
}

impl Gallery for AdaptedGallery<'_> {
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for chunk in sketches.chunks(CHUNK) {
            all.extend(self.chunk(chunk, view)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(all)
    }
}

impl Model for AdaptedModel {
    fn network(&self) -> &dyn Kept {
        &self.adapted
    }

    fn is_vector(&self) -> bool {
        self.album.is_vector()
    }

    fn distance(&self) -> &'static str {
        match self.adapted.regressor {
            Some(_) => "the smallest distance of its features from those made of the sketch, over the samples of z",
            None => "the smallest distance of its features from the sketch's, over the samples of the sketch's weights",
        }
    }
}
