//! A training in progress: its part of the corpus, its batches or tasks, its steps.

use super::config::{Config, Setting, Training};
use super::model::AdaptiveModel;
use super::network::AdaptiveNetwork;
use super::outer::Regularisers;
use super::step::Learner;
use super::task::{Sampler, labels, ranked};
use crate::dataset::{Index, Pair, Split, batches};
use crate::experiment::{Bench, Order};
use crate::seed::{Seed, Stream};
use crate::train::named::Tensors;
use crate::train::{Course, Optimiser, Resume};
use crate::{Error, Result};
use std::borrow::Cow;

/// The training part of a row: of [`Training::Joint`], with the photos that others adapt to.
pub(super) fn training_index<'a>(bench: &'a Bench, config: &Config) -> Result<Cow<'a, Index>> {
    if config.training != Training::Joint {
        return Ok(Cow::Borrowed(bench.index()));
    }
    let mut index = bench.index().clone();
    for task in ranked(bench.index(), Split::Test, config)? {
        for sketch in task.support {
            let photo = index.sketches[sketch].photo;
            index.photos[photo].split = Split::Train;
        }
    }
    Ok(Cow::Owned(index))
}

/// The pairs that are trained on; those of a class come together.
pub(super) fn pairs(index: &Index, config: &Config) -> Vec<Pair> {
    let group = |label| if config.setting == Setting::Category { label } else { 0 };
    let pair = |(sketch, label)| Pair { sketch, photo: index.sketches[sketch].photo, group: group(label) };
    labels(index, config).into_iter().map(pair).collect()
}

pub(super) fn learner<'a>(
    model: &'a AdaptiveModel,
    index: &'a Index,
    config: &'a Config,
    teacher: Option<&'a AdaptiveNetwork>,
    seed: Seed,
    order: &Order,
) -> Result<Learner<'a>> {
    let network = &model.network;
    let outer = Regularisers::new(config, network.channels(), index, seed, order.device)?;
    let optimiser = Optimiser::new(config.optimiser, Learner::trainable(network, &outer));
    let labels = labels(index, config).into_iter().collect();
    Ok(Learner { config, network, outer, optimiser, teacher, pixels: model.pixels(), index, labels })
}

/// A training in progress.
pub(super) struct School<'a> {
    pub learner: Learner<'a>,
    pub pairs: Vec<Pair>,
    pub sampler: Option<Sampler<'a>>,
}

impl School<'_> {
    /// Returns the mean of L_T. An epoch of tasks ranks about as many sketches as one of batches has pairs.
    pub fn epoch(&mut self, course: &Course, epoch: usize, seed: Seed) -> Result<f64> {
        let (shuffle, stream) = (&mut seed.child("shuffle", epoch as u64), &mut seed.child("step", epoch as u64));
        let Config { fit, episode, .. } = *self.learner.config;
        match &self.sampler {
            Some(sampler) => {
                let count = (self.pairs.len() / (episode.tasks * (episode.shots + episode.queries))).max(1);
                let lessons = (0..count).map(|_| sampler.draw(&episode, shuffle)).collect::<Result<Vec<_>>>()?;
                self.steps(course, epoch, &lessons, stream, |learner, lessons, stream, factor| {
                    learner.tasks(lessons, stream, factor)
                })
            }
            None => {
                let batches = batches(&self.pairs, fit.batch, shuffle);
                if batches.is_empty() {
                    let found = format!("{} pairs", self.pairs.len());
                    return Err(Error::value(
                        "training part",
                        format!("{} pairs of different photos", fit.batch),
                        found,
                    ));
                }
                self.steps(course, epoch, &batches, stream, |learner, batch, stream, factor| {
                    learner.batch(batch, stream, factor)
                })
            }
        }
    }

    fn steps<T>(
        &mut self,
        course: &Course,
        epoch: usize,
        all: &[T],
        stream: &mut Stream,
        step: impl Fn(&mut Learner, &T, &mut Stream, f64) -> Result<f64>,
    ) -> Result<f64> {
        let fit = self.learner.config.fit;
        let (total, mut sum) = (all.len() * fit.epochs, 0.0);
        for (i, own) in all.iter().enumerate() {
            let done = (epoch - 1) * all.len() + i;
            let factor = fit.schedule.factor(done, total);
            sum += course.step(done, total, || step(&mut self.learner, own, stream, factor))?;
        }
        Ok(sum / all.len() as f64)
    }
}

impl Resume for School<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.learner.network.tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.learner.network.load_tensors(trained)
    }

    fn state(&self) -> Result<Tensors> {
        self.learner.state()
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.learner.restore(&state)
    }
}
