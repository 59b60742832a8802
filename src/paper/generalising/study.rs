//! Training of the network that describes sketches.

use super::config::{Borrowed, Config, DescriptorConfig, Drawn, TraitSource};
use super::descriptor::{Descriptor, DescriptorLoss};
use super::model::{MARGIN, SKETCHES, inked};
use crate::dataset::{Album, Split};
use crate::experiment::{Bench, Order, Trial, View};
use crate::file::{hash_bytes, write_atomic};
use crate::model::Allowance;
use crate::model::weights::{self, Storage};
use crate::run::RunFolder;
use crate::seed::{Seed, Stream};
use crate::sketch::centred_picture;
use crate::train::named::Tensors;
use crate::train::pretrain::edge_map;
use crate::train::{Course, CoursePlan, Log, Optimiser, OptimiserConfig, Resume, SelectOn, gradients};
use crate::{Error, Result, device};
use candle_core::Tensor;
use image::imageops::{FilterType, resize};
use rand::seq::SliceRandom;
use serde::Serialize;
use std::collections::BTreeMap;

/// Sketches to a pass that needs no gradient.
pub(super) const CHUNK: usize = 128;

/// Canny's thresholds and blur of edge maps, as in `retrace pretrain edges`.
const EDGES: ([f32; 2], f32) = ([20.0, 60.0], 1.6);

/// The categories of the training part, by name.
pub(super) fn categories(bench: &Bench) -> Vec<String> {
    let index = bench.index();
    index.categories(&index.photos_of(Split::Train)).into_iter().map(String::from).collect()
}

/// A line of the descriptor's log.
#[derive(Serialize)]
struct DescriptorLine {
    loss: f64,
    first: f64,
    used: Option<f64>,
}

/// Trains the descriptor network, or reads it where the same training is done: rows of one seed share it.
pub(super) fn describe(trial: &Trial<Config>, descriptor: &Descriptor) -> Result<()> {
    let Trial { run, bench, order, .. } = *trial;
    let own = Lesson::new(trial, &run.dataset, bench)?;
    match &run.config.borrowed {
        None => own.learn(descriptor).and_then(|()| own.keep_log())?,
        Some(Borrowed { corpus, tuning }) => {
            // As a run on that corpus divides it, so that the training is the same one.
            let needs = Config::preset(corpus, "ours-full")?.needs();
            let there = Bench::divide(corpus, &needs, run.seed, order.places)?;
            let first = Lesson::new(trial, corpus, &there)?;
            first.learn(descriptor)?;
            if *tuning > 0 {
                let tuned = own.after(&first, *tuning)?;
                tuned.learn(descriptor).and_then(|()| tuned.keep_log())?;
            }
        }
    }
    if let TraitSource::VaeKmeans(settings) = &run.config.traits {
        let (sketches, _) = pictures(bench, settings.drawn, order)?;
        let count = sketches.dim(0)?;
        let chunk = |start: usize| sketches.narrow(0, start, CHUNK.min(count - start));
        let chunks = (0..count).step_by(CHUNK).map(chunk).collect::<candle_core::Result<Vec<_>>>()?;
        descriptor.settle(&chunks, run.seed)?;
    }
    Ok(())
}

/// Puts the log of the dictionary's own training into the record, as a run does, where the cache has it and the record has
/// not.
pub(super) fn keep_log(trial: &Trial<Config>) -> Result<()> {
    Lesson::new(trial, &trial.run.dataset, trial.bench)?.keep_log()
}

/// The key of the dictionary's own training.
#[cfg(test)]
pub(super) fn key(trial: &Trial<Config>) -> Result<String> {
    Lesson::new(trial, &trial.run.dataset, trial.bench)?.key()
}

/// A training of the descriptor network on a corpus.
struct Lesson<'a> {
    trial: &'a Trial<'a, Config>,
    dataset: &'a str,
    bench: &'a Bench,
    config: DescriptorConfig,
    /// The training that it goes on from, by its key.
    after: Option<String>,
}

impl<'a> Lesson<'a> {
    fn new(trial: &'a Trial<'a, Config>, dataset: &'a str, bench: &'a Bench) -> Result<Self> {
        let config = trial.run.config.traits.descriptor();
        let config = *config.ok_or_else(|| Error::value("descriptor", "its settings", "none"))?;
        Ok(Self { trial, dataset, bench, config, after: None })
    }

    /// Further passes over this corpus after another lesson, with the weights that Eq. 7 ends with.
    fn after(mut self, first: &Self, passes: usize) -> Result<Self> {
        self.config.epochs = passes;
        self.config.weights = self.config.weights.map(|[_, last]| [last, last]);
        self.after = Some(first.key()?);
        Ok(self)
    }

    /// Trains it, or reads what the same training left.
    fn learn(&self, descriptor: &Descriptor) -> Result<()> {
        let Trial { run, order, .. } = *self.trial;
        let key = self.key()?;
        let folder = RunFolder(order.places.cache.join(format!("descriptor-{key}")));
        let done = folder.0.join("descriptor.safetensors");
        if done.is_file() {
            let tensors = weights::read(&done)?.tensors;
            let allowance = Allowance { missing: &["centres"], extra: &[] };
            return descriptor.parameters().load_allowing(&tensors, &allowance).map(drop);
        }
        std::fs::create_dir_all(&folder.0).map_err(Error::io(&folder.0))?;
        let _lock = folder.lock()?;
        let mut log = Log::open(&folder.0.join("log.jsonl"), &self.bench.header(run, Some(key.clone()), order)?)?;
        let mut study = Study::new(self, descriptor)?;
        let epochs = self.config.epochs;
        let plan = CoursePlan { epochs, select_on: SelectOn::Last, folder: &folder, hash: key, watch: order.watch };
        let mut course = Course::open(plan, &mut study, &mut log)?;
        while let Some(epoch) = course.next_epoch() {
            let line = study.epoch(&course, epoch)?;
            let note = format!("descriptor: {:.3}, words used {:?}", line.first, line.used);
            course.end_epoch(&study, &line, &note, None)?;
        }
        course.finish(&mut study)?;
        let mut tensors = descriptor.parameters().tensors();
        tensors.remove("centres"); // made afterwards, from the same network with and without them
        weights::save(&done, &tensors, Storage::F32, &BTreeMap::new())?;
        folder.remove_state()
    }

    /// Puts the log of the training into the record, as `descriptor/log.jsonl`, where it is not there yet.
    fn keep_log(&self) -> Result<()> {
        let from = self.trial.order.places.cache.join(format!("descriptor-{}/log.jsonl", self.key()?));
        let to = self.trial.folder.0.join("descriptor/log.jsonl");
        if !from.is_file() || to.is_file() {
            return Ok(());
        }
        write_atomic(&to, &std::fs::read(&from).map_err(Error::io(&from))?)
    }

    /// Names a training of the descriptor network: its settings, data, seed and device.
    fn key(&self) -> Result<String> {
        let Trial { run, order, .. } = *self.trial;
        let traits = match run.config.traits {
            TraitSource::Dictionary(_) => TraitSource::Dictionary(self.config),
            // Means are made afterwards: the autoencoder below them is the same.
            TraitSource::VaeKmeans(config) => TraitSource::Vae(config),
            traits => traits,
        };
        let traits = serde_json::to_string(&traits)?;
        let photos = self.bench.index().photos_of(Split::Train);
        let (data, device) = (self.bench.source().version(), device::name(order.device));
        let mut text = format!("{} {data} {traits} {SKETCHES:?} {:?} {photos:?} {device}", self.dataset, run.seed);
        text.extend(self.after.iter().map(|key| format!(" after {key}")));
        Ok(hash_bytes(text.as_bytes())[..16].to_string())
    }
}

/// The descriptor network in training.
struct Study<'a> {
    config: DescriptorConfig,
    descriptor: &'a Descriptor,
    optimiser: Optimiser,
    /// `(n, 64, 64, 1)`.
    sketches: Tensor,
    labels: Vec<u32>,
    seed: Seed,
    /// Whether unused words are replaced.
    grows_words: bool,
}

impl<'a> Study<'a> {
    fn new(lesson: &Lesson, descriptor: &'a Descriptor) -> Result<Self> {
        let Lesson { trial, config, .. } = *lesson;
        let (sketches, labels) = pictures(lesson.bench, config.drawn, trial.order)?;
        // A dictionary that is only tuned keeps its words: few sketches need few of them.
        let is_first = lesson.after.is_none();
        let grows_words = is_first && matches!(trial.run.config.traits, TraitSource::Dictionary(_));
        if grows_words && config.words > labels.len() {
            let expected = format!("at most as many words as training sketches, {}", labels.len());
            return Err(Error::value("+words", expected, config.words));
        }
        let optimiser = Optimiser::new(OptimiserConfig::adam(config.rate), descriptor.parameters().trainable());
        Ok(Self { config, descriptor, optimiser, sketches, labels, seed: trial.run.seed, grows_words })
    }

    /// Weights of Eq. 7, linear over the epochs.
    fn weights(&self, epoch: usize) -> [f64; 3] {
        let share = (epoch - 1) as f64 / (self.config.epochs - 1).max(1) as f64;
        self.config.weights.map(|[first, last]| first + (last - first) * share)
    }

    fn epoch(&mut self, course: &Course, epoch: usize) -> Result<DescriptorLine> {
        let stream = &mut self.seed.child("descriptor", epoch as u64);
        let mut order: Vec<u32> = (0..self.labels.len() as u32).collect();
        order.shuffle(stream);
        let chunks: Vec<&[u32]> = order.chunks_exact(self.config.batch.min(order.len())).collect();
        let (mut loss, mut first) = (0.0, 0.0);
        let (total, weights) = (chunks.len() * self.config.epochs, self.weights(epoch));
        for (i, chunk) in chunks.iter().enumerate() {
            let done = (epoch - 1) * chunks.len() + i;
            let step = course.step(done, total, || self.step(chunk, weights, stream))?;
            (loss, first) = (loss + step[0], first + step[1]);
        }
        let used = if self.grows_words { Some(self.replace(stream)?) } else { None };
        Ok(DescriptorLine { loss: loss / chunks.len() as f64, first: first / chunks.len() as f64, used })
    }

    fn step(&mut self, chunk: &[u32], weights: [f64; 3], stream: &mut Stream) -> Result<[f64; 2]> {
        let rows = Tensor::from_slice(chunk, chunk.len(), self.sketches.device())?;
        let labels: Vec<u32> = chunk.iter().map(|row| self.labels[*row as usize]).collect();
        let batch = self.sketches.index_select(&rows, 0)?;
        let DescriptorLoss { loss, first } = self.descriptor.loss(&batch, &labels, weights, stream)?;
        let gradients = gradients(&loss, &self.descriptor.parameters().trainable())?;
        self.optimiser.step(&gradients, 1.0)?;
        Ok([f64::from(loss.to_scalar::<f32>()?), first])
    }

    /// Replaces unused words after an epoch.
    fn replace(&self, stream: &mut Stream) -> Result<f64> {
        let mut chosen = Vec::with_capacity(self.labels.len());
        for start in (0..self.labels.len()).step_by(CHUNK) {
            let count = CHUNK.min(self.labels.len() - start);
            chosen.extend(self.descriptor.words(&self.sketches.narrow(0, start, count)?)?);
        }
        self.descriptor.replace_unused(&chosen, stream)
    }
}

impl Resume for Study<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.descriptor.parameters().tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.descriptor.parameters().load(trained).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        self.optimiser.state()
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.optimiser.restore(state)
    }
}

/// What the descriptor network learns from, and the category of each.
fn pictures(bench: &Bench, drawn: Drawn, order: &Order) -> Result<(Tensor, Vec<u32>)> {
    let (index, names) = (bench.index(), categories(bench));
    let label = |photo: usize| names.iter().position(|name| *name == index.photos[photo].category).unwrap_or(0) as u32;
    let (album, positions, labels) = match drawn {
        Drawn::Sketches => {
            let sketches = index.sketches_of(Split::Train);
            let labels = sketches.iter().map(|sketch| label(index.sketches[*sketch].photo)).collect();
            (bench.album(SKETCHES, &[Split::Train], order.watch)?, sketches, labels)
        }
        Drawn::Edges => {
            let photos = index.photos_of(Split::Train);
            let labels = photos.iter().map(|photo| label(*photo)).collect();
            let read = |photo: &usize| bench.source().photo(*photo);
            let photos = photos.iter().map(read).collect::<Result<Vec<_>>>()?;
            let side = SKETCHES.side;
            let map = |photo| centred_picture(&edge_map(photo, EDGES.0, EDGES.1), MARGIN, side);
            let maps: Vec<_> = photos.iter().map(map).collect();
            let fitted: Vec<_> = photos.iter().map(|photo| fit_photo(photo, side)).collect();
            let count = maps.len();
            (Album::of_pairs(fitted, maps, SKETCHES)?, (0..count).collect(), labels)
        }
    };
    let parts = positions.chunks(CHUNK).map(|chunk| inked(&album, chunk, View::Whole, order.device));
    Ok((Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?, labels))
}

fn fit_photo(photo: &image::RgbImage, side: u32) -> image::RgbImage {
    resize(photo, side, side, FilterType::Triangle)
}
