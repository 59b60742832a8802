//! The loop that most papers share: epochs of steps, a score on validation data after each, the best weights kept.

use super::{Gradients, Log, Schedule};
use crate::dataset::{Pair, batches};
use crate::model::{Parameters, weights};
use crate::run::RunFolder;
use crate::seed::{Seed, Stream};
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One way to update a network from a batch. A paper with several losses or passes does all of them in `step`.
pub trait Step {
    /// Updates the parameters; returns the loss that is logged.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64>;

    /// What has to be saved, beside the parameters, to go on later (optimiser states).
    ///
    /// # Errors
    /// A failing tensor operation.
    fn state(&self) -> Result<Gradients>;

    /// Takes up a saved state.
    ///
    /// # Errors
    /// A state of another network or optimiser.
    fn restore(&mut self, state: Gradients) -> Result<()>;
}

/// Which epoch's weights are kept. Never chosen on test data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectOn {
    /// The best Acc@1 on the validation part; of equal ones the better average percentile, then the earlier.
    ValidAcc1,
    /// The best mean of Acc@1, Acc@5 and Acc@10 on the validation part: steadier where that part is small.
    ValidMean,
    /// The last epoch: a rule fixed in advance.
    Last,
}

impl std::fmt::Display for SelectOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ValidAcc1 => "valid acc1",
            Self::ValidMean => "valid mean of acc1, acc5, acc10",
            Self::Last => "last epoch",
        })
    }
}

/// What is measured on the validation part after an epoch, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Acc@1.
    #[serde(with = "exact")]
    pub acc1: f64,
    /// Acc@5.
    #[serde(with = "exact")]
    pub acc5: f64,
    /// Acc@10.
    #[serde(with = "exact")]
    pub acc10: f64,
    /// Average ranking percentile.
    #[serde(with = "exact")]
    pub percentile: f64,
}

/// Numbers as text: serde_json may read a number one bit off, and then a tie on resuming would be none.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl SelectOn {
    fn key(self, scores: &Scores, epoch: usize) -> (f64, f64) {
        match self {
            Self::ValidAcc1 => (scores.acc1, scores.percentile),
            Self::ValidMean => ((scores.acc1 + scores.acc5 + scores.acc10) / 3.0, scores.percentile),
            Self::Last => (epoch as f64, 0.0),
        }
    }
}

/// Length and size of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitConfig {
    /// Passes over the training sketches.
    pub epochs: usize,
    /// Pairs to a step.
    pub batch: usize,
    /// How the rates move.
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
    /// What is trained; ends as the kept weights.
    pub parameters: &'a Parameters,
    /// Training sketches and their photos.
    pub pairs: Vec<Pair>,
    /// Measures the parameters as they are on the validation part.
    pub score: &'a dyn Fn() -> Result<Scores>,
    /// Where the state goes after every epoch.
    pub folder: &'a RunFolder,
    /// Hash of the whole configuration: a state of another one is refused.
    pub hash: String,
    /// Told of progress; asked whether to stop.
    pub watch: &'a dyn Watch,
}

/// What a training ends with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The epoch whose weights the parameters now hold, from 1.
    pub epoch: usize,
    /// Its scores on the validation part.
    pub scores: Scores,
    /// Training time, interruptions not counted.
    pub seconds: f64,
}

/// A line of the log.
#[derive(Serialize)]
struct Line {
    epoch: usize,
    loss: f64,
    valid_acc1: f64,
    valid_acc5: f64,
    valid_acc10: f64,
    valid_percentile: f64,
    seconds: f64,
}

/// Where a training stands after an epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    hash: String,
    epoch: usize,
    best: Option<Outcome>,
    seconds: f64,
}

/// Trains, and leaves the selected weights in the parameters.
///
/// The state after every epoch is on disk before the next begins, so a run that is stopped or killed goes on from its
/// last whole epoch and, since every epoch draws from streams of its own, ends with the same weights as an unbroken one.
///
/// # Errors
/// [`Error::Stopped`] where the watch asks for it; a batch size that no batch can be made for; a failing step.
pub fn fit(fit: &Fit, step: &mut dyn Step, log: &mut Log) -> Result<Outcome> {
    let mut state = State::open(fit, step, log)?;
    while state.progress.epoch < fit.config.epochs {
        let started = std::time::Instant::now();
        let epoch = state.progress.epoch + 1;
        let loss = run_epoch(fit, step, epoch)?;
        let scores = (fit.score)()?;
        state.progress.seconds += started.elapsed().as_secs_f64();
        let line = Line {
            epoch,
            loss,
            valid_acc1: scores.acc1,
            valid_acc5: scores.acc5,
            valid_acc10: scores.acc10,
            valid_percentile: scores.percentile,
            seconds: (state.progress.seconds * 10.0).round() / 10.0,
        };
        log.append(&line)?;
        fit.watch.note(&format!("epoch {epoch}/{}: loss {loss:.4}, valid Acc@1 {:.1}", fit.config.epochs, scores.acc1));
        state.advance(fit, epoch, scores)?;
        state.save(fit, step)?;
    }
    state.finish(fit)
}

fn run_epoch(fit: &Fit, step: &mut dyn Step, epoch: usize) -> Result<f64> {
    let batches = batches(&fit.pairs, fit.config.batch, &mut fit.seed.child("shuffle", epoch as u64));
    if batches.is_empty() {
        let found = format!("{} from {} training sketches", fit.config.batch, fit.pairs.len());
        return Err(Error::value("batch", "a size that the training photos can fill", found));
    }
    let mut stream = fit.seed.child("step", epoch as u64);
    let (count, total) = (batches.len(), batches.len() * fit.config.epochs);
    let mut sum = 0.0;
    for (i, batch) in batches.iter().enumerate() {
        if fit.watch.is_stopped() {
            let resume = match epoch {
                1 => "nothing is saved yet; it starts again".to_string(),
                _ => format!("epoch {} is saved; the same command (`train`: with --resume) goes on from it", epoch - 1),
            };
            return Err(Error::Stopped { resume });
        }
        let done = (epoch - 1) * count + i;
        sum += step.step(batch, &mut stream, fit.config.schedule.factor(done, total))?;
        fit.watch.advance("steps", done + 1, total);
    }
    Ok(sum / count as f64)
}

struct State {
    progress: Progress,
    best: BTreeMap<String, Tensor>,
}

impl State {
    /// A saved state of this very configuration, or a fresh one.
    fn open(fit: &Fit, step: &mut dyn Step, log: &mut Log) -> Result<Self> {
        let fresh = Progress { hash: fit.hash.clone(), epoch: 0, best: None, seconds: 0.0 };
        let path = path(fit);
        if !path.is_file() {
            log.truncate(0)?; // a run that was killed after the line and before the state of its first epoch
            return Ok(Self { progress: fresh, best: BTreeMap::new() });
        }
        let weights::Weights { tensors, metadata } = weights::read(&path)?;
        let progress: Progress = serde_json::from_str(metadata.get("progress").map_or("", String::as_str))
            .map_err(|error| Error::data(&path, "the state of a training", error))?;
        if progress.hash != fit.hash {
            let found = format!("one of {}", progress.hash);
            return Err(Error::data(&path, format!("a state of configuration {}", fit.hash), found));
        }
        let part = |prefix: &str| -> BTreeMap<String, Tensor> {
            let own = tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)));
            own.map(|(name, tensor)| (name.to_string(), tensor.clone())).collect()
        };
        fit.parameters.load(&part("parameter/"))?;
        step.restore(part("step/"))?;
        log.truncate(progress.epoch)?;
        fit.watch.note(&format!("going on after epoch {}", progress.epoch));
        Ok(Self { progress, best: part("best/") })
    }

    fn advance(&mut self, fit: &Fit, epoch: usize, scores: Scores) -> Result<()> {
        let key = |outcome: &Outcome| fit.config.select_on.key(&outcome.scores, outcome.epoch);
        let now = Outcome { epoch, scores, seconds: self.progress.seconds };
        self.progress.epoch = epoch;
        if self.progress.best.as_ref().is_none_or(|best| key(&now) > key(best)) {
            self.progress.best = Some(now);
            self.best = copies(fit.parameters)?;
        }
        Ok(())
    }

    fn save(&self, fit: &Fit, step: &dyn Step) -> Result<()> {
        let mut tensors = BTreeMap::new();
        let mut add = |prefix: &str, part: BTreeMap<String, Tensor>| {
            tensors.extend(part.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
        };
        add("parameter/", fit.parameters.tensors());
        add("best/", self.best.clone());
        add("step/", step.state()?);
        let metadata = BTreeMap::from([("progress".to_string(), serde_json::to_string(&self.progress)?)]);
        weights::save(&path(fit), &tensors, weights::Storage::F32, &metadata)
    }

    fn finish(self, fit: &Fit) -> Result<Outcome> {
        let best = self.progress.best.ok_or_else(|| Error::value("epochs", "1 or more", 0))?;
        fit.parameters.load(&self.best)?;
        Ok(Outcome { seconds: self.progress.seconds, ..best })
    }
}

/// The state's place; not part of the record, and removed once the record is whole.
fn path(fit: &Fit) -> PathBuf {
    fit.folder.0.join("state.safetensors")
}

/// The current values, apart from the variables' own storage, which the next step overwrites.
pub(crate) fn copies(parameters: &Parameters) -> Result<BTreeMap<String, Tensor>> {
    parameters.tensors().into_iter().map(|(name, tensor)| Ok((name, tensor.copy()?))).collect()
}
