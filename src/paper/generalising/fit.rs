//! The two trainings of the paper: the network that describes sketches, then retrieval with weights made from the query.

use super::adapt::AdaptedNetwork;
use super::config::{Config, DescriptorConfig, Drawn, TraitSource};
use super::descriptor::{Descriptor, DescriptorLoss, normal};
use super::model::{AdaptedModel, SKETCHES, inked};
use crate::dataset::{Album, Pair, Split, batches};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Fitted, Order, Queries, Trial, View};
use crate::file::hash_bytes;
use crate::loss::{normal_divergence, triplet_loss_of, weighted_distances};
use crate::model::Mode;
use crate::run::RunFolder;
use crate::seed::{Seed, Stream};
use crate::train::named::Tensors;
use crate::train::pretrain::edge_map;
use crate::train::{Course, CoursePlan, Feed, Log, Optimiser, OptimiserConfig, Resume, SelectOn, gradients};
use crate::{Error, Result, device};
use candle_core::Tensor;
use rand::seq::SliceRandom;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Sketches to a pass that needs no gradient.
const CHUNK: usize = 128;

/// Canny's thresholds and blur of edge maps, as in `retrace pretrain edges`.
const EDGES: ([f32; 2], f32) = ([20.0, 60.0], 1.6);

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A corpus of one category; a setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<AdaptedModel>> {
    let Trial { run, bench, order, .. } = *trial;
    let config = &run.config;
    let adapted = AdaptedNetwork::new(config, categories(bench).len(), run.seed, order.device)?;
    adapted.network.load_backbone(&order.places.pretrained(&format!("{}-{}", config.architecture, config.weights))?)?;
    if let Some(descriptor) = &adapted.descriptor {
        describe(trial, descriptor)?;
        descriptor.parameters().round(|_| true)?; // as it will be shipped
    }
    let model = AdaptedModel::open(config, adapted, bench, &Split::ALL, order)?;
    let outcome = retrieve(trial, &model, log)?;
    model.adapted.round()?;
    Ok(Fitted { model, outcome: Some(outcome), select_on: config.fit.select_on.to_string() })
}

/// The categories of the training part, by name.
pub(super) fn categories(bench: &Bench) -> Vec<String> {
    let index = bench.index();
    let names: BTreeSet<&String> =
        index.photos_of(Split::Train).into_iter().map(|photo| &index.photos[photo].category).collect();
    names.into_iter().cloned().collect()
}

/// A line of the descriptor's log.
#[derive(Serialize)]
struct DescriptorLine {
    loss: f64,
    first: f64,
    used: Option<f64>,
}

/// Trains the descriptor network, or reads it where the same training is done: rows of one seed share it.
fn describe(trial: &Trial<Config>, descriptor: &Descriptor) -> Result<()> {
    let Trial { run, bench, order, .. } = *trial;
    let config = *run.config.traits.descriptor().ok_or_else(|| Error::value("descriptor", "its settings", "none"))?;
    let key = key(trial)?;
    let folder = RunFolder(order.places.cache.join(format!("descriptor-{key}")));
    let done = folder.0.join("descriptor.safetensors");
    if done.is_file() {
        let tensors = crate::model::weights::read(&done)?.tensors;
        return descriptor.parameters().load(&tensors).map(drop);
    }
    std::fs::create_dir_all(&folder.0).map_err(Error::io(&folder.0))?;
    let _lock = folder.lock()?;
    let mut log = Log::open(&folder.0.join("log.jsonl"), &bench.header(run, Some(key.clone()), order)?)?;
    let mut study = Study::new(trial, config, descriptor)?;
    let plan =
        CoursePlan { epochs: config.epochs, select_on: SelectOn::Last, folder: &folder, hash: key, watch: order.watch };
    let mut course = Course::open(plan, &mut study, &mut log)?;
    while let Some(epoch) = course.next_epoch() {
        let line = study.epoch(&course, epoch)?;
        let note = format!("descriptor: {:.3}, words used {:?}", line.first, line.used);
        course.end_epoch(&study, &line, &note, None)?;
    }
    course.finish(&mut study)?;
    let tensors = descriptor.parameters().tensors();
    crate::model::weights::save(&done, &tensors, crate::model::weights::Storage::F32, &BTreeMap::new())?;
    folder.remove_state()
}

/// Names a training of the descriptor network: its settings, data, seed and device.
fn key(trial: &Trial<Config>) -> Result<String> {
    let Trial { run, bench, order, .. } = *trial;
    let traits = serde_json::to_string(&run.config.traits)?;
    let photos = bench.index().photos_of(Split::Train);
    let (data, device) = (bench.source().version(), device::name(order.device));
    let text = format!("{} {data} {traits} {:?} {photos:?} {device}", run.dataset, run.seed);
    Ok(hash_bytes(text.as_bytes())[..16].to_string())
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
    has_dictionary: bool,
}

impl<'a> Study<'a> {
    fn new(trial: &Trial<Config>, config: DescriptorConfig, descriptor: &'a Descriptor) -> Result<Self> {
        let (sketches, labels) = pictures(trial.bench, config.drawn, trial.order)?;
        let has_dictionary = matches!(trial.run.config.traits, TraitSource::Dictionary(_));
        if has_dictionary && config.words > labels.len() {
            let expected = format!("at most as many words as training sketches, {}", labels.len());
            return Err(Error::value("+words", expected, config.words));
        }
        let optimiser = Optimiser::new(OptimiserConfig::adam(config.rate), descriptor.parameters().trainable());
        Ok(Self { config, descriptor, optimiser, sketches, labels, seed: trial.run.seed, has_dictionary })
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
        let used = if self.has_dictionary { Some(self.replace(stream)?) } else { None };
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
    let album = bench.album(SKETCHES, &[Split::Train], order.watch)?;
    let (album, positions, labels) = match drawn {
        Drawn::Sketches => {
            let sketches = index.sketches_of(Split::Train);
            let labels = sketches.iter().map(|sketch| label(index.sketches[*sketch].photo)).collect();
            (album, sketches, labels)
        }
        Drawn::Edges => {
            let photos = index.photos_of(Split::Train);
            let labels = photos.iter().map(|photo| label(*photo)).collect();
            let read = |photo: &usize| bench.source().photo(*photo);
            let photos = photos.iter().map(read).collect::<Result<Vec<_>>>()?;
            let side = SKETCHES.side;
            let small = |picture: image::GrayImage| {
                image::imageops::resize(&picture, side, side, image::imageops::FilterType::Triangle)
            };
            let maps: Vec<_> = photos.iter().map(|photo| small(edge_map(photo, EDGES.0, EDGES.1))).collect();
            let fitted: Vec<_> = photos.iter().map(|photo| fit_photo(photo, side)).collect();
            let count = maps.len();
            (Album::of_pairs(fitted, maps, SKETCHES)?, (0..count).collect(), labels)
        }
    };
    let parts = positions.chunks(CHUNK).map(|chunk| inked(&album, chunk, View::Whole, order.device));
    Ok((Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?, labels))
}

fn fit_photo(photo: &image::RgbImage, side: u32) -> image::RgbImage {
    image::imageops::resize(photo, side, side, image::imageops::FilterType::Triangle)
}

/// The line of a retrieval epoch.
#[derive(Serialize)]
struct RetrievalLine {
    loss: f64,
    valid_acc1: f64,
    valid_acc5: f64,
    valid_acc10: f64,
    valid_percentile: f64,
}

/// The retrieval network in training (Eq. 11).
struct Retrieval<'a> {
    config: &'a Config,
    model: &'a AdaptedModel,
    optimiser: Optimiser,
    /// phi of the training sketches, which do not change any more, with their rows.
    descriptions: Option<(Tensor, BTreeMap<usize, u32>)>,
}

impl Retrieval<'_> {
    fn step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let (adapted, b) = (&self.model.adapted, batch.len());
        let (sketches, photos) = self.model.pixels().pairs(batch, stream)?;
        let both = adapted.network.embed_in_training(&Tensor::cat(&[sketches, photos], 0)?)?;
        let (sketches, photos) = (both.narrow(0, 0, b)?, both.narrow(0, b, b)?);
        let descriptions = self.describe(batch)?;
        let device = both.device().clone();
        let draw = |shape: &[usize]| normal(shape, &device, stream);
        let (weights, distribution) = adapted.weigh(&sketches, descriptions.as_ref(), draw, Mode::Train)?;
        let owners: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
        let distances = weighted_distances(&sketches, &photos, &weights)?;
        let mut loss = triplet_loss_of(&distances, &owners, self.config.margin)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if let Some(found) = distribution {
            loss = (loss + (normal_divergence(&found.mean, &found.log_variance)? * self.config.lambda)?)?;
        }
        self.optimiser.step(&gradients(&loss, &adapted.trainable())?, factor)?;
        Ok(value)
    }

    fn describe(&self, batch: &[Pair]) -> Result<Option<Tensor>> {
        let Some((table, rows)) = &self.descriptions else { return Ok(None) };
        let rows: Vec<u32> = batch.iter().map(|pair| rows[&pair.sketch]).collect();
        Ok(Some(table.index_select(&Tensor::from_slice(&rows, rows.len(), table.device())?, 0)?))
    }
}

impl Resume for Retrieval<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.model.adapted.tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.model.adapted.load_tensors(trained)
    }

    fn state(&self) -> Result<Tensors> {
        self.optimiser.state()
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.optimiser.restore(state)
    }
}

fn retrieve(trial: &Trial<Config>, model: &AdaptedModel, log: &mut Log) -> Result<crate::train::Outcome> {
    let Trial { run, bench, .. } = *trial;
    let (config, fit) = (&run.config, run.config.fit);
    let pairs = bench.pairs(Split::Train);
    let optimiser = Optimiser::new(config.optimiser, model.adapted.trainable());
    let mut training = Retrieval { config, model, optimiser, descriptions: table(model, &pairs)? };
    let valid = Queries::of(bench.index(), Split::Valid);
    let mut course = Course::open(trial.course(fit.epochs, fit.select_on)?, &mut training, log)?;
    while let Some(epoch) = course.next_epoch() {
        let batches = batches(&pairs, fit.batch, &mut run.seed.child("shuffle", epoch as u64));
        if batches.is_empty() {
            let found = format!("{} pairs", pairs.len());
            return Err(Error::value("training part", format!("{} pairs of different photos", fit.batch), found));
        }
        let (stream, total) = (&mut run.seed.child("step", epoch as u64), batches.len() * fit.epochs);
        let mut sum = 0.0;
        for (i, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) * batches.len() + i;
            let factor = fit.schedule.factor(done, total);
            sum += course.step(done, total, || training.step(batch, stream, factor))?;
        }
        let (loss, scores) = (sum / batches.len() as f64, valid.scores(&evaluate(model, &valid)?)?);
        let line = RetrievalLine {
            loss,
            valid_acc1: scores.acc1,
            valid_acc5: scores.acc5,
            valid_acc10: scores.acc10,
            valid_percentile: scores.percentile,
        };
        let note = format!("loss {loss:.4}, valid Acc@1 {:.1}", scores.acc1);
        course.end_epoch(&training, &line, &note, Some(scores))?;
    }
    course.finish(&mut training)
}

/// phi of the training sketches.
fn table(model: &AdaptedModel, pairs: &[Pair]) -> Result<Option<(Tensor, BTreeMap<usize, u32>)>> {
    let sketches: Vec<usize> = pairs.iter().map(|pair| pair.sketch).collect();
    let parts = sketches.chunks(CHUNK).map(|chunk| model.describe(chunk, View::Whole));
    let parts: Option<Vec<Tensor>> = parts.collect::<Result<Vec<_>>>()?.into_iter().collect();
    let Some(parts) = parts.filter(|parts| !parts.is_empty()) else { return Ok(None) };
    let rows = sketches.into_iter().zip(0..).collect();
    Ok(Some((Tensor::cat(&parts, 0)?, rows)))
}
