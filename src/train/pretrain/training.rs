//! The loop of a pre-training.

use super::config::PretrainConfig;
use super::photo::PhotoSet;
use super::score::{self, AttributeScore, PretrainReport, round};
use super::task::{PhotoBatch, PretrainTask};
use crate::Result;
use crate::run::RunFolder;
use crate::seed::Seed;
use crate::train::named::{Tensors, join, part};
use crate::train::{Course, CoursePlan, Log, Optimiser, Resume, SelectOn, gradients};
use crate::watch::Watch;
use candle_core::DType;
use rand::seq::SliceRandom;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// A method and the optimiser of all its tensors, as a [`Course`] saves them.
struct Pupil {
    task: Box<dyn PretrainTask>,
    optimiser: Optimiser,
}

impl Resume for Pupil {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.task.trunk().parameters.tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.task.trunk().parameters.load(trained).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        Ok(join([("optimiser/", self.optimiser.state()?), ("method/", self.task.state()?)]))
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.optimiser.restore(part(&state, "optimiser/"))?;
        self.task.restore(&part(&state, "method/"))
    }
}

/// The line of an epoch in the log.
#[derive(Serialize)]
struct PretrainLine<'a> {
    loss: f64,
    valid_mean: f64,
    valid: BTreeMap<&'a str, f64>,
}

/// Everything that a pre-training needs beside its method.
pub(super) struct PretrainSession<'a> {
    pub(super) config: &'a PretrainConfig,
    pub(super) seed: Seed,
    pub(super) photos: &'a PhotoSet,
    pub(super) folder: &'a RunFolder,
    pub(super) hash: String,
    pub(super) watch: &'a dyn Watch,
}

impl PretrainSession<'_> {
    /// Trains; the backbone that comes back is rounded to half precision, and the report is of that one.
    pub(super) fn train(
        &self,
        task: Box<dyn PretrainTask>,
        started: Instant,
        log: &mut Log,
    ) -> Result<(Tensors, PretrainReport)> {
        let optimiser = Optimiser::new(self.config.optimiser, task.trunk().parameters.trainable());
        let mut pupil = Pupil { task, optimiser };
        let mut course = Course::open(self.plan(), &mut pupil, log)?;
        if course.epochs_done() == 0 {
            course.count_seconds(started.elapsed().as_secs_f64()); // of the photos
        }
        let mut last = None;
        while let Some(epoch) = course.next_epoch() {
            last = Some(self.train_epoch(&mut course, &mut pupil, epoch)?);
        }
        let outcome = course.finish(&mut pupil)?;
        // Where all epochs were done before, nothing is scored yet.
        let attributes = last.map_or_else(|| pupil.task.score(self.photos, self.config), Ok)?;
        let (mean, seconds) = (score::mean(&attributes), round(outcome.seconds, 10.0));
        Ok((pupil.task.trunk().backbone(), PretrainReport { mean, attributes, seconds }))
    }

    fn plan(&self) -> CoursePlan<'_> {
        let (epochs, hash) = (self.config.epochs, self.hash.clone());
        CoursePlan { epochs, select_on: SelectOn::Last, folder: self.folder, hash, watch: self.watch }
    }

    /// Steps, rounding after the last epoch's, and scores.
    fn train_epoch(&self, course: &mut Course, pupil: &mut Pupil, epoch: usize) -> Result<Vec<AttributeScore>> {
        let loss = self.run_steps(course, pupil, epoch)?;
        if epoch == self.config.epochs {
            self.round_off(pupil)?;
        }
        let attributes = pupil.task.score(self.photos, self.config)?;
        let valid_mean = score::mean(&attributes);
        let valid = attributes.iter().map(|score| (score.name.as_str(), score.accuracy)).collect();
        let line = PretrainLine { loss: round(loss, 1e5), valid_mean, valid };
        course.end_epoch(pupil, &line, &format!("loss {loss:.4}, accuracy {valid_mean:.1}"), None)?;
        Ok(attributes)
    }

    fn run_steps(&self, course: &Course, pupil: &mut Pupil, epoch: usize) -> Result<f64> {
        let Self { config, photos, .. } = *self;
        let mut order: Vec<usize> = (0..config.photos).collect();
        order.shuffle(&mut self.seed.child("shuffle", epoch as u64));
        let mut stream = self.seed.child("step", epoch as u64);
        let count = config.photos / config.batch;
        let variables = pupil.task.trunk().parameters.trainable();
        let mut sum = 0.0;
        for (i, positions) in order.chunks_exact(config.batch).enumerate() {
            let (done, total) = ((epoch - 1) * count + i, count * config.epochs);
            sum += course.step(done, total, || {
                let loss = pupil.task.loss(&PhotoBatch { photos, positions, config }, &mut stream)?;
                pupil.optimiser.step(&gradients(&loss, &variables)?, config.schedule.factor(done, total))?;
                pupil.task.moved((done + 1) as f64 / total as f64)?;
                Ok(loss.to_dtype(DType::F64)?.to_scalar::<f64>()?)
            })?;
        }
        Ok(sum / count as f64)
    }

    /// Statistics of whole photos, and numbers as they will be written.
    fn round_off(&self, pupil: &Pupil) -> Result<()> {
        if !self.config.method.is_attributes() {
            pupil.task.settle(self.photos, self.config)?;
        }
        pupil.task.trunk().parameters.round(|_| true)
    }
}
