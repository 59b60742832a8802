//! Training of the retrieval network, Eq. 9 to 11, and the ways in which Table 1 trains it otherwise.

use super::config::{Config, Training};
use super::cross::{CrossStep, CrossTraining};
use super::descriptor::normal;
use super::model::AdaptedModel;
use super::study::CHUNK;
use crate::dataset::{Pair, Split, batches};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Queries, Trial, View};
use crate::loss::{normal_divergence, weighted_distances};
use crate::model::{Mode, Normalisation};
use crate::seed::Stream;
use crate::train::named::{Tensors, entry, join, part};
use crate::train::{Course, EpochLine, Feed, Log, Optimiser, Outcome, Pixels, Resume, gradients, values};
use crate::{Error, Result};
use candle_core::Tensor;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The retrieval network in training (Eq. 11).
struct Retrieval<'a> {
    config: &'a Config,
    model: &'a AdaptedModel,
    optimiser: Optimiser,
    /// phi of the training sketches, which do not change any more, with their rows.
    descriptions: Option<(Tensor, BTreeMap<usize, u32>)>,
    /// The network of domains of `CrossGrad`.
    cross: Option<CrossTraining>,
}

impl Retrieval<'_> {
    /// An epoch of batches; returns the mean loss.
    fn epoch(&mut self, course: &Course, epoch: usize, batches: &[Vec<Pair>], stream: &mut Stream) -> Result<f64> {
        let (total, mut sum) = (batches.len() * self.config.fit.epochs, 0.0);
        for (i, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) * batches.len() + i;
            let factor = self.config.fit.schedule.factor(done, total);
            sum += course.step(done, total, || match self.config.training {
                Training::Regress(_) => self.regress_step(batch, stream, factor),
                Training::CrossGrad(_) => self.cross_step(batch, stream, factor),
                _ => self.step(batch, stream, factor),
            })?;
        }
        Ok(sum / batches.len() as f64)
    }

    /// An epoch of Reptile, with about as many steps as a plain one of `length` batches: in every round two tasks of other
    /// categories begin at the same weights, which then move towards the mean of what both learned.
    fn meta_epoch(
        &mut self,
        course: &Course,
        epoch: usize,
        pairs: &[Pair],
        length: usize,
        stream: &mut Stream,
    ) -> Result<f64> {
        let Training::Reptile { share, steps, rate } = self.config.training else { return Ok(0.0) };
        let rounds = (length / (2 * steps)).max(1);
        let (total, mut sum) = (self.config.fit.epochs * rounds * 2 * steps, 0.0);
        let variables = self.model.adapted.trainable();
        for round in 0..rounds {
            let start = values(&variables)?;
            let mut ends = Vec::new();
            for (task, own) in tasks(pairs, share, stream).into_iter().enumerate() {
                self.model.adapted.set(&start)?;
                self.optimiser = Optimiser::new(self.config.optimiser, variables.clone());
                let done = (((epoch - 1) * rounds + round) * 2 + task) * steps;
                sum += self.task(course, &own, [done, total], stream)?;
                ends.push(values(&variables)?);
            }
            self.model.adapted.set(&towards(&start, &ends, rate)?)?;
        }
        Ok(sum / (2 * rounds) as f64)
    }

    /// The steps of one task; returns the mean loss.
    fn task(&mut self, course: &Course, pairs: &[Pair], [done, total]: [usize; 2], stream: &mut Stream) -> Result<f64> {
        let Training::Reptile { steps, .. } = self.config.training else { return Ok(0.0) };
        let (mut queue, mut sum) = (Vec::new(), 0.0);
        for step in 0..steps {
            if queue.is_empty() {
                queue = batches(pairs, self.config.fit.batch, stream);
            }
            let found = format!("{} pairs", pairs.len());
            let batch = queue.pop().ok_or_else(|| Error::value("categories of a task", "a whole batch", found))?;
            let factor = self.config.fit.schedule.factor(done + step, total);
            sum += course.step(done + step, total, || self.step(&batch, stream, factor))?;
        }
        Ok(sum / steps as f64)
    }

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
        let mut loss = self.config.task.of(&distances, &owners, self.config.margin)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if let Some(found) = distribution {
            let weight = self.config.divergence_weight(found.mean.dim(1)?);
            loss = (loss + (normal_divergence(&found.mean, &found.log_variance)? * weight)?)?;
        }
        self.optimiser.step(&gradients(&loss, &adapted.trainable())?, factor)?;
        Ok(value)
    }

    /// A step of `CVAE-Regress`.
    fn regress_step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let adapted = &self.model.adapted;
        let regressor =
            adapted.regressor.as_ref().ok_or_else(|| Error::value("row", "networks to regress with", "none"))?;
        let (sketches, photos) = self.model.kept(batch)?;
        let noise = normal(&[batch.len(), regressor.latent()], sketches.device(), stream)?;
        let loss = regressor.loss(&photos, &sketches, &noise)?;
        self.optimiser.step(&gradients(&loss, &adapted.trainable())?, factor)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    /// A step of `CrossGrad`, whose labels are photos: they enter the loss of triplets.
    fn cross_step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let cross = self.cross.as_mut().ok_or_else(|| Error::value("row", "a network of domains", "none"))?;
        let (network, b) = (&self.model.adapted.network, batch.len());
        let owners: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
        let label = |pictures: &Tensor| {
            let both = network.embed_in_training(pictures)?;
            let (sketches, photos) = (both.narrow(0, 0, b)?, both.narrow(0, b, b)?);
            let distances = weighted_distances(&sketches, &photos, &sketches.ones_like()?)?;
            self.config.task.of(&distances, &owners, self.config.margin)
        };
        let raw = Pixels { normalisation: Normalisation::default(), ..self.model.pixels() };
        let (sketches, photos) = raw.pairs(batch, stream)?;
        let pixels = Tensor::cat(&[sketches, photos], 0)?;
        let variables = self.model.adapted.trainable();
        let CrossStep { loss, gradients } = cross.step(pixels, batch, &label, &variables, factor)?;
        self.optimiser.step(&gradients, factor)?;
        Ok(loss)
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
        let own = self.optimiser.state()?;
        let Some(cross) = &self.cross else { return Ok(own) };
        let (mut state, others) = (join([(LABEL, own)]), cross.state()?);
        state.extend(others);
        Ok(state)
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        let Some(cross) = &mut self.cross else { return self.optimiser.restore(state) };
        cross.restore(&state)?;
        self.optimiser.restore(part(&state, LABEL))
    }
}

/// The optimiser of the retrieval network in the state of a training of two networks.
const LABEL: &str = "label-optimiser/";

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A setting that cannot be trained with; a watch that stops.
pub(super) fn retrieve(trial: &Trial<Config>, model: &AdaptedModel, log: &mut Log) -> Result<Outcome> {
    let Trial { run, bench, .. } = *trial;
    let (config, fit) = (&run.config, run.config.fit);
    let pairs = pairs(bench, config.training);
    let optimiser = Optimiser::new(config.optimiser, model.adapted.trainable());
    let mut training =
        Retrieval { config, model, optimiser, descriptions: table(model, &pairs)?, cross: cross(trial, &pairs)? };
    let valid = Queries::of(bench.index(), Split::Valid);
    let mut course = Course::open(trial.course(fit.epochs, fit.select_on)?, &mut training, log)?;
    while let Some(epoch) = course.next_epoch() {
        let batches = batches(&pairs, fit.batch, &mut run.seed.child("shuffle", epoch as u64));
        if batches.is_empty() {
            let found = format!("{} pairs", pairs.len());
            return Err(Error::value("training part", format!("{} pairs of different photos", fit.batch), found));
        }
        let stream = &mut run.seed.child("step", epoch as u64);
        let loss = match config.training {
            Training::Reptile { .. } => training.meta_epoch(&course, epoch, &pairs, batches.len(), stream)?,
            _ => training.epoch(&course, epoch, &batches, stream)?,
        };
        let scores = valid.scores(&evaluate(model, &valid)?)?;
        let line = EpochLine::new(loss, Some(&scores));
        let note = format!("loss {loss:.4}, valid Acc@1 {:.1}", scores.acc1);
        course.end_epoch(&training, &line, &note, Some(scores))?;
    }
    course.finish(&mut training)
}

/// The network of domains at its start, of `CrossGrad`.
fn cross(trial: &Trial<Config>, pairs: &[Pair]) -> Result<Option<CrossTraining>> {
    let Trial { run, order, .. } = *trial;
    let config = &run.config;
    let Training::CrossGrad(settings) = config.training else { return Ok(None) };
    let start = config.needs().find(order.places)?;
    let rule = (config.network(), config.optimiser);
    CrossTraining::new(settings, rule, pairs, (run.seed, order.device), start.first().map(PathBuf::as_path)).map(Some)
}

/// The pairs that are trained on: those of the seen categories, or every second photo's of the unseen ones.
fn pairs(bench: &Bench, training: Training) -> Vec<Pair> {
    match training {
        Training::UnseenHalf => {}
        // No batch needs negatives.
        Training::Regress(_) => {
            return bench.pairs(Split::Train).into_iter().map(|pair| Pair { group: 0, ..pair }).collect();
        }
        _ => return bench.pairs(Split::Train),
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut half = BTreeSet::new();
    for photo in bench.index().photos_of(Split::Test) {
        let count = counts.entry(&bench.index().photos[photo].category).or_default();
        if count.is_multiple_of(2) {
            half.insert(photo);
        }
        *count += 1;
    }
    bench.pairs(Split::Test).into_iter().filter(|pair| half.contains(&pair.photo)).collect()
}

/// The pairs of two tasks: a share of the categories, drawn anew, half of them to each.
fn tasks(pairs: &[Pair], share: f64, stream: &mut Stream) -> [Vec<Pair>; 2] {
    let groups: BTreeSet<usize> = pairs.iter().map(|pair| pair.group).collect();
    let mut groups: Vec<usize> = groups.into_iter().collect();
    groups.shuffle(stream);
    let half = ((groups.len() as f64 * share / 2.0).round() as usize).max(1).min(groups.len());
    let (first, rest) = groups.split_at(half);
    let second = &rest[..half.min(rest.len())];
    [first, second].map(|own| pairs.iter().filter(|pair| own.contains(&pair.group)).copied().collect())
}

/// `start + rate (mean of ends - start)`.
fn towards(start: &Tensors, ends: &[Tensors], rate: f64) -> Result<Tensors> {
    let one = |(name, from): (&String, &Tensor)| -> Result<(String, Tensor)> {
        let mut sum = from.zeros_like()?;
        for end in ends {
            sum = (sum + entry(end, name)?)?;
        }
        let mean = (sum / ends.len() as f64)?;
        Ok((name.clone(), (from + ((mean - from)? * rate)?)?))
    };
    start.iter().map(one).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use candle_core::Device;

    #[test]
    fn tasks_share_no_category() {
        let pairs: Vec<Pair> = (0..80).map(|sketch| Pair { sketch, photo: sketch, group: sketch / 10 }).collect();
        let [first, second] = tasks(&pairs, 0.5, &mut Seed(1).stream("tasks"));
        let groups = |pairs: &[Pair]| pairs.iter().map(|pair| pair.group).collect::<BTreeSet<_>>();
        assert_eq!((first.len(), second.len(), groups(&first).len()), (20, 20, 2)); // two of eight to each
        assert!(groups(&first).is_disjoint(&groups(&second)));
    }

    #[test]
    fn weights_move_towards_the_mean_of_both_tasks() {
        let at = |x: f64| Tensors::from([("w".to_string(), Tensor::new(&[x], &Device::Cpu).unwrap())]);
        let moved = towards(&at(1.0), &[at(3.0), at(7.0)], 0.25).unwrap();
        assert_eq!(moved["w"].to_vec1::<f64>().unwrap(), [2.0]);
    }
}
