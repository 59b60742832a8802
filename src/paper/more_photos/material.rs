//! What a run trains on: labelled pairs, and photos without sketches.

use super::config::{Config, Unlabelled};
use super::stroke::simple;
use crate::dataset::synthetic::{MorePhotos, SIDE};
use crate::dataset::{self, Album, Drawing, Pair, PhotoFolder, Split};
use crate::experiment::{Bench, Order};
use crate::model::Normalisation;
use crate::seed::Seed;
use crate::sketch::{AugmentConfig, Sketch};
use crate::train::Pixels;
use crate::{Error, Result};
use candle_core::Device;
use image::RgbImage;
use image::imageops::{self, FilterType};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seed of the further photos of an embedded corpus: others than pre-training has.
const FURTHER: u64 = 29;

/// The pictures of a corpus, and which of its training photos have sketches.
pub(super) struct Material {
    /// All parts of the corpus.
    pub album: Album,
    /// Pairs that are trained on.
    pub pairs: Vec<Pair>,
    /// Training photos whose sketches are hidden.
    pub hidden: Vec<usize>,
    /// How pictures are deformed.
    pub augment: AugmentConfig,
    /// Where tensors live.
    pub device: Device,
}

impl Material {
    /// Reads the corpus; the labelled photos are drawn by the run's seed, the same for all rows.
    ///
    /// # Errors
    /// A picture that cannot be read; a watch that stops.
    pub fn open(config: &Config, bench: &Bench, seed: Seed, order: &Order) -> Result<Self> {
        let album = bench.album(config.retrieval.prepare, &Split::ALL, order.watch)?;
        let labelled = labelled(bench, config.labelled, seed);
        let (pairs, _): (Vec<Pair>, Vec<Pair>) =
            bench.pairs(Split::Train).into_iter().partition(|pair| labelled.contains(&pair.photo));
        let photos = bench.index().photos_of(Split::Train).into_iter();
        let hidden = photos.filter(|photo| !labelled.contains(photo)).collect();
        Ok(Self { album, pairs, hidden, augment: config.retrieval.augment, device: order.device.clone() })
    }

    /// Pictures of the corpus as they are, 0 to 1: every network normalises its own input.
    pub fn pixels(&self) -> Pixels<'_> {
        let plain = Pixels::plain(&self.album, Normalisation::default(), &self.device);
        Pixels { augment: self.augment, ..plain }
    }
}

/// The first of the training photos, in an order drawn anew: a smaller share is part of a larger one.
fn labelled(bench: &Bench, percent: u32, seed: Seed) -> BTreeSet<usize> {
    let mut photos = bench.index().photos_of(Split::Train);
    photos.shuffle(&mut seed.stream("labelled"));
    let count = (photos.len() * percent as usize).div_ceil(100);
    photos.into_iter().take(count).collect()
}

/// The sketches of some pairs with few points, by their positions.
///
/// # Errors
/// Sketches without strokes, or without points.
pub(super) fn sketches(pairs: &[Pair], bench: &Bench, config: &Config) -> Result<BTreeMap<usize, Sketch>> {
    let Some(generator) = &config.generator else { return Err(Error::value("row", "one with a generator", "another")) };
    let read = |pair: &Pair| {
        let strokes = match bench.source().drawing(pair.sketch)? {
            Drawing::Vector(sketch) => sketch,
            Drawing::Raster(_) => {
                let expected = "sketches of strokes, as the generator draws point by point";
                return Err(Error::value(
                    format!("corpus {}", bench.source().name()),
                    expected,
                    "pictures of sketches",
                ));
            }
        };
        Ok((pair.sketch, simple(&strokes, generator)?))
    };
    pairs.par_iter().map(read).collect()
}

/// Photos without sketches: those whose sketches are hidden, then further ones.
///
/// # Errors
/// A folder that is not there; a photo that cannot be read; a watch that stops.
pub(super) fn unlabelled(
    config: &Config,
    dataset: &str,
    material: &Material,
    bench: &Bench,
    order: &Order,
) -> Result<Album> {
    let side = config.retrieval.prepare.kept();
    let shrink = |photo: RgbImage| imageops::resize(&photo, side, side, FilterType::Triangle);
    let own = material.hidden.par_iter().map(|photo| Ok(shrink(bench.source().photo(*photo)?)));
    let mut photos: Vec<RgbImage> = own.collect::<Result<_>>()?;
    let done = AtomicUsize::new(0);
    let go_on = |total: usize| {
        order.watch.advance("photos", done.fetch_add(1, Ordering::Relaxed) + 1, total);
        let resume = || "photos are not kept; the same command starts with them again".into();
        if order.watch.is_stopped() { Err(Error::Stopped { resume: resume() }) } else { Ok(()) }
    };
    match &config.unlabelled {
        Unlabelled::Drawn(count) => {
            let stream = MorePhotos::new(dataset, *count, FURTHER, SIDE)?;
            let drawn =
                (0..*count).into_par_iter().map(|at| go_on(*count).and_then(|()| Ok(shrink(stream.photo(at)?))));
            photos.extend(drawn.collect::<Result<Vec<_>>>()?);
        }
        Unlabelled::Folders(names) => {
            let missing =
                || Error::value("RETRACE_DATA", format!("the folder that holds {}", names.join(", ")), "not set");
            let data = order.places.data.as_deref().ok_or_else(missing)?;
            let folders = names.iter().map(|name| dataset::photos(&data.join(name))).collect::<Result<Vec<_>>>()?;
            let of = |(at, folder): (usize, &PhotoFolder)| (0..folder.count()).map(move |position| (at, position));
            let places: Vec<(usize, usize)> = folders.iter().enumerate().flat_map(of).collect();
            let read = dataset::unlabelled(&folders, &places, data, side, &|| go_on(places.len()))?;
            photos.extend(read.into_iter().flatten());
        }
    }
    Album::of_photos(photos, config.retrieval.prepare)
}
