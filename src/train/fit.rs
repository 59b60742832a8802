//! The loop that most papers share: epochs of steps, a score on validation data after each, the best weights kept.

use super::course::{Course, CoursePlan};
use super::named::{Tensors, join, part};
use super::resume::Resume;
use super::select::{Outcome, Scores, SelectOn};
use super::{Gradients, Log, Schedule};
use crate::dataset::{Pair, batches};
use crate::model::Parameters;
use crate::run::RunFolder;
use crate::seed::{Seed, Stream};
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// One way to update a network from a batch. A paper with several losses or passes does all of them in `step`.
pub trait Step {
    /// Updates the parameters; returns the loss that is logged.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64>;

    /// The state to save beside the parameters, for resuming (optimiser states).
    ///
    /// # Errors
    /// A failing tensor operation.
    fn state(&self) -> Result<Gradients>;

    /// Restores a saved state.
    ///
    /// # Errors
    /// A state of another network or optimiser.
    fn restore(&mut self, state: Gradients) -> Result<()>;
}

/// Length and size of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitConfig {
    /// Passes over the training sketches.
    pub epochs: usize,
    /// Pairs to a step.
    pub batch: usize,
    /// The schedule of the rates.
    pub schedule: Schedule,
    /// Which epoch's weights are kept.
    pub select_on: SelectOn,
}

/// Everything a training needs beside its step.
pub struct Fit<'a> {
    /// Length and size.
    pub config: FitConfig,
    /// Splits into the streams `shuffle` and `step`.
    pub seed: Seed,
    /// The trained parameters; afterwards the kept weights.
    pub parameters: &'a Parameters,
    /// Training sketches and their photos.
    pub pairs: Vec<Pair>,
    /// Measures the parameters as they are on the validation part; none where no part is set aside, so that the last epoch
    /// has to be kept.
    pub score: Option<&'a dyn Fn() -> Result<Scores>>,
    /// The epoch to end with, where that is not the last of the schedule.
    pub stop: Option<usize>,
    /// Where the state goes after every epoch.
    pub folder: &'a RunFolder,
    /// Hash of the whole configuration: a state of another one is refused.
    pub hash: String,
    /// Told of progress; asked whether to stop.
    pub watch: &'a dyn Watch,
}

/// The line of an epoch in the log.
#[derive(Serialize)]
pub struct EpochLine {
    loss: f64,
    #[serde(flatten)]
    valid: Option<ValidLine>,
}

impl EpochLine {
    /// The loss, and the scores of the validation part where there is one.
    pub fn new(loss: f64, scores: Option<&Scores>) -> Self {
        Self { loss, valid: scores.map(ValidLine::new) }
    }
}

/// The scores in it.
#[derive(Serialize)]
struct ValidLine {
    valid_acc1: f64,
    valid_acc5: f64,
    valid_acc10: f64,
    valid_percentile: f64,
}

impl ValidLine {
    fn new(scores: &Scores) -> Self {
        Self {
            valid_acc1: scores.acc1,
            valid_acc5: scores.acc5,
            valid_acc10: scores.acc10,
            valid_percentile: scores.percentile,
        }
    }
}

/// The parameters and their step, as a [`Course`] saves them.
struct FitParts<'a> {
    parameters: &'a Parameters,
    step: &'a mut dyn Step,
    /// The sum of the weights after each of the last epochs so far, where they are averaged.
    sums: Tensors,
}

/// What the names of these sums begin with in a saved state.
const SUM: &str = "sum/";

impl FitParts<'_> {
    /// Adds the weights as they are; once all are there, puts their mean in their place.
    fn average(&mut self, epoch: usize, epochs: usize, averaged: usize) -> Result<()> {
        if averaged < 2 || epoch + averaged <= epochs {
            return Ok(());
        }
        for (name, tensor) in self.parameters.tensors() {
            let sum = match self.sums.get(&name) {
                Some(sum) => (sum + tensor)?,
                None => tensor.copy()?, // the parameter itself goes on changing
            };
            self.sums.insert(name, sum);
        }
        if epoch < epochs {
            return Ok(());
        }
        let mean = |(name, sum): (String, Tensor)| Ok((name, (sum / averaged as f64)?));
        let means = std::mem::take(&mut self.sums).into_iter().map(mean).collect::<Result<Tensors>>()?;
        self.parameters.load(&means).map(drop)
    }
}

impl Resume for FitParts<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.parameters.tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.parameters.load(trained).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        let mut state = self.step.state()?;
        state.extend(join([(SUM, self.sums.clone())]));
        Ok(state)
    }

    fn restore(&mut self, mut state: Tensors) -> Result<()> {
        self.sums = part(&state, SUM);
        state.retain(|name, _| !name.starts_with(SUM));
        self.step.restore(state)
    }
}

/// Trains, and leaves the selected weights in the parameters.
///
/// The state after every epoch is on disk before the next begins, so a run that is stopped or killed goes on from its
/// last whole epoch and, since every epoch draws from streams of its own, ends with the same weights as an unbroken one.
/// Where weights are averaged, the last epoch's line in the log has the scores of their mean. A training that stops before
/// the end of its schedule is the beginning of the whole one.
///
/// # Errors
/// [`Error::Stopped`] where the watch asks for it; a batch size that no batch can be made for; a failing step.
pub fn fit(fit: &Fit, step: &mut dyn Step, log: &mut Log) -> Result<Outcome> {
    let select_on = fit.config.select_on;
    let epochs = fit.stop.unwrap_or(fit.config.epochs);
    let plan = CoursePlan { epochs, select_on, folder: fit.folder, hash: fit.hash.clone(), watch: fit.watch };
    let mut fitted = FitParts { parameters: fit.parameters, step, sums: Tensors::new() };
    check_averaged(FitConfig { epochs, ..fit.config })?;
    let mut course = Course::open(plan, &mut fitted, log)?;
    while let Some(epoch) = course.next_epoch() {
        let loss = run_epoch(fit, fitted.step, &course, epoch)?;
        fitted.average(epoch, epochs, select_on.averaged())?;
        let scores = fit.score.map(|score| score()).transpose()?;
        let valid = scores.map(|scores| format!(", valid Acc@1 {:.1}", scores.acc1)).unwrap_or_default();
        let line = EpochLine::new(loss, scores.as_ref());
        course.end_epoch(&fitted, &line, &format!("loss {loss:.4}{valid}"), scores)?;
    }
    course.finish(&mut fitted)
}

fn check_averaged(FitConfig { epochs, select_on, .. }: FitConfig) -> Result<()> {
    match select_on {
        SelectOn::MeanOfLast(averaged) if !(1..=epochs).contains(&averaged) => {
            Err(Error::value("mean of the last epochs", format!("1 to {epochs}, as many as there are"), averaged))
        }
        _ => Ok(()),
    }
}

fn run_epoch(fit: &Fit, step: &mut dyn Step, course: &Course, epoch: usize) -> Result<f64> {
    let batches = batches(&fit.pairs, fit.config.batch, &mut fit.seed.child("shuffle", epoch as u64));
    if batches.is_empty() {
        let found = format!("{} from {} training sketches", fit.config.batch, fit.pairs.len());
        return Err(Error::value("batch", "a size that the training photos can fill", found));
    }
    let mut stream = fit.seed.child("step", epoch as u64);
    let (count, total) = (batches.len(), batches.len() * fit.config.epochs);
    let mut sum = 0.0;
    for (i, batch) in batches.iter().enumerate() {
        let done = (epoch - 1) * count + i;
        let factor = fit.config.schedule.factor(done, total);
        sum += course.step(done, total, || step.step(batch, &mut stream, factor))?;
    }
    Ok(sum / count as f64)
}
