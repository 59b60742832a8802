//! A training from epoch to epoch: state, resume, log, selection and progress, whatever an epoch does.

use super::Log;
use super::named::{Tensors, copies};
use super::resume::Resume;
use super::select::{Outcome, Scores, SelectOn};
use super::state::{Saved, TrainingProgress};
use crate::run::RunFolder;
use crate::watch::Watch;
use crate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Everything that a [`Course`] needs beside what is trained.
pub struct CoursePlan<'a> {
    /// Epochs of all phases together.
    pub epochs: usize,
    /// Which epoch's weights are kept.
    pub select_on: SelectOn,
    /// Where the state goes after every epoch, as `state.safetensors`.
    pub folder: &'a RunFolder,
    /// Hash of the whole configuration: a state of another one is refused.
    pub hash: String,
    /// Told of progress; asked whether to stop.
    pub watch: &'a dyn Watch,
}

/// Where a training stands: the epochs done, the best of them, and the log.
///
/// The state after every epoch is on disk before the next begins. So a loop whose epochs draw from streams of their own,
/// and which saves all that it changes, ends with the same weights whether it was stopped or not.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::run::{Header, RunFolder};
/// use retrace::train::named::{Tensors, entry};
/// use retrace::train::{Course, CoursePlan, Log, Resume, SelectOn};
/// use retrace::watch::Unwatched;
/// use std::collections::BTreeMap;
///
/// struct Sum(f32);
/// impl Resume for Sum {
///     fn trained(&self) -> retrace::Result<Tensors> {
///         Ok([("sum".to_string(), Tensor::new(&[self.0], &Device::Cpu)?)].into())
///     }
///     fn load(&mut self, trained: &Tensors) -> retrace::Result<()> {
///         self.0 = entry(trained, "sum")?.to_vec1::<f32>()?[0];
///         Ok(())
///     }
/// }
///
/// # let (text, place) = (String::new(), tempfile::tempdir().unwrap());
/// # let (folder, none) = (RunFolder(place.path().to_path_buf()), Default::default());
/// # let header = Header {
/// #     command: text.clone(), config_hash: text.clone(), data_version: text.clone(), counts: Default::default(),
/// #     seed: retrace::seed::Seed(0), versions: none, weights: None, device: text,
/// # };
/// let mut log = Log::open(&folder.0.join("log.jsonl"), &header)?;
/// let (select_on, hash) = (SelectOn::Last, "a".to_string());
/// let plan = CoursePlan { epochs: 3, select_on, folder: &folder, hash, watch: &Unwatched };
/// let mut sum = Sum(0.0);
/// let mut course = Course::open(plan, &mut sum, &mut log)?;
/// while let Some(epoch) = course.next_epoch() {
///     for i in 0..10 {
///         course.step((epoch - 1) * 10 + i, 30, || {
///             sum.0 += epoch as f32;
///             Ok(())
///         })?;
///     }
///     course.end_epoch(&sum, &BTreeMap::from([("sum", sum.0)]), "added", None)?;
/// }
/// assert_eq!((course.finish(&mut sum)?.epoch, sum.0), (3, 60.0));
/// # Ok::<(), retrace::Error>(())
/// ```
pub struct Course<'a> {
    plan: CoursePlan<'a>,
    log: &'a mut Log,
    progress: TrainingProgress,
    best: Tensors,
    began: Instant,
}

/// A line of the log.
#[derive(Serialize)]
struct LogEntry<'a, L> {
    epoch: usize,
    #[serde(flatten)]
    line: &'a L,
    seconds: f64,
}

impl<'a> Course<'a> {
    /// Resumes from the state of this configuration, or starts anew if there is none.
    ///
    /// # Errors
    /// A state of another configuration or network, a file that is no state, a log that is shorter than the state says.
    pub fn open(plan: CoursePlan<'a>, trained: &mut dyn Resume, log: &'a mut Log) -> Result<Self> {
        let (path, began) = (path(plan.folder), Instant::now());
        if !path.is_file() {
            log.truncate(0)?; // a run that was killed after the line and before the state of its first epoch
            let progress = TrainingProgress { hash: plan.hash.clone(), epoch: 0, best: None, seconds: 0.0 };
            return Ok(Self { plan, log, progress, best: Tensors::new(), began });
        }
        let saved = Saved::read(&path, &plan.hash)?;
        trained.load(&saved.trained)?;
        trained.restore(saved.rest)?;
        log.truncate(saved.progress.epoch)?;
        plan.watch.note(&format!("going on after epoch {}", saved.progress.epoch));
        Ok(Self { plan, log, progress: saved.progress, best: saved.best, began })
    }

    /// Whether a training was stopped in this folder and can go on.
    pub fn is_under_way(folder: &RunFolder) -> bool {
        path(folder).is_file()
    }

    /// Epochs that are done and saved.
    pub fn epochs_done(&self) -> usize {
        self.progress.epoch
    }

    /// Begins the next epoch and its timer; returns its number, from 1, or none once all are done.
    pub fn next_epoch(&mut self) -> Option<usize> {
        self.began = Instant::now();
        (self.progress.epoch < self.plan.epochs).then_some(self.progress.epoch + 1)
    }

    /// Adds time that was spent outside epochs, such as on drawing photos before the first.
    pub fn count_seconds(&mut self, seconds: f64) {
        self.progress.seconds += seconds;
    }

    /// Goes on, unless the watch asks for a stop.
    ///
    /// # Errors
    /// [`Error::Stopped`], with what is saved and how to go on.
    pub fn go_on(&self) -> Result<()> {
        if !self.plan.watch.is_stopped() {
            return Ok(());
        }
        let resume = match self.progress.epoch {
            0 => "nothing is saved yet; it starts again".to_string(),
            epoch => format!("epoch {epoch} is saved; the same command (`train`: with --resume) goes on from it"),
        };
        Err(Error::Stopped { resume })
    }

    /// Does one step, where `done` of `total` are done, and tells the watch.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the watch asks for it; a failing step.
    pub fn step<T>(&self, done: usize, total: usize, step: impl FnOnce() -> Result<T>) -> Result<T> {
        self.go_on()?;
        let value = step()?;
        self.plan.watch.advance("steps", done + 1, total);
        Ok(value)
    }

    /// Ends the epoch: logs it, notes it, keeps its weights if they are the best so far, and saves the state.
    ///
    /// `line` is a struct or a map; the log has the epoch before its fields and the seconds after them. An epoch without
    /// scores is no candidate for selection, unless the last one is kept in any case.
    ///
    /// # Errors
    /// A number that is not finite; a folder that cannot be written.
    pub fn end_epoch(
        &mut self,
        trained: &dyn Resume,
        line: &impl Serialize,
        note: &str,
        scores: Option<Scores>,
    ) -> Result<()> {
        let epoch = self.progress.epoch + 1;
        self.progress.seconds += self.began.elapsed().as_secs_f64();
        let seconds = (self.progress.seconds * 10.0).round() / 10.0;
        self.log.append(&LogEntry { epoch, line, seconds })?;
        self.plan.watch.note(&format!("epoch {epoch}/{}: {note}", self.plan.epochs));
        self.progress.epoch = epoch;
        self.select(trained, Outcome { epoch, scores, seconds: self.progress.seconds })?;
        self.save(trained)
    }

    /// Keeps copies of the weights where the epoch is the best so far.
    fn select(&mut self, trained: &dyn Resume, now: Outcome) -> Result<()> {
        if self.plan.select_on.prefers(&now, self.progress.best.as_ref()) {
            self.progress.best = Some(now);
            self.best = copies(&trained.trained()?)?;
        }
        Ok(())
    }

    fn save(&self, trained: &dyn Resume) -> Result<()> {
        let (progress, best) = (self.progress.clone(), self.best.clone());
        Saved { progress, best, trained: trained.trained()?, rest: trained.state()? }.write(&path(self.plan.folder))
    }

    /// Loads the kept weights back.
    ///
    /// # Errors
    /// No epoch at all, or none that could be selected.
    pub fn finish(self, trained: &mut dyn Resume) -> Result<Outcome> {
        let best = self.progress.best.ok_or_else(|| match self.progress.epoch {
            0 => Error::value("epochs", "1 or more", 0),
            epochs => Error::value(self.plan.select_on, "an epoch with scores", format!("none of {epochs} epochs")),
        })?;
        trained.load(&self.best)?;
        Ok(Outcome { seconds: self.progress.seconds, ..best })
    }
}

/// The state's place; not part of the record, and removed once the record is whole.
fn path(folder: &RunFolder) -> PathBuf {
    folder.0.join("state.safetensors")
}
