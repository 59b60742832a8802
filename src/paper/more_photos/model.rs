//! A trained row, as it is kept and ranked.

use super::config::{Config, Ranked};
use super::critic::Critic;
use super::drawer::{Drawer, streams};
use super::generator::{Generator, Trace};
use super::network::{SpatialNetwork, no_strokes};
use super::semi::{CRITIC, GENERATOR, RETRIEVAL};
use crate::dataset::{Album, Index, Split};
use crate::experiment::{Bench, Kept, Model, Order, Space, View};
use crate::model::weights::{self, Storage};
use crate::model::{Mode, Normalisation};
use crate::seed::Seed;
use crate::sketch::{Affine, Sketch, partial};
use crate::train::named::{Tensors, join, part};
use crate::train::{Feed, Pixels};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use image::RgbImage;
use image::imageops::{self, FilterType};
use std::collections::BTreeMap;
use std::path::Path;

/// Photos to a forward pass.
const CHUNK: usize = 64;

/// What a trained row consists of.
pub struct PhotoNetwork {
    /// F; of a row whose sketches are ranked, the one that ranks them.
    pub retrieval: SpatialNetwork,
    /// G.
    pub drawer: Option<Drawer>,
    /// `D_C`.
    pub critic: Option<Critic>,
    /// Its settings.
    pub config: Config,
    /// Of the run: decides what is drawn.
    pub seed: Seed,
}

impl PhotoNetwork {
    /// At its start.
    ///
    /// # Errors
    /// Settings that do not build.
    pub fn new(config: &Config, seed: Seed, device: &Device) -> Result<Self> {
        let retrieval = SpatialNetwork::new(&config.retrieval, seed, device)?;
        let drawer =
            config.generator.as_ref().map(|own| Drawer::new(own, &config.retrieval, seed, device)).transpose()?;
        let critic = config.semi.as_ref().map(|semi| Critic::new(semi.critic, seed, device)).transpose()?;
        Ok(Self { retrieval, drawer, critic, config: config.clone(), seed })
    }

    /// Whether the generator is its own: else that of the row that ranks what it draws is the same.
    fn keeps_drawer(&self) -> bool {
        let learns = self.config.semi.as_ref().is_some_and(|semi| semi.reward.is_some());
        learns || self.config.ranked == Ranked::Generated
    }

    /// Every tensor that is its own.
    pub fn tensors(&self) -> Tensors {
        let mut all = join([(RETRIEVAL, self.retrieval.parameters().tensors())]);
        if !self.keeps_drawer() {
            return all;
        }
        all.extend(self.drawer.iter().flat_map(|own| join([(GENERATOR, own.parameters().tensors())])));
        all.extend(self.critic.iter().flat_map(|own| join([(CRITIC, own.parameters().tensors())])));
        all
    }

    /// Loads a checkpoint.
    ///
    /// # Errors
    /// A file of another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        let tensors = weights::read(path)?.tensors;
        self.retrieval.parameters().load(&part(&tensors, RETRIEVAL))?;
        if !self.keeps_drawer() {
            return Ok(());
        }
        self.load_drawer(&tensors)
    }

    /// Loads the generator and the discriminator, where it has them.
    pub(super) fn load_drawer(&self, tensors: &Tensors) -> Result<()> {
        self.drawer.iter().try_for_each(|own| own.parameters().load(&part(tensors, GENERATOR)).map(drop))?;
        self.critic.iter().try_for_each(|own| own.parameters().load(&part(tensors, CRITIC)).map(drop))
    }

    /// Rounds its weights as they are saved, so that ranks are those of the shipped ones.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn round(&self) -> Result<()> {
        self.retrieval.parameters().round(|_| true)?;
        self.drawer.iter().try_for_each(|own| own.parameters().round(|_| true))?;
        self.critic.iter().try_for_each(|own| own.parameters().round(|_| true))
    }

    /// Its generator of strokes.
    ///
    /// # Errors
    /// A row without one.
    pub fn generator(&self) -> Result<&Generator> {
        match &self.drawer {
            Some(Drawer::Strokes(generator)) => Ok(generator),
            Some(Drawer::Pixels(_)) => Err(no_strokes()),
            None => Err(Error::value("row", "one with a generator, such as ours-g", "one without")),
        }
    }

    /// How sharply it draws.
    fn temperature(&self) -> f32 {
        self.config.generator.as_ref().map_or(1.0, |generator| generator.temperature)
    }

    /// A sketch of every photo, and how each was drawn.
    ///
    /// # Shapes
    /// `photos (b, 3, h, w)` of 0 to 1; `places` b numbers that choose what is drawn of several possible sketches.
    ///
    /// # Errors
    /// A row without a generator of strokes.
    pub fn draw(&self, photos: &Tensor, places: &[usize]) -> Result<Vec<(Sketch, Trace)>> {
        let generator = self.generator()?;
        let seen = generator.see(photos, Mode::Eval)?;
        let traces = generator.draw(&seen, self.temperature(), &streams(self.seed, "drawn", places))?;
        traces.into_iter().map(|trace| Ok((generator.sketch(&trace)?, trace))).collect()
    }
}

impl PhotoNetwork {
    /// A sketch of every photo, of whatever size.
    ///
    /// # Errors
    /// A row without a generator of strokes.
    pub fn sketch(&self, photos: &[RgbImage]) -> Result<Vec<Sketch>> {
        let (side, device) = (self.config.retrieval.prepare.kept(), self.retrieval.parameters().device());
        let shrink = |photo: &RgbImage| imageops::resize(photo, side, side, FilterType::Triangle);
        let album = Album::of_photos(photos.iter().map(shrink).collect(), self.config.retrieval.prepare)?;
        let places: Vec<usize> = (0..photos.len()).collect();
        let mut sketches = Vec::with_capacity(photos.len());
        for chunk in places.chunks(CHUNK) {
            let views: Vec<(usize, Affine)> = chunk.iter().map(|at| (*at, Affine::default())).collect();
            sketches.extend(self.draw(&album.photos(&views, device)?, chunk)?.into_iter().map(|(sketch, _)| sketch));
        }
        Ok(sketches)
    }
}

impl Kept for PhotoNetwork {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        weights::save(path, &self.tensors(), Storage::F16, metadata)
    }

    fn release(&self) -> (BTreeMap<String, Tensor>, Storage) {
        (self.tensors(), Storage::F16)
    }
}

/// A trained row with the pictures of a corpus.
pub struct PhotoModel {
    /// Its networks.
    pub network: PhotoNetwork,
    album: Album,
    index: Index,
    device: Device,
}

impl PhotoModel {
    /// Networks with the pictures of some splits.
    ///
    /// # Errors
    /// Pictures that are not there; a watch that stops.
    pub fn open(network: PhotoNetwork, bench: &Bench, splits: &[Split], order: &Order) -> Result<Self> {
        let album = bench.album(network.config.retrieval.prepare, splits, order.watch)?;
        Ok(Self { network, album, index: bench.index().clone(), device: order.device.clone() })
    }

    fn pixels(&self) -> Pixels<'_> {
        Pixels::plain(&self.album, Normalisation::default(), &self.device)
    }

    fn embed(&self, pictures: &Tensor) -> Result<Tensor> {
        Ok(self.network.retrieval.embed(pictures, Mode::Eval)?.detach())
    }

    /// Pictures of photos, 0 to 1.
    ///
    /// # Errors
    /// A position outside the pictures that are there.
    pub fn shown(&self, photos: &[usize]) -> Result<Tensor> {
        self.pixels().photos(photos)
    }

    /// Pictures of people's sketches, 0 to 1.
    ///
    /// # Errors
    /// A position outside the pictures that are there.
    pub fn people(&self, sketches: &[usize]) -> Result<Tensor> {
        self.pixels().sketches(sketches)
    }

    /// Pictures of what is drawn in the place of people's sketches, of the same photos.
    ///
    /// # Shapes
    /// `sketches` b positions of the index; out `(b, 3, h, w)` of 0 to 1.
    ///
    /// # Errors
    /// A row without a generator; deformed sketches, or ones with parts left out.
    pub fn drawn(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        let photos: Vec<usize> = sketches.iter().map(|sketch| self.index.sketches[*sketch].photo).collect();
        let photos = self.shown(&photos)?;
        match (&self.network.drawer, view) {
            (Some(Drawer::Pixels(generator)), View::Whole) => Ok(generator.draw(&photos, Mode::Eval)?.detach()),
            (_, View::Whole | View::Partial(_)) => {
                let percent = if let View::Partial(percent) = view { f64::from(percent) } else { 100.0 };
                let own = self.network.draw(&photos, sketches)?.into_iter();
                let part =
                    |(sketch, _): (Sketch, Trace)| Ok((partial::first_points(&sketch, percent)?, Affine::default()));
                self.album.others(&own.map(part).collect::<Result<Vec<_>>>()?, &self.device)
            }
            _ => Err(Error::value(
                "generated sketches",
                "whole ones, or the first part of them",
                "deformed or masked ones",
            )),
        }
    }
}

impl Space for PhotoModel {
    fn photos(&self, photos: &[usize]) -> Result<Tensor> {
        self.embed(&self.shown(photos)?)
    }

    fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        match self.network.config.ranked {
            Ranked::Drawn => self.embed(&view.of(&self.pixels(), sketches)?),
            Ranked::Generated => self.embed(&self.drawn(sketches, view)?),
        }
    }
}

impl Model for PhotoModel {
    fn network(&self) -> &dyn Kept {
        &self.network
    }

    fn is_vector(&self) -> bool {
        match self.network.config.ranked {
            Ranked::Drawn => self.album.is_vector(),
            Ranked::Generated => self.network.generator().is_ok(),
        }
    }

    fn distance(&self) -> &'static str {
        "how far its features are from those of the sketch"
    }

    fn space(&self) -> Option<&dyn Space> {
        Some(self)
    }
}
